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
		"never":     {"off\n17\n", loopState{pid: 17}, ""},
		"died once": {"on\n-\nend 1732082400.100000000 17\n", loopState{on: true, left: true, ends: []time.Time{time.Unix(1732082400, 1e8)}}, ""},
		"and again": {
			"on\n-\nend 1732082400.100000000 17\nrested 1732082400.400000000\nstart 1732082401.100000000 18\nend 1732082402.100000000 18\n",
			loopState{
				on: true, left: true, ends: []time.Time{time.Unix(1732082400, 1e8), time.Unix(1732082402, 1e8)}, starts: 1,
				rests: []time.Duration{300 * time.Millisecond}, lives: []time.Duration{time.Second},
			},
			"",
		},
		"it was dead": {
			"on\n-\nstart 1732082400.100000000 17\nrested 1732082403.400000000\nstart 1732082404.100000000 18\n",
			loopState{on: true, left: true, starts: 2},
			"",
		},
		"no such act":       {"on\n-\nstop 1732082400.100000000 17\n", loopState{on: true, left: true}, "want end, rested or start"},
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

func TestThePaceOfALoop(t *testing.T) {
	ms := func(all ...int) (out []time.Duration) {
		for _, n := range all {
			out = append(out, time.Duration(n)*time.Millisecond)
		}
		return out
	}
	for name, tc := range map[string]struct {
		asked time.Duration
		times []time.Duration
		want  bool
	}{
		"none":                     {time.Second, nil, false},
		"right":                    {time.Second, ms(1005), true},
		"stamps that differ":       {time.Second, ms(991), true},
		"too short":                {time.Second, ms(980), false},
		"a tenth":                  {time.Second, ms(104), false},
		"ten times":                {time.Second, ms(10_010), false},
		"a busy machine":           {time.Second, ms(1490), true},
		"half as much again":       {time.Second, ms(1510), false},
		"a busy machine, briefly":  {100 * time.Millisecond, ms(340), true},
		"more than twice, briefly": {100 * time.Millisecond, ms(360), false},
		"one that stalled":         {time.Second, ms(1010, 4000, 1020), true},
		"most of them":             {time.Second, ms(4000, 1010, 4100), false},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tc.want, paced(tc.asked, tc.times)) })
	}
}

func TestLoopPlan(t *testing.T) {
	plan := CrashLoop{Life: 1500 * time.Millisecond, Rest: 250 * time.Millisecond}.loop()
	require.Contains(t, plan, "sleep 0.250\n\techo \"rested $(date +%s.%N)\" >>crash-loop.log\n\t[ -e crash-loop ] || exit 0\n")
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
