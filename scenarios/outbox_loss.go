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

// OutboxLoss kills a node whose orders are answered and whose events are still
// on their way.
func OutboxLoss() harness.Scenario {
	return harness.Scenario{
		Name:  "outbox-loss",
		About: "A node is killed whose orders are committed and answered, and whose events are not yet delivered: no event is lost.",
		Story: `The client was told that all is well, and it is, but for what should follow: the mail,
the invoice, the message to another system (seed 003 §10.3). No HTTP status shows
its loss, and neither does any error rate.

Each order has an event, which a publisher on each node hands on twice a second. A
node is killed under load, so that some of its orders are answered and their events
are not. Kept in a table by the order's own transaction (a transactional outbox),
any node can deliver them: at least once, which is why some arrive twice. Kept in
the node's memory they are gone.`,
		Tags:       []string{"process", "writes"},
		Topology:   "jetty-ha",
		Set:        map[string]string{"outbox": "transaction"},
		Load:       load.Default(),
		Companions: []load.Companion{load.OrderEvents{}},
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "killed", Kind: history.PhaseBreak, For: 5 * time.Second, Cover: []string{topology.BoundOutageVanished}, Faults: []harness.Injection{
				{Label: "kill", Fault: fault.InstanceKill{}, Aim: harness.OneApplication()},
			}},
			{Name: "restarted", Kind: history.PhaseRecover, For: 7 * time.Second, Cover: []string{topology.BoundRecovered}, Heal: []string{"kill"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"event-delivery"},
		Asserts: []assert.Checker{
			assert.EventDelivery{},
			assert.WriteLedger{},
			assert.ErrorBudget{OutageBound: topology.BoundOutageVanished},
			assert.Leftovers{},
		},
		Cases: []harness.Case{
			{Name: "events in memory", Set: map[string]string{"outbox": "memory"}, Fails: []string{"event-delivery"}, Evidence: "lost"},
		},
	}
}
