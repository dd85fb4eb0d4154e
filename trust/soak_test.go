package trust

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
)

// TestHarmlessCanBeRun: each is a scenario that the harness takes.
func TestHarmlessCanBeRun(t *testing.T) {
	for _, s := range Harmless() {
		require.NoError(t, new(harness.Runner).Validate(s, harness.Options{}), s.Name)
	}
}

// TestHarmlessCanBeJudged: each steady phase has the thousand operations that 99.9 %
// takes, or no run has a verdict.
func TestHarmlessCanBeJudged(t *testing.T) {
	for _, s := range Harmless() {
		steady := 0
		for _, p := range s.Phases {
			if p.Kind == history.PhaseSteady {
				steady++
				require.Greater(t, float64(s.Load.Rate)*p.For.Seconds(), 1_100.0, "%s: %s", s.Name, p.Name)
			}
		}
		require.Equal(t, 2, steady, s.Name)
	}
}

func TestUpperBound(t *testing.T) {
	require.InDelta(t, 1-math.Pow(0.05, 1.0/200), UpperBound(0, 200), 1e-9)
	require.InDelta(t, 0.00299, UpperBound(0, 1000), 1e-5, "0 in 1,000 is under 0.3 %")
	// the same sum, bisected by another program
	require.InDelta(t, 0.06162, UpperBound(2, 100), 1e-4)
	require.Equal(t, 1.0, UpperBound(0, 0))
	require.Equal(t, 1.0, UpperBound(3, 3))
}

func TestAlarmsAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "soak.jsonl")
	pass := &harness.Result{Scenario: "a", Seed: 1, Verdict: harness.VerdictPass, Reason: "All held.", Assertions: []assert.Verdict{{Status: assert.Pass}, {Status: assert.Pass}}}
	fail := &harness.Result{Scenario: "b", Seed: 2, Verdict: harness.VerdictFail, Reason: "no.", Assertions: []assert.Verdict{{Status: assert.Fail}, {Status: assert.Inconclusive}}}
	doubt := &harness.Result{Scenario: "c", Seed: 3, Verdict: harness.VerdictInconclusive, Reason: "busy."}
	for _, r := range []*harness.Result{pass, fail, doubt} {
		require.NoError(t, AlarmOf(r, "m").Append(path))
	}
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	all, err := ReadAlarms(f)
	require.NoError(t, err)
	require.Len(t, all, 3)
	require.Empty(t, all[0].Reason)
	require.Equal(t, "no.", all[1].Reason)
	require.Equal(t, Soak{Runs: 3, Passed: 1, False: 1, Doubts: 1, Unexplained: 2, Judged: 3}, SumUp(all))
	all[2].Explained = "another program took the machine"
	require.Equal(t, 1, SumUp(all).Unexplained)
	all[0].Dirty = true
	require.Equal(t, 2, SumUp(all).False, "dirty is never a pass")
}

func TestReadAlarmsRefuses(t *testing.T) {
	for name, text := range map[string]string{"torn": `{"scenario":"a"}` + "\n" + `{"scen`, "no end": `{"scenario":"a"}`, "unknown": `{"senario":"a"}` + "\n"} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadAlarms(strings.NewReader(text))
			require.ErrorContains(t, err, "line ")
		})
	}
	none, err := ReadAlarms(strings.NewReader(""))
	require.NoError(t, err)
	require.Empty(t, none)
}

// TestASoakGoesOn: each scenario as often as the others, and no seed twice.
func TestASoakGoesOn(t *testing.T) {
	var all []Alarm
	scenarios, seeds := map[string]int{}, map[uint64]bool{}
	for range 3 * len(Harmless()) {
		j := NextHarmless(all, 7)
		scenarios[j.Scenario.Name]++
		seeds[j.Options.Seed] = true
		all = append(all, Alarm{Scenario: j.Scenario.Name})
		require.Equal(t, NextHarmless(all, 7).Options.Seed, NextHarmless(all, 7).Options.Seed, "it follows from base and what there is")
	}
	for _, s := range Harmless() {
		require.Equal(t, 3, scenarios[s.Name], s.Name)
	}
	require.Len(t, seeds, len(all))
	require.NotEqual(t, NextHarmless(all, 7).Options.Seed, NextHarmless(all, 8).Options.Seed)
}

func TestWhatASoakComesTo(t *testing.T) {
	pass, fail := Alarm{Verdict: harness.VerdictPass}, Alarm{Verdict: harness.VerdictFail}
	doubt, dirty := Alarm{Verdict: harness.VerdictInconclusive}, Alarm{Verdict: harness.VerdictPass, Dirty: true}
	known := fail
	known.Explained = "the host was suspended"
	for name, tc := range map[string]struct {
		all  []Alarm
		code int
		says string
	}{
		"nothing yet":     {nil, harness.ExitInconclusive, "runs: 0; passed: 0; false alarms: 0; without a verdict: 0; no bound yet"},
		"doubts only":     {[]Alarm{doubt}, harness.ExitInconclusive, "runs: 1; passed: 0; false alarms: 0; without a verdict: 1; not explained yet: 1; no bound yet"},
		"passes":          {[]Alarm{pass, pass}, harness.ExitPass, "runs: 2; passed: 2; false alarms: 0; without a verdict: 0; 0 in 2: fewer than 77.64 % of such verdicts are false, at 95 %"},
		"a doubt":         {[]Alarm{pass, doubt}, harness.ExitInconclusive, "; 0 in 1: fewer than 95.00 %"},
		"a failure":       {[]Alarm{pass, fail, doubt}, harness.ExitFail, "false alarms: 1; without a verdict: 1; not explained yet: 2; 1 in 2: "},
		"it is explained": {[]Alarm{pass, known}, harness.ExitPass, "runs: 2; passed: 1; false alarms: 1; without a verdict: 0; 1 in 2: "},
		"dirty":           {[]Alarm{fail, dirty, pass}, harness.ExitDirty, "2 in 3: "},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tc.code, ExitCode(tc.all))
			require.Contains(t, SumUp(tc.all).String(), tc.says)
		})
	}
}
