package fault

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseLoop(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want loopState
		err  string
	}{
		"never":             {"off\n17\n", loopState{pid: 17}, ""},
		"died once":         {"on\n-\nend 1732082400.100000000 17\n", loopState{on: true, left: true, ends: []time.Time{time.Unix(1732082400, 1e8)}}, ""},
		"and again":         {"on\n-\nend 1732082400.100000000 17\nstart 1732082401.100000000 18\nend 1732082402.100000000 18\n", loopState{on: true, left: true, ends: []time.Time{time.Unix(1732082400, 1e8), time.Unix(1732082402, 1e8)}, starts: 1}, ""},
		"without a mark":    {"part\n17\n", loopState{left: true, pid: 17}, ""},
		"over":              {"off\n19\nend 1732082400.100000000 17\nstart 1732082401.100000000 18\n", loopState{pid: 19, ends: []time.Time{time.Unix(1732082400, 1e8)}, starts: 1}, ""},
		"being written":     {"on\n-\nend\n", loopState{on: true, left: true}, ""},
		"nothing":           {"", loopState{}, "at least two lines"},
		"no number":         {"on\nx\n", loopState{on: true, left: true}, "invalid syntax"},
		"no number of time": {"on\n-\nend x 17\n", loopState{on: true, left: true}, "nine decimals"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseLoop(tc.text)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
}

func TestLoopPlan(t *testing.T) {
	plan := CrashLoop{Life: 1500 * time.Millisecond, Rest: 250 * time.Millisecond}.loop()
	require.Contains(t, plan, "sleep 0.250\n\t[ -e crash-loop ] || exit 0\n")
	require.Contains(t, plan, "sleep 1.500\ndone")
	require.Contains(t, CrashLoop{}.loop(), "sleep 3.000\ndone")
}

func TestValidateRefusesTimesThatCannotBe(t *testing.T) {
	for name, f := range map[string]Fault{
		"life 50ms":  CrashLoop{Life: 50 * time.Millisecond},
		"rest 2m":    CrashLoop{Rest: 2 * time.Minute},
		"life 1.5µs": CrashLoop{Life: 1500 * time.Nanosecond},
		"grace -1s":  InstanceStop{Grace: -time.Second},
		"grace 1.5s": InstanceRestart{Grace: 1500 * time.Millisecond},
		"grace 2m":   InstanceStop{Grace: 2 * time.Minute},
		"grace 1s":   InstanceRestart{Kill: true, Grace: time.Second},
	} {
		t.Run(name, func(t *testing.T) { require.Error(t, f.Validate()) })
	}
	for _, f := range []Fault{CrashLoop{}, InstanceStop{Grace: time.Second}, InstanceRestart{Kill: true}} {
		require.NoError(t, f.Validate())
	}
}
