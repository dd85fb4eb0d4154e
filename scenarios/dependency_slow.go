package scenarios

import (
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
)

// DependencySlow makes the second service that orders ask slow.
func DependencySlow() harness.Scenario {
	return harness.Scenario{
		Name:  "dependency-slow",
		About: "The price service, which orders ask, takes 600 ms instead of one: orders go on with the price last heard, and nobody notices.",
		Story: `A downstream that is slow is worse than one that is down: each call holds a thread
and the user (seed 003 §29.5 "simulate downstream failure"; §9.2: dependency checks
have a short timeout and call no long chain). Here every order asks a price service
before it is written. The good way is a time limit (100 ms), a fallback (the price
last heard) and a circuit breaker (after five failures in a row nobody asks for a
second, then one order tries), so that an order is at most 100 ms later, and soon
not at all: 99.9 % of all operations are good, as in a steady phase. The balancers' health check does not ask the price service.

With dependency=unbounded there is none of the three: each order takes the 600 ms on
top of its own 250, is slower than the 500 ms that count as available, and does so on
every node, so that a person on call is told of all nodes at once.`,
		Tags:     []string{"application", "dependency"},
		Topology: "jetty-ha",
		Set:      map[string]string{"dependency": "on"},
		Load:     load.Default(),
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "slow", Kind: history.PhaseBreak, For: 8 * time.Second, Faults: []harness.Injection{
				{Label: "slow", Fault: fault.DependencySlow{Delay: 600 * time.Millisecond}, Aim: harness.Named("price")},
			}},
			{Name: "healed", Kind: history.PhaseRecover, For: 4 * time.Second, Heal: []string{"slow"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Asserts: judgedByUsers(assert.TellsNothing),
		Cases: []harness.Case{
			{
				Name: "no time limit", Set: map[string]string{"dependency": "unbounded"}, Fails: []string{"error-budget", "alerts"}, Evidence: "slow",
				Because: "each order waits for the price, and the errors of all nodes say so",
			},
		},
	}
}
