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

// VIPSplitBrain keeps the balancers from hearing each other.
func VIPSplitBrain() harness.Scenario {
	return harness.Scenario{
		Name:  "vip-split-brain",
		About: "VRRP between the balancers is cut: both own the VIP while it lasts, both serve, and one of them yields once they hear each other.",
		Story: `Two machines without a third party cannot tell a dead peer from one that they do not
hear: VRRP has the backup take the address (RFC 9568, 6.4.2), and there are two owners. That
is what a pair with one address is, and no fault of its configuration; a quorum of
three, or fencing, would be needed to do better.

What is expected of the pair: both owners serve every user, since they share their nodes
and their cookie's meaning, so that it does not matter to whom a client's packets go (the
bridge follows the last gratuitous ARP); when they hear each other again the lower
priority yields with the next advertisement (RFC 9568, 6.4.3), within the bound
vip/two-owners; nothing but the cut's own time has two owners. Connections to the one
that yields are lost with its address: a request that is sent on one is reset, and clients
make new ones. What was under way is still answered, because the balancer may send from
an address that it had (bind … transparent): its kernel would refuse to, and who waits for
an answer sends nothing that could be reset, so that each would wait for its own patience.
A packet that meets the owner that has just yielded is sent again after a second (RFC 6298,
2.1): that makes the bound outage/vip-two-owners. The overlap is measured, and so is what
clients saw.

With --set by=freeze the network is well, and the owner's keepalived is frozen. It says nothing any more, and nobody takes its address off
the interface, so that there are two owners just so; HAProxy serves on at both.

Who has the address at first is who came up first. If that is the lower priority, users
go to the higher one when VRRP is cut, and stay there: the one that yields has none of
them left. With --set cuts=2 it is cut once more, and users are at the one that yields.`,
		Tags:     []string{"vip", "network"},
		Topology: "jetty-ha",
		Load:     load.Default(),
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "cut", Kind: history.PhaseBreak, For: 8 * time.Second, Cover: []string{topology.BoundVIP, topology.BoundOutageVIPTwo}, Faults: []harness.Injection{
				{Label: "cut", Fault: fault.VRRPCut{}, Aim: harness.All(topology.Balancer)},
			}},
			{Name: "heard again", Kind: history.PhaseRecover, For: 5 * time.Second, Heal: []string{"cut"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"vip"},
		Asserts:   balancersJudgedBy(assert.VIP{Cut: fault.VRRPCut{}.Kind()}, topology.BoundOutageVIPTwo),
		Settings: []topology.Switch{
			{Key: "cuts", Values: []string{"1", "2"}, Default: "1", About: "how often VRRP is cut: who has the address at first is chance; after a cut it is the higher priority, and users go away from it and back"},
			{Key: "by", Values: []string{"cut", "freeze"}, Default: "cut", About: "why the backup hears nothing: VRRP is cut, or the owner's keepalived is frozen"},
		},
		Apply: applySplitBrain,
		Cases: []harness.Case{
			{
				Name: "two virtual routers", Set: map[string]string{"router": "two"}, Fails: []string{"vip"}, Also: []string{"error-budget"},
				Because:  "the balancers heed no advertisement of each other at any time: clients' packets go now to one, now to the other, and connections break",
				Evidence: "with two owners",
			},
			{
				// Two cuts, so that users are at the one that yields for certain, with
				// orders under way.
				Name: "answers are lost with the address", Set: map[string]string{"vip-bind": "plain", "cuts": "2", "order-work": "150ms"}, Fails: []string{"error-budget"},
				Evidence: "without service for",
			},
			{Name: "keepalived frozen", Set: map[string]string{"by": "freeze"}},
		},
	}
}

// applySplitBrain chooses the fault, while which there may be two owners, and how
// often there are.
func applySplitBrain(s harness.Scenario, set map[string]string) (harness.Scenario, error) {
	switch by := set["by"]; by {
	case "", "cut":
	case "freeze":
		s.Phases[2].Faults[0] = harness.Injection{Label: "cut", Fault: fault.KeepalivedFreeze{}, Aim: harness.VIPOwner()}
		s.Asserts = balancersJudgedBy(assert.VIP{Cut: fault.KeepalivedFreeze{}.Kind()}, topology.BoundOutageVIPTwo)
	default:
		return s, fmt.Errorf("--set by=%s: want cut or freeze", by)
	}
	if set["cuts"] == "2" {
		cut, heard := s.Phases[2], s.Phases[3]
		cut.Name, heard.Name = "cut once more", "heard once more"
		cut.Faults = slices.Clone(cut.Faults)
		cut.Faults[0].Label, heard.Heal = "second", []string{"second"}
		s.Phases = slices.Insert(slices.Clone(s.Phases), 4, cut, heard)
	}
	return s, nil
}
