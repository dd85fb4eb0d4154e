package scenarios

import (
	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/topology"
)

// judgedByUsers are the assertions of a failure that no user may notice and no
// session may feel; tells is what the nodes' errors must tell.
func judgedByUsers(tells string) []assert.Checker {
	return []assert.Checker{
		assert.ErrorBudget{Overall: assert.DefaultSteady},
		assert.Alerts{Tells: tells},
		assert.WriteLedger{},
		assert.SessionSurvival{Expect: "survive"},
		assert.Recovery{Bounds: []string{topology.BoundReady}},
		assert.Leftovers{},
	}
}

// judgedByGate are the assertions of a node that must leave the rotation by
// its own word.
func judgedByGate() []assert.Checker {
	return []assert.Checker{
		assert.ReadinessGating{},
		assert.ErrorBudget{Overall: 95},
		assert.WriteLedger{},
		assert.SessionSurvival{Expect: "survive"},
		assert.RotationKept{},
		assert.Leftovers{},
	}
}

// judgedBy are the assertions of a node's loss.
func judgedBy(detect, outage string) []assert.Checker {
	return []assert.Checker{
		assert.SessionSurvival{Expect: "survive"},
		assert.WriteLedger{},
		assert.ErrorBudget{OutageBound: outage},
		assert.ReadinessGating{},
		assert.FailoverAnatomy{DetectBound: detect},
		assert.Distribution{},
		assert.Leftovers{},
	}
}
