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

// DBConnectionCeiling adds a node while the database is slow.
func DBConnectionCeiling() harness.Scenario {
	return harness.Scenario{
		Name:  "db-connection-ceiling",
		About: "A third node joins two, and then the database is slow: all pools together stay below what the database has to give.",
		Story: `A pool that is right for one node is dangerous for ten (seed 003 §12.1 and §28.6,
§30 question 7): the database sees nodes × pool connections, and refuses those above
max_connections less what is reserved, which hits first whoever starts or grows last:
the node that was added to help. Pools are rarely full, so that this shows on the day
when the database is slow and every pool grows to its limit at once.

So the ceiling is judged by the configuration, as seed 003's formula has it
(instances × pool size, here with each node's two probes), against
max_connections − superuser_reserved_connections − reserved_connections (PostgreSQL
17 Documentation, 19.3.1), and beside that by the number of connections that the
database was seen to have and by those that its log says it refused. One node of
three is away at first and is added; then statements that write orders take 60 ms
longer inside the database.

It is the sum that decides. The pools of the tuned profile are full at all times, ten of
ten on each node, so that what is promised is there in every sample, and the slow
database shows that they do not grow beyond. The database is not driven to its ceiling:
that it refuses what is above is PostgreSQL's promise, and any refusal that its log has
fails the run.`,
		Tags:     []string{"database", "pool"},
		Topology: "jetty-ha",
		Nodes:    3,
		Load:     load.Default(),
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "two nodes", Kind: history.PhaseBreak, For: 4 * time.Second, Cover: []string{topology.BoundOutageVanished}, Faults: []harness.Injection{
				{Label: "away", Fault: fault.InstanceKill{}, Aim: harness.Named("j3")},
			}},
			{Name: "a third is added", Kind: history.PhaseRecover, For: 7 * time.Second, Cover: []string{topology.BoundRecovered}, Heal: []string{"away"}},
			{Name: "slow database", Kind: history.PhaseBreak, For: 6 * time.Second, Faults: []harness.Injection{
				{Label: "slow", Fault: fault.DatabaseSlowInside{Delay: 60 * time.Millisecond}, Aim: harness.Named("db")},
			}},
			{Name: "healed", Kind: history.PhaseRecover, For: 4 * time.Second, Heal: []string{"slow"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"connection-ceiling", "readiness-gating"},
		Asserts: []assert.Checker{
			assert.ConnectionCeiling{},
			assert.ErrorBudget{},
			assert.WriteLedger{},
			assert.SessionSurvival{Expect: "survive"},
			assert.ReadinessGating{},
			assert.Leftovers{},
		},
		Cases: []harness.Case{
			{Name: "pools of 80", Set: map[string]string{"pool": "80"}, Fails: []string{"connection-ceiling"}, Evidence: "3 nodes × 82 = 246"},
		},
	}
}
