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

// BalancerKill ends the HAProxy that serves the VIP.
func BalancerKill() harness.Scenario {
	return harness.Scenario{
		Name:  "balancer-kill",
		About: "The HAProxy that owns the VIP dies: keepalived gives the address up, the other balancer serves it, and clients connect again.",
		Story: `The balancer is in every request's way, and is not to be the single point of failure
(seed 002: "redundant load balancers"). Its process dies, and the machine and
keepalived live: connections are refused until keepalived's check of the users' port has
failed as often as it must, and the backup, told by an advertisement of priority 0, takes
over after its skew (RFC 9568, 6.4.2). The bound vip/refused is that sum. What is sent in
the moment in which nobody has the address is sent again after a second (RFC 6298, 2.1):
users are without service for at most the bound outage/vip-refused. It is everybody's
outage: what falls due within it is taken out of the budget of the whole run.

Everything that was under way is cut, which orders show as unknown outcomes: they are
retried under the same key and must not be written twice. What the dead process had not
finished has no line in any balancer's log: hachaos treats it as unknown.

Sessions are not the balancer's: the cookie that binds them means the same to both.`,
		Tags:     []string{"balancer", "vip"},
		Topology: "jetty-ha",
		Load:     load.Default(),
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "killed", Kind: history.PhaseBreak, For: 8 * time.Second, Cover: []string{topology.BoundOutageVIPRefused}, Faults: []harness.Injection{
				{Label: "kill", Fault: fault.BalancerKill{}, Aim: harness.VIPOwner()},
			}},
			{Name: "restarted", Kind: history.PhaseRecover, For: 5 * time.Second, Heal: []string{"kill"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"vip"},
		Asserts:   balancersJudgedBy(assert.VIP{Bound: topology.BoundVIPRefused, Moves: 1}, topology.BoundOutageVIPRefused),
		Settings: []topology.Switch{
			{Key: "dies", Values: []string{"process", "container"}, Default: "process", About: "what dies: HAProxy alone, or the balancer's container with its network and keepalived"},
		},
		Apply: applyBalancerKill,
		Cases: []harness.Case{
			{
				Name: "keepalived does not watch HAProxy", Set: map[string]string{"track": "off"}, Fails: []string{"vip", "error-budget"}, Also: []string{"session-survival"},
				Because:  "the address stays with a dead HAProxy, so that nobody is served until the heal, nor can log out or in",
				Evidence: "without an owner that serves",
			},
			{Name: "container", Set: map[string]string{"dies": "container"}},
		},
	}
}

// balancersJudgedBy are the assertions of a balancer's loss, which is all
// users'.
func balancersJudgedBy(vip assert.VIP, outage string) []assert.Checker {
	return []assert.Checker{
		vip,
		assert.SessionSurvival{Expect: "survive"},
		assert.WriteLedger{},
		assert.ErrorBudget{OutageBound: outage, Everybody: true, AtHeal: vip.Cut != ""},
		assert.ReadinessGating{},
		assert.Leftovers{},
	}
}

// applyBalancerKill chooses what dies; the bounds follow from it.
func applyBalancerKill(s harness.Scenario, set map[string]string) (harness.Scenario, error) {
	switch dies := set["dies"]; dies {
	case "", "process":
	case "container":
		s.Asserts = balancersJudgedBy(assert.VIP{Moves: 1}, topology.BoundOutageVIP)
		for i := range s.Phases {
			for j := range s.Phases[i].Faults {
				s.Phases[i].Cover = []string{topology.BoundOutageVIP}
				s.Phases[i].Faults[j].Fault = fault.InstanceKill{}
			}
		}
	default:
		return s, fmt.Errorf("--set dies=%s: want process or container", dies)
	}
	return s, nil
}
