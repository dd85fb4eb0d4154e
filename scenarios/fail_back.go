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

// FailBack takes each of two nodes out of the rotation in turn and back, and
// breaks nothing.
func FailBack() harness.Scenario {
	mix := load.Default()
	mix.SessionOps = 60
	return harness.Scenario{
		Name:  "fail-back",
		About: "Each node is taken out of the rotation and put back, one after the other, with no fault at all: no session is stale after it has moved there and back.",
		Story: `What operators do every week: j2 goes into maintenance at both balancers, its
sessions move to j1, j2 comes back; later it is j1's turn, and the sessions move
back to j2. Nothing breaks, both nodes run all the time, and every answer is 200.

That is the trap. A node with Jetty's default cache (evictionPolicy -1) has kept
its copy of every session that it ever served and never looks at the store
again; the sessions that come back are served from there, as of the time when
they left. Measured: a counter stood at 3 on j2, went to 6 on j1, and was 4 and 5
when it came back, and the stale copy was saved over the newer one. Sticky
sessions alone do not cure it (seed 003 §7.2: sticky is a compatibility bridge,
and needs a drain strategy); the tutorial's claim that session data persists as
HAProxy distributes the requests (seed 001) holds only where a node reads a
session again that another one may have changed.

In maintenance HAProxy sends a server nothing at all; a drained one is still
sent the requests of its own sessions, which would then not move. Requests under
way complete, so the users must notice nothing: the objective over the run is that
of a steady phase, 99.9 %.

A session lives for 60 operations, half a minute, so that most live through both
moves.`,
		Tags:     []string{"session", "balancer"},
		Topology: "jetty-ha",
		Load:     mix,
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "j2 out", Kind: history.PhaseBreak, For: 6 * time.Second, Faults: []harness.Injection{
				{Label: "j2", Fault: fault.Maintenance{Server: "j2"}, Aim: harness.All(topology.Balancer)},
			}},
			{Name: "j2 back", Kind: history.PhaseRecover, For: 4 * time.Second, Heal: []string{"j2"}},
			{Name: "j1 out", Kind: history.PhaseBreak, For: 6 * time.Second, Faults: []harness.Injection{
				{Label: "j1", Fault: fault.Maintenance{Server: "j1"}, Aim: harness.All(topology.Balancer)},
			}},
			{Name: "j1 back", Kind: history.PhaseRecover, For: 4 * time.Second, Heal: []string{"j1"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 10 * time.Second},
		},
		Exercises: []string{"session-survival"},
		Asserts: []assert.Checker{
			assert.SessionSurvival{Expect: assert.ExpectSurvive},
			assert.WriteLedger{},
			assert.ErrorBudget{Overall: assert.DefaultSteady},
			assert.Leftovers{},
		},
		Cases: []harness.Case{
			{
				Name: "Jetty's default cache", Set: map[string]string{"cache": "default"},
				Fails: []string{"session-survival"}, Evidence: "lost update",
			},
			{
				Name: "sessions in memory", Set: map[string]string{"sessions": "memory"},
				Fails: []string{"session-survival"}, Also: []string{"error-budget"}, Evidence: "replaced by a new session",
				Because: "a node that does not hold the session answers 404 until a write begins a new one",
			},
			{Name: "no cache at all", Set: map[string]string{"cache": "null"}},
		},
	}
}
