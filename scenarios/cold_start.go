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

// ColdStart restarts one node under load.
func ColdStart() harness.Scenario {
	return harness.Scenario{
		Name:  "cold-start",
		About: "One application node is restarted under load and comes back cold: no request gets to it before it is warm, and users see no slow answers.",
		Story: `Seed 003 §3.3 tells the story: "instances restart by themselves, but re-enter the
load balancer before warm-up is complete", and the first requests after the
restart pay for cold code, lazy initialisation and a pool that is not ready; §9.3
asks for a start-up probe of its own. Nothing is broken here but time: the
container ends in order and is started again at once, so that the port is open
again within a second or so, when nothing behind it is warm. Sessions begin and end
all the time, so that the balancers have work to offer.

Expected: the node is unready until its warm-up is over, by its own measure, and
the balancers send it nothing until then; from there on it is served again within
the bound "ready". Users see no error and no slow answer at any time: the
objective over the run is that of a steady phase, 99.9 %. The truth of warmth is
the node's own gauge and each answer's header, not the health endpoint.`,
		Tags:     []string{"process"},
		Topology: "jetty-ha",
		Load:     load.Default(),
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "restarted", Kind: history.PhaseBreak, For: 8 * time.Second, Faults: []harness.Injection{
				{Label: "restart", Fault: fault.InstanceRestart{}, Aim: harness.OneApplication()},
			}},
			{Name: "warming", Kind: history.PhaseRecover, For: 7 * time.Second, Cover: []string{topology.BoundRecovered}, Heal: []string{"restart"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"readiness-gating"},
		Asserts: []assert.Checker{
			assert.SessionSurvival{Expect: "survive"},
			assert.WriteLedger{},
			assert.ErrorBudget{Overall: assert.DefaultSteady},
			assert.ReadinessGating{},
			assert.FailoverAnatomy{DetectBound: topology.BoundUnready},
			assert.BlastRadius{},
			assert.Recovery{FromFault: true},
			assert.Leftovers{},
		},
		Cases: []harness.Case{
			{Name: "constant readiness", Set: map[string]string{"readiness": "constant", "warmup": "4s"}, Fails: []string{"readiness-gating"}, Evidence: "before ready"},
		},
	}
}
