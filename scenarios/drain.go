package scenarios

import (
	"fmt"
	"slices"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/topology"
)

// drainGrace is how long the node may take to be empty: a session of 8
// operations, two a second, and a second more. The short form's drain, 6 s, is
// longer: else maintenance would empty the node in time.
const drainGrace = 5 * time.Second

// Drain takes a node out of rotation in order, ends it, and brings it back.
func Drain() harness.Scenario {
	mix := load.Default()
	mix.SessionOps = 8 // at two operations a second a session lasts 4 s
	return harness.Scenario{
		Name:  "drain",
		About: "One node is drained, put into maintenance and only then killed: nobody notices, for nothing was left on it.",
		Story: `What an operator does before a deployment or a repair (seed 003 §13.2 and §29.5: "instance
must be taken out of the balancer first; without a drain, requests in flight are
cut", "test LB drain"; the order, balancer first and the node last, is seed 002's). Both
balancers are told, because the standby is tomorrow's owner of the VIP.

DRAIN alone does not empty a node: HAProxy goes on to send it the requests of the
sessions that its cookie binds to it (HAProxy 3.0 Management Guide, 9.3). They last
4 s here, and the node must be empty within 5 s of the order, well before maintenance
would empty it. Maintenance then moves whoever is left, and the kill of the node's
container must hurt nobody: that is the proof that it was empty.
The node is started first and put back into rotation once it is ready; "state ready"
takes effect at once, whatever the node is up to.

Expected: requests under way complete; no session begins at the node after the order,
and no request at all gets there in maintenance (bound 0, from the balancers' own
clocks); the node is empty within the grace period; and the objective over the run is
that of a steady phase, 99.9 %.`,
		Tags:     []string{"balancer", "planned"},
		Topology: "jetty-ha",
		Load:     mix,
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "drained", Kind: history.PhaseBreak, For: 10 * time.Second, Faults: []harness.Injection{
				{Label: "drain", Fault: fault.Drain{Server: "j1"}, Aim: harness.All(topology.Balancer)},
			}},
			{Name: "maintenance", Kind: history.PhaseBreak, For: 3 * time.Second, Faults: []harness.Injection{
				{Label: "maintenance", Fault: fault.Maintenance{Server: "j1"}, Aim: harness.All(topology.Balancer)},
			}},
			{Name: "killed", Kind: history.PhaseBreak, For: 3 * time.Second, Faults: []harness.Injection{
				{Label: "kill", Fault: fault.InstanceKill{}, Aim: harness.Named("j1")},
			}},
			{Name: "started", Kind: history.PhaseRecover, For: 7 * time.Second, Cover: []string{topology.BoundRecovered}, Heal: []string{"kill"}},
			{Name: "in rotation", Kind: history.PhaseRecover, For: 3 * time.Second, Heal: []string{"maintenance", "drain"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"drain"},
		Asserts: []assert.Checker{
			assert.Drain{Grace: drainGrace},
			assert.SessionSurvival{Expect: "survive"},
			assert.WriteLedger{},
			assert.ErrorBudget{Overall: assert.DefaultSteady},
			assert.ReadinessGating{},
			assert.Leftovers{},
		},
		Settings: []topology.Switch{
			{Key: "grace", Values: []string{"kept", "none"}, Default: "kept", About: "whether the node is left alone until it is empty and put into maintenance, or killed right after the order"},
			{Key: "told", Values: []string{"both", "standby"}, Default: "both", About: "which balancers are told: both, or the one that does not own the VIP"},
		},
		Apply: applyDrain,
		Cases: []harness.Case{
			{
				Name: "only the standby is told", Set: map[string]string{"told": "standby"}, Fails: []string{"drain"}, Also: []string{"error-budget"},
				Because:  "the owner of the VIP goes on to send the node sessions until it is killed, with what they ask for",
				Evidence: "began a session",
			},
			{
				Name: "sessions that outlast the grace period", Set: map[string]string{"session-ops": "20"}, Fails: []string{"drain"}, Evidence: "not empty",
			},
			{
				Name: "no grace", Set: map[string]string{"grace": "none"}, Fails: []string{"drain"}, Also: []string{"error-budget"},
				Because:  "orders that the node works on are cut, and a client that retries them may be too slow for the budget",
				Evidence: "cut",
			},
		},
	}
}

// applyDrain plants the two mistakes of an operator.
func applyDrain(s harness.Scenario, set map[string]string) (harness.Scenario, error) {
	switch told := set["told"]; told {
	case "", "both":
	case "standby":
		for i := range s.Phases {
			for j := range s.Phases[i].Faults {
				if in := &s.Phases[i].Faults[j]; in.Label == "drain" || in.Label == "maintenance" {
					in.Aim = harness.VIPStandby()
				}
			}
		}
	default:
		return s, fmt.Errorf("--set told=%s: want both or standby", told)
	}
	switch grace := set["grace"]; grace {
	case "", "kept":
	case "none":
		s.Phases = slices.DeleteFunc(s.Phases, func(p harness.Phase) bool { return p.Name == "maintenance" })
		for i := range s.Phases {
			p := &s.Phases[i]
			p.Heal = slices.DeleteFunc(slices.Clone(p.Heal), func(label string) bool { return label == "maintenance" })
			if p.Name == "drained" {
				p.For = 1500 * time.Millisecond // its proof, and no more
			}
		}
	default:
		return s, fmt.Errorf("--set grace=%s: want kept or none", grace)
	}
	return s, nil
}
