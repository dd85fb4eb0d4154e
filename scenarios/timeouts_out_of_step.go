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

// TimeoutsOutOfStep has every order wait for a lock, to see who gives up
// first.
func TimeoutsOutOfStep() harness.Scenario {
	few := load.Default()
	few.Writes, few.Reads, few.Orders = 25, 24, 1
	return harness.Scenario{
		Name:  "timeouts-out-of-step",
		About: "A lock in the database holds up every order: the application gives up first and says so, before the balancer does, and that before the client.",
		Story: `A request passes three who each wait only so long: the client, the balancer and the
application, which waits for its pool, a lock, a statement. "LB timeout aligned with app
timeout" (seed 003 §29.3) means that the innermost gives up first. It alone knows what
became of the request: it rolls back, and its 503 says that nothing was done. A balancer
whose timeout server ("it directly represents the server's processing time for the
request", HAProxy 3.0 Configuration Manual, 4.2) ends before, or a client whose patience
does, learns nothing: the work goes on behind its back, holds a connection of the pool,
and is committed when the lock is free, to an answer that nobody awaits. Whoever then tries
again does it twice, unless the order bears a key that is remembered (§11).

The right order here: lock 1 s, or a wait of 500 ms for the pool and 2 s for a statement;
then timeout server, 3 s; then the client, 10 s. Who gave up is read from the answers. With
db-timeouts=off the application waits for ever, so that the balancer gives up first; with
timeout=800ms the client does.

One operation in fifty is an order, so that those that wait do not use up the pool. It
holds up the next one of its session at most: with 2 of 50 bad while the lock lasts, which
is at most half of the judged run, 98 % are good.`,
		Tags:     []string{"database", "writes", "balancer"},
		Topology: "jetty-ha",
		Load:     few,
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "locked", Kind: history.PhaseBreak, For: 8 * time.Second, Cover: []string{topology.BoundAnswered}, Faults: []harness.Injection{
				{Label: "lock", Fault: fault.RowLock{}, Aim: harness.All(topology.Database)},
			}},
			{Name: "free again", Kind: history.PhaseRecover, For: 5 * time.Second, Heal: []string{"lock"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"timeout-order"},
		Asserts: []assert.Checker{
			assert.TimeoutOrder{},
			assert.WriteLedger{},
			assert.SessionSurvival{Expect: "survive"},
			assert.ErrorBudget{Overall: 98},
			assert.Leftovers{},
		},
		Cases: []harness.Case{
			{
				Name: "the balancer gives up before the application", Set: map[string]string{"db-timeouts": "off"}, Fails: []string{"timeout-order"}, Also: []string{"error-budget"},
				Because:  "orders wait for the whole of the lock, with whatever their users ask for next, and hold the pool's connections",
				Evidence: "balancer gave up",
			},
			{
				Name: "and a client that tries again without a key", Set: map[string]string{"db-timeouts": "off", "dedupe": "off"}, Fails: []string{"write-ledger", "timeout-order"}, Also: []string{"error-budget"},
				Because:  "each attempt that the balancer gave up was committed in the end",
				Evidence: "duplicate",
			},
			{
				Name: "the client gives up before the application", Set: map[string]string{"timeout": "800ms"}, Fails: []string{"timeout-order"},
				Evidence: "client gave up",
			},
		},
	}
}
