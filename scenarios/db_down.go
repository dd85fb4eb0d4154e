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

// DBDown takes the database away from everybody, and gives it back.
func DBDown() harness.Scenario {
	return harness.Scenario{
		Name:  "db-down",
		About: "The database dies under load and comes back: every user is refused at once and clearly, no node is restarted, and all recover by themselves.",
		Story: `A cluster fails as a whole where its database is a single point of failure: its
loss makes every node fail for whatever needs it (seed 003 §12). No availability
can be promised then, so that there is no error budget here. What must hold:

Every request is answered within the time that the balancer's limits add up to,
if only by a clear 503: a wait for the pool that is bounded, no thread that hangs,
no queue that grows (seed 003 §27.3). Readiness says no, so that the balancers
refuse at once what no node can serve; liveness says yes throughout, or whoever
restarts nodes by it would make the recovery worse (seed 003 §9.1). No node is
restarted. When the database is back, every node reconnects by itself within the
bound that follows from the driver's and the pool's limits, with no storm; users
still have their sessions, and no acknowledged order is lost or there twice.

The database is killed with its machine, so that it recovers from its log. --set how=process
kills it alone and leaves the machine, which refuses at once; --set how=stop ends it
in order; --set how=cut leaves it alone and refuses every node its way to it. With --set
how=read-only it is there and refuses whatever writes, as a standby does that was taken
for the server: readiness has no reason to say no, and each write must be refused as
clearly.`,
		Tags:     []string{"database"},
		Topology: "jetty-ha",
		Load:     load.Default(),
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "database down", Kind: history.PhaseBreak, For: 8 * time.Second, Cover: []string{topology.BoundAnswered}, Faults: []harness.Injection{
				{Label: "down", Fault: fault.DatabaseDown{}, Aim: harness.All(topology.Database)},
			}},
			{Name: "back", Kind: history.PhaseRecover, For: 8 * time.Second, Cover: []string{topology.BoundReconnected}, Heal: []string{"down"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"overload-contract"},
		Asserts:   judgedWithoutDatabase(),
		Settings: []topology.Switch{
			{Key: "how", Values: []string{"kill", "process", "stop", "cut", "read-only"}, Default: "kill", About: "how the database goes: killed with its machine or alone, stopped in order, every node's way to it refused, or its writes alone"},
		},
		Apply: applyDown,
		Cases: []harness.Case{
			{
				Name: "liveness looks at the database", Set: map[string]string{"liveness": "database"}, Fails: []string{"overload-contract"}, Also: []string{"readiness-gating"}, Evidence: "liveness",
				Because: "both hold liveness to speak of the process alone",
			},
			{
				Name: "unbounded wait for the pool", Set: map[string]string{"pool-wait": "unbounded"}, Fails: []string{"overload-contract"}, Also: []string{"recovery"}, Evidence: "queue",
				Because: "requests whose users have gone hold threads until the pool's minute is over, which is after the heal",
			},
			{Name: "constant readiness", Set: map[string]string{"readiness": "constant", "warmup": "0s"}, Fails: []string{"readiness-gating"}, Evidence: "after unready"},
			{Name: "process crash", Set: map[string]string{"how": "process"}},
			{Name: "stopped in order", Set: map[string]string{"how": "stop"}},
			{Name: "refused", Set: map[string]string{"how": "cut"}},
			{Name: "read-only", Set: map[string]string{"how": "read-only"}},
		},
	}
}

// judgedWithoutDatabase are the assertions of a loss that nobody is spared.
func judgedWithoutDatabase() []assert.Checker {
	return []assert.Checker{
		assert.OverloadContract{},
		assert.Recovery{Bounds: []string{topology.BoundDatabase, topology.BoundReconnected}},
		assert.SessionSurvival{Expect: "survive"},
		assert.WriteLedger{},
		assert.ReadinessGating{},
		assert.Leftovers{},
	}
}

// applyDown chooses the fault.
func applyDown(s harness.Scenario, set map[string]string) (harness.Scenario, error) {
	for i := range s.Phases {
		for j := range s.Phases[i].Faults {
			in := &s.Phases[i].Faults[j]
			switch how := set["how"]; how {
			case "", "kill":
			case "process":
				in.Fault = fault.DatabaseCrash{}
			case "stop":
				in.Fault = fault.DatabaseDown{Stop: true}
			case "cut":
				in.Fault, in.Aim = fault.DatabaseCut{}, harness.All(topology.Application)
			case "read-only":
				in.Fault = fault.DatabaseReadOnly{}
			default:
				return s, fmt.Errorf("--set how=%s: want kill, process, stop, cut or read-only", how)
			}
		}
	}
	return s, nil
}
