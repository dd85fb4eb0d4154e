package scenarios_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/scenarios"
	"github.com/hachaos/hachaos/topology"
)

// A node that is cut off from its database refuses its users, and what it had
// begun waits for the pool: whichever scenario judges the outage names the same
// bound for it.
func TestANodeCutOffFromItsDatabaseHasOneBound(t *testing.T) {
	met := 0
	for _, s := range scenarios.All() {
		for _, p := range s.Phases {
			for _, in := range p.Faults {
				budget, judged := budgetOf(s)
				if _, cut := in.Fault.(fault.DatabaseCut); !cut || !judged || budget.OutageBound == "" {
					continue
				}
				met++
				require.Contains(t, p.Cover, topology.BoundOutageUnready, s.Name)
				require.Equal(t, topology.BoundOutageUnready, budget.OutageBound, s.Name)
			}
		}
	}
	require.Equal(t, 2, met)
}

// What is done on purpose, or borne by design, must not be noticed at all: the
// objective over the run is that of a steady phase.
func TestWhatNobodyMayNoticeIsHeldToTheSteadyObjective(t *testing.T) {
	for _, name := range []string{
		"balancer-reload", "blue-green", "canary", "cold-start", "config-drift", "dependency-down", "dependency-slow",
		"drain", "fail-back", "instance-stop", "rollback", "rolling-deploy", "rolling-deploy-no-drain",
		"schema-expand-contract", "session-expiry", "slow-network", "version-skew",
	} {
		s, err := scenarios.Lookup(name)
		require.NoError(t, err)
		budget, judged := budgetOf(s)
		require.True(t, judged, name)
		require.GreaterOrEqual(t, budget.Overall, assert.DefaultSteady, name)
	}
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
