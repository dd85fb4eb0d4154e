package scenarios

import (
	"fmt"
	"strconv"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/topology"
)

// Percent of the packets that are lost. Below 1 too few are, and above 5 the
// balancers' checks fail three times in a row by chance.
const (
	usualLoss = 3
	leastLoss = 1
	mostLoss  = 5
)

// NetworkLoss loses packets between one application node and the balancers.
func NetworkLoss() harness.Scenario {
	return harness.Scenario{
		Name:  "network-loss",
		About: "Every thirtieth packet between one node and the balancers is lost, each way: what is lost is sent again, and users do not notice.",
		Story: `A bad cable, a worn-out port, a queue that overflows: the link works and is not
reliable. No check says so, since a check that fails now and then fails less than
three times in a row; the node stays in the rotation, and TCP is there to send
again what was lost. What that costs depends on what was lost.

A packet of a connection that stands is sent again after the retransmission
timeout, a round trip and at least 200 ms (Linux, TCP_RTO_MIN), and after twice
that if it is lost again (RFC 6298, 5.5). A user who waits no more than 500 ms
notices the second time, not the first: of the requests, which are a packet and an
answer of one, a share of 2 p² for a loss of p each way. The objective over the
whole run is that of a steady phase less just that: 99.9 % − 2 p², 99.72 % for the
usual 3 %.

A lost SYN is another matter: before there is a round trip to go by, TCP waits for
a second (RFC 6298, 2.1). HAProxy makes a connection for each request here, and of
these a share of 2 p meets it, the answer's loss included. What helps is not to wait
for TCP: timeout connect ends the attempt after 100 ms, and the request, of which
nothing was sent yet, is tried on another node (option redispatch). With the
tutorial's 5 s each of them is a second late: forty times as many.

Orders work for 50 ms here, so that it is the network that decides what is slow.`,
		Tags:     []string{"network"},
		Topology: "jetty-ha",
		Load:     load.Default(),
		Set:      map[string]string{"order-work": "50ms"},
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "lossy", Kind: history.PhaseBreak, For: 12 * time.Second, Faults: []harness.Injection{
				{Label: "loss", Fault: packetLoss(usualLoss), Aim: harness.OneApplication()},
			}},
			{Name: "whole again", Kind: history.PhaseRecover, For: 4 * time.Second, Cover: []string{topology.BoundReady}, Heal: []string{"loss"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"blast-radius"},
		Asserts:   judgedByLoss(usualLoss),
		Settings: []topology.Switch{
			{Key: "loss", Default: strconv.Itoa(usualLoss), About: fmt.Sprintf("percent of the packets that are lost, each way, %d to %d", leastLoss, mostLoss)},
		},
		Apply: applyNetworkLoss,
		Cases: []harness.Case{
			{
				Name: "a patient connect", Set: map[string]string{"connect-timeout": "5s"},
				Fails: []string{"error-budget"}, Evidence: "slow",
			},
			{Name: "one in a hundred", Set: map[string]string{"loss": "1"}},
		},
	}
}

func packetLoss(percent int) fault.PacketLoss {
	return fault.PacketLoss{Peers: []string{string(topology.Balancer)}, Percent: float64(percent)}
}

// judgedByLoss holds the users to what a loss costs by itself.
func judgedByLoss(percent int) []assert.Checker {
	p := float64(percent) / 100
	return []assert.Checker{
		assert.ErrorBudget{Overall: assert.DefaultSteady - 100*2*p*p},
		assert.SessionSurvival{Expect: assert.ExpectSurvive},
		assert.WriteLedger{},
		assert.BlastRadius{},
		assert.Recovery{Bounds: []string{topology.BoundReady}},
		assert.Leftovers{},
	}
}

func applyNetworkLoss(s harness.Scenario, set map[string]string) (harness.Scenario, error) {
	text, ok := set["loss"]
	if !ok {
		return s, nil
	}
	percent, err := strconv.Atoi(text)
	if err != nil || percent < leastLoss || percent > mostLoss {
		return s, fmt.Errorf("--set loss=%s: want %d to %d, in percent", text, leastLoss, mostLoss)
	}
	s.Phases[2].Faults[0].Fault = packetLoss(percent)
	s.Asserts = judgedByLoss(percent)
	return s, nil
}
