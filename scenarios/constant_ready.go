package scenarios

import (
	"time"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/topology"
)

// ConstantReady takes from one node first its database, then its warmth.
func ConstantReady() harness.Scenario {
	return harness.Scenario{
		Name:  "constant-ready",
		About: "A node loses its database, and later starts anew and cold: its readiness says so both times, and it gets no requests.",
		Story: `An endpoint that always answers 200 is a heartbeat of the process and no readiness
(seed 003 §28.3; §9.2 and §9.3: readiness is not green before the runtime is ready).
There are two occasions on which it has to say no, and both are tried: a node cannot
reach its database, and a node has just started and is not warm. What is ready is not
taken from the endpoint: each answer and the node's gauges say for themselves whether
it is warm and whether it reached its database within the last second.

Up to the bound "unready" users of the cut-off node are still sent to it: 1.6 s of
half of the users are at most 3 % of the judged run, so that 95 % must be good. With
readiness=constant the node is never taken out, and the cold one gets users at once.`,
		Tags:     []string{"health", "database", "process"},
		Topology: "jetty-ha",
		Load:     load.Default(),
		Phases: append(databaseLost(),
			harness.Phase{Name: "crashed", Kind: history.PhaseBreak, For: 4 * time.Second, Cover: []string{topology.BoundDetectRefused}, Faults: []harness.Injection{
				{Label: "crash", Fault: fault.ProcessCrash{}, Aim: harness.OneApplication()},
			}},
			harness.Phase{Name: "cold", Kind: history.PhaseRecover, For: 7 * time.Second, Cover: []string{topology.BoundRecovered}, Heal: []string{"crash"}},
			harness.Phase{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		),
		Exercises: []string{"readiness-gating"},
		Asserts:   judgedByGate(),
		Cases: []harness.Case{
			{Name: "always 200", Set: map[string]string{"readiness": "constant"}, Fails: []string{"readiness-gating"}, Also: []string{"error-budget"}, Evidence: "before ready", Because: "a node that cannot serve is sent users for as long as it says that it can"},
		},
	}
}
