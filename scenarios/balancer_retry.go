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

// BalancerRetry has the balancer itself send writes twice.
func BalancerRetry() harness.Scenario {
	return harness.Scenario{
		Name:  "balancer-retry",
		About: "The balancer sends a write again whose connection broke without an answer: the order is there once, by its key.",
		Story: `HAProxy can repeat a request that it has already passed on (HAProxy 3.0 Configuration
Manual, 4.2 "retry-on empty-response"). Nobody sees it: the client asked once and
is answered once. If what it repeats is a write, the first may have been carried
out before the connection broke, and then the database holds it twice while every
client was told 200.

The profile keeps HAProxy from repeating anything but reads. Here it may repeat
writes too (l7-retry=all), as many configurations do without meaning to, and a node
crashes under load: the application must recognise the second arrival by its
idempotency key (seed 003 §11, §23 "duplicate writes after failover"). Receipts of
the nodes, one an arrival, show that it happened; without one the run proves
nothing.`,
		Tags:     []string{"writes", "balancer"},
		Topology: "jetty-ha",
		Set:      map[string]string{"l7-retry": "all"},
		Load:     load.Default(),
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "crashed", Kind: history.PhaseBreak, For: 5 * time.Second, Cover: []string{topology.BoundOutageRefused}, Faults: []harness.Injection{
				{Label: "crash", Fault: fault.ProcessCrash{}, Aim: harness.OneApplication()},
			}},
			{Name: "restarted", Kind: history.PhaseRecover, For: 7 * time.Second, Cover: []string{topology.BoundRecovered}, Heal: []string{"crash"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"write-ledger"},
		Asserts: []assert.Checker{
			assert.WriteLedger{Require: assert.RequireResent},
			assert.ErrorBudget{OutageBound: topology.BoundOutageRefused},
			assert.Leftovers{},
		},
		Cases: []harness.Case{
			{Name: "no deduplication", Set: map[string]string{"dedupe": "off"}, Fails: []string{"write-ledger"}, Evidence: "duplicate"},
		},
	}
}
