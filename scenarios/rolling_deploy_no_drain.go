package scenarios

import (
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
)

// RollingDeployNoDrain replaces every application node without a word to the
// balancers.
func RollingDeployNoDrain() harness.Scenario {
	return harness.Scenario{
		Name:  "rolling-deploy-no-drain",
		About: "Every application node is replaced without a word to the balancers: with lame duck and redispatch users still notice nothing; without them they do.",
		Story: `The habit: a script that restarts the service on one host after the other and
never speaks to the balancer. Seed 003 §13.2 says what should come of it: without
drain, requests under way are cut; its §23 names the symptom, a spike of 502 and
503 during deployments.

On the tuned profile neither comes. A node that is told to stop says so to the
health check first and serves on for its lame duck of 1 s. That is longer than the
balancers take to notice a refusal that is given at once: inter + (fall − 1) ×
fastinter, 450 ms. (The bound "unready" is longer: it lets each refusal wait for a
look at the database.) Then it closes its port and finishes what it has. A request that is still on its way to the closed port is
refused, and redispatched at once. That is the finding: drain by the node's own
readiness is enough, as long as it waits for longer than the balancers look.
Whoever restarts nodes by hand is protected by two lines of configuration, so well
that the budget over the whole run is that of a steady phase, 99.9 %. What a process
that has just begun does slowly it does to itself first: the warm-up lasts for 3 s here,
since two processors that carry the load besides do not compile a node in half of that,
and one node has all of the load meanwhile, without a word to the balancers that would
spread it.

The cases take that away. A node whose lame duck is 0 closes its port at once:
the balancers go on to send to it until three checks have failed. Where they may
try another node (redispatch) users still do not see it; where they may not, each
of those requests is an error.`,
		Tags:       []string{"deployment"},
		Topology:   "jetty-ha",
		Load:       load.Default(),
		Set:        map[string]string{"warmup": "3s"},
		Companions: []load.Companion{load.CrossReader{}},
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "deploying", Kind: history.PhaseBreak, For: 3 * time.Second, Await: true, Faults: []harness.Injection{
				{Label: "deploy", Fault: fault.Deploy{Version: "2", Rollout: fault.Rollout{NoDrain: true, Pause: baked().Pause}}, Aim: everyNode()},
			}},
			{Name: "steady on version 2", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"version-skew"},
		Asserts:   deployed(assert.ErrorBudget{Overall: assert.DefaultSteady}, assert.VersionSkew{}),
		Cases: []harness.Case{
			{Name: "no lame duck, redispatched", Set: map[string]string{"lame-duck": "0s"}},
			{
				Name: "no lame duck, no redispatch", Set: map[string]string{"lame-duck": "0s", "redispatch": "off"}, Fails: []string{"error-budget"}, Evidence: "status 503",
			},
		},
	}
}
