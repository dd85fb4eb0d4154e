package harness_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/fake"
)

// kill is the main scenario over the topology in memory.
func kill() harness.Scenario {
	return harness.Scenario{
		Name: "memory-kill", About: "a node is killed and started again, in memory", Topology: "memory-ha",
		Load: load.Config{Rate: 200},
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 3 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 6 * time.Second},
			{Name: "killed", Kind: history.PhaseBreak, For: 5 * time.Second, Cover: []string{topology.BoundOutageVanished}, Faults: []harness.Injection{
				{Label: "kill", Fault: fault.InstanceKill{}, Aim: harness.OneApplication()},
			}},
			{Name: "restarted", Kind: history.PhaseRecover, For: 4 * time.Second, Heal: []string{"kill"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 6 * time.Second},
		},
		Asserts: []assert.Checker{
			assert.SessionSurvival{Expect: "survive"},
			assert.WriteLedger{},
			assert.ErrorBudget{OutageBound: topology.BoundOutageVanished},
			assert.ReadinessGating{},
			assert.FailoverAnatomy{},
			assert.Distribution{},
			assert.Leftovers{},
		},
	}
}

// small is the same, shorter and at a lower rate, without the budget that
// this is too little for. The fault comes after 3 s.
func small() harness.Scenario {
	s := kill()
	s.Load.Rate = 50
	for i, d := range []time.Duration{1, 2, 3, 3, 2} {
		s.Phases[i].For = d * time.Second
	}
	s.Asserts = slices.DeleteFunc(s.Asserts, func(c assert.Checker) bool { return c.Name() == "error-budget" })
	return s
}

// rig is a harness over a topology in memory.
type rig struct {
	driver fake.Driver
	suite  fake.Suite
	runner harness.Runner
	opts   harness.Options
}

func newRig(t *testing.T) *rig {
	r := &rig{opts: harness.Options{Seed: 7}}
	// An order whose node dies under it takes its work, the client's pause
	// and the balancer's connect timeout: here less than the threshold of
	// availability.
	r.driver.Options.Work = 100 * time.Millisecond
	r.runner = harness.Runner{
		Driver: &r.driver, Dir: t.TempDir(), Version: "test",
		Lookup: r.lookup,
	}
	return r
}

// run runs the scenario and leaves nothing behind in memory.
func (r *rig) run(t *testing.T, ctx context.Context, s harness.Scenario) *harness.Result {
	t.Helper()
	r.runner.Suite = r.suite
	res, err := r.runner.Run(ctx, s, r.opts)
	if c := r.driver.Last(); c != nil {
		c.Shut()
	}
	time.Sleep(time.Hour) // virtual: what still waits has ended
	require.NoError(t, err)
	saved, err := os.ReadFile(filepath.Join(res.Dir, harness.ResultFile))
	require.NoError(t, err)
	requireSame(t, res.Dir, string(saved))
	moved := filepath.Join(t.TempDir(), "elsewhere")
	require.NoError(t, os.CopyFS(moved, os.DirFS(res.Dir)))
	requireSame(t, moved, string(saved))
	require.Contains(t, string(saved), `"dir": "`+filepath.Base(res.Dir)+`"`)
	return res
}

func (r *rig) lookup(name string) (topology.Definition, error) {
	if name != "memory-ha" {
		return topology.Definition{}, topology.ErrNotFound
	}
	return fake.Definition(r.driver.Options), nil
}

// requireSame: a folder judged again gives the saved result byte for byte.
func requireSame(t *testing.T, dir, saved string) {
	t.Helper()
	again, _, err := harness.Judge(dir)
	require.NoError(t, err)
	b, err := harness.Encode(again)
	require.NoError(t, err)
	require.Equal(t, saved, string(b))
}
