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

// staleBudget is what is asked of the whole run, in percent. A node works on
// some 6 requests at a time (62 a second, a third of them for 250 ms); each
// of their users is away for at most outage/frozen, 4.9 s on the tuned
// profile, and would have asked twice a second: 60 operations, of 3400 in the
// short form.
const staleBudget = 97

// StaleARP has one application node answer to machines that are gone.
func StaleARP() harness.Scenario {
	return harness.Scenario{
		Name:  "stale-arp",
		About: "One node holds the hardware addresses of balancers that are gone: it hears them and they do not hear it; they leave it alone within the bound, and only what was under way waits.",
		Story: `An address moves to another machine by a gratuitous ARP, which each neighbour must
hear (seed 000: "ARP announcements propagate during failover"). A switch that drops it,
a filter, a machine that was busy at that moment: the neighbour goes on sending to the
old hardware address, for a minute or for ever if the entry was made by hand.

So the connection is cut in one direction only, which no check of a node's own can see:
it is ready, it reaches its database, it gets what is sent to it, and its answers go
nowhere. What decides is who asks from where the users' requests come: the balancers'
own check. To them the node has vanished, and they take it out within
detected/vanished; until then a new connection costs timeout connect, and the request
goes to another node.

What the node had already begun is done and its answer lost: those users wait for
timeout server, as they would of a frozen node, so that outage/frozen bounds their
outage, and the order is retried under its key. When the entry is right again the node
is served again, without a restart.`,
		Tags:     []string{"network"},
		Topology: "jetty-ha",
		Load:     load.Default(),
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "stale", Kind: history.PhaseBreak, For: 8 * time.Second, Cover: []string{topology.BoundOutageFrozen}, Faults: []harness.Injection{
				{Label: "stale", Fault: fault.StaleARP{Peers: []string{string(topology.Balancer)}}, Aim: harness.OneApplication()},
			}},
			{Name: "right again", Kind: history.PhaseRecover, For: 7 * time.Second, Cover: []string{topology.BoundReady}, Heal: []string{"stale"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"session-survival"},
		Asserts: []assert.Checker{
			assert.SessionSurvival{Expect: assert.ExpectSurvive},
			assert.WriteLedger{},
			assert.ErrorBudget{Overall: staleBudget, OutageBound: topology.BoundOutageFrozen},
			assert.FailoverAnatomy{DetectBound: topology.BoundDetectVanished},
			assert.BlastRadius{},
			assert.Recovery{Bounds: []string{topology.BoundReady}},
			assert.Distribution{},
			assert.Leftovers{},
		},
		Cases: []harness.Case{
			{Name: "a lying health check", Set: map[string]string{"check": "liar"}, Fails: []string{"failover-anatomy"}, Evidence: "detected"},
			{
				Name: "a patient connect", Set: map[string]string{"connect-timeout": "5s"}, Fails: []string{"error-budget"},
				Also: []string{"failover-anatomy"}, Because: "who is sent to the node before it is taken out waits for seconds, too, and so is late to be diverted",
				Evidence: "slow",
			},
		},
	}
}
