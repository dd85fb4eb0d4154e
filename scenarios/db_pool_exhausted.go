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

// DBPoolExhausted makes one node lose all connections of its pool.
func DBPoolExhausted() harness.Scenario {
	return harness.Scenario{
		Name:  "db-pool-exhausted",
		About: "One node has lost all connections of its pool: its users get a clear 503 in time, and those of the other node notice nothing.",
		Story: `Code that forgets to close connections empties its pool by and by (seed 001's common
issue "connection pool exhaustion"; seed 003 §12: bounded pool waiting, leak
detection, fail fast instead of wait). Whoever is sent to that node waits for a
connection. The tuned pool waits 250 ms and then answers 503 with Retry-After: the
node's users are refused, which is the price that is stated here, and nobody else is.
No answer may take longer than the bound "answered/pool": two such waits, and an order's
own work.
Its readiness stays up, for it looks at the database over a connection of its own: a
full pool is overload, and a check that took every overloaded node out would take
all of them out on the day when the database is slow. What tells the person on call
is the share of errors by node: one node's users see errors and the other's do not
(seed 003 §30 question 10).
And monitoring must have paged: half of all users are the node's, and were three in
ten of all operations bad from then on, an alert on the burn rate of a 99.9 % objective
(14.4 × over an hour and five minutes; The Site Reliability Workbook, Google, 2018,
chapter 5, table 5-8) would page after 0.1 % / 30 % × 14.4 × 1 h, which is 173 s. That is
the bound. The more nodes there are the smaller is the share of one, so that an alert on
the sum of them all comes later: five are too many for this one, and need an alert by
node.

Half of the sessions are the node's, for about 7 of 23 judged seconds: at most 15 %
of all operations are refused, and 80 % must be good.

With pool-wait=unbounded, as the tutorial's 30 s nearly are, requests wait until the
balancer gives up on them after 3 s; where it has only 40 requests with all nodes at a time
(user-requests=40) they take all of those, and the healthy node's users are turned
away before anybody has asked it.`,
		Tags:     []string{"database", "pool"},
		Topology: "jetty-ha",
		Set:      map[string]string{"faults": "on"},
		Load:     load.Default(),
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "exhausted", Kind: history.PhaseBreak, For: 6 * time.Second, Faults: []harness.Injection{
				{Label: "leak", Fault: fault.PoolLeak{Connections: 10}, Aim: harness.OneApplication()},
			}},
			{Name: "given back", Kind: history.PhaseRecover, For: 4 * time.Second, Cover: []string{topology.BoundReady}, Heal: []string{"leak"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"overload-contract", "blast-radius"},
		Asserts: []assert.Checker{
			assert.OverloadContract{AnswerBound: topology.BoundAnsweredPool},
			assert.BlastRadius{},
			assert.Alerts{Tells: assert.TellsNode, PageWithin: assert.PageAfter(30)},
			assert.ErrorBudget{Overall: 80},
			assert.WriteLedger{},
			assert.SessionSurvival{Expect: "survive"},
			assert.Recovery{Bounds: []string{topology.BoundReady}},
			assert.Leftovers{},
		},
		Cases: []harness.Case{
			{
				Name: "unbounded wait for the pool", Set: map[string]string{"pool-wait": "unbounded"}, Fails: []string{"overload-contract"},
				Also: []string{"error-budget", "recovery"}, Evidence: "late answer",
				Because: "the node's users wait until the balancer gives up on them, and their requests stay until the pool is given back",
			},
			{
				Name: "waiting for ever", Set: map[string]string{"pool-wait": "unbounded", "user-requests": "40"}, Fails: []string{"blast-radius"}, Evidence: "in the share of the users of",
				Also:    []string{"overload-contract", "alerts", "error-budget", "recovery"},
				Because: "what hangs on one node takes the balancers' places from the users of the other, who then see the same errors",
			},
			{Name: "one node of five", Nodes: 5, Fails: []string{"alerts"}, Evidence: "a page would have come after"},
		},
	}
}
