package scenarios

import (
	"fmt"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/topology"
)

// DBPartitionOneNode cuts one node off from the database.
func DBPartitionOneNode() harness.Scenario {
	return harness.Scenario{
		Name:  "db-partition-one-node",
		About: "One node is alive and cut off from the database: it leaves the rotation, and only it, and its users are served by the others.",
		Story: `If a node cannot reach the database and still answers a health check of the
process, the balancer goes on sending users to a node that can only fail them.
Readiness must look at what the node cannot work without: liveness up, readiness
down, and the balancer stops routing to it. The health of the process is not the
health of the service (seed 003 §22; §28.3, a health endpoint that always says
200).

One node's way to the database is refused at its proxy; the database and the
other node's way are well. The node must leave the rotation within the bound that
follows from the balancers' checks, and only it: the others' users notice
nothing. Its own are refused until then, clearly and in time, and then served
elsewhere with their sessions. When the way is back the node returns by itself;
nobody restarts it, for restarting would not have helped.

With --set cut=silent nothing refuses: what the node connects to accepts, and no
byte comes back, on its pool's connections either. Now its own limits of time count.
The look at the database gives up after 300 ms, so that the node is out as soon as
before, within the bound "unready"; what it had been sent by then hangs until the
driver gives up (socketTimeout, 2 s, once for the session and once for the work) or
the balancer does (timeout server, 3 s), which makes the bound "outage/silent".
Without the driver's limit those requests hold their threads until the way is back,
though their users have gone.`,
		Tags:     []string{"database", "network"},
		Topology: "jetty-ha",
		Load:     load.Default(),
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "cut off", Kind: history.PhaseBreak, For: 8 * time.Second, Cover: []string{topology.BoundOutageUnready, topology.BoundAnswered}, Faults: []harness.Injection{
				{Label: "cut", Fault: fault.DatabaseCut{}, Aim: harness.OneApplication()},
			}},
			{Name: "back", Kind: history.PhaseRecover, For: 6 * time.Second, Cover: []string{topology.BoundReconnected}, Heal: []string{"cut"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"readiness-gating", "overload-contract", "blast-radius"},
		// Half of the users are refused for up to the outage's bound, which
		// is some 5 % of a run as short as the short form.
		Asserts: judgedByPartition(assert.ErrorBudget{Overall: 94, OutageBound: topology.BoundOutageUnready}),
		Settings: []topology.Switch{
			{Key: "cut", Values: []string{"refused", "silent"}, Default: "refused", About: "what the node's way to the database does: it refuses, or accepts and never answers"},
		},
		Apply: applyPartition,
		Cases: []harness.Case{
			{
				Name: "constant readiness", Set: map[string]string{"readiness": "constant", "warmup": "0s"}, Fails: []string{"readiness-gating", "error-budget"}, Evidence: "after unready",
				Because: "the node stays in the rotation and refuses its users until its way is back",
			},
			{
				Name: "lying health check", Set: map[string]string{"check": "liar"}, Fails: []string{"readiness-gating", "error-budget"}, Evidence: "after unready",
				Because: "a balancer that asks another than the node never learns that it cannot work",
			},
			{
				Name: "liveness looks at the database", Set: map[string]string{"liveness": "database"}, Fails: []string{"overload-contract"}, Also: []string{"readiness-gating"}, Evidence: "liveness",
				Because: "both hold liveness to speak of the process alone",
			},
			{Name: "silent", Set: map[string]string{"cut": "silent"}},
			{
				Name: "silent, and no limits of the driver", Set: map[string]string{"cut": "silent", "db-timeouts": "off"}, Fails: []string{"overload-contract"}, Also: []string{"recovery"}, Evidence: "queue",
				Because: "what hangs in the silence stays until the way is back, whoever has given it up",
			},
		},
	}
}

// judgedByPartition are the assertions of a node that cannot reach the
// database, with the budget of its users.
func judgedByPartition(budget assert.ErrorBudget) []assert.Checker {
	return []assert.Checker{
		budget,
		assert.ReadinessGating{},
		assert.BlastRadius{},
		assert.OverloadContract{},
		assert.Recovery{Bounds: []string{topology.BoundReconnected}},
		assert.SessionSurvival{Expect: "survive"},
		assert.WriteLedger{},
		assert.Leftovers{},
	}
}

// applyPartition chooses the fault; the bound on the outage follows from it.
func applyPartition(s harness.Scenario, set map[string]string) (harness.Scenario, error) {
	switch cut := set["cut"]; cut {
	case "", "refused":
	case "silent":
		s.Phases[2].Cover = []string{topology.BoundOutageSilent, topology.BoundAnswered}
		s.Phases[2].Faults[0].Fault = fault.Stall{}
		// Half of the users are away for up to the outage's bound: 4.6 s of
		// the 27 s of the short form.
		s.Asserts = judgedByPartition(assert.ErrorBudget{Overall: 90, OutageBound: topology.BoundOutageSilent})
	default:
		return s, fmt.Errorf("--set cut=%s: want refused or silent", cut)
	}
	return s, nil
}
