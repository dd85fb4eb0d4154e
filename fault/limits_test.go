package fault

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func TestParsePressure(t *testing.T) {
	now := time.Unix(1732082400, 5)
	for name, tc := range map[string]struct {
		text string
		want pressure
		err  string
	}{
		"nothing asked": {"9223372036854771712 100 80 0 5000 0 1732082400000000005\n- - -\n", pressure{used: 100, held: 80, nanos: 5000, at: now}, ""},
		"version 2":     {"max 100 80 0 5000 0 1732082400000000005\n- - -\n", pressure{used: 100, held: 80, nanos: 5000, at: now}, ""},
		"asked": {
			"116 100 80 2 5000 7 1732082400000000005\n116 1 1732082399.500000000\n",
			pressure{limit: 116, used: 100, held: 80, killed: 2, nanos: 5000, throttled: 7, at: now, asked: "116", killedBefore: 1, since: time.Unix(1732082399, 5e8)},
			"",
		},
		"too little":     {"1 2 3\n- - -\n", pressure{}, "want ten words"},
		"no number":      {"x 100 80 0 5000 0 1\n- - -\n", pressure{}, "invalid syntax"},
		"no time of act": {"1 100 80 0 5000 0 1\n1 0 soon\n", pressure{}, "nine decimals"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parsePressure(tc.text)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
}

func TestWithinATenth(t *testing.T) {
	for measured, want := range map[float64]bool{0.89: false, 0.9: true, 1: true, 1.1: true, 1.11: false} {
		require.Equal(t, want, within(measured, 1), measured)
	}
}

func TestValidateRefusesLimitsThatCannotBe(t *testing.T) {
	for name, f := range map[string]Fault{
		"no cpu":       CPUStarvation{CPU: 0.01},
		"a whole core": CPUStarvation{CPU: 1},
		"no room":      MemorySqueeze{Room: 1000},
		"less room":    MemorySqueeze{Room: -1},
	} {
		t.Run(name, func(t *testing.T) { require.ErrorContains(t, f.Validate(), "want ") })
	}
	for _, f := range []Fault{CPUStarvation{}, CPUStarvation{CPU: 0.5}, MemorySqueeze{}, OutOfMemory{}} {
		require.NoError(t, f.Validate())
	}
}

// limitless is a container whose limits cannot be changed.
type limitless struct{ topology.Container }

func (limitless) Name() string { return "j1" }

func TestLimitsNeedTheCapability(t *testing.T) {
	for _, f := range []Fault{CPUStarvation{}, MemorySqueeze{}, OutOfMemory{}} {
		require.ErrorIs(t, f.Inject(context.Background(), []topology.Node{limitless{}}, nil), ErrCapability, f.Kind())
	}
	err := Undo(context.Background(), []topology.Node{limitless{}}, Entry{Undo: LimitsRestored, Node: "j1", Params: map[string]string{"memory": "0", "cpu": "0"}})
	require.ErrorIs(t, err, ErrCapability)
}
