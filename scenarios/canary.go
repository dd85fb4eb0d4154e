package scenarios

import (
	"fmt"
	"strconv"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/topology"
)

// canaryShare is the percentage of the new sessions that the canary gets. In
// the short form's 8.4 s some 84 begin: chance and 3 points more are 17, so that
// a canary that gets none is seen.
const (
	canaryShare = 20
	canarySkew  = 3
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
balancers that makes 20 % of the new sessions: 25 beside 100. That it gets them, and no
more, is counted (distribution), within 3 percentage points and chance.

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
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "canary", Kind: history.PhaseBreak, For: 14 * time.Second, Await: true, Faults: []harness.Injection{
				{Label: "canary", Fault: fault.Canary{Version: "2", Share: canaryShare}, Aim: oneNode()},
			}},
			{Name: "aborted", Kind: history.PhaseRecover, For: 3 * time.Second, Await: true, Heal: []string{"canary"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"version-skew"},
		Asserts:   deployed(assert.ErrorBudget{Overall: assert.DefaultSteady}, assert.VersionSkew{After: "1"}, assert.Distribution{MaxSkewPercent: canarySkew, VictimPercent: canaryShare}),
		Settings: []topology.Switch{
			{Key: "version", Default: "2", About: "what the canary runs: 2, or 2-incompatible"},
			{Key: "share", Default: strconv.Itoa(canaryShare), About: "what the balancers are told to give it, in percent of the new sessions; a fifth is expected all the same"},
		},
		Apply: applyCanary,
		Cases: []harness.Case{
			{
				Name: "an incompatible version", Set: map[string]string{"version": "2-incompatible"}, Fails: []string{"version-skew"}, Also: []string{"error-budget", "session-survival", "distribution"}, Evidence: "errors of a version",
				Because: "its users understand none of its answers, place no order with it, and cannot tell that they are logged in",
			},
			{Name: "more than it should get", Set: map[string]string{"share": "60"}, Fails: []string{"distribution"}, Evidence: "skew during"},
		},
	}
}

// applyCanary chooses the canary's version and the share that it is given.
func applyCanary(s harness.Scenario, set map[string]string) (harness.Scenario, error) {
	canary := fault.Canary{Version: "2", Share: canaryShare}
	if version := set["version"]; version != "" {
		canary.Version = version
	}
	if text, ok := set["share"]; ok {
		share, err := strconv.Atoi(text)
		if err != nil {
			return s, fmt.Errorf("--set share=%s: want a whole percentage, such as %d", text, canaryShare)
		}
		canary.Share = float64(share)
	}
	s.Phases[2].Faults[0].Fault = canary
	return s, nil
}
