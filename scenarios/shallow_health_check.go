package scenarios

import (
	"time"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/topology"
)

// ShallowHealthCheck cuts one node off its database while its process is well.
func ShallowHealthCheck() harness.Scenario {
	return harness.Scenario{
		Name:  "shallow-health-check",
		About: "One node cannot reach its database while its process is well: the balancers' check sees that, and the node leaves the rotation in time.",
		Story: `Process health is not service health: a node that is alive and cut off from its
database answers a check of its port, or of a page that looks at nothing, and goes on
being sent users whom it cannot serve (seed 003 §22, §23 "health green but endpoint
fails: shallow readiness", §30 question 5: which health endpoint does the load
balancer use?; seed 002: checks fail quickly when dependencies are unavailable).

The tuned balancers ask /health/ready, which looks at the database within 300 ms. Up
to the bound "unready" users of the node are still sent to it and refused: 1.6 s of
half of the users within 23 judged seconds are 3.5 %, so that 95 % must be good.
Requests that get to the node later than that bound are violations. With check=port
or check=root the node stays in the rotation as long as it is cut off.`,
		Tags:      []string{"health", "database"},
		Topology:  "jetty-ha",
		Load:      load.Default(),
		Phases:    append(databaseLost(), harness.Phase{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second}),
		Exercises: []string{"readiness-gating"},
		Asserts:   judgedByGate(),
		Cases: []harness.Case{
			{Name: "the port alone", Set: map[string]string{"check": "port"}, Fails: []string{"readiness-gating", "error-budget"}, Evidence: "after unready", Because: "users are sent to a node that cannot serve them for as long as it is cut off"},
			{Name: "a page that looks at nothing", Set: map[string]string{"check": "root"}, Fails: []string{"readiness-gating", "error-budget"}, Evidence: "after unready", Because: "users are sent to a node that cannot serve them for as long as it is cut off"},
		},
	}
}

// databaseLost are the phases in which one node alone loses its database.
func databaseLost() []harness.Phase {
	return []harness.Phase{
		{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
		{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
		{Name: "cut off", Kind: history.PhaseBreak, For: 6 * time.Second, Cover: []string{topology.BoundUnready}, Faults: []harness.Injection{
			{Label: "cut", Fault: fault.DatabaseCut{}, Aim: harness.OneApplication()},
		}},
		{Name: "healed", Kind: history.PhaseRecover, For: 5 * time.Second, Cover: []string{topology.BoundReady}, Heal: []string{"cut"}},
	}
}
