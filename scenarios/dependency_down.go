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

// DependencyDown takes the second service that orders ask away.
func DependencyDown() harness.Scenario {
	return harness.Scenario{
		Name:  "dependency-down",
		About: "The price service, which orders ask, is gone: orders go on with the price last heard, and readiness does not turn every node off at once.",
		Story: `What all nodes depend on must not turn all of them off at once, when each could
still do most of its work (seed 003 §30 question 6: does readiness detect the failure
of a critical dependency without causing a cascading failure?). Readiness asks for
the database, without which a node can do nothing, and not for the price service,
without which it can do all but hear a new price: 99.9 % of all operations are good,
as in a steady phase.

With dependency=critical readiness asks for both: every node says 503 within one
round of checks, the balancers are left without a server, and users whose requests
need no price at all are sent away. With dependency=unbounded each order is refused
for want of a price. With --set lost=vanished the service's container is killed, so
that its packets vanish instead of being refused: then the time limit is what
saves the orders.`,
		Tags:     []string{"application", "dependency"},
		Topology: "jetty-ha",
		Set:      map[string]string{"dependency": "on"},
		Load:     load.Default(),
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "down", Kind: history.PhaseBreak, For: 6 * time.Second, Cover: []string{topology.BoundUnready}, Faults: []harness.Injection{
				{Label: "down", Fault: fault.DependencyDown{}, Aim: harness.Named("price")},
			}},
			{Name: "healed", Kind: history.PhaseRecover, For: 4 * time.Second, Cover: []string{topology.BoundReady}, Heal: []string{"down"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Asserts: append([]assert.Checker{assert.RotationKept{}}, judgedByUsers(assert.TellsNothing)...),
		Settings: []topology.Switch{
			{Key: "lost", Values: []string{"refused", "vanished"}, Default: "refused", About: "what becomes of a connection to the price service: it is refused, or its packets vanish"},
		},
		Apply: applyLost,
		Cases: []harness.Case{
			{
				Name: "readiness depends on it", Set: map[string]string{"dependency": "critical"},
				Fails: []string{"rotation-kept", "error-budget", "alerts"}, Evidence: "no server up",
				Because: "with no server left the balancers answer everybody with 503, and the users of all nodes see it",
			},
			{
				Name: "no fallback", Set: map[string]string{"dependency": "unbounded"}, Fails: []string{"error-budget", "alerts"}, Evidence: "status 503",
				Because: "each order is refused, on all nodes",
			},
			{Name: "packets vanish", Set: map[string]string{"lost": "vanished"}},
		},
	}
}

// applyLost chooses how the service is lost.
func applyLost(s harness.Scenario, set map[string]string) (harness.Scenario, error) {
	switch set["lost"] {
	case "", "refused":
	case "vanished":
		s.Phases[2].Faults[0].Fault = fault.InstanceKill{}
	default:
		return s, fmt.Errorf("--set lost=%s: want refused or vanished", set["lost"])
	}
	return s, nil
}
