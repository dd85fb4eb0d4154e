package scenarios_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/scenarios"
	"github.com/hachaos/hachaos/topology"
)

// A node that is cut off from its database refuses its users, and what it had
// begun waits for the pool, or hangs until it is given up if the cut is silent:
// whichever scenario judges the outage names the same bound for it.
func TestANodeCutOffFromItsDatabaseHasOneBound(t *testing.T) {
	want := map[string]string{fault.DatabaseCut{}.Kind(): topology.BoundOutageUnready, fault.Stall{}.Kind(): topology.BoundOutageSilent}
	met := map[string]int{}
	for _, it := range items() {
		s, err := scenarios.Lookup(it.scenario.Name)
		require.NoError(t, err)
		if s.Apply != nil {
			s, err = s.Apply(s, it.Set)
			require.NoError(t, err)
		}
		for _, p := range s.Phases {
			for _, in := range p.Faults {
				budget, judged := budgetOf(s)
				bound, cut := want[in.Fault.Kind()]
				if !cut || !judged || budget.OutageBound == "" {
					continue
				}
				met[s.Name+" "+in.Fault.Kind()]++
				require.Contains(t, p.Cover, bound, it.name())
				require.Equal(t, bound, budget.OutageBound, it.name())
			}
		}
	}
	require.Len(t, met, 3, "%v", met)
}

// What is done on purpose, or borne by design, must not be noticed at all: the
// objective over the run is that of a steady phase.
func TestWhatNobodyMayNoticeIsHeldToTheSteadyObjective(t *testing.T) {
	for _, name := range []string{
		"balancer-reload", "blue-green", "canary", "cold-start", "config-drift", "dependency-down", "dependency-slow",
		"drain", "fail-back", "instance-stop", "rollback", "rolling-deploy", "rolling-deploy-no-drain",
		"schema-expand-contract", "session-expiry", "slow-network", "version-skew", "websocket-reconnect",
	} {
		s, err := scenarios.Lookup(name)
		require.NoError(t, err)
		budget, judged := budgetOf(s)
		require.True(t, judged, name)
		require.GreaterOrEqual(t, budget.Overall, assert.DefaultSteady, name)
	}
}

// A slow database is no reason to serve nobody: nodes that refused all that
// falls due while it is slow, and served all else, would break the budget.
func TestASlowDatabaseStillServes(t *testing.T) {
	for _, name := range []string{"db-slow", "db-disk-slow"} {
		s, err := scenarios.Lookup(name)
		require.NoError(t, err)
		budget, judged := budgetOf(s)
		require.True(t, judged)
		for _, short := range []bool{false, true} {
			whole, slow := 0.0, 0.0
			for _, p := range phasesOf(t, s, short) {
				if p.Kind == history.PhaseBreak {
					slow += p.For.Seconds()
				}
				if p.Kind != history.PhaseWarmUp {
					whole += p.For.Seconds()
				}
			}
			require.Less(t, 100*(whole-slow)/whole, budget.Overall, "%s, short: %t", name, short)
			require.Greater(t, 100*(whole-slow/2)/whole, budget.Overall, "%s: half of it is less than the pools can serve; short: %t", name, short)
		}
	}
}

// A full disk takes no node out, and its refusals are clear: both are asked.
func TestAFullDiskTakesNoNodeOutAndIsToldClearly(t *testing.T) {
	s, err := scenarios.Lookup("db-disk-full")
	require.NoError(t, err)
	require.Contains(t, s.Asserts, assert.RotationKept{Least: assert.EveryServer})
	require.Contains(t, s.Asserts, assert.OverloadContract{})
}

// A drained node must empty by itself: were its drain no longer than the grace
// period, maintenance would empty it in time, whatever the sessions do.
func TestTheDrainOutlastsTheGracePeriod(t *testing.T) {
	s, err := scenarios.Lookup("drain")
	require.NoError(t, err)
	drain, ok := s.Asserts[0].(assert.Drain)
	require.True(t, ok)
	for _, short := range []bool{false, true} {
		for i, p := range phasesOf(t, s, short) {
			if s.Phases[i].Name == "drained" {
				require.GreaterOrEqual(t, p.For, drain.Grace+time.Second, "short: %t", short)
			}
		}
	}
	session := time.Duration(s.Load.SessionOps) * time.Second / 2
	require.Greater(t, drain.Grace, session, "sessions end in time")
}

// phase is a part of a run as its record has it.
type phase struct {
	Kind string        `json:"kind"`
	For  time.Duration `json:"for"`
}

// phasesOf are the phases of a run of the scenario, fitted to its topology.
func phasesOf(t *testing.T, s harness.Scenario, short bool) []phase {
	t.Helper()
	var r harness.Runner
	resolved, err := r.Resolved(s, harness.Options{Short: short})
	require.NoError(t, err)
	text, err := json.Marshal(resolved.Scenario)
	require.NoError(t, err)
	var record struct {
		Phases []phase `json:"phases"`
	}
	require.NoError(t, json.Unmarshal(text, &record))
	require.NotEmpty(t, record.Phases)
	return record.Phases
}

// budgetOf is the scenario's assertion of an error budget, if it has one.
func budgetOf(s harness.Scenario) (assert.ErrorBudget, bool) {
	for _, c := range s.Asserts {
		if b, ok := c.(assert.ErrorBudget); ok {
			return b, true
		}
	}
	return assert.ErrorBudget{}, false
}
