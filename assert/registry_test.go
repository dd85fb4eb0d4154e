package assert_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// limit is a checker of a user's own.
type limit struct {
	Max int `json:"max"`
}

func (limit) Name() string                          { return "limit" }
func (limit) About() string                         { return "at most max operations" }
func (limit) Needs() []assert.Need                  { return nil }
func (limit) Check(*history.History) assert.Verdict { return assert.Verdict{} }

func TestCheckersSurviveARecord(t *testing.T) {
	own := assert.Table{"limit": assert.Typed[limit]()}
	for _, c := range []assert.Checker{
		assert.WriteLedger{},
		assert.Leftovers{},
		assert.ConnectionCeiling{},
		assert.Alerts{Tells: assert.TellsNode},
		assert.RotationKept{Least: assert.EveryServer},
		assert.TimeoutOrder{},
		assert.SessionSurvival{},
		assert.SessionSurvival{Expect: assert.ExpectLostWithNode},
		assert.Distribution{},
		assert.BlastRadius{Percent: 99},
		assert.Recovery{Bounds: []string{"ready"}, Steady: 99, Starts: 2},
		assert.Distribution{MaxSkewPercent: 5, VictimPercent: 20, Expect: map[string]float64{"j1": 2, "j2": 1}},
		limit{Max: 3},
	} {
		meta, err := assert.Encode(c)
		require.NoError(t, err)
		text, err := json.Marshal(meta)
		require.NoError(t, err)
		var again history.AssertMeta
		require.NoError(t, json.Unmarshal(text, &again))
		got, err := assert.DecodeAll([]history.AssertMeta{again}, own)
		require.NoError(t, err)
		require.Equal(t, []assert.Checker{c}, got)
	}
}

func TestEachKnownCheckerBearsItsName(t *testing.T) {
	require.Subset(t, assert.Known(), []string{
		"distribution", "error-budget", "failover-anatomy", "leftovers", "readiness-gating", "session-survival", "write-ledger",
	})
	for _, name := range assert.Known() {
		c, err := assert.Decode(name, nil, nil)
		require.NoError(t, err)
		require.Equal(t, name, c.Name())
		require.NotEmpty(t, c.About())
		require.NotEmpty(t, c.Needs())
	}
}

func TestDecodeErrors(t *testing.T) {
	tests := []struct {
		name, checker, params string
		own                   assert.Table
		want                  string
	}{
		{"an unknown checker", "luck", ``, nil, `checker "luck" is not known: hachaos has `},
		{"a checker of one's own that is not handed over", "limit", `{"max":3}`, nil, "hand your own over in the table"},
		{"an unknown parameter", "session-survival", `{"expects":"survive"}`, nil, `read the parameters of checker "session-survival": json: unknown field "expects"`},
		{"a wrong type", "distribution", `{"maxSkewPercent":"much"}`, nil, `read the parameters of checker "distribution"`},
		{"a name that is taken", "write-ledger", ``, assert.Table{"write-ledger": assert.Typed[limit]()}, `checker "write-ledger" comes with hachaos`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := assert.Decode(tt.checker, json.RawMessage(tt.params), tt.own)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// closed cannot be carried by JSON.
type closed struct {
	limit
	Do func()
}

func (closed) MarshalJSON() ([]byte, error) { return nil, errors.New("holds a function") }

func TestEncodeErrors(t *testing.T) {
	_, err := assert.Encode(closed{})
	require.ErrorContains(t, err, "its exported fields must be plain data")
	_, err = assert.Encode(nil)
	require.Error(t, err)
}

func TestStatusText(t *testing.T) {
	for status, text := range map[assert.Status]string{assert.Inconclusive: `"inconclusive"`, assert.Pass: `"pass"`, assert.Fail: `"fail"`} {
		got, err := json.Marshal(status)
		require.NoError(t, err)
		require.Equal(t, text, string(got))
		var again assert.Status
		require.NoError(t, json.Unmarshal(got, &again))
		require.Equal(t, status, again)
	}
	var s assert.Status
	require.ErrorContains(t, json.Unmarshal([]byte(`"maybe"`), &s), `status "maybe": want inconclusive, pass or fail`)
	require.Equal(t, "Status(9)", assert.Status(9).String())
}
