package suite_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/clean"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/suite"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/fake"
)

// small is a scenario of a few seconds in memory.
func small(name string, set map[string]string) harness.Scenario {
	return harness.Scenario{
		Name: name, Topology: "memory-ha", Load: load.Config{Rate: 20}, Set: set,
		Phases: []harness.Phase{
			{Name: "steady", Kind: history.PhaseSteady, For: 2 * time.Second},
			{Name: "broken", Kind: history.PhaseBreak, For: 2 * time.Second, Faults: []harness.Injection{
				{Label: "f", Fault: fault.InstanceKill{}, Aim: harness.OneApplication()},
			}},
			{Name: "healed", Kind: history.PhaseRecover, For: 2 * time.Second, Heal: []string{"f"}},
		},
		Asserts: []assert.Checker{assert.SessionSurvival{Expect: assert.ExpectSurvive}, assert.WriteLedger{}, assert.Leftovers{}},
	}
}

// probes are what the nodes in memory can be asked.
var probes = []clean.Probe{
	{Name: "container", Where: clean.Here, Ask: func(ctx context.Context, n topology.Node) (string, error) {
		s, err := n.(topology.Container).Inspect(ctx)
		if !s.Running || s.Paused {
			return clean.Unsettled + "it does not run", err
		}
		return "runs", err
	}},
	{Name: "filters", Where: clean.Here, Ask: func(ctx context.Context, n topology.Node) (string, error) {
		out, err := n.(topology.Namespace).InNamespace(ctx, "nft", "list", "tables")
		return string(out.Stdout), err
	}},
}

// bench is a suite in memory.
type bench struct {
	driver  *counting
	keeper  *suite.Keeper
	harness harness.Runner
	runner  suite.Runner
	guards  int
}

// counting is a driver that counts what it starts.
type counting struct {
	fake.Driver
	started []topology.Cluster
	fails   error
}

func (d *counting) Start(ctx context.Context, id string, plan topology.Plan, opts topology.StartOptions) (topology.Cluster, error) {
	if d.fails != nil && opts.Standing != "" {
		return nil, d.fails
	}
	c, err := d.Driver.Start(ctx, id, plan, opts)
	d.started = append(d.started, c)
	return c, err
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{driver: &counting{}}
	b.harness = harness.Runner{
		Driver: b.driver, Dir: t.TempDir(), Version: "test", Suite: fake.Suite{},
		Lookup: func(string) (topology.Definition, error) { return fake.Definition(fake.Options{}), nil },
	}
	b.keeper = &suite.Keeper{
		Driver: b.driver, Probes: probes, Settle: time.Second,
		Shape: func(j suite.Job) harness.Shape {
			s, err := b.harness.Shape(j.Scenario, j.Options)
			require.NoError(t, err)
			return s
		},
		Guard: func(context.Context, string) (func(context.Context) error, error) {
			b.guards++
			return func(context.Context) error { b.guards--; return nil }, nil
		},
	}
	b.runner = suite.Runner{Run: b.harness.Run, Topologies: b.keeper}
	return b
}

// all runs the scenarios, and leaves no goroutine behind.
func (b *bench) all(ctx context.Context, list ...harness.Scenario) *suite.Result {
	options := func(harness.Scenario) harness.Options { return harness.Options{} }
	res := b.runner.All(ctx, suite.Plan(list, options, 7, 1, func(j suite.Job) string { return b.keeper.Shape(j).Key() }))
	for _, c := range b.driver.started {
		c.(*fake.Cluster).Shut()
	}
	time.Sleep(time.Hour) // virtual: what still waits has ended
	return res
}

func TestJobsOfOneShapeShareATopology(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		off := map[string]string{"dedupe": "off"}
		res := b.all(t.Context(), small("a", nil), small("b", off), small("c", nil), small("d", off), small("e", map[string]string{"check": "liar"}))
		require.Equal(t, "5 pass", suite.Counts(res.Entries))
		require.Equal(t, harness.ExitPass, res.ExitCode())
		var order string
		for _, e := range res.Entries {
			order += e.Scenario
		}
		require.Equal(t, "acbde", order)
		require.Len(t, b.driver.started, 3, "one for a and c, one for b and d, one of e's own")
		require.Equal(t, res.Entries[0].Shared, res.Entries[1].Shared)
		require.NotEqual(t, res.Entries[0].Shared, res.Entries[2].Shared)
		require.Empty(t, res.Entries[4].Shared)
		require.Contains(t, res.Entries[1].Notes[0], "is as new, by 5 facts")
		require.Zero(t, b.guards, "nothing is left to guard")
		for _, c := range b.driver.started {
			left, err := c.Leftovers(t.Context())
			require.NoError(t, err)
			require.Empty(t, left)
		}
	})
}

// TestWhatCannotBePutBackIsReplaced: a packet filter that nobody removed.
func TestWhatCannotBePutBackIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.runner.Run = func(ctx context.Context, s harness.Scenario, o harness.Options) (*harness.Result, error) {
			r, err := b.harness.Run(ctx, s, o)
			if s.Name == "a" {
				_, nft := b.driver.Last().Nodes()[1].(topology.Namespace).InNamespace(ctx, "nft", "add table inet hachaos-x")
				require.NoError(t, nft)
			}
			return r, err
		}
		res := b.all(t.Context(), small("a", nil), small("b", nil), small("c", nil))
		require.Equal(t, "3 pass", suite.Counts(res.Entries))
		require.Len(t, b.driver.started, 2)
		notes := fmt.Sprint(res.Entries[1].Notes)
		require.Contains(t, notes, "could not be put back")
		require.Contains(t, notes, "hachaos-x")
		require.Contains(t, notes, "is new")
		require.NotEqual(t, res.Entries[0].Shared, res.Entries[1].Shared)
		require.Empty(t, res.Entries[2].Notes[1:])
		require.Equal(t, res.Entries[1].Shared, res.Entries[2].Shared)
	})
}

// TestADirtyRunSpoilsItsTopology, and so does one without a verdict, and one
// whose fault was undone, and not seen to heal.
func TestADirtyRunSpoilsItsTopology(t *testing.T) {
	for want, r := range map[string]*harness.Result{
		"the run before was dirty":                {Verdict: harness.VerdictPass, Dirty: true},
		"the run before could not be carried out": {Verdict: harness.VerdictError},
		"the run before broke off":                {Verdict: harness.VerdictFail, BrokenOff: "the disk is full"},
		"a fault of the run before was not seen to heal": {Verdict: harness.VerdictInconclusive, Faults: []harness.FaultResult{
			{Kind: "instance-kill", HealedAt: time.Second}, {Kind: "keepalived-kill", HealedAt: -1},
		}},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			b.runner.Run = func(context.Context, harness.Scenario, harness.Options) (*harness.Result, error) { return r, nil }
			res := b.all(t.Context(), small("a", nil), small("b", nil), small("c", nil))
			require.Len(t, b.driver.started, 2)
			require.Contains(t, fmt.Sprint(res.Entries[1].Notes), want)
		})
	}
}

func TestARunBringsUpItsOwnIfNoneCanBeShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.driver.fails = errors.New("no room")
		res := b.all(t.Context(), small("a", nil), small("b", nil))
		require.Equal(t, "2 pass", suite.Counts(res.Entries))
		require.Contains(t, fmt.Sprint(res.Entries[0].Notes), "no topology to share (no room)")
		require.Zero(t, b.guards)
	})
}

func TestWhatIsLeftMakesTheSuiteDirty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.driver.Options.Stuck = []string{"j1"}
		res := b.all(t.Context(), small("a", nil), small("b", nil))
		require.Len(t, res.Leftovers, 1)
		require.Contains(t, res.Leftovers[0].Remove, "hachaos down suite-")
		require.Equal(t, harness.ExitDirty, res.ExitCode())
		require.Equal(t, 1, b.guards, "the guard sees to it")
	})
}
