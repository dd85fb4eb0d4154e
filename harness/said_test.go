package harness_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/fake"
)

// said is what people are told, in order.
type said struct {
	mu   sync.Mutex
	list []string
	when []time.Time
}

func (s *said) Tick(harness.Tick) {}

func (s *said) Step(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list, s.when = append(s.list, text), append(s.when, time.Now())
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.list, "\n")
}

// at is when the first step was said that begins with the words.
func (s *said) at(t *testing.T, words string) time.Time {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, text := range s.list {
		if strings.HasPrefix(text, words) {
			return s.when[i]
		}
	}
	require.Fail(t, "nobody said: "+words)
	return time.Time{}
}

// TestStepsTellTheRun: people are told what is done, to whom, and what came of
// it; what went well says nothing of errors.
func TestStepsTellTheRun(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*rig, *harness.Scenario)
		during func(cancel context.CancelCauseFunc)
		says   []string
		not    []string
	}{
		"all goes well": {
			says: []string{
				"memory-kill, seed 7: starting memory-ha", "memory-ha is up: awaiting http://198.18.0.100:80", "ready: 20 operations a second for 6s",
				"steady: 2s", "broken: 2s", "  instance-kill on j1", "  instance-kill bites: j1: not running", "healed: 2s", "  instance-kill healed: j1",
			},
			not: []string{"is not proven", "left behind", "is over before its undo", "observer", "log of", "guard", "remove:"},
		},
		"the fault does nothing": {
			change: func(r *rig, _ *harness.Scenario) { r.driver.Options.NoEffect = true },
			says:   []string{"  instance-kill on j1", "  instance-kill is not proven to bite: "},
			not:    []string{"instance-kill bites"},
		},
		"the fault lingers": {
			change: func(_ *rig, s *harness.Scenario) { s.Phases[1].Faults[0].Fault = lingering{} },
			says:   []string{"  instance-kill bites: ", "  instance-kill is not proven to have healed: j1: its port is silent"},
			not:    []string{"instance-kill healed"},
		},
		"nobody can look": {
			change: func(_ *rig, s *harness.Scenario) {
				s.Phases[1].Faults[0].Fault = lingering{err: errors.New("no shell")}
			},
			says: []string{"  instance-kill is not proven to have healed: could not look: no shell"},
		},
		"the act fails": {
			change: func(_ *rig, s *harness.Scenario) { s.Phases[1].Faults[0].Fault = refused{} },
			says:   []string{"  instance-kill on j1: " + errSoftly.Error()},
			not:    []string{"instance-kill bites"},
		},
		"nothing is hit": {
			change: func(_ *rig, s *harness.Scenario) { s.Phases[1].Faults[0].Aim = harness.All(topology.Relay) },
			says:   []string{"  instance-kill on nothing"},
		},
		"a container stays": {
			change: func(r *rig, _ *harness.Scenario) { r.driver.Options.Stuck = []string{"lb2"} },
			says:   []string{"remove: remove container lb2: device or resource busy", "left behind: container "},
		},
		"an observer dies": {
			change: func(r *rig, _ *harness.Scenario) { r.suite.Dead = []string{"balancer lb1"} },
			says:   []string{"observer balancer lb1: it panicked: "},
		},
		"the guard does not go": {
			change: func(r *rig, _ *harness.Scenario) {
				r.runner.Guard = func(context.Context, harness.Guarded) (func(context.Context) error, error) {
					return func(context.Context) error { return errBusy }, nil
				}
			},
			says: []string{"guard: " + errBusy.Error()},
		},
		"it is never quiet": {
			change: func(r *rig, _ *harness.Scenario) { r.suite.Busy = true },
			says:   []string{"wait until no request is in flight: "},
		},
		"it is interrupted": {
			during: func(cancel context.CancelCauseFunc) { time.Sleep(3 * time.Second); cancel(errors.New("first")) },
			says:   []string{"interrupted: first"},
			not:    []string{"healed: 2s"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, s, heard := newRig(t), short(fault.InstanceKill{}), &said{}
				s.Phases[1].Faults[0].Aim = harness.Named("j1")
				r.runner.Progress = heard
				if tc.change != nil {
					tc.change(r, &s)
				}
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				if tc.during != nil {
					go tc.during(cancel)
				}
				r.run(t, ctx, s)
				for _, words := range tc.says {
					require.Contains(t, "\n"+heard.String(), "\n"+words)
				}
				for _, words := range append(tc.not, "<nil>", "%!") {
					require.NotContains(t, heard.String(), words)
				}
			})
		})
	}
}

// timed is a kill that is over at the second look, which takes as long as it may.
type timed struct {
	fault.InstanceKill
	looks        int
	began, ended time.Time
}

func (f *timed) Active(ctx context.Context, nodes []topology.Node) (fault.Proof, error) {
	if f.looks++; f.looks == 1 {
		return f.InstanceKill.Active(ctx, nodes)
	}
	f.began = time.Now()
	<-ctx.Done()
	f.ended = time.Now()
	return fault.Proof{Measured: "j1 serves"}, nil
}

// TestTheLookBeforeAnUndo comes 1.5 s before it, and is over 250 ms before it.
func TestTheLookBeforeAnUndo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, heard, look := newRig(t), &said{}, &timed{}
		r.runner.Progress = heard
		res := r.run(t, t.Context(), short(look))
		undo := heard.at(t, "healed: ")
		require.InDelta(t, 1500*time.Millisecond, undo.Sub(look.began), float64(20*time.Millisecond))
		require.InDelta(t, 250*time.Millisecond, undo.Sub(look.ended), float64(20*time.Millisecond))
		require.Contains(t, heard.String(), "  instance-kill is over before its undo: j1 serves")
		require.Contains(t, everyReason(res), "j1 serves")
	})
}

// TestOnlyWhatIsUndoneIsLookedAtAgain: a fault that outlives a phase is looked
// at where it ends, and one that nobody undoes where the run ends.
func TestOnlyWhatIsUndoneIsLookedAtAgain(t *testing.T) {
	for name, tc := range map[string]struct {
		heal []string
		want string // the phase in which it is looked at again
	}{
		"by its label":       {[]string{"f"}, "on"},
		"with all":           {[]string{"*"}, "on"},
		"not before the end": {nil, "healed"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, looks, heard := newRig(t), 0, &said{}
				var again []time.Time
				s := short(secondLook{looks: &looks, look: func(_ context.Context, p fault.Proof) (fault.Proof, error) {
					again = append(again, time.Now())
					return p, nil
				}})
				on := harness.Phase{Name: "on", Kind: history.PhaseBreak, For: 3 * time.Second}
				s.Phases = append(s.Phases[:2:2], on, s.Phases[2])
				s.Phases[3].Heal = tc.heal
				s.Asserts = []assert.Checker{assert.Leftovers{}}
				r.runner.Progress = heard
				r.run(t, t.Context(), s)
				require.Len(t, again, 1)
				phase := ""
				for _, p := range s.Phases {
					if heard.at(t, p.Name+": ").Before(again[0]) {
						phase = p.Name
					}
				}
				require.Equal(t, tc.want, phase)
			})
		})
	}
}

// TestWhatNeverBecameReadyKeepsItsLogs: they tell why.
func TestWhatNeverBecameReadyKeepsItsLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.driver.Options.NeverReady = "j2"
		res := r.run(t, t.Context(), short(fault.InstanceKill{}))
		require.Regexp(t, `^The run could not be carried out: memory-ha did not become ready: .*[^.]\.$`, res.Reason)
		require.NotEmpty(t, res.BrokenOff)
		logs := contents(t, res.Dir, harness.LogsDir)
		for _, n := range r.driver.Last().Nodes() {
			require.Contains(t, logs, n.Name()+".log")
		}
		require.NotEmpty(t, logs["j1.log"])
	})
}

// TestWhatIsListedAfterTheRemovalIsTheGuards: what the engine still lists after a removal that it
// called done is the guard's, too, and is told with what removes it.
func TestWhatIsListedAfterTheRemovalIsTheGuards(t *testing.T) {
	left := topology.Leftover{Kind: "volume", Name: "data", Detail: "of db", Remove: "hachaos gc"}
	for name, tc := range map[string]struct {
		left     []topology.Leftover
		released int
	}{"nothing": {nil, 1}, "a volume": {[]topology.Leftover{left}, 0}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				released := r.guarded()
				r.runner.Driver = wrapping{&r.driver, func(c *fake.Cluster) wrapped { return wrapped{Cluster: c, left: tc.left} }}
				r.runner.Suite = within{}
				res, err := r.runner.Run(t.Context(), short(fault.InstanceKill{}), r.opts)
				require.NoError(t, err)
				require.Equal(t, tc.released, *released)
				require.Len(t, res.Leftovers, len(tc.left))
				require.Equal(t, len(tc.left) > 0, res.Dirty)
				if res.Dirty {
					require.Equal(t, history.Leftover(left), res.Leftovers[0])
					require.Contains(t, res.Reason, " Dirty: volume data.")
				}
				time.Sleep(time.Hour)
			})
		})
	}
}

// TestAnotherTopologyUnderTheName is noticed although the driver could not tell
// before: nothing is loaded.
func TestAnotherTopologyUnderTheName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.runner.Driver = wrapping{&r.driver, func(c *fake.Cluster) wrapped {
			return wrapped{Cluster: c, spec: func(s topology.Spec) topology.Spec { s.Name = "tomcat"; return s }}
		}}
		r.runner.Suite = within{}
		res, err := r.runner.Run(t.Context(), short(fault.InstanceKill{}), r.opts)
		require.NoError(t, err)
		require.Equal(t, harness.VerdictError, res.Verdict)
		require.Contains(t, res.Reason, "it is a tomcat, and memory-kill runs on memory-ha")
		require.Zero(t, res.Measures["operations"])
		require.Empty(t, res.Leftovers)
		time.Sleep(time.Hour)
	})
}

// TestARunWithoutAFolder: where none can be made, nothing is started.
func TestARunWithoutAFolder(t *testing.T) {
	r := newRig(t)
	r.runner.Dir = "/dev/null"
	res, err := r.runner.Run(t.Context(), short(fault.InstanceKill{}), r.opts)
	require.ErrorContains(t, err, "run's folder: ")
	require.Nil(t, res)
	require.Nil(t, r.driver.Last(), "something was started")
}

// TestAShapeOfWhatCannotRunIsAnError.
func TestAShapeOfWhatCannotRunIsAnError(t *testing.T) {
	r, s := newRig(t), kill()
	shape, err := r.runner.Shape(s, harness.Options{Nodes: 3, Set: map[string]string{"dedupe": "off", "redispatch": "on"}})
	require.NoError(t, err)
	require.Equal(t, "memory-ha, profile tuned, 3 nodes, dedupe=off", shape.Key())
	s.Topology = "none"
	_, err = r.runner.Shape(s, r.opts)
	require.ErrorIs(t, err, harness.ErrUsage)
}
