package suite_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/suite"
)

func TestExitCodeIsTheWorst(t *testing.T) {
	pass, fail := suite.Entry{Verdict: harness.VerdictPass}, suite.Entry{Verdict: harness.VerdictFail}
	unsure, broken := suite.Entry{Verdict: harness.VerdictInconclusive}, suite.Entry{Verdict: harness.VerdictError}
	dirty := suite.Entry{Verdict: harness.VerdictPass, Dirty: true}
	tests := []struct {
		name    string
		entries []suite.Entry
		want    int
	}{
		{"all pass", []suite.Entry{pass, pass}, harness.ExitPass},
		{"inconclusive is worse than pass", []suite.Entry{pass, unsure}, harness.ExitInconclusive},
		{"fail is worse than inconclusive", []suite.Entry{fail, unsure}, harness.ExitFail},
		{"error is worse than fail", []suite.Entry{broken, fail}, harness.ExitError},
		{"dirty is the worst", []suite.Entry{dirty, broken, fail}, harness.ExitDirty},
		{"not run is no pass", []suite.Entry{pass, {}}, harness.ExitInconclusive},
		{"nothing is no pass", nil, harness.ExitInconclusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, (&suite.Result{Entries: tt.entries}).ExitCode())
		})
	}
	left := suite.Result{Entries: []suite.Entry{pass}, Leftovers: []history.Leftover{{Kind: "container", Name: "x"}}}
	require.Equal(t, harness.ExitDirty, left.ExitCode(), "of the topology")
	interrupted := suite.Result{Entries: []suite.Entry{pass}, Interrupted: true}
	require.Equal(t, harness.ExitInconclusive, interrupted.ExitCode())
}

func TestCounts(t *testing.T) {
	require.Equal(t, "2 pass, 1 fail, 1 not run", suite.Counts([]suite.Entry{
		{}, {Verdict: harness.VerdictFail}, {Verdict: harness.VerdictPass}, {Verdict: harness.VerdictPass},
	}))
	require.Equal(t, "1 pass, 1 pass (dirty)", suite.Counts([]suite.Entry{
		{Verdict: harness.VerdictPass, Dirty: true}, {Verdict: harness.VerdictPass},
	}))
}

func TestSpreads(t *testing.T) {
	run := func(v harness.Verdict, latency float64) suite.Entry {
		return suite.Entry{Scenario: "a", Verdict: v, Run: &harness.Result{Measures: map[string]float64{
			"latency_ms": latency, "steady.latency_ms": 1, "error-budget.longest_outage": latency / 2,
		}}}
	}
	entries := []suite.Entry{
		run(harness.VerdictPass, 40), run(harness.VerdictInconclusive, 9000), run(harness.VerdictFail, 10),
		run(harness.VerdictPass, 20), run(harness.VerdictPass, 30),
		{Scenario: "b", Verdict: harness.VerdictPass},
		{Scenario: "a"},
	}
	all := suite.Spreads(entries)
	require.Len(t, all, 1, "b was run once")
	require.Equal(t, "3 pass, 1 fail, 1 inconclusive, 1 not run", all[0].Verdicts)
	require.Contains(t, all[0].Measures, suite.Range{Name: "latency_ms", N: 4, Min: 10, Median: 25, Max: 40})
	require.Len(t, all[0].Measures, 3)
	require.Equal(t, []suite.Range{
		{Name: "error-budget.longest_outage", N: 4, Min: 5, Median: 12.5, Max: 20},
		{Name: "latency_ms", N: 4, Min: 10, Median: 25, Max: 40},
	}, all[0].Whole(), "the figures of single phases are left out")
}

// TestEveryJobHasAResult: a list of them in which one is missing would say
// that all passed.
func TestEveryJobHasAResult(t *testing.T) {
	own := &harness.Result{Verdict: harness.VerdictPass, ID: "1a2b"}
	for name, tc := range map[string]struct {
		entry suite.Entry
		want  harness.Result
	}{
		"run":            {suite.Entry{Verdict: harness.VerdictPass, Run: own}, *own},
		"untold dirt":    {suite.Entry{Verdict: harness.VerdictPass, Dirty: true, Run: own}, harness.Result{Verdict: harness.VerdictPass, Dirty: true, ID: "1a2b"}},
		"no result":      {suite.Entry{Scenario: "a", Verdict: harness.VerdictError, Reason: "Full.", Seed: 7}, harness.Result{Schema: harness.ResultSchema, Scenario: "a", Verdict: harness.VerdictError, Reason: "Full.", Seed: 7}},
		"it was not run": {suite.Entry{Scenario: "a", Reason: "Not run: interrupted."}, harness.Result{Schema: harness.ResultSchema, Scenario: "a", Verdict: harness.VerdictInconclusive, Reason: "Not run: interrupted."}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tc.want, *tc.entry.Result())
			require.Equal(t, tc.entry.ExitCode(), tc.entry.Result().ExitCode())
		})
	}
	require.False(t, own.Dirty, "the run's own is as it was")
}
