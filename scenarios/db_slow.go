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

// What is asked of the whole run, in percent: that of what falls due while the
// database is slow a quarter is served, however late. Nodes that refused all of
// it would leave 73 % of the run good, 75 % of its short form.
//
// They can serve more. A read holds its connection for one answer of the
// database, a session's write for two and an order, which looks for its session, for
// five: at 80 ms each that is 213 ms of a connection for the mean of the three. Two
// pools of ten serve 94 such requests a second, by Little's law, of the 150; what
// waits for a second connection in vain costs some of them.
const (
	slowBudget = 80
	slowServed = 3 * time.Second
)

// DBSlow delays every answer of the database.
func DBSlow() harness.Scenario {
	users := load.Default()
	users.Rate, users.Sessions = 150, 400
	return harness.Scenario{
		Name:  "db-slow",
		About: "Every answer of the database is 80 ms late, far too slow for the load: users are refused clearly and in time, and no thread or queue is exhausted.",
		Story: `The database slows down, as one does whose disk is saturated or whose plan has
changed. It still works, so readiness still says yes, rightly: a node that left
would only give its users to others that are as slow. But each request now holds
its pooled connection for a few hundred milliseconds instead of a few, and the
pools of all nodes together serve a fraction of what is asked of them.

What decides then is what becomes of the rest (seed 003 §27.3): a wait for the
pool that is bounded turns them away with a clear 503 in time, and the threads
are free again, while at least a quarter of what falls due is served. How many
threads that takes follows from the rate and the wait, and not from how slow the
database is (Little's law; the value "threads: needed" of the topology). An
unbounded one queues every one of them; users give up, their requests stay; the
threads are used up within seconds, and with them liveness and whatever else the
node was to answer. When the database is fast again,
everything must be steady at once, without a restart.

Four hundred users share 150 operations a second, so that those who wait do not
slow the load down: it is the queue of a shop, not that of a single user.`,
		Tags:     []string{"database", "latency"},
		Topology: "jetty-ha",
		Load:     users,
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "slow", Kind: history.PhaseBreak, For: 10 * time.Second, Cover: []string{topology.BoundAnswered}, Faults: []harness.Injection{
				{Label: "slow", Fault: fault.Latency{Delay: 80 * time.Millisecond}, Aim: harness.All(topology.Application)},
			}},
			{Name: "fast again", Kind: history.PhaseRecover, For: 7 * time.Second, Cover: []string{topology.BoundReconnected}, Heal: []string{"slow"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"overload-contract"},
		Asserts: []assert.Checker{
			assert.OverloadContract{},
			assert.ErrorBudget{Overall: slowBudget, Threshold: slowServed},
			assert.Recovery{Bounds: []string{topology.BoundReconnected}},
			assert.SessionSurvival{Expect: "survive"},
			assert.WriteLedger{},
			assert.ReadinessGating{},
			assert.Leftovers{},
		},
		Cases: []harness.Case{
			{
				Name: "unbounded wait for the pool", Set: map[string]string{"pool-wait": "unbounded"}, Fails: []string{"overload-contract"}, Also: []string{"recovery", "readiness-gating", "error-budget"}, Evidence: "threads",
				Because: "a node without a free thread answers no check either, serves those who have given up before those who wait, and works its queue off long after the heal",
			},
		},
	}
}
