package hachaostest_test

import (
	"testing"

	"github.com/hachaos/hachaos/hachaostest"
	"github.com/hachaos/hachaos/scenarios"
)

// A team's own test: the stack is brought up, a node is killed under load,
// and the test fails, with the evidence, if users would have noticed.
func Example() {
	_ = func(t *testing.T) { // TestSurvivesTheLossOfANode
		hachaostest.Run(t, scenarios.InstanceKill(), hachaostest.Nodes(3))
	}
	// Output:
}
