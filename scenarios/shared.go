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
