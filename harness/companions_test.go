package harness_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/topology"
)

// friend is a companion that does what the test wants.
type friend struct {
	Named string
	bad   error
	run   func(ctx context.Context, clock history.RunClock, sink history.Sink) (load.Aftermath, error)
}

func (f friend) Kind() string    { return f.Named }
func (f friend) Validate() error { return f.bad }
func (friend) Streams() []string { return []string{history.StreamHost} }
func (f friend) Run(ctx context.Context, _ load.Target, clock history.RunClock, sink history.Sink) (load.Aftermath, error) {
	return f.run(ctx, clock, sink)
}

func TestCompanions(t *testing.T) {
	for _, tc := range []struct {
		name string
		run  func(ctx context.Context, clock history.RunClock, sink history.Sink) (load.Aftermath, error)
		// lost is the reason of the incomplete coverage that the harness
		// writes; empty if there is none.
		lost string
	}{
		{"lives as long as the load, and reads the end", func(ctx context.Context, clock history.RunClock, sink history.Sink) (load.Aftermath, error) {
			<-ctx.Done()
			sink.Put(history.Observe(clock.Now(), history.Host{Busy: 7}))
			return func(_ context.Context, c topology.Cluster) error {
				sink.Put(history.Observe(clock.Now(), history.Host{Busy: 8, Steal: float64(len(c.Nodes()))}))
				return nil
			}, nil
		}, ""},
		{"fails", func(context.Context, history.RunClock, history.Sink) (load.Aftermath, error) {
			return nil, errors.New("no stream")
		}, "companion friend: no stream"},
		{"panics", func(context.Context, history.RunClock, history.Sink) (load.Aftermath, error) { panic("oh") }, "companion friend: it panicked: oh"},
		{"panics at the end", func(context.Context, history.RunClock, history.Sink) (load.Aftermath, error) {
			return func(context.Context, topology.Cluster) error { panic("oh") }, nil
		}, "companion friend could not read the end: it panicked: oh"},
		{"does not end", func(ctx context.Context, clock history.RunClock, sink history.Sink) (load.Aftermath, error) {
			<-ctx.Done()
			time.Sleep(time.Hour)
			sink.Put(history.Observe(clock.Now(), history.Host{Busy: 7}))
			return nil, nil
		}, "companion friend did not end in time"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var h *history.History
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				s := small()
				s.Companions = []load.Companion{friend{"friend", nil, tc.run}}
				res, err := r.runner.Run(t.Context(), s, r.opts)
				require.NoError(t, err)
				h, err = history.Load(res.Dir)
				require.NoError(t, err)
				time.Sleep(2 * time.Hour) // virtual: for the one that does not end in time
			})
			var lost []string
			for _, c := range h.Coverage {
				if c.V.Stream == history.StreamHost && c.V.Source == "harness" {
					lost = append(lost, c.V.Reason)
				}
			}
			if tc.lost != "" {
				require.Equal(t, []string{tc.lost}, lost)
				return
			}
			require.Empty(t, lost)
			var seen []history.Host
			for _, v := range h.Host {
				if v.V.Busy > 1 {
					seen = append(seen, v.V)
				}
			}
			require.Equal(t, []history.Host{{Busy: 7}, {Busy: 8, Steal: float64(len(h.Meta.Nodes))}}, seen)
		})
	}
}

func TestCompanionsAreValidated(t *testing.T) {
	r := newRig(t)
	s := small()
	s.Companions = []load.Companion{friend{Named: "a", bad: errors.New("0 files: want at least one")}}
	require.ErrorContains(t, r.runner.Validate(s, r.opts), "companion a: 0 files: want at least one")
	s.Companions = []load.Companion{friend{Named: "a"}, friend{Named: "a"}}
	require.ErrorContains(t, r.runner.Validate(s, r.opts), "companion a is there twice")
	require.ErrorIs(t, r.runner.Validate(s, r.opts), harness.ErrUsage)
}

// A scenario that asks for no fault is judged without one; its own switches
// yield to the user's; the short form is shorter, and says so.
func TestAScenariosOwnChoices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		s := small()
		s.Phases[2].Faults, s.Phases[3].Heal = nil, nil
		s.Phases[0].For = 10 * time.Second
		s.Nodes, s.Set = 3, map[string]string{"weight.j1": "20", "weight.j3": "30"}
		r.opts.Set = map[string]string{"weight.j3": "90"}
		r.opts.Short = true
		res, err := r.runner.Run(t.Context(), s, r.opts)
		require.NoError(t, err)
		h, err := history.Load(res.Dir)
		require.NoError(t, err)
		require.True(t, h.Meta.Faultless)
		require.Equal(t, map[string]string{"weight.j1": "20", "weight.j3": "90"}, h.Meta.Set)
		weights := map[string]int{}
		for _, n := range h.Meta.Nodes {
			if n.Role == string(topology.Application) {
				weights[n.Name] = n.Weight
			}
		}
		require.Equal(t, map[string]int{"j1": 20, "j2": 100, "j3": 90}, weights)
		for _, a := range res.Assertions {
			for _, reason := range a.Reasons {
				require.NotContains(t, reason, "fault proven: ")
			}
		}
		require.Equal(t, 6*time.Second, h.Phases[0].To-h.Phases[0].From)
		require.Equal(t, 2*time.Second, h.Phases[1].To-h.Phases[1].From, "it was shorter than the least already")
	})
}
