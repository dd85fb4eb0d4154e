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

// Canary gives one node the second version and a fifth of the new sessions,
// and then aborts.
func Canary() harness.Scenario {
	return harness.Scenario{
		Name:  "canary",
		About: "One node runs version 2 for a fifth of the new sessions; the canary is then aborted, and the traffic is put back: users notice nothing, and errors are counted by version.",
		Story: `Seed 003 §16: a small part of the traffic goes to the new version, and what comes
of it is counted by version: "a canary without metrics per version is gambling
with a nice name". One node of two is replaced in order and gets a weight at both
balancers that makes 20 % of the new sessions: 25 beside 100.

Then the canary is aborted, as it would be if its errors were too many. The node
is taken out, put back to version 1, and served with its full weight. From the
moment at which that is proven, no answer may come from version 2 any more
(version-skew), and new sessions must be shared equally again (distribution).
Users of a good canary notice neither its coming nor its going.

One case makes the new version incompatible in all three ways: it renames a
field, moves the counter, and writes a column that is not there. Version-skew
then names version 2 alone, with its share of errors beside version 1's: that is
the signal to abort on. What a fifth of the sessions costs in those seconds is
seen in the error budget.`,
		Tags:       []string{"deployment"},
		Topology:   "jetty-ha",
		Load:       load.Default(),
		Companions: []load.Companion{load.CrossReader{}},
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 5 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 8 * time.Second},
			{Name: "canary", Kind: history.PhaseBreak, For: 8 * time.Second, Await: true, Faults: []harness.Injection{
				{Label: "canary", Fault: fault.Canary{Version: "2", Share: 20}, Aim: oneNode()},
			}},
			{Name: "aborted", Kind: history.PhaseRecover, For: 3 * time.Second, Await: true, Heal: []string{"canary"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"version-skew"},
		Asserts:   deployed(assert.ErrorBudget{Overall: assert.DefaultSteady}, assert.VersionSkew{After: "1"}, assert.Distribution{}),
		Settings: []topology.Switch{
			{Key: "version", Default: "2", About: "what the canary runs: 2, or 2-incompatible"},
		},
		Apply: func(s harness.Scenario, set map[string]string) (harness.Scenario, error) {
			if version := set["version"]; version != "" {
				s.Phases[2].Faults[0].Fault = fault.Canary{Version: version, Share: 20}
			}
			return s, nil
		},
		Cases: []harness.Case{
			{
				Name: "an incompatible version", Set: map[string]string{"version": "2-incompatible"}, Fails: []string{"version-skew"}, Also: []string{"error-budget", "session-survival"}, Evidence: "errors of a version",
				Because: "its users understand none of its answers, and place no order with it",
			},
		},
	}
}
