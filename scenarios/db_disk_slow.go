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

// DBDiskSlow has the database's disk take twenty writes a second. The budget is
// db-slow's: a read waits for nothing here, and a third of the load is reads.
func DBDiskSlow() harness.Scenario {
	users := load.Default()
	users.Rate, users.Sessions = 150, 400
	return harness.Scenario{
		Name:  "db-disk-slow",
		About: "The database's disk takes 20 writes a second, too few for the load's commits: users are refused clearly and in time, no thread or queue is exhausted, and nothing acknowledged is lost.",
		Story: `A disk that is worn out, that a backup or a neighbour keeps busy, or whose credit at
the cloud's is spent still does all that it is asked, and takes its time. Reads do not
notice, since what a database reads is in memory. What waits is each commit: it is
acknowledged once its part of the write-ahead log is on the disk (PostgreSQL 17
Documentation, 28.4 "Asynchronous Commit"), and that takes several writes and flushes,
whatever the transaction. One flush may be for many transactions that commit at the same
time (28.3 "Write-Ahead Logging"), so that the throughput falls by less than the disk's
does: over twenty connections, 20 writes a second let through some sixty transactions a
second of a row each, at 0.3 s a commit, where it had been 15,000 at 1.3 ms (pgbench, on
the machine that this was built on).

So the database is slow in another way than in db-slow. Its answers to a SELECT are as
quick as ever, and readiness, which asks for no more than that, says yes, rightly: a node
that left would only give its users to others on the same disk. But session writes and
orders hold their pooled connections for as long as the disk takes, and those come to more
than it can bear. What decides is the same as there (seed 003 §27.3): a wait for the pool
that is bounded turns those away for whom there is no connection, with a clear 503 and in
time, and the threads are free again; reads get a connection whenever one is. An unbounded
wait keeps every one of them until the threads are used up, and liveness with them.

A slow disk tempts one to have commits acknowledged before they are on it, and that is
what must not be bought with: each order that was acknowledged is there once, and each
session as it was written. When the disk is fast again, everything must be steady at once,
without a restart.

The files lie on a volume of the engine's, on which the kernel can hold back what the
database's container writes (database-disk=volume): in a container's own layer it may be
another process that writes.`,
		Tags:     []string{"database", "disk", "latency"},
		Topology: "jetty-ha",
		Set:      map[string]string{"database-disk": "volume"},
		Load:     users,
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "slow", Kind: history.PhaseBreak, For: 10 * time.Second, Cover: []string{topology.BoundAnswered}, Faults: []harness.Injection{
				{Label: "slow", Fault: fault.DiskSlow{}, Aim: harness.Named("db")},
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
				Because: "a node without a free thread answers no check either, serves those who have given up before those who wait, and works its queue off after the heal",
			},
		},
	}
}
