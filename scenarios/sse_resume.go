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

// SSEResume kills a node whose event streams are open.
func SSEResume() harness.Scenario {
	return harness.Scenario{
		Name:  "sse-resume",
		About: "A node with open event streams is killed: their clients resume elsewhere at Last-Event-ID, with nothing lost and nothing repeated.",
		Story: `What happens to streaming clients during a restart (seed 003 §30, question 12)?
Their long-lived answers break, and seed 003 §10.4 names what they need: an
event id to resume from, Last-Event-ID, heartbeats, a reconnection strategy and
bounded resources at the server.

Twelve clients follow GET /events, as browsers' EventSource does, through the
VIP, while ten events a second are published. A node is killed. Its clients
notice at once if a packet tells them, and by three missed heartbeats of 500 ms
if none does (--set kill=power). They wait 200 ms, give or take a half so that
they do not come back as a herd, and ask for what comes after the last event
that they have. The balancer sends them to a node that lives.

In the end the feed is read from the database. Each client must have received
exactly its events, in their order, from its own first on to its end; and each
must have heard a server again within its patience, its pause, and what the
balancer takes for a request that it first sent to the dead node.

The subtle way to lose events needs no fault at all, and one case shows it:
numbers that are drawn from a sequence become visible out of their order, and a
reader that asks for what comes after the highest it has seen passes the late
ones by for ever. The application gives numbers under a lock until the commit.`,
		Tags:       []string{"streams", "process"},
		Topology:   "jetty-ha",
		Load:       load.Default(),
		Companions: []load.Companion{load.EventStream{Clients: 12, Rate: 10}},
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "killed", Kind: history.PhaseBreak, For: 8 * time.Second, Cover: []string{topology.BoundOutageVanished}, Faults: []harness.Injection{
				{Label: "kill", Fault: fault.InstanceKill{}, Aim: harness.OneApplication()},
			}},
			{Name: "restarted", Kind: history.PhaseRecover, For: 7 * time.Second, Cover: []string{topology.BoundRecovered}, Heal: []string{"kill"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"stream-continuity"},
		Asserts: []assert.Checker{
			assert.StreamContinuity{Reconnect: load.DefaultReconnect().Longest(), Bound: topology.BoundDivert},
			assert.SessionSurvival{Expect: "survive"},
			assert.WriteLedger{},
			assert.ErrorBudget{OutageBound: topology.BoundOutageVanished},
			assert.Leftovers{},
		},
		Settings: []topology.Switch{
			{Key: "kill", Values: []string{"container", "power"}, Default: "container", About: "what dies: the container, or the power (no packet tells the clients)"},
		},
		Apply: applyStreamKill,
		Cases: []harness.Case{
			{Name: "Last-Event-ID ignored", Set: map[string]string{"feed-resume": "off"}, Fails: []string{"stream-continuity"}, Evidence: "lost"},
			{Name: "numbers before commits", Set: map[string]string{"feed": "sequence"}, Fails: []string{"stream-continuity"}, Evidence: "lost"},
			{Name: "events in memory", Set: map[string]string{"feed": "memory"}, Fails: []string{"stream-continuity"}, Evidence: "made up"},
			// As for instance-kill: the requests under way wait for timeout
			// server. The streams do not: their clients have more patience
			// than one heartbeat, and less than three seconds.
			{Name: "power loss", Set: map[string]string{"kill": "power"}, Fails: []string{"error-budget"}, Evidence: "without service for"},
		},
	}
}

// applyStreamKill chooses the fault.
func applyStreamKill(s harness.Scenario, set map[string]string) (harness.Scenario, error) {
	switch set["kill"] {
	case "", "container":
	case "power":
		s.Phases[2].Faults[0].Fault = fault.PowerLoss{}
	default:
		return s, fmt.Errorf("--set kill=%s: want container or power", set["kill"])
	}
	return s, nil
}
