package scenarios

import (
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/topology"
)

// TwoNodesLost kills two of three application nodes at once.
func TwoNodesLost() harness.Scenario {
	return harness.Scenario{
		Name:  "two-nodes-lost",
		About: "Two of three application nodes are killed at once: the third carries everybody, sessions survive, and the two come back.",
		Story: `Nodes do not fail one at a time: two share a rack, a host or a bad batch. Seed 003
§28.1 has it that three broken instances are still broken; so what counts is what
the last one can carry, and how many times a request may be sent to a dead node
before it finds the living one.

Expected: a request that meets one dead node is redispatched, and may meet the
other. HAProxy sends each of two retries to another node than the one before, which
may be the one before that: three in four of such requests find the living one, at the
latest 2 × timeout connect later, and the rest are refused by 503 until a check has
taken one of the dead out. The objective bears that. Sessions survive in the database,
orders of unknown outcome are retried under their key, both deaths are detected
within "detected/vanished", and the survivor's own users notice nothing, although
it carries three times what it did. The two come back, are gated by readiness, and
are served again.

Orders do 150 ms of further work between commit and answer, so that one that was
sent to both dead nodes first is still answered within 500 ms.`,
		Tags:     []string{"process"},
		Topology: "jetty-ha",
		Nodes:    3,
		Load:     load.Default(),
		Set:      map[string]string{"order-work": "150ms"},
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "killed", Kind: history.PhaseBreak, For: 8 * time.Second, Cover: []string{topology.BoundOutageVanished}, Faults: []harness.Injection{
				{Label: "kill", Fault: fault.InstanceKill{}, Aim: harness.Applications(2)},
			}},
			{Name: "restarted", Kind: history.PhaseRecover, For: 7 * time.Second, Cover: []string{topology.BoundRecovered}, Heal: []string{"kill"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"session-survival"},
		Asserts: []assert.Checker{
			assert.SessionSurvival{Expect: "survive"},
			assert.WriteLedger{},
			assert.ErrorBudget{OutageBound: topology.BoundOutageVanished},
			assert.ReadinessGating{},
			assert.FailoverAnatomy{DetectBound: topology.BoundDetectVanished},
			assert.BlastRadius{},
			assert.Recovery{},
			assert.Leftovers{},
		},
		Cases: []harness.Case{
			{
				Name: "two nodes in all", Nodes: 2, Fails: []string{"error-budget"}, Also: []string{"failover-anatomy"}, Evidence: "without service for",
				Because: "with nobody left there is nobody to serve, nor to divert to",
			},
		},
	}
}
