package scenarios

import (
	"fmt"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/topology"
)

// drifts are what config-drift can have one node differ in.
var drifts = map[string]map[string]string{
	"pool":   {"POOL_SIZE": "8"},
	"cookie": {"SESSION_COOKIE": "SHOPSESSION"},
}

// ConfigDrift has one node run with another configuration than its peer.
func ConfigDrift() harness.Scenario {
	return harness.Scenario{
		Name:  "config-drift",
		About: "One node is restarted with a slightly different configuration than its peer has: a difference with room to spare is borne, and one that users would notice is found.",
		Story: `"Only one node fails after deploy" is a line of seed 003's table of symptoms (§23),
and configuration drift is what it says to look for; §29.2 wants every node to
have the same. A node is taken out, restarted with one setting changed under the
same version, and served again. That the drift is there is read from the node's
own account of its settings (GET /health/settings), which is how an operator
would find it, too.

Not every drift is an outage. With a pool of 8 connections in the place of 10 the
node has room to spare at this load, and all that users were promised holds, with
the objective of a steady phase, 99.9 %, over the run: that is expected, and what a
budget is for. What is not expected is that a drift
does harm unseen. The case changes a setting that nodes must agree on, the name of
the session cookie: the node is ready, answers at once and without one error of
its own, and each user who comes to it from elsewhere is a stranger.`,
		Tags:     []string{"deployment", "configuration"},
		Topology: "jetty-ha",
		Load:     load.Default(),
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "drifted", Kind: history.PhaseBreak, For: 8 * time.Second, Await: true, Faults: []harness.Injection{
				{Label: "drift", Fault: fault.ConfigDrift{Set: drifts["pool"]}, Aim: oneNode()},
			}},
			{Name: "aligned", Kind: history.PhaseRecover, For: 3 * time.Second, Await: true, Heal: []string{"drift"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"session-survival"},
		Asserts:   deployed(assert.ErrorBudget{Overall: assert.DefaultSteady}, assert.Distribution{}),
		Settings: []topology.Switch{
			{Key: "drift", Values: []string{"pool", "cookie"}, Default: "pool", About: "what one node has otherwise: 8 connections for 10, or another session cookie"},
		},
		Apply: func(s harness.Scenario, set map[string]string) (harness.Scenario, error) {
			key := set["drift"]
			if key == "" {
				return s, nil
			}
			drift, ok := drifts[key]
			if !ok {
				return s, fmt.Errorf("--set drift=%s: want pool or cookie", key)
			}
			s.Phases[2].Faults[0].Fault = fault.ConfigDrift{Set: drift}
			return s, nil
		},
		Cases: []harness.Case{
			{
				Name: "another session cookie", Set: map[string]string{"drift": "cookie"}, Fails: []string{"session-survival"}, Also: []string{"error-budget"}, Evidence: "replaced by a new session",
				Because: "a user whose session the node does not see reads nothing, and cannot log out",
			},
		},
	}
}
