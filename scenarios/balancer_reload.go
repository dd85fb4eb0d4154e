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

// BalancerReload gives the HAProxy that serves the VIP a new configuration
// while one of its servers is out for repair.
func BalancerReload() harness.Scenario {
	impatient := load.Default()
	impatient.NoRetry = true
	return harness.Scenario{
		Name:  "balancer-reload",
		About: "HAProxy is reloaded with a new configuration under load, while a node is in maintenance: no request is lost, and the node stays out.",
		Story: `The most ordinary act of an operator (seed 002: balancers are lost, frozen,
reloaded): another configuration, and then back to the first. A reload starts a new worker
on the listening sockets of the old one, which finishes what it has (HAProxy 3.0
Management Guide, 4): nobody may notice it. Users do not retry here, so that whatever the
reload cuts is seen: at most 1 in 1000 operations is bad, as in a steady phase.

Three things are easily lost. Requests that take longer than hard-stop-after, which ends
the old worker whatever it still has (Configuration Manual, 3.1). Everything under way,
and whoever comes until the port is open again, if the service is restarted in place of
reloaded. And what HAProxy was told at run time: a new worker knows its configuration
alone, takes every server for up and sends users to the one that is in maintenance, unless
the state of the servers was written to a file that it reads (Configuration Manual, 3.1
"server-state-file", 4.2 "load-server-state-from-file").

So one node is put into maintenance first, as for a repair: from then on to the end of it
no request may be sent there.`,
		Tags:     []string{"balancer", "planned"},
		Topology: "jetty-ha",
		Load:     impatient,
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "maintenance", Kind: history.PhaseBreak, For: 3 * time.Second, Faults: []harness.Injection{
				{Label: "maintenance", Fault: fault.Maintenance{Server: "j1"}, Aim: harness.All(topology.Balancer)},
			}},
			{Name: "reloaded", Kind: history.PhaseBreak, For: 8 * time.Second, Faults: []harness.Injection{
				{Label: "reload", Fault: fault.BalancerReload{}, Aim: harness.VIPOwner()},
			}},
			{Name: "reloaded again", Kind: history.PhaseRecover, For: 5 * time.Second, Heal: []string{"reload"}},
			{Name: "in rotation", Kind: history.PhaseRecover, For: 3 * time.Second, Heal: []string{"maintenance"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"drain"},
		Asserts: []assert.Checker{
			assert.Drain{},
			assert.ErrorBudget{Overall: assert.DefaultSteady},
			assert.VIP{Bound: topology.BoundVIPRefused},
			assert.SessionSurvival{Expect: "survive"},
			assert.WriteLedger{},
			assert.ReadinessGating{},
			assert.Leftovers{},
		},
		Settings: []topology.Switch{
			{Key: "how", Values: []string{"reload", "restart"}, Default: "reload", About: "how HAProxy takes its configuration: by a reload, or by a restart of the service"},
		},
		Apply: applyBalancerReload,
		Cases: []harness.Case{
			{
				Name: "server state lost", Set: map[string]string{"server-state": "lost"}, Fails: []string{"drain"},
				Evidence: "request in maintenance",
			},
			{
				Name: "a short hard stop", Set: map[string]string{"hard-stop": "50ms"}, Fails: []string{"error-budget"},
				Evidence: "eof",
			},
			{
				Name: "a restart in place of a reload", Set: map[string]string{"how": "restart"}, Fails: []string{"error-budget"},
				Evidence: "eof",
			},
		},
	}
}

// applyBalancerReload chooses how HAProxy takes its configuration.
func applyBalancerReload(s harness.Scenario, set map[string]string) (harness.Scenario, error) {
	switch how := set["how"]; how {
	case "", "reload":
	case "restart":
		for i := range s.Phases {
			for j := range s.Phases[i].Faults {
				if in := &s.Phases[i].Faults[j]; in.Label == "reload" {
					in.Fault = fault.BalancerReload{Restart: true}
				}
			}
		}
	default:
		return s, fmt.Errorf("--set how=%s: want reload or restart", how)
	}
	return s, nil
}
