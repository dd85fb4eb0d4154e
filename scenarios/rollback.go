package scenarios

import (
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
)

// Rollback deploys the second version and rolls back to the first.
func Rollback() harness.Scenario {
	return harness.Scenario{
		Name:  "rollback",
		About: "Version 2 is deployed and rolled back again, under load: the first version reads all that the second has written meanwhile.",
		Story: `A rollback that was never tried is a plan, not a way out: seed 003 §29.4 wants its
path tested, and the test of §27.2 ends with it: roll back, and verify that the
state is compatible. §28.7 names the mistake behind most of those that fail:
deploying and migrating in one irreversible step.

Both nodes are rolled to version 2 in order, and a few seconds later rolled back
to version 1 in the same way. Sessions that began before the deployment, during
it, and under version 2 alone all end up with version 1. Each must find its
counter where it was; so must orders be readable that version 2 wrote.

One case keeps the session's counter in a new attribute instead of beside the
old one. Version 2 alone would never show that: it reads both. It is the way
back on which every user's count falls.`,
		Tags:       []string{"deployment"},
		Topology:   "jetty-ha",
		Load:       load.Default(),
		Companions: []load.Companion{load.CrossReader{}},
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "deploying", Kind: history.PhaseBreak, For: 3 * time.Second, Await: true, Faults: []harness.Injection{
				{Label: "deploy", Fault: fault.Deploy{Version: "2", Rollout: baked()}, Aim: everyNode()},
			}},
			{Name: "rolling back", Kind: history.PhaseBreak, For: 3 * time.Second, Await: true, Faults: []harness.Injection{
				{Label: "back", Fault: fault.RollBack{Rollout: baked()}, Aim: everyNode()},
			}},
			{Name: "steady on version 1", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"version-skew"},
		Asserts:   deployed(assert.ErrorBudget{Overall: assert.DefaultSteady}, assert.VersionSkew{}),
		Cases: []harness.Case{
			{
				Name: "counter moved to a new attribute", Set: map[string]string{"v2-session": "instead"}, Fails: []string{"session-survival", "version-skew"}, Evidence: "but at least",
				Because: "users lose what they were told, and it is lost between the versions",
			},
		},
	}
}
