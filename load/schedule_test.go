package load

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

func TestCycle(t *testing.T) {
	for _, tc := range []struct {
		writes, reads, orders int
		want                  string
	}{
		{1, 1, 1, "WRB"},
		{2, 2, 2, "WRB"},
		{1, 0, 0, "W"},
		{0, 0, 7, "B"},
		{3, 2, 1, "WRWBRW"},
		{0, 1, 4, "BBRBB"},
	} {
		var ops []done
		for _, name := range cycle(tc.writes, tc.reads, tc.orders) {
			ops = append(ops, done{Name: name})
		}
		require.Equal(t, tc.want, names(ops))
	}
}

func TestTurnIsFixedByTheNumber(t *testing.T) {
	s := newSchedule(Config{Rate: 200, Sessions: 3, SessionOps: 5, Writes: 1})
	for n, want := range map[uint64][2]uint64{1: {0, 0}, 2: {1, 0}, 3: {2, 0}, 4: {0, 1}, 8: {1, 2}} {
		client, k := s.turn(n)
		require.Equal(t, want, [2]uint64{client, k}, "operation %d", n)
	}
	require.Equal(t, time.Duration(0), s.due(1))
	require.Equal(t, 35*time.Millisecond, s.due(8))
}

// walk is what the schedule does if every login succeeds.
func walk(s schedule, rounds uint64) (kinds map[string]int, loginsByRound []int) {
	kinds, loginsByRound = map[string]int{}, make([]int, rounds)
	for client := range s.clients {
		in := false
		for k := range rounds {
			kind := s.kind(client, k, in)
			in = kind != history.OpLogout
			kinds[kind]++
			if kind == history.OpLogin {
				loginsByRound[k]++
			}
		}
	}
	return kinds, loginsByRound
}

func TestLoginsAreSpreadAndThePartsKept(t *testing.T) {
	s := newSchedule(Config{Rate: 200, Sessions: 100, SessionOps: 20, Writes: 1, Reads: 1, Orders: 1})
	kinds, logins := walk(s, 202)
	require.Equal(t, 100, logins[0])
	for k, n := range logins[2:] {
		require.Equal(t, 5, n, "in round %d", k+2)
	}
	require.InDelta(t, kinds[history.OpSessionWrite], kinds[history.OpSessionRead], 100)
	require.InDelta(t, kinds[history.OpSessionWrite], kinds[history.OpOrder], 100)
}

func TestPartsAreKeptWhateverTheSessionsLength(t *testing.T) {
	for ops := minSessionOps; ops < 30; ops++ {
		s := newSchedule(Config{Rate: 200, Sessions: 40, SessionOps: ops, Writes: 3, Reads: 2, Orders: 1})
		kinds, _ := walk(s, 600)
		all := kinds[history.OpSessionWrite] + kinds[history.OpSessionRead] + kinds[history.OpOrder]
		require.InEpsilon(t, 3./6, float64(kinds[history.OpSessionWrite])/float64(all), 0.02, "%d operations", ops)
		require.InEpsilon(t, 1./6, float64(kinds[history.OpOrder])/float64(all), 0.02, "%d operations", ops)
	}
}

// What an operation waited for its turn is the generator's where most of it was
// late by the generator.
func TestReady(t *testing.T) {
	for name, tc := range map[string]struct {
		way       free
		due, want time.Duration
	}{
		"free before":                            {free{at: 5}, 7, 7},
		"free before, though late":               {free{5, 4}, 7, 7},
		"the system's":                           {free{at: 20}, 7, 20},
		"the generator's alone":                  {free{20, 15}, 7, 7},
		"the generator's, of which it waited":    {free{20, 13}, 7, 7},
		"the generator's, and some the system's": {free{20, 10}, 7, 10},
		"half of it":                             {free{17, 5}, 7, 12},
		"less than half of it":                   {free{18, 5}, 7, 18},
	} {
		require.Equal(t, tc.want, tc.way.ready(tc.due), name)
	}
}

func TestTurnstileKeepsTheSchedulesOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gate turnstile
		var order []uint64
		for _, k := range []uint64{3, 1, 2} { // they arrive before number 0
			go func() {
				if _, ok := gate.enter(t.Context(), k, time.Minute); ok {
					order = append(order, k)
					gate.leave(free{at: time.Duration(k)})
				}
			}()
		}
		synctest.Wait()
		way, ok := gate.enter(t.Context(), 0, 0)
		require.True(t, ok)
		require.Zero(t, way)
		gate.leave(free{at: 7})
		synctest.Wait()
		require.Equal(t, []uint64{1, 2, 3}, order)
		require.Empty(t, gate.waiting)
	})
}

func TestTurnstilePassesOverThoseWhoGaveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gate turnstile
		_, ok := gate.enter(t.Context(), 0, 0)
		require.True(t, ok)
		_, ok = gate.enter(t.Context(), 1, time.Second)
		require.False(t, ok, "its patience ended")
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		_, ok = gate.enter(gone, 2, time.Minute)
		require.False(t, ok, "its context ended")
		gate.skip(3, free{})
		gate.leave(free{9, 2})
		way, ok := gate.enter(t.Context(), 4, 0)
		require.True(t, ok)
		require.Equal(t, free{9, 2}, way)
		gate.leave(free{at: 10})
		gate.skip(5, free{at: 11}) // on its turn
		way, ok = gate.enter(t.Context(), 6, 0)
		require.True(t, ok)
		require.Equal(t, free{at: 11}, way)
		require.Empty(t, gate.gone)
		require.Empty(t, gate.waiting)
	})
}
