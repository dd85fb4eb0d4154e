package scenarios

import (
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
)

// VersionSkew has two versions run side by side for a while.
func VersionSkew() harness.Scenario {
	return harness.Scenario{
		Name:  "version-skew",
		About: "One node runs version 2 beside version 1 for a while: each reads what the other wrote, and answers in the same words.",
		Story: `A rolling deployment is safe only if all versions that run side by side agree on
requests, answers, persistence, cache and events (the rule of seed 003 §14.2).
Here the deployment stops half way, as one does over a lunch break or a failed
check, so that the versions stay together long enough for each risk of that
section to show: an answer whose shape changes from request to request, and
state that one version writes and the other cannot read.

Version 2 adds to version 1 three times: a field to its answers, an attribute to
the session, and nothing to the order's row, since the column that it would like
is not there yet. A client without affinity writes a session and orders, and
reads them through whichever node the balancer takes, some twenty times a second.
What is asserted must have happened both ways, or it is not exercised: a session
written by each version and read by the other, an order likewise, and each kind
of answer compared field by field with that of the first version.

The cases are the three ways to get it wrong: a field renamed, an attribute
instead of another, a column that is written before it exists. The last is an
error of one version alone, and the table by version says so.`,
		Tags:       []string{"deployment"},
		Topology:   "jetty-ha",
		Load:       load.Default(),
		Companions: []load.Companion{load.CrossReader{}},
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "half deployed", Kind: history.PhaseBreak, For: 8 * time.Second, Await: true, Faults: []harness.Injection{
				{Label: "deploy", Fault: fault.Deploy{Version: "2"}, Aim: oneNode()},
			}},
			{Name: "restored", Kind: history.PhaseRecover, For: 3 * time.Second, Await: true, Heal: []string{"deploy"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"version-skew"},
		Asserts:   deployed(assert.ErrorBudget{Overall: assert.DefaultSteady}, assert.VersionSkew{After: "1"}),
		Cases: []harness.Case{
			{
				Name: "a field renamed", Set: map[string]string{"v2-response": "renamed"}, Fails: []string{"version-skew"}, Also: []string{"error-budget", "session-survival"}, Evidence: "response contract",
				Because: "clients that read the old name cannot understand a single answer of version 2",
			},
			{
				Name: "an attribute instead of another", Set: map[string]string{"v2-session": "instead"}, Fails: []string{"version-skew"}, Also: []string{"session-survival"}, Evidence: "unreadable state",
				Because: "a user's session that comes back to version 1 has lost its counter",
			},
			{
				Name: "a column before its time", Set: map[string]string{"v2-row": "new"}, Fails: []string{"version-skew", "error-budget"}, Evidence: "errors of a version",
				Because: "no order can be placed at the new version",
			},
		},
	}
}
