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

// AllNodesRestarted kills every application node at once and starts it again.
func AllNodesRestarted() harness.Scenario {
	return harness.Scenario{
		Name:  "all-nodes-restarted",
		About: "Every application node is killed at once and started again under load: users are away for no longer than a boot, come back to their sessions, and no restart storm follows.",
		Story: `"Do not blindly restart all instances unless downtime is accepted" (seed 003 §25.4):
a configuration pushed to all, a host that reboots, a liveness check that asks for
the database. Here every node dies by SIGKILL at the same time and is started
again at once, so that all of them boot, open their pools and warm up together,
with all users waiting at the door. Does it come back by itself?

Expected: an outage, and one whose length follows from the configuration: the
bound "outage/all" is boot, warm-up and the balancers' rise. No node is given a
request before it is warm, however many users wait; none is started a second time,
as one would be whose supervisor or database gave up on it; sessions, which live
in the database, survive, so that nobody has to log in again; orders of unknown
outcome are found once. Once the nodes are back the service is steady, with
no thread or connection left hanging.

And they share the work again. HAProxy's round robin keeps a place for each
server, and after both were down the one that comes back second may be placed a
round behind: with weights of 100 it was given none of the next 420 to 680
sessions, in nine of twelve trials by hand with balance=roundrobin, although it
was up. Drawing the node (balance random), as the profile does, keeps no places.

The objective over the run is 70 %: an outage as long as its bound, 7.7 s, is a
quarter of the 30 s that the short form judges.`,
		Tags:     []string{"process"},
		Topology: "jetty-ha",
		Load:     load.Default(),
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "restart", Kind: history.PhaseBreak, For: 8 * time.Second, Cover: []string{topology.BoundOutageAll}, Faults: []harness.Injection{
				{Label: "restart", Fault: fault.InstanceRestart{Kill: true}, Aim: harness.All(topology.Application)},
			}},
			{Name: "coming back", Kind: history.PhaseRecover, For: 4 * time.Second, Heal: []string{"restart"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"session-survival", "readiness-gating"},
		Asserts: []assert.Checker{
			assert.SessionSurvival{Expect: "survive"},
			assert.WriteLedger{},
			assert.ErrorBudget{Overall: 70, OutageBound: topology.BoundOutageAll},
			assert.ReadinessGating{},
			assert.Distribution{},
			assert.Recovery{Bounds: []string{topology.BoundReady}, FromFault: true},
			assert.Leftovers{},
		},
		Cases: []harness.Case{
			{
				Name: "sessions in memory", Set: map[string]string{"sessions": "memory"}, Fails: []string{"session-survival"}, Also: []string{"error-budget"}, Evidence: "replaced by a new session",
				Because: "a user whose session is gone reads nothing and cannot log out: 404 until the next write begins a new session",
			},
			{Name: "constant readiness", Set: map[string]string{"readiness": "constant", "warmup": "4s"}, Fails: []string{"readiness-gating"}, Evidence: "before ready"},
		},
	}
}
