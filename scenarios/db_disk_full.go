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

// DBDiskFull fills the disk that the orders lie on.
func DBDiskFull() harness.Scenario {
	return harness.Scenario{
		Name:  "db-disk-full",
		About: "The file system under the orders' table is full: orders are refused and say so, everything else goes on, and room is all that it takes to go on.",
		Story: `A disk fills up sooner or later, most often by something else's files (seed 001, "set
up automatic log rotation to prevent disk space issues"). PostgreSQL then refuses the
statement that needs another page (SQLSTATE 53100) and keeps all that it has; it goes
on by itself once there is room (PostgreSQL 17 Documentation, 27.6 "Disk Full
Failure"). Here the orders lie in a tablespace on a small file system of its own; a
full one under the write-ahead log would stop the whole server, which is why the two
belong apart.

Expected is that each order is answered with 503 and X-Hachaos-Applied: no, in time,
and with no other error, so that none is lost or doubled; that sessions, which lie
elsewhere, do not notice; that no node leaves the rotation at any balancer, nor denies
being alive, since each of them can still serve sessions; and that orders are accepted
again as soon as there is room, on every node. Orders do not count while the disk is
full; all else is held to the objective of a steady phase.

Monitoring must have paged: a third of what users ask for are orders, and were one in ten
operations bad from then on, an alert on the burn rate of a 99.9 % objective (14.4 × over
an hour and five minutes; The Site Reliability Workbook, Google, 2018, chapter 5, table
5-8) would page after 0.1 % / 10 % × 14.4 × 1 h, which is 518 s: the bound.

PostgreSQL goes on filling the pages that it has, and each of its processes has one of
its own: with seven rows to a page, which the table's fillfactor makes it, those last
for about a second.

With leak=on the application closes a connection only when all went well, as code
does that was never tried with a full disk: each refused order costs the pool one, and
after ten a node can do nothing any more, with room or without.`,
		Tags:     []string{"database", "disk"},
		Topology: "jetty-ha",
		Set:      map[string]string{"small-disk": "orders"},
		Load:     load.Default(),
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "full", Kind: history.PhaseBreak, For: 6 * time.Second, Faults: []harness.Injection{
				{Label: "full", Fault: fault.DiskFull{}, Aim: harness.Named("db")},
			}},
			{Name: "room again", Kind: history.PhaseRecover, For: 4 * time.Second, Cover: []string{topology.BoundReady}, Heal: []string{"full"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"overload-contract"},
		Asserts: []assert.Checker{
			assert.Recovery{Bounds: []string{topology.BoundReady}},
			assert.ErrorBudget{Overall: assert.DefaultSteady, Refused: []string{"order"}},
			assert.WriteLedger{},
			assert.SessionSurvival{Expect: "survive"},
			assert.RotationKept{Least: assert.EveryServer},
			assert.OverloadContract{},
			assert.Alerts{Tells: assert.TellsAll, PageWithin: assert.PageAfter(10)},
			assert.Leftovers{},
		},
		Cases: []harness.Case{
			{
				Name: "a refused order costs a connection", Set: map[string]string{"leak": "on"}, Fails: []string{"recovery", "error-budget"}, Also: []string{"overload-contract"}, Evidence: "pooled connections in use of",
				Because: "a node without connections serves nobody, and goes on so after there is room; who waits for one holds a thread",
			},
		},
	}
}
