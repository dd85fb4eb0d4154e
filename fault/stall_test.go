package fault

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestAStallIsBothWaysWithoutEnd: a timeout of 0 holds back for ever, and another
// would close the connection.
func TestAStallIsBothWaysWithoutEnd(t *testing.T) {
	w, f := newWired(), Stall{}
	require.Equal(t, "stall", f.Kind())
	require.NoError(t, f.Validate())
	require.NoError(t, f.Inject(t.Context(), w.some("j1"), &undos{}))
	require.Len(t, w.proxies["j1"].Toxics, 2)
	for i, stream := range []string{"upstream", "downstream"} {
		got := w.proxies["j1"].Toxics[i]
		require.Equal(t, toxic{Name: f.toxic(stream), Type: "timeout", Stream: stream, Toxicity: 1, Attributes: map[string]float64{"timeout": 0}}, got)
	}
	require.True(t, w.proxies["j1"].Enabled, "it accepts")
}

// TestWhoIsSilentIsWaitedFor: as long as is said, in each kind of probe.
func TestWhoIsSilentIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for limit, tc := range map[string]struct {
			f      Fault
			target string
		}{
			"0.700":  {Stall{}, "j1"},
			"1.000":  {DatabaseCut{}, "j1"},
			"1.000 ": {DependencyDown{}, "price"},
			"2.080":  {Latency{Delay: 60 * time.Millisecond, Jitter: 20 * time.Millisecond}, "j1"},
			"2.060":  {LinkLatency{Delay: 60 * time.Millisecond}, "j1"},
			"2.200":  {DependencySlow{Delay: 200 * time.Millisecond}, "price"},
		} {
			w := newWired()
			wiredSeen(t, tc.f.Active, w.some(tc.target))
			asked := 0
			for _, argv := range w.node("j1").did {
				if slices.Contains(argv, "probe") || slices.Contains(argv, "--max-time") {
					asked++
					require.Contains(t, argv, strings.TrimSpace(limit))
				}
			}
			require.Positive(t, asked, limit)
		}
	})
}

// TestADatabaseThatDoesNotAnswerIsNoStall: then it is the database that is silent,
// and not the way to it.
func TestADatabaseThatDoesNotAnswerIsNoStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newWired(), Stall{}
		require.NoError(t, f.Inject(t.Context(), w.some("j1"), &undos{}))
		w.node("db").port = 1
		p := wiredSeen(t, f.Active, w.some("j1"))
		require.False(t, p.OK, "%+v", p)
		require.Contains(t, p.How, "j1: asked past it: 3 refused")
	})
}

// TestAWayThatRefusesIsNoStall: nor is one of the two kinds of silence the other.
func TestAWayThatRefusesIsNoStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWired()
		require.NoError(t, DatabaseCut{}.Inject(t.Context(), w.some("j1"), &undos{}))
		p := wiredSeen(t, Stall{}.Active, w.some("j1"))
		require.False(t, p.OK, "%+v", p)
		require.Equal(t, "j1: 3 refused", p.Measured)
		require.False(t, wiredSeen(t, Stall{}.Healed, w.some("j1")).OK)

		w = newWired()
		require.NoError(t, Stall{}.Inject(t.Context(), w.some("j1"), &undos{}))
		p = wiredSeen(t, DatabaseCut{}.Active, w.some("j1"))
		require.False(t, p.OK, "%+v", p)
		require.Equal(t, "j1: 3 silent, 3 connections", p.Measured)
	})
}

// TestOneToxicOfTwoIsAStallAlready: the undo of another would take it away.
func TestOneToxicOfTwoIsAStallAlready(t *testing.T) {
	for _, stream := range []string{"upstream", "downstream"} {
		w, f, log := newWired(), Stall{}, &undos{}
		w.proxies["j1"].Toxics = []toxic{{Name: "hachaos_other"}, {Name: f.toxic(stream)}}
		err := f.Inject(t.Context(), w.some("j1"), log)
		require.EqualError(t, err, "stall j1: its proxy has the toxic "+f.toxic(stream)+" already, of the same fault")
		require.Empty(t, log.all)
	}
	w := newWired()
	w.proxies["j1"].Toxics = []toxic{{Name: "hachaos_other"}}
	require.NoError(t, Stall{}.Inject(t.Context(), w.some("j1"), &undos{}), "another fault's overlaps")
}
