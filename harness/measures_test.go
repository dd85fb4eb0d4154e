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
