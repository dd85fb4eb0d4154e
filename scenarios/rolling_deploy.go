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

// RollingDeploy replaces every application node by its second version, one
// after the other, under load.
func RollingDeploy() harness.Scenario {
	return harness.Scenario{
		Name:  "rolling-deploy",
		About: "Every application node is replaced by version 2, one after the other and in order: users notice nothing, keep their sessions, and find both versions to be one system.",
		Story: `The rolling deployment of seed 003 §14, in the order of its §13.2: each node is
drained at both balancers, keeps what its sessions still ask for a moment, is
taken out whole, finishes the requests under way, stops, starts as version 2,
and is served again once it says itself that it is ready; after three seconds in which
it could be looked at comes the next.

Nobody should notice. A request under way completes because nothing is stopped
before the balancers have none left there. A session that a cookie binds to the
node moves to another, which finds it in the store; HAProxy's state "drain"
alone would not do that, for it goes on to serve bound sessions (Management
Guide 9.3, "set server"), which is why "maint" follows. No request meets a cold
node, because the balancers are told only after readiness. So the budget is that
of a steady phase, 99.9 %, over the whole run. The nodes' warm-up lasts for 3 s
here: one node has all of the load while the other compiles beside it, and two processors
have to do for both.

For some seconds the versions run side by side, and what one writes the other
reads. Beside the users of the mix, whose cookies keep them with one node, a
client without affinity writes and reads sessions and orders through whichever
node comes, so that each version is put before the other's state (seed 003
§14.2). The undo, after the load, rolls both nodes back, and what version 2 has
written must be readable by version 1 as well: rollback must not destroy new
data (§14).`,
		Tags:       []string{"deployment"},
		Topology:   "jetty-ha",
		Load:       load.Default(),
		Set:        map[string]string{"warmup": "3s"},
		Companions: []load.Companion{load.CrossReader{}},
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "deploying", Kind: history.PhaseBreak, For: 3 * time.Second, Await: true, Faults: []harness.Injection{
				{Label: "deploy", Fault: fault.Deploy{Version: "2", Rollout: baked()}, Aim: everyNode()},
			}},
			{Name: "steady on version 2", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"version-skew", "session-survival"},
		Asserts:   deployed(assert.ErrorBudget{Overall: assert.DefaultSteady}, assert.VersionSkew{}),
		Cases: []harness.Case{
			// The deployment believes the node: one that says ready while it is
			// cold is served cold.
			{Name: "constant readiness", Set: map[string]string{"readiness": "constant"}, Fails: []string{"readiness-gating"}, Evidence: "before ready"},
			{
				Name: "sessions in memory", Set: map[string]string{"sessions": "memory"}, Fails: []string{"session-survival"}, Also: []string{"error-budget", "version-skew"}, Evidence: "replaced by a new session",
				Because: "a user whose session is gone reads nothing, and the version that does not find it is another than the one that wrote it",
			},
			{
				Name: "a field renamed", Set: map[string]string{"v2-response": "renamed"}, Fails: []string{"version-skew"}, Also: []string{"error-budget", "session-survival"}, Evidence: "response contract",
				Because: "clients that read the old name cannot understand a single answer of version 2",
			},
		},
	}
}

// everyNode are all application nodes, which a deployment replaces, and all
// balancers, which it directs.
func everyNode() harness.Select {
	return harness.Together(harness.All(topology.Application), harness.All(topology.Balancer))
}

// baked is a rollout that looks at each replaced node for a while before it
// goes on with the next.
func baked() fault.Rollout { return fault.Rollout{Pause: 3 * time.Second} }

// oneNode is one application node and all balancers.
func oneNode() harness.Select {
	return harness.Together(harness.OneApplication(), harness.All(topology.Balancer))
}

// deployed are the assertions of a deployment.
func deployed(budget assert.ErrorBudget, more ...assert.Checker) []assert.Checker {
	return append([]assert.Checker{
		assert.SessionSurvival{Expect: assert.ExpectSurvive},
		assert.WriteLedger{},
		budget,
		assert.ReadinessGating{},
	}, append(more, assert.Leftovers{})...)
}
