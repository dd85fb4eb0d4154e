package harness_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

const ms = time.Millisecond

func TestSummarise(t *testing.T) {
	b := historytest.New()
	b.Phase("warm-up", history.PhaseWarmUp, 0, 100*ms)
	b.Phase("steady again", history.PhaseSteady, 100*ms, 1100*ms)
	b.Op(history.OpOrder, 20*ms).End(90 * ms).Fail(history.ErrRefused) // of the warm-up
	b.Op(history.OpOrder, 110*ms).End(120 * ms).OK()
	b.Op(history.OpOrder, 120*ms).Late(7 * ms).End(160 * ms).OK()
	b.Op(history.OpOrder, 130*ms).End(830 * ms).OK() // ok, and too slow to be good
	b.Op(history.OpOrder, 140*ms).End(150 * ms).Fail(history.ErrRefused)
	b.Op(history.OpOrder, 150*ms).End(160 * ms).Info(history.ErrReset)
	b.Op(history.OpOrder, 160*ms).Open()
	b.Op(history.OpOrder, 170*ms).NotSent().End(170 * ms).Fail(history.ErrDropped)
	b.Op(history.OpOrder, 1500*ms).End(1510 * ms).OK() // of no phase
	measured := 12.5
	got := harness.Summarise(b.Build(t), []assert.Verdict{
		{Name: "write-ledger", Measures: []assert.Measure{{Name: "Lost writes", Value: 2}}},
		{Name: "distribution", Measured: &measured},
	})
	for name, want := range map[string]float64{
		"operations": 6, "ok": 3, "fail": 1, "info": 2, "dropped": 1, "late": 1,
		"good_percent": 100. * 2 / 6, "throughput_per_second": 2, "latency_max_ms": 700, "latency_p50_ms": 10,
		"warm-up.operations": 1, "warm-up.fail": 1, "warm-up.good_percent": 0,
		"steady_again.operations": 6, "write-ledger.lost_writes": 2, "distribution": 12.5,
	} {
		require.InDelta(t, want, got[name], want/1000+1e-9, name)
		require.Contains(t, got, name)
	}
	require.NotContains(t, got, "write-ledger", "it measured nothing")
}

func TestSummariseNothing(t *testing.T) {
	got := harness.Summarise(&history.History{Names: &history.Names{}}, nil)
	require.Zero(t, got["operations"])
	require.NotContains(t, got, "good_percent")
	require.NotContains(t, got, "latency_p50_ms")
}

// TestSummariseTakesTheBudgetsShareOfGood: what is good is what the budget's own
// threshold says.
func TestSummariseTakesTheBudgetsShareOfGood(t *testing.T) {
	got := harness.Summarise(&history.History{Names: &history.Names{}}, []assert.Verdict{
		{Name: (assert.ErrorBudget{}).Name(), Measures: []assert.Measure{{Name: "longest outage", Value: 3}, {Name: assert.GoodInJudgedRun, Value: 98.5}, {Name: "burn", Value: 4}}},
		{Name: "drain", Measures: []assert.Measure{{Name: assert.GoodInJudgedRun, Value: 7}}},
	})
	require.Equal(t, 98.5, got["good_percent"])
	require.Equal(t, 3., got["error-budget.longest_outage"])
	require.Equal(t, 98.5, got["error-budget."+harness.FigureName(assert.GoodInJudgedRun)])
}

// TestSummariseTheExtremes: what is too long, or too short, to be told counts as
// the longest, or the shortest, that can be.
func TestSummariseTheExtremes(t *testing.T) {
	b := historytest.New()
	b.Phase("steady", history.PhaseSteady, 0, 2*time.Second)
	b.Op(history.OpOrder, 100*ms).End(100 * ms).OK()
	b.Op(history.OpOrder, 200*ms).End(200*ms + time.Microsecond).OK()
	b.Op(history.OpOrder, 300*ms).End(time.Hour).OK()
	got := harness.Summarise(b.Build(t), nil)
	require.InDelta(t, 600_000, got["latency_max_ms"], 600)
	require.InDelta(t, 0.001, got["latency_p50_ms"], 1e-6)
	require.InDelta(t, 600_000, got["latency_p99_ms"], 600)
	require.InDelta(t, 600_000, got["latency_p999_ms"], 600)
	require.Equal(t, 3., got["ok"])
	require.InDelta(t, 100.*2/3, got["good_percent"], 1e-9)
	require.Equal(t, 1., got["throughput_per_second"])
}

func TestFigureName(t *testing.T) {
	for in, want := range map[string]string{
		"write-ledger": "write-ledger", "Lost writes": "lost_writes", "p99.9": "p99.9", "a_b": "a_b", "AZaz09": "azaz09",
		"@[`{/:": "______", "ü": "_", "": "",
	} {
		require.Equal(t, want, harness.FigureName(in))
	}
}
