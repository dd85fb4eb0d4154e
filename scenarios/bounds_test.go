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

// budgetOf is the scenario's assertion of an error budget, if it has one.
func budgetOf(s harness.Scenario) (assert.ErrorBudget, bool) {
	for _, c := range s.Asserts {
		if b, ok := c.(assert.ErrorBudget); ok {
			return b, true
		}
	}
	return assert.ErrorBudget{}, false
}
