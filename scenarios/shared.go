package scenarios

import (
	"github.com/hachaos/hachaos/assert"
)

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

// lostAndBack are those of a node's loss and its return: beside judgedBy's,
// that nobody else suffers, and that nothing is left.
func lostAndBack(detect, outage string) []assert.Checker {
	return append(judgedBy(detect, outage), assert.BlastRadius{}, assert.Recovery{})
}
