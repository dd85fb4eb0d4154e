package scenarios

import (
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
)

// BlueGreen switches all traffic from one half of the nodes to the other,
// which runs the second version, and back.
func BlueGreen() harness.Scenario {
	return harness.Scenario{
		Name:  "blue-green",
		About: "One half of the nodes is given version 2 and all traffic at once; then all of it is switched back: users keep their sessions both ways.",
		Story: `Seed 003 §15: two environments, of which one serves. Of four nodes, two (green) are
taken out of rotation, given version 2, and asked themselves whether they are
ready, before any user reaches them. Then the balancers are switched: green is
served, blue is drained and left alone, still running version 1. That is what
makes the way back fast: the undo of a bad release is one order to the balancers,
not a deployment. The scenario goes it under load, too.

At each switch every session moves to a node that it never saw, and to the other
version. What that needs is the shared store ("shared database must still be
compatible", §15) and state that either version can read, in both directions:
after the switch version 2 reads what version 1 wrote, and after the way back
version 1 reads what version 2 wrote, without a moment at which both serve.

Four nodes' connections still fit the database: 4 pools of 10 and their probes
are below its 200. Orders do 150 ms of further work between commit and answer, so
that one on a green node that is still compiling, or beside one that boots on the
same machine, is still answered within 500 ms.`,
		Tags:       []string{"deployment"},
		Topology:   "jetty-ha",
		Load:       load.Default(),
		Nodes:      4,
		Set:        map[string]string{"order-work": "150ms"},
		Companions: []load.Companion{load.CrossReader{}},
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "switching", Kind: history.PhaseBreak, For: 5 * time.Second, Await: true, Faults: []harness.Injection{
				{Label: "switch", Fault: fault.BlueGreen{Version: "2"}, Aim: everyNode()},
			}},
			{Name: "switched back", Kind: history.PhaseRecover, For: 3 * time.Second, Await: true, Heal: []string{"switch"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"version-skew", "session-survival"},
		Asserts:   deployed(assert.ErrorBudget{Overall: assert.DefaultSteady}, assert.VersionSkew{After: "1"}),
		Cases: []harness.Case{
			{
				Name: "sessions in memory", Set: map[string]string{"sessions": "memory"}, Fails: []string{"session-survival"}, Also: []string{"error-budget", "version-skew"}, Evidence: "replaced by a new session",
				Because: "a user whose session is gone reads nothing, and the version that does not find it is another than the one that wrote it",
			},
			{
				Name: "an attribute instead of another", Set: map[string]string{"v2-session": "instead"}, Fails: []string{"version-skew", "session-survival"}, Evidence: "unreadable state",
				Because: "the way back loses every counter that version 2 has raised",
			},
		},
	}
}
