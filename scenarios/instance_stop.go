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

// InstanceStop stops one application node in order, under load, and starts it
// again.
func InstanceStop() harness.Scenario {
	return harness.Scenario{
		Name:  "instance-stop",
		About: "One application node is asked to end under load: it says that it is going, is sent nothing more, finishes what it has begun and ends by itself; no user notices.",
		Story: `The orderly end is the one failure that may cost nothing: a patch, a scale-down,
a drained host. SIGTERM is sent and a grace given, as docker stop, systemd and
Kubernetes do. Seed 003 §13.2 has it that without a drain
the requests in flight are cut off, and its §13.3 that the grace must be longer than
a request and must end.

Expected: at SIGTERM the node turns unready and goes on serving (a lame duck, for
1 s on the tuned profile) until the balancers have noticed, which takes at most
the bound "unready"; then it closes its port, finishes what is in flight and ends
before the grace of 10 s is over. An end by SIGKILL, when the grace is over, is
not what was asked for, and no proof of a stop.

A planned stop must need no one's patience: clients do not retry here
(client-retry=off), orders, each with 250 ms of work between commit and answer,
are half of the load, so that a dozen are in flight at any time, and the
objective over the run is that of a steady phase, 99.9 %.`,
		Tags:     []string{"process"},
		Topology: "jetty-ha",
		Load:     load.Default(),
		Set:      map[string]string{"client-retry": "off", "mix": "1:1:2"},
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "stopped", Kind: history.PhaseBreak, For: 8 * time.Second, Faults: []harness.Injection{
				{Label: "stop", Fault: fault.InstanceStop{}, Aim: harness.OneApplication()},
			}},
			{Name: "started", Kind: history.PhaseRecover, For: 7 * time.Second, Cover: []string{topology.BoundRecovered}, Heal: []string{"stop"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"session-survival"},
		Asserts: []assert.Checker{
			assert.SessionSurvival{Expect: "survive"},
			assert.WriteLedger{},
			assert.ErrorBudget{Overall: assert.DefaultSteady},
			assert.ReadinessGating{},
			assert.FailoverAnatomy{DetectBound: topology.BoundUnready},
			assert.BlastRadius{},
			assert.Recovery{},
			assert.Distribution{},
			assert.Leftovers{},
		},
		Cases: []harness.Case{
			// What is cut off is what is under way: of orders that take longer there is more.
			{Name: "cut off", Set: map[string]string{"stop-timeout": "0s", "lame-duck": "0s", "order-work": "350ms"}, Fails: []string{"error-budget"}, Evidence: "status 502"},
		},
	}
}
