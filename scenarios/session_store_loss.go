package scenarios

import (
	"fmt"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

// What is asked of the whole run, in percent. While one node's way to the
// store is cut, its users are refused until it is diverted; while all are,
// everybody is, for a third of the run and more.
const (
	storeOneBudget = 95
	storeAllBudget = 50
)

// SessionStoreLoss takes the session store away from a node that lives.
func SessionStoreLoss() harness.Scenario {
	return harness.Scenario{
		Name:  "session-store-loss",
		About: "A node loses its way to the session store and lives on: its users are refused or moved, and no update that was acknowledged is lost.",
		Story: `An external session store makes the store a critical dependency (seed 003 §7.3).
Here j1 or j2 is cut off from it: connections are closed and new ones refused,
while the node itself is well and answers.

Left alone, Jetty keeps silent about it. Its default cache has the session in
memory, the request succeeds there, the answer is 200, and the save that fails is
a line in a log: measured, 601 of 601 requests were answered 200 with the whole
database away. What was acknowledged then exists in the memory of one node, and
is gone as soon as the session moves: an update is lost without one error.
Without the default cache it begins a new session where it could not read the
old one, and the user's own is lost while it is still in the store.

The application of the tuned profile saves before it answers, and says 503 when
it cannot read or save. Its readiness looks at the database, so that the balancers
divert the node's users within the bound unready; what it had begun by then waits
for the pool in vain, so that the outage of those users may be as long as the bound
outage/unready. Half of the users are refused for that time: 95 % of the whole
run is asked.

away=all takes the store from all nodes. Then there is nobody to divert to, and
nothing but an honest 503 for everybody until it is back; half of the run is
asked, and still that no update is lost.`,
		Tags:     []string{"session", "database"},
		Topology: "jetty-ha",
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "store away", Kind: history.PhaseBreak, For: 7 * time.Second, Cover: []string{topology.BoundOutageUnready}, Faults: []harness.Injection{
				{Label: "store", Fault: fault.DatabaseCut{}, Aim: harness.MostSessions()},
			}},
			{Name: "store back", Kind: history.PhaseRecover, For: 5 * time.Second, Cover: []string{topology.BoundReady}, Heal: []string{"store"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"session-survival"},
		Asserts:   storeLossAsserts(assert.ErrorBudget{Overall: storeOneBudget, OutageBound: topology.BoundOutageUnready}),
		Settings: []topology.Switch{
			{Key: "away", Values: []string{"one", "all"}, Default: "one", About: "from how many nodes the store is away"},
		},
		Apply: applySessionStoreLoss,
		Cases: []harness.Case{
			{
				Name: "Jetty alone", Set: map[string]string{"cache": "default", "session-save": "lazy"},
				Fails: []string{"session-survival"}, Evidence: "lost update",
			},
			{
				// Whoever was moved away and logged out elsewhere is still logged in in
				// the memory of the node that had lost the store.
				Name: "Jetty's default cache", Set: map[string]string{"cache": "default"},
				Fails: []string{"session-survival"}, Evidence: "resurrected after logout",
			},
			{Name: "away from all", Set: map[string]string{"away": "all"}},
		},
	}
}

func storeLossAsserts(budget assert.ErrorBudget) []assert.Checker {
	return []assert.Checker{
		assert.SessionSurvival{Expect: assert.ExpectSurvive},
		assert.WriteLedger{},
		budget,
		assert.ReadinessGating{},
		assert.Leftovers{},
	}
}

func applySessionStoreLoss(s harness.Scenario, set map[string]string) (harness.Scenario, error) {
	switch set["away"] {
	case "", "one":
	case "all":
		s.Phases[2].Faults[0].Aim = harness.All(topology.Application)
		s.Asserts = storeLossAsserts(assert.ErrorBudget{Overall: storeAllBudget})
	default:
		return s, fmt.Errorf("--set away=%s: want one or all", set["away"])
	}
	return s, nil
}
