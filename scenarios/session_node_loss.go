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

// lostUsersBudget is what is asked of the whole run, in percent, where
// sessions are documented to die with their node: each of the victim's users,
// half of all, is refused until a write begins a new session, which of 20
// operations are one or two.
const lostUsersBudget = 95

// SessionNodeLoss kills the node that serves a logged-in user.
func SessionNodeLoss() harness.Scenario {
	return harness.Scenario{
		Name:  "session-node-loss",
		About: "The node that serves a logged-in user is killed: the user's session does what is documented, and is never half there.",
		Story: `Log a user in, find the node that the session sticks to, kill it, and see what the
user sees (seed 003 §27.4). Two answers are legitimate, and a system must have
decided on one: the session lives on, because it is kept outside the node
(expect=survive, the default: seed 003 §7.3), or it dies with its node and the
user logs in again (expect=lost-with-node: sticky sessions are a compatibility
bridge and no high availability, seed 003 §7.2). The checker holds the system
to the one that is documented, both ways: a session that dies although it is
documented to live is a failure, and so is one that lives although it is
documented to die, since then nobody knows what the system does.

Never legitimate is what lies between: a session that is there and has forgotten
whose it is (half-login), or that answers with an older counter than its user
was told. Users of other nodes must notice nothing in either case.

Where the sessions die, their users are refused until they begin new ones. That
is the price of the decision, and the error budget asks 95 % of the whole run
instead of 99.5 %, and 99.9 % of the steady phases as ever.`,
		Tags:     []string{"session", "process"},
		Topology: "jetty-ha",
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "killed", Kind: history.PhaseBreak, For: 8 * time.Second, Cover: []string{topology.BoundOutageVanished}, Faults: []harness.Injection{
				{Label: "kill", Fault: fault.InstanceKill{}, Aim: harness.ServingUser("")},
			}},
			{Name: "restarted", Kind: history.PhaseRecover, For: 7 * time.Second, Cover: []string{topology.BoundRecovered}, Heal: []string{"kill"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"session-survival"},
		Asserts:   judgedBy(topology.BoundDetectVanished, topology.BoundOutageVanished),
		Settings: []topology.Switch{
			{Key: "expect", Values: []string{assert.ExpectSurvive, assert.ExpectLostWithNode}, Default: assert.ExpectSurvive, About: "what is documented of the sessions on a node that dies"},
			{Key: "user", Default: "seed", About: "whose node is killed: seed (drawn among those logged in), or a user's name, u1 to u100"},
		},
		Apply: applySessionNodeLoss,
		Cases: []harness.Case{
			{
				Name: "sessions in memory", Set: map[string]string{"sessions": "memory"},
				Fails: []string{"session-survival"}, Also: []string{"error-budget"}, Evidence: "replaced by a new session",
				Because: "a user whose session is gone reads nothing and cannot log out: 404 until the next write begins a new session",
			},
			{
				Name: "documented to die, and dies",
				Set:  map[string]string{"sessions": "memory", "expect": assert.ExpectLostWithNode},
			},
			{
				Name:  "documented to die, and lives",
				Set:   map[string]string{"expect": assert.ExpectLostWithNode},
				Fails: []string{"session-survival"}, Evidence: "survived its node",
			},
			{
				Name: "half-login", Set: map[string]string{"login": "local"},
				Fails: []string{"session-survival"}, Evidence: "half-login",
			},
		},
	}
}

func applySessionNodeLoss(s harness.Scenario, set map[string]string) (harness.Scenario, error) {
	if user := set["user"]; user != "" && user != "seed" {
		s.Phases[2].Faults[0].Aim = harness.ServingUser(user)
	}
	switch set["expect"] {
	case "", assert.ExpectSurvive:
	case assert.ExpectLostWithNode:
		for i, c := range s.Asserts {
			switch c.(type) {
			case assert.SessionSurvival:
				s.Asserts[i] = assert.SessionSurvival{Expect: assert.ExpectLostWithNode}
			case assert.ErrorBudget:
				s.Asserts[i] = assert.ErrorBudget{Overall: lostUsersBudget}
			}
		}
	default:
		return s, fmt.Errorf("--set expect=%s: want %s or %s", set["expect"], assert.ExpectSurvive, assert.ExpectLostWithNode)
	}
	return s, nil
}
