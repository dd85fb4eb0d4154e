package hachaostest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

func TestStarved(t *testing.T) {
	looked := func(stolen, busy int) string {
		dir, b := t.TempDir(), historytest.New()
		for i := range 20 {
			s := history.Host{Busy: 0.6}
			if i < stolen {
				s.Steal = 0.02
			}
			if i < busy {
				s.Busy = 0.95
			}
			b.See(time.Duration(i)*250*time.Millisecond, s)
		}
		b.Save(t, dir)
		return dir
	}
	require.True(t, starved(looked(4, 0)))
	require.False(t, starved(looked(3, 0)))
	require.True(t, starved(looked(0, 4)))
	require.False(t, starved(looked(0, 3)))
	require.False(t, starved(looked(0, 0)))
	require.False(t, starved(t.TempDir()), "no record")
}

func TestDecided(t *testing.T) {
	result := func(v harness.Verdict, budget assert.Status) *harness.Result {
		return &harness.Result{Verdict: v, Assertions: []assert.Verdict{{Name: "readiness-gating", Status: assert.Fail}, {Name: "error-budget", Status: budget}}}
	}
	var asks config
	Decides("error-budget")(&asks)
	require.True(t, asks.decided(result(harness.VerdictFail, assert.Fail)))
	require.False(t, asks.decided(result(harness.VerdictFail, assert.Inconclusive)), "it fails by another, and what is asked about has no verdict")
	require.True(t, (&config{}).decided(result(harness.VerdictFail, assert.Inconclusive)), "nobody asked")
	require.False(t, (&config{}).decided(result(harness.VerdictInconclusive, assert.Pass)))
}
