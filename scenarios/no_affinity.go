package scenarios

import (
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
)

// NoAffinity spreads each session's requests over all nodes.
func NoAffinity() harness.Scenario {
	mix := load.Default()
	mix.Sessions, mix.SessionOps = 63, 21
	return harness.Scenario{
		Name:  "no-affinity",
		About: "The balancers bind no session to a node: each request of a user may go to another one, and nothing fails and no update is lost.",
		Story: `The tutorial says that session data persists even as HAProxy distributes the
requests between the instances (seed 001, "Verify your setup"), but its own
configuration keeps each session on one node, and so never shows it. Here the
balancers have no cookie and choose a node for each request, which is how a stateless
service is meant to be run (non-sticky routing, seed 003 §6.3), and there is no
fault at all: whatever is lost, the healthy system lost.

It holds if a node reads a session from the store for each request and saves it
before the answer. It does not hold with Jetty's default cache, which keeps its
own copy of every session for ever: measured with two nodes in turn, a counter
answered 3, 4, 4, 5, 5, all with 200.

The requests of one session do not overlap in the load, as those of a user who waits
for an answer do not. Those that do overlap, on two nodes, are another matter: both
read the same counter. The store's fence then refuses the later save, which Jetty's
own store would carry out. So five other users send two updates at once, again and
again, and look at the counter after each pair.

Where the balancers take the nodes in turn (balance=roundrobin), as the sessions
take their turns, they would keep step: with an even number of sessions and two nodes each
session would always meet the same one. So there are 63, and 21 operations to
each, which spreads the logins, too.`,
		Tags:       []string{"session", "balancer"},
		Topology:   "jetty-ha",
		Load:       mix,
		Companions: []load.Companion{load.Overlaps{Sessions: 5, Every: time.Second}},
		Set:        map[string]string{"affinity": "off"},
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 20 * time.Second},
		},
		Exercises: []string{"session-survival", "overlapping-updates"},
		Asserts: []assert.Checker{
			assert.SessionSurvival{Expect: assert.ExpectSurvive},
			assert.OverlappingUpdates{},
			assert.WriteLedger{},
			assert.ErrorBudget{},
			assert.Distribution{},
			assert.Leftovers{},
		},
		Cases: []harness.Case{
			{
				Name: "Jetty's default cache", Set: map[string]string{"cache": "default"},
				Fails: []string{"session-survival"}, Also: []string{"overlapping-updates"}, Evidence: "lost update",
				Because: "the counter is another one at each node, whether requests overlap or not",
			},
			{
				Name: "sessions in memory", Set: map[string]string{"sessions": "memory"},
				Fails: []string{"session-survival"}, Also: []string{"error-budget", "overlapping-updates"}, Evidence: "replaced by a new session",
				Says:    map[string]string{"overlapping-updates": "lost session"},
				Because: "a node that does not hold the session answers 404, or begins a new one",
			},
			{Name: "saved over anything", Set: map[string]string{"fence": "off"}, Fails: []string{"overlapping-updates"}, Evidence: "lost update"},
			{Name: "no cache at all", Set: map[string]string{"cache": "null"}},
			{Name: "three nodes", Nodes: 3},
		},
	}
}
