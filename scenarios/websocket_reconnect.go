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

// WebSocketReconnect stops a node whose WebSockets are open.
func WebSocketReconnect() harness.Scenario {
	return harness.Scenario{
		Name:  "websocket-reconnect",
		About: "A node with open WebSockets is stopped: their clients are told to go, come back elsewhere and not as a herd, and find their state.",
		Story: `A WebSocket is the long-lived context that ties a client to a node (seed 003
§6.2), and no balancer can move it: when its node stops, the client has to come
back by itself (seed 003 §10.4: a reconnection strategy), and what it needs must
not lie in that node's memory (seed 003 §5).

Thirty-two clients keep a WebSocket open through the VIP. Each says a number
every half second, one more each time, and the node keeps it before it says
done. A node is stopped: it turns unready, waits for a second so that the
balancers turn away from it, and then closes its WebSockets with 1001, going
away (RFC 6455 §7.4.1). Each client waits for a second, give or take a half, so
that the nodes that are left are not asked by all at the same moment, connects,
is told how far it had come, and goes on.

What it is told may not be less than what was acknowledged to it, nor more than
it said; in no tenth of a second may half of those who lost their connections
ask for another; and each must hear a server again within its patience, its
pause, and what the balancer takes for a first attempt that meets a dead node. The
other users must not notice a planned stop: for them the objective over the run is
that of a steady phase, 99.9 %.`,
		Tags:       []string{"streams", "process"},
		Topology:   "jetty-ha",
		Load:       load.Default(),
		Companions: []load.Companion{load.WebSockets{Clients: 32}},
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "stopped", Kind: history.PhaseBreak, For: 8 * time.Second, Faults: []harness.Injection{
				{Label: "stop", Fault: fault.InstanceStop{}, Aim: harness.OneApplication()},
			}},
			{Name: "started", Kind: history.PhaseRecover, For: 7 * time.Second, Heal: []string{"stop"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"reconnection"},
		Asserts: []assert.Checker{
			assert.Reconnection{
				Reconnect: load.SocketReconnect().Longest(), Bound: topology.BoundDivert,
				Told: true, Spread: load.SocketReconnect().Wait,
			},
			assert.ErrorBudget{Overall: assert.DefaultSteady},
			assert.WriteLedger{},
			assert.Leftovers{},
		},
		Settings: []topology.Switch{
			{Key: "comeback", Values: []string{"spread", "together"}, Default: "spread", About: "whether the WebSockets' clients draw their pause before they come back, or all wait for exactly a second"},
		},
		Apply: applyComeback,
		Cases: []harness.Case{
			{Name: "state in memory", Set: map[string]string{"socket-state": "memory"}, Fails: []string{"reconnection"}, Evidence: "state lost"},
			{Name: "cut off without a word", Set: map[string]string{"socket-goodbye": "off"}, Fails: []string{"reconnection"}, Evidence: "not told"},
			{Name: "a herd", Set: map[string]string{"comeback": "together"}, Fails: []string{"reconnection"}, Evidence: "herd"},
		},
	}
}

// applyComeback chooses how the clients come back.
func applyComeback(s harness.Scenario, set map[string]string) (harness.Scenario, error) {
	switch set["comeback"] {
	case "", "spread":
	case "together":
		r := load.SocketReconnect()
		r.Together = true
		s.Companions = []load.Companion{load.WebSockets{Clients: 32, Reconnect: r}}
	default:
		return s, fmt.Errorf("--set comeback=%s: want spread or together", set["comeback"])
	}
	return s, nil
}
