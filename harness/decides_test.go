package harness_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/observe"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/fake"
)

var errBusy = errors.New("device or resource busy")

func TestExitCode(t *testing.T) {
	for verdict, want := range map[harness.Verdict]int{
		harness.VerdictPass: 0, harness.VerdictFail: 1, harness.VerdictInconclusive: 3, harness.VerdictError: 4, "": 4,
	} {
		require.Equal(t, want, (&harness.Result{Verdict: verdict}).ExitCode(), verdict)
		require.Equal(t, 5, (&harness.Result{Verdict: verdict, Dirty: true}).ExitCode(), "dirty, whatever else: %s", verdict)
	}
}

// What is nearer comes first, also where the other is spelled before it; a
// third of the letters may be wrong, and no more.
func TestNearestByDistance(t *testing.T) {
	for _, c := range []struct {
		name  string
		names []string
		want  []string
	}{
		{"db-outage", []string{"db", "db-outage"}, []string{"db-outage", "db"}},
		{"rolingdeplxx", []string{"rolling-deploy"}, []string{"rolling-deploy"}}, // 4 of 12 letters
		{"rolingdepxxx", []string{"rolling-deploy"}, nil},
		{"ab", []string{"cd", "ce", "abc", "abd", "abe", "abf"}, []string{"abc", "abd", "abe"}},
	} {
		require.Equal(t, c.want, harness.Nearest(c.name, c.names), c.name)
	}
}

// base answers as the database's node does.
type base struct {
	named
	out topology.Output
	err error
}

func (base) Role() topology.Role { return topology.Database }
func (b base) Exec(context.Context, ...string) (topology.Output, error) {
	return b.out, b.err
}

func TestJobOwner(t *testing.T) {
	apps := []topology.Node{named{"j1"}, named{"j2"}, named{"j3"}}
	says := func(text string) base { return base{out: topology.Output{Stdout: []byte(text)}} }
	aim := func(nodes ...topology.Node) (names []string) {
		for _, n := range harness.JobOwner().Pick(rand.New(rand.NewPCG(1, 1)), harness.View{Nodes: nodes}) {
			names = append(names, n.Name())
		}
		return names
	}
	with := func(db base) []string { return aim(append([]topology.Node{db}, apps...)...) }
	require.Equal(t, []string{"j2"}, with(says(" j2\n")))
	require.Empty(t, with(says("j9\n")), "a node that is not there")
	require.Empty(t, with(base{err: topology.ErrNotRunning}), "no answer")
	require.Empty(t, with(base{out: topology.Output{Code: 2, Stdout: []byte("j2\n")}}), "an error of the database")
	require.Empty(t, aim(says("")), "there is no application node")
	drawn := with(says("\n"))
	require.Len(t, drawn, 1, "nobody ever held it: one by the seed")
	require.Equal(t, drawn, with(says("\n")), "and the same by the same")
}

// The largest seed is one, and errors keep what they are made of.
func TestValidateTakesTheLargestSeed(t *testing.T) {
	r, s := newRig(t), kill()
	r.opts.Seed = 1<<53 - 1
	require.NoError(t, r.runner.Validate(s, r.opts))
	s.Apply = func(s harness.Scenario, _ map[string]string) (harness.Scenario, error) { return s, errSoftly }
	require.ErrorIs(t, r.runner.Validate(s, r.opts), errSoftly)
	_, err := r.runner.Resolved(s, r.opts)
	require.ErrorIs(t, err, errSoftly)
	require.ErrorIs(t, err, harness.ErrUsage)
}

// unspeakable is a fault that JSON cannot carry.
type unspeakable struct {
	fault.InstanceKill
	Func func()
}

func TestAFaultThatNoRecordCanHaveIsRefused(t *testing.T) {
	r, s := newRig(t), kill()
	s.Phases[2].Faults[0].Fault = unspeakable{}
	require.ErrorIs(t, r.runner.Validate(s, r.opts), harness.ErrUsage)
}

// A run is what the scenario's own Apply made of it, and its record has every
// phase with the faults that it injects.
func TestResolvedIsWhatApplyMade(t *testing.T) {
	r, s := newRig(t), kill()
	s.Apply = func(s harness.Scenario, _ map[string]string) (harness.Scenario, error) {
		s.Phases[1].For = 7 * time.Second
		s.Load.Rate = 70
		s.Asserts = s.Asserts[:1]
		return s, nil
	}
	got, err := r.runner.Resolved(s, r.opts)
	require.NoError(t, err)
	require.Equal(t, []string{"SessionSurvival"}, got.Asserts)
	require.Equal(t, []string{"InstanceKill"}, got.Faults)
	b, err := json.Marshal(got.Scenario)
	require.NoError(t, err)
	var rec struct {
		Load   struct{ Rate int }
		Phases []struct {
			Name   string
			For    time.Duration
			Faults []struct {
				Label, Aim string
				Fault      json.RawMessage
			}
			Heal []string
		}
	}
	require.NoError(t, json.Unmarshal(b, &rec))
	require.Equal(t, 70, rec.Load.Rate)
	require.Len(t, rec.Phases, 5)
	require.Equal(t, 7*time.Second, rec.Phases[1].For)
	require.Empty(t, rec.Phases[1].Faults)
	require.Len(t, rec.Phases[2].Faults, 1)
	in := rec.Phases[2].Faults[0]
	require.Equal(t, "kill", in.Label)
	require.Equal(t, harness.OneApplication().Name, in.Aim)
	require.Contains(t, string(in.Fault), "instance-kill")
	require.Equal(t, []string{"kill"}, rec.Phases[3].Heal)
	require.Equal(t, 6*time.Second, s.Phases[1].For, "the scenario itself is as it was")
}

// On a topology that stands, a node is known before the run: one that is not
// there is refused, and one that only that topology has is not.
func TestNodesOfWhatStandsAreKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		plan, err := fake.Definition(r.driver.Options).Plan(topology.Options{Nodes: 3})
		require.NoError(t, err)
		_, err = r.driver.Start(t.Context(), "feed", plan, topology.StartOptions{Standing: "blue"})
		require.NoError(t, err)
		r.opts.On = "blue"
		s := short(fault.InstanceKill{})
		s.Phases[1].Faults[0].Aim = harness.Named("j9")
		_, err = r.runner.Run(t.Context(), s, r.opts)
		require.ErrorIs(t, err, harness.ErrUsage)
		require.ErrorContains(t, err, `there is no node "j9": topology memory-ha has db, j1, j2, j3, lb1, lb2`)
		require.Empty(t, entriesOf(t, r.runner.Dir), "nothing was started")
		s.Phases[1].Faults[0].Aim = harness.Named("j3")
		res := r.run(t, t.Context(), s)
		require.Equal(t, []string{"j3"}, res.Faults[0].Nodes)
	})
}

// unsure is a driver that cannot find out what the kernel has.
type unsure struct{ *fake.Driver }

func (unsure) Has(context.Context, topology.Feature) (bool, error) { return false, errBusy }

func TestAKernelThatCannotBeAskedIsNoUsage(t *testing.T) {
	r, s := newRig(t), kill()
	r.runner.Driver = unsure{&r.driver}
	inject(harness.Injection{Label: "far", Fault: fault.LinkLatency{Delay: 50 * time.Millisecond}, Aim: harness.OneApplication()})(&s, &r.opts)
	err := r.runner.Afford(t.Context(), s, r.opts)
	require.ErrorIs(t, err, errBusy)
	require.NotErrorIs(t, err, harness.ErrUsage)
	_, err = r.runner.Run(t.Context(), s, r.opts)
	require.ErrorIs(t, err, errBusy)
	require.Nil(t, r.driver.Last(), "something was started")
}

// guarded counts how often the run's guard was let go.
func (r *rig) guarded() *int {
	released := new(int)
	r.runner.Guard = func(context.Context, harness.Guarded) (func(context.Context) error, error) {
		return func(context.Context) error { *released++; return nil }, nil
	}
	return released
}

// refused is a kill that the engine refuses.
type refused struct{ fault.InstanceKill }

func (refused) Inject(context.Context, []topology.Node, fault.Recorder) error { return errSoftly }

// TestAnActThatFailedLeavesNoDirt: nothing is in place that somebody would
// have to undo.
func TestAnActThatFailedLeavesNoDirt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		released := r.guarded()
		res := r.run(t, t.Context(), short(refused{}))
		require.Equal(t, harness.VerdictInconclusive, res.Verdict, res.Reason)
		require.Contains(t, everyReason(res), errSoftly.Error())
		require.False(t, res.Dirty)
		require.Equal(t, 1, *released)
		failures := loadHistory(t, res).Errors
		require.Len(t, failures, 1)
		require.False(t, failures[0].Undo)
	})
}

// TestWhatNeverBecameReadyIsRemoved, and what is left of it is known.
func TestWhatNeverBecameReadyIsRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		released := r.guarded()
		r.driver.Options.NeverReady = "j2"
		r.runner.Suite = r.suite
		res, err := r.runner.Run(t.Context(), short(fault.InstanceKill{}), r.opts)
		require.NoError(t, err)
		require.Equal(t, harness.ExitError, res.ExitCode(), res.Reason)
		left, err := r.driver.Last().Leftovers(t.Context())
		require.NoError(t, err)
		require.Empty(t, left)
		require.Equal(t, 1, *released)
		complete, reasons := loadHistory(t, res).CoverageOf(history.StreamLeftover)
		require.True(t, complete, reasons)
		r.driver.Last().Shut()
		time.Sleep(time.Hour)
	})
}

// wrapping is a driver whose clusters are wrapped in others.
type wrapping struct {
	*fake.Driver
	wrap func(*fake.Cluster) wrapped
}

func (d wrapping) Start(ctx context.Context, id string, plan topology.Plan, opts topology.StartOptions) (topology.Cluster, error) {
	c, err := d.Driver.Start(ctx, id, plan, opts)
	if err != nil {
		return nil, err
	}
	return d.wrap(c.(*fake.Cluster)), nil
}

// wrapped is a cluster in memory that ends, or describes itself, otherwise.
type wrapped struct {
	*fake.Cluster
	close error
	left  []topology.Leftover
	spec  func(topology.Spec) topology.Spec
}

func (w wrapped) Close(ctx context.Context) error {
	return errors.Join(w.Cluster.Close(ctx), w.close)
}

func (w wrapped) Leftovers(ctx context.Context) ([]topology.Leftover, error) {
	left, err := w.Cluster.Leftovers(ctx)
	return append(left, w.left...), err
}

func (w wrapped) Spec() topology.Spec {
	if w.spec == nil {
		return w.Cluster.Spec()
	}
	return w.spec(w.Cluster.Spec())
}

// within looks at the cluster that is wrapped.
type within struct{ fake.Suite }

func (s within) Observers(c topology.Cluster, clock history.RunClock, dir string) []observe.Observer {
	return s.Suite.Observers(c.(wrapped).Cluster, clock, dir)
}

func (s within) Ledger(ctx context.Context, c topology.Cluster, sink history.Sink) error {
	return s.Suite.Ledger(ctx, c.(wrapped).Cluster, sink)
}

// TestATopologyThatDoesNotCloseIsLeftToTheGuard although nothing of it is
// seen any more.
func TestATopologyThatDoesNotCloseIsLeftToTheGuard(t *testing.T) {
	for name, tc := range map[string]struct {
		close    error
		released int
	}{"it closes": {nil, 1}, "it does not": {errBusy, 0}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				released := r.guarded()
				r.runner.Driver = wrapping{&r.driver, func(c *fake.Cluster) wrapped { return wrapped{Cluster: c, close: tc.close} }}
				r.runner.Suite = within{}
				res, err := r.runner.Run(t.Context(), short(fault.InstanceKill{}), r.opts)
				require.NoError(t, err)
				require.Empty(t, res.Leftovers)
				require.Equal(t, tc.released, *released)
				time.Sleep(time.Hour)
			})
		})
	}
}

// TestPhasesLastAsTheClustersOwnBoundsDemand: what was planned is not what
// counts.
func TestPhasesLastAsTheClustersOwnBoundsDemand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, s := newRig(t), short(fault.InstanceKill{})
		s.Phases[1].Cover = []string{"own"}
		r.runner.Driver = wrapping{&r.driver, func(c *fake.Cluster) wrapped {
			return wrapped{Cluster: c, spec: func(s topology.Spec) topology.Spec {
				s.Bounds = append(s.Bounds[:len(s.Bounds):len(s.Bounds)], topology.Bound{Name: "own", Limit: 2500 * time.Millisecond})
				return s
			}}
		}}
		r.runner.Suite = within{}
		res, err := r.runner.Run(t.Context(), s, r.opts)
		require.NoError(t, err)
		h := loadHistory(t, res)
		require.Equal(t, 5*time.Second, h.Phases[1].To-h.Phases[1].From)
		require.Equal(t, "own", h.Meta.Bounds[len(h.Meta.Bounds)-1].Name)
		time.Sleep(time.Hour)
	})
}

// dated is a kill whose proof says itself since when it bites, and which other
// node suffers.
type dated struct{ fault.InstanceKill }

func (f dated) Active(ctx context.Context, nodes []topology.Node) (fault.Proof, error) {
	p, err := f.InstanceKill.Active(ctx, nodes)
	p.From = p.To.Add(-3 * time.Millisecond)
	return p, err
}

func (dated) Victims() []string { return []string{"db"} }

// TestAProofsOwnBeginningCounts before the engine's event and the act, and the
// victims that a fault names before its targets.
func TestAProofsOwnBeginningCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		f := loadHistory(t, r.run(t, t.Context(), short(dated{}))).Faults[0]
		require.NotNil(t, f.Proof)
		require.Equal(t, 3*time.Millisecond, f.Proof.To-f.Proof.From)
		require.Equal(t, []string{"db"}, f.Nodes)
	})
}

// TestAResultThatCannotBeWrittenIsAnError, and the result is there all the
// same.
func TestAResultThatCannotBeWrittenIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.runner.Suite = r.suite
		r.runner.Progress = steps(func(string) {
			for _, e := range entriesOf(t, r.runner.Dir) {
				require.NoError(t, os.MkdirAll(filepath.Join(r.runner.Dir, e.Name(), harness.ResultFile), 0o755))
			}
		})
		s := short(fault.InstanceKill{})
		s.Asserts = []assert.Checker{assert.Leftovers{}}
		res, err := r.runner.Run(t.Context(), s, r.opts)
		require.ErrorContains(t, err, "write result: ")
		require.Equal(t, harness.VerdictInconclusive, res.Verdict, res.Reason)
		r.driver.Last().Shut()
		time.Sleep(time.Hour)
	})
}
