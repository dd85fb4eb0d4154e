package scenarios

import (
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/topology"
)

// BalancerFreeze stops the HAProxy that serves the VIP without ending it.
func BalancerFreeze() harness.Scenario {
	return harness.Scenario{
		Name:  "balancer-freeze",
		About: "The HAProxy that owns the VIP freezes: its kernel goes on to accept connections, keepalived sees that nobody answers, ends it and gives the address up.",
		Story: `A process that hangs is worse than one that is gone (seed 002: redundant load
balancers are lost, frozen, reloaded). There is a process, and there is a port that accepts
connections and takes requests, for the kernel does both: a check of the process or of the
port finds nothing wrong. keepalived must ask what users ask, through the port that they
use, and give up on an answer by itself: the check's patience. The bound vip/frozen is made
of interval, fall, that patience and the backup's skew (keepalived.conf(5), vrrp_script;
RFC 9568, 6.4.2).

To move the address is not enough. A client whose request the frozen kernel has taken
waits for an answer and sends nothing more; the new owner never hears of it and cannot
reset it, so that it waits for its own patience, 10 s here. So the check that fails for
the second time ends HAProxy while the address is still there: its kernel then closes
every connection, and clients ask again. Fencing is the field's word for it.

Whoever was cut sees an unknown outcome; orders are retried under the same key and must
be written once. HAProxy is started again, as the standby, by the heal.`,
		Tags:     []string{"balancer", "vip"},
		Topology: "jetty-ha",
		Load:     load.Default(),
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "frozen", Kind: history.PhaseBreak, For: 8 * time.Second, Cover: []string{topology.BoundOutageVIPFrozen}, Faults: []harness.Injection{
				{Label: "freeze", Fault: fault.BalancerFreeze{}, Aim: harness.VIPOwner()},
			}},
			{Name: "restarted", Kind: history.PhaseRecover, For: 5 * time.Second, Heal: []string{"freeze"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"vip"},
		Asserts:   balancersJudgedBy(assert.VIP{Bound: topology.BoundVIPFrozen, Moves: 1}, topology.BoundOutageVIPFrozen),
		Cases: []harness.Case{
			{
				Name: "keepalived looks for the process", Set: map[string]string{"track": "process"}, Fails: []string{"vip", "error-budget"}, Also: []string{"session-survival"},
				Because:  "there is one, so that the address stays with it and nobody is answered until the heal",
				Evidence: "without an owner that serves",
			},
			{
				Name: "no fence", Set: map[string]string{"vip-fence": "off"}, Fails: []string{"error-budget"}, Also: []string{"session-survival"},
				Because:  "the address moves in time, and those who had asked before wait on; what the thawed balancer then carries out comes long after",
				Evidence: "without service for", // until the heal, which comes before their patience ends
			},
		},
	}
}
