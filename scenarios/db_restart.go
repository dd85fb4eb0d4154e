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

// DBRestart restarts the database in order.
func DBRestart() harness.Scenario {
	return harness.Scenario{
		Name:  "db-restart",
		About: "The database is restarted in order under load: a short, clear outage, after which every node has found it again by itself.",
		Story: `Every minor upgrade of PostgreSQL, and many a change of its configuration, takes
a restart. It ends every connection of every pool, at a moment when many are at
work, and some transactions with them; for two seconds nobody listens, and then
it is back. What was in a pool before is dead, and has to be noticed as such (seed 003
§12). Under load that is no question of a look before each use: users go on asking
while nobody listens, and their requests, each of which fails at once, find every dead
connection before the database is back. Which of the two noticed it cannot be told here.

What must hold is what holds where the database is away for longer (db-down):
clear refusals in time, liveness up and no node restarted, sessions kept and no
acknowledged order lost or doubled. And the outage must end: nobody is without
service for longer than the database takes to end and to start, the two seconds
between, and what the nodes take to find it again, by the driver's and the pool's
limits.`,
		Tags:     []string{"database"},
		Topology: "jetty-ha",
		Load:     load.Default(),
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "restarted", Kind: history.PhaseBreak, For: 8 * time.Second, Cover: []string{topology.BoundOutageDatabase}, Faults: []harness.Injection{
				{Label: "restart", Fault: fault.DatabaseRestart{Pause: topology.DatabasePause}, Aim: harness.All(topology.Database)},
			}},
			{Name: "back", Kind: history.PhaseRecover, For: 5 * time.Second, Cover: []string{topology.BoundReconnected}, Heal: []string{"restart"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		// The restart and its pause take a few seconds of some twenty in the
		// short form, during which nobody can be served.
		Exercises: []string{"overload-contract"},
		Asserts:   append(judgedWithoutDatabase(), assert.ErrorBudget{Overall: 50, OutageBound: topology.BoundOutageDatabase}),
		Cases: []harness.Case{
			{
				Name: "liveness looks at the database", Set: map[string]string{"liveness": "database"}, Fails: []string{"overload-contract"}, Also: []string{"readiness-gating"}, Evidence: "liveness",
				Because: "both hold liveness to speak of the process alone",
			},
		},
	}
}
