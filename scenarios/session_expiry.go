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

// SessionExpiry runs the tutorial's hourly job that removes old sessions
// while users are logged in.
func SessionExpiry() harness.Scenario {
	return harness.Scenario{
		Name:  "session-expiry",
		About: "The hourly job that removes old sessions runs against the store under load: it removes the dead ones and no user loses a session.",
		Story: `The tutorial has a timer that deletes, each hour, every row of JettySessions
whose accessTime is more than 4 hours old (seed 001, "Configure session
cleanup"). It is a second writer of the sessions, beside the nodes, and knows
nothing of them. Before it runs, 40 sessions that ended long ago are planted; the
run is inconclusive unless the job removed them all. What it must not do is to
take a session from a user.

It goes by accessTime, which is not when the user was last seen: Jetty writes it
when a session's attributes change, and otherwise once in savePeriod (10 s here,
30 s in the tutorial). A limit near that, or a slip between seconds and
milliseconds, removes sessions in use: job=eager keeps those that were written to
within a second. And 4 hours is right only while no session may be idle for
longer; here they end after 30 minutes. job=expiry goes by each session's own
expiryTime, as Jetty's scavenger does, and needs no such assumption.

The job must not disturb the users either: the objective over the run is that of a
steady phase, 99.9 %.`,
		Tags:     []string{"session", "database"},
		Topology: "jetty-ha",
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "clean-up", Kind: history.PhaseBreak, For: 6 * time.Second, Faults: []harness.Injection{
				{Label: "clean-up", Fault: fault.SessionCleanup{}, Aim: harness.All(topology.Database)},
			}},
			{Name: "cleaned", Kind: history.PhaseRecover, For: 3 * time.Second, Heal: []string{"clean-up"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"session-survival"},
		Asserts: []assert.Checker{
			assert.SessionSurvival{Expect: assert.ExpectSurvive},
			assert.WriteLedger{},
			assert.ErrorBudget{Overall: assert.DefaultSteady},
			assert.Leftovers{},
		},
		Settings: []topology.Switch{
			{Key: "job", Values: []string{"tutorial", "expiry", "eager"}, Default: "tutorial", About: "what the job removes: sessions unused for 4 hours, those past their own expiry, or those not written to for a second"},
		},
		Apply: applySessionExpiry,
		Cases: []harness.Case{
			{
				Name: "an eager job", Set: map[string]string{"job": "eager"},
				Fails: []string{"session-survival"}, Also: []string{"error-budget"}, Evidence: "replaced by a new session",
				Because: "a user whose session is gone reads nothing and cannot log out: 404 until the next write begins a new session",
			},
			{Name: "by the sessions' own expiry", Set: map[string]string{"job": "expiry"}},
		},
	}
}

func applySessionExpiry(s harness.Scenario, set map[string]string) (harness.Scenario, error) {
	job := &s.Phases[2].Faults[0].Fault
	switch set["job"] {
	case "", "tutorial":
	case "expiry":
		*job = fault.SessionCleanup{Expired: true}
	case "eager":
		*job = fault.SessionCleanup{Idle: time.Second}
	default:
		return s, fmt.Errorf("--set job=%s: want tutorial, expiry or eager", set["job"])
	}
	return s, nil
}
