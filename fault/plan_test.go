package fault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFilterPlans(t *testing.T) {
	for name, tc := range map[string]struct{ got, want []string }{
		"drop": {dropAll("hachaos_power_loss"), []string{
			"nft",
			"add table inet hachaos_power_loss; " +
				"add chain inet hachaos_power_loss input { type filter hook input priority -400; policy drop; }; " +
				"add chain inet hachaos_power_loss output { type filter hook output priority -400; policy drop; }",
		}},
		"remove": {removeFilter("hachaos_power_loss"), []string{
			"nft",
			"add table inet hachaos_power_loss; delete table inet hachaos_power_loss",
		}},
		"list": {listTables(), []string{"nft", "list tables"}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tc.want, tc.got) })
	}
}

func TestHasTable(t *testing.T) {
	list := "table ip nat\ntable inet hachaos_power_loss_2\ntable inet hachaos_x\n"
	require.True(t, hasTable(list, "hachaos_x"))
	require.False(t, hasTable(list, "hachaos_power_loss"), "not by prefix")
	require.False(t, hasTable("", "hachaos_x"))
}

func TestParseProcess(t *testing.T) {
	at := func(sec int64, nano int64) time.Time { return time.Unix(sec, nano) }
	for name, tc := range map[string]struct {
		text string
		want process
		err  string
	}{
		"never killed":      {"-\n1732082400.000000001\n17\n", process{gone: at(1732082400, 1), pid: 17}, ""},
		"killed":            {"1732082400.100000000\n1732082400.200000000\n-\n", process{killed: at(1732082400, 1e8), gone: at(1732082400, 2e8)}, ""},
		"not noticed yet":   {"1732082400.100000000\n1732082400.000000000\n-\n", process{killed: at(1732082400, 1e8), gone: at(1732082400, 1e8)}, ""},
		"a comma":           {"1732082400,100000000\n-\n-\n", process{killed: at(1732082400, 1e8), gone: at(1732082400, 1e8)}, ""},
		"too little":        {"-\n-\n", process{}, "three lines"},
		"whole seconds":     {"1732082400\n-\n-\n", process{}, "nine decimals"},
		"no number of time": {"x.000000000\n-\n-\n", process{}, "nine decimals"},
		"no number":         {"-\n-\nx\n", process{}, "invalid syntax"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseProcess(tc.text)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
}

func TestKindsAreWhatTheFilesSay(t *testing.T) {
	require.Contains(t, Kinds(), "instance-kill")
	for _, kind := range Kinds() {
		require.FileExists(t, strings.ReplaceAll(kind, "-", "_")+".go")
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ text, err string }{
		"unknown kind":      {`{"kind":"earthquake"}`, "there are "},
		"unknown parameter": {`{"kind":"instance-kill","params":{"magnitude":9}}`, "magnitude"},
		"no JSON":           {`kind`, "fault:"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Decode([]byte(tc.text))
			require.ErrorContains(t, err, tc.err)
		})
	}
}

func TestValidateRefusesAPortThatCannotBe(t *testing.T) {
	for _, f := range []Fault{InstanceKill{Port: -1}, ProcessCrash{Port: 65536}, ProcessFreeze{Port: -1}, PowerLoss{Port: 70000}, InstanceFreeze{Port: -1}, InstanceStop{Port: -1}, InstanceRestart{Port: -1}, CrashLoop{Port: -1}, OutOfMemory{Port: -1}, MemorySqueeze{Port: -1}, CPUStarvation{Port: -1}} {
		require.ErrorContains(t, f.Validate(), f.Kind()+": port")
	}
}

func TestAwaitKeepsTheLastWholeLook(t *testing.T) {
	blind := errors.New("the engine does not answer")
	for name, tc := range map[string]struct {
		looks []error // of one look each; the next is broken off
		err   error
		seen  string
	}{
		"no whole look":        {nil, context.DeadlineExceeded, ""},
		"seen":                 {[]error{nil}, nil, "look 1"},
		"could not, then seen": {[]error{blind, nil}, nil, "look 2"},
		"seen, then could not": {[]error{nil, blind}, blind, ""},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			n := 0
			p, err := await(ctx, func(context.Context) (Proof, error) {
				n++
				if n > len(tc.looks) {
					cancel()
					return Proof{}, ctx.Err()
				}
				if tc.looks[n-1] != nil {
					return Proof{}, tc.looks[n-1]
				}
				return Proof{Measured: fmt.Sprint("look ", n)}, nil
			})
			require.ErrorIs(t, err, tc.err)
			require.Equal(t, tc.seen, p.Measured)
		})
	}
}

// late is a context at its deadline, whose own timer has not gone off yet.
type late struct{ context.Context }

func (late) Deadline() (time.Time, bool) { return time.Now(), true }

// TestAwaitLeavesOutALookThatTheDeadlineBroke: a dialer that gives up at the
// deadline says only "i/o timeout", and may do so before the context ends.
func TestAwaitLeavesOutALookThatTheDeadlineBroke(t *testing.T) {
	n := 0
	ctx, cancel := context.WithCancel(t.Context())
	p, err := await(late{ctx}, func(context.Context) (Proof, error) {
		if n++; n == 1 {
			return Proof{Measured: "look 1"}, nil
		}
		time.AfterFunc(time.Millisecond, cancel)
		return Proof{}, errors.New("dial: i/o timeout")
	})
	require.NoError(t, err)
	require.Equal(t, "look 1", p.Measured)
}

func TestParseMark(t *testing.T) {
	const alive = "-\n1732082400.000000001\n17\n"
	for name, tc := range map[string]struct {
		text string
		want mark
		err  string
	}{
		"nothing":     {"\n-\n" + alive, mark{process: process{gone: time.Unix(1732082400, 1), pid: 17}}, ""},
		"armed":       {"after-commit \n-\n" + alive, mark{armed: "after-commit", process: process{gone: time.Unix(1732082400, 1), pid: 17}}, ""},
		"died":        {"after-commit \nafter-commit 1732082400000002 12.1 k-12\n-\n1732082400.000000003\n-\n", mark{armed: "after-commit", point: "after-commit", op: "12.1", key: "k-12", at: time.UnixMicro(1732082400000002), process: process{gone: time.Unix(1732082400, 3)}}, ""},
		"half a mark": {"\nafter-commit 17\n" + alive, mark{}, "want point, time, operation and key"},
		"no time":     {"\nafter-commit x 12.1 k\n" + alive, mark{}, "no number"},
		"too little":  {"\n-", mark{}, "five lines"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseMark(tc.text)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
}

func TestTransactionKillValidates(t *testing.T) {
	require.NoError(t, TransactionKill{}.Validate())
	require.NoError(t, TransactionKill{Point: BeforeCommit}.Validate())
	require.ErrorContains(t, TransactionKill{Point: "later"}.Validate(), "want after-commit or before-commit")
}
