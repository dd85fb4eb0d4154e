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

// VIPFailover ends the machine that owns the VIP.
func VIPFailover() harness.Scenario {
	return harness.Scenario{
		Name:  "vip-failover",
		About: "The machine that owns the VIP dies with its network: the other balancer takes the address within the bound that VRRP promises, once.",
		Story: `A floating address is moved by its protocol alone when its owner is gone without a word
(seed 000: ARP announcements propagate during failover). The backup waits for three advertisements and its skew, 3 × advert_int
+ (256 − priority)/256 × advert_int (RFC 9568, 6.1), takes the address and says so by
gratuitous ARP, so that the clients' kernels send to another machine.

Until then packets vanish: what was sent is sent again by TCP, at first after a second
(RFC 6298, 2.1), then after twice the time that it has waited. The bound outage/vip says
what that makes for users. When the machine is back it does not take the address again
(nopreempt): one move, not two.

With --set lost=address the machine lives, and the address alone is taken off its
interface, behind keepalived's back. Its kernel tells keepalived at once, which yields
by an advertisement of priority 0: whichever of the two has the shorter skew has the
address again within the bound vip/removed.`,
		Tags:     []string{"balancer", "vip"},
		Topology: "jetty-ha",
		Load:     load.Default(),
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "killed", Kind: history.PhaseBreak, For: 8 * time.Second, Cover: []string{topology.BoundOutageVIP}, Faults: []harness.Injection{
				{Label: "kill", Fault: fault.InstanceKill{}, Aim: harness.VIPOwner()},
			}},
			{Name: "restarted", Kind: history.PhaseRecover, For: 5 * time.Second, Heal: []string{"kill"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"vip"},
		Asserts:   balancersJudgedBy(assert.VIP{Moves: 1}, topology.BoundOutageVIP),
		Settings: []topology.Switch{
			{Key: "lost", Values: []string{"machine", "address"}, Default: "machine", About: "what the owner loses: everything, or the address alone, taken off its interface by hand"},
		},
		Apply: applyVIPFailover,
		Cases: []harness.Case{
			{
				Name: "advertisements of a second", Set: map[string]string{"advert": "1s"}, Fails: []string{"vip"}, Also: []string{"error-budget", "session-survival"},
				Because:  "the address is away five times as long as the profile promises, and users with it",
				Evidence: "without an owner",
			},
			{Name: "the address alone", Set: map[string]string{"lost": "address"}},
		},
	}
}

// applyVIPFailover chooses what is lost; the bounds follow from it.
func applyVIPFailover(s harness.Scenario, set map[string]string) (harness.Scenario, error) {
	switch lost := set["lost"]; lost {
	case "", "machine":
	case "address":
		s.Phases[2].Cover = []string{topology.BoundOutageVIPRemoved}
		s.Phases[2].Faults[0].Fault = fault.AddressRemoved{}
		s.Asserts = balancersJudgedBy(assert.VIP{Bound: topology.BoundVIPRemoved, Moves: 1}, topology.BoundOutageVIPRemoved)
		// An owner with the shorter skew has the address again between two looks
		// of the observers: that it was gone is the fault's own proof, not theirs.
		s.Exercises = nil
	default:
		return s, fmt.Errorf("--set lost=%s: want machine or address", lost)
	}
	return s, nil
}
