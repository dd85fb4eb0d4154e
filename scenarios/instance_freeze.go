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

// InstanceFreeze freezes one application node under load and thaws it.
func InstanceFreeze() harness.Scenario {
	return harness.Scenario{
		Name:  "instance-freeze",
		About: "One application node freezes under load: its port accepts and nothing answers; its users move on within the bound, nobody else notices, and the thawed node does no harm.",
		Story: `A frozen process is the failure that looks like health: the kernel goes on
accepting connections for it, so that a check of the port sees nothing, and what
is sent is never answered. A long garbage collection, a host that swaps, a
virtual machine that is being moved look like this (seed 003 §26 lists the pause
of a garbage collection among what is to be watched; its §9.2 asks of readiness
whether this instance can take traffic, which a port alone does not answer).

Expected: the balancers' check times out and takes the node out within
"detected/frozen". Until then the users of that node wait, and no retry helps
them: HAProxy sends a request again only if it could not connect. Those that
were handed over wait for timeout server, so that an outage of at most
"outage/frozen" is the price of that value; nobody else pays. (Java's port holds
50 connections that nobody takes up; the ones after them time out and are
redispatched.) Sessions survive, orders are written once although the thawed
node wakes up in the middle of some, and after the thaw it is served again with
no thread or connection left hanging.

The objective over the whole run is 90 %, not 99.5 %: half of the users may be
away for "outage/frozen", which is 4.9 s of 33 s on the tuned profile, or 7 % of
all operations. That of the other users stays 99.5 %, and blast-radius holds the
system to it.

With --set how=threads the process runs, and every one of its worker threads is held by
something that does not end, as by calls without a time limit: it looks the same from
outside, is found by the same check, and costs as much at the most. The moment in which
the last thread goes is known to a second or two alone, so that it is the users' outage
that is judged, and not the time of the detection by itself. The application must be one
that can be made to lose its threads (--set faults=on).

With --set how=process the node's process alone is stopped (SIGSTOP), and the rest of the
node runs on: a debugger, or a dump of its memory. It is found and costs as a frozen node
does; from inside the node it can be told apart, and mended.`,
		Tags:     []string{"process"},
		Topology: "jetty-ha",
		Load:     load.Default(),
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "frozen", Kind: history.PhaseBreak, For: 8 * time.Second, Cover: []string{topology.BoundOutageFrozen}, Faults: []harness.Injection{
				{Label: "freeze", Fault: fault.InstanceFreeze{}, Aim: harness.OneApplication()},
			}},
			{Name: "thawed", Kind: history.PhaseRecover, For: 7 * time.Second, Cover: []string{topology.BoundReady}, Heal: []string{"freeze"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"session-survival", "blast-radius"},
		Asserts: []assert.Checker{
			assert.SessionSurvival{Expect: "survive"},
			assert.WriteLedger{},
			assert.ErrorBudget{Overall: 90, OutageBound: topology.BoundOutageFrozen},
			assert.ReadinessGating{},
			assert.FailoverAnatomy{DetectBound: topology.BoundDetectFrozen},
			assert.BlastRadius{},
			assert.Recovery{Bounds: []string{topology.BoundReady}},
			assert.Distribution{},
			assert.Leftovers{},
		},
		Settings: []topology.Switch{
			{Key: "how", Values: []string{"pause", "process", "threads"}, Default: "pause", About: "what stops: the whole node, its process, or its worker threads alone, which takes --set faults=on"},
		},
		Apply: applyFreeze,
		Cases: []harness.Case{
			{Name: "lying health check", Set: map[string]string{"check": "liar"}, Fails: []string{"failover-anatomy"}, Evidence: "down (at most"},
			{Name: "the process alone", Set: map[string]string{"how": "process"}},
			{Name: "no thread left", Set: map[string]string{"how": "threads", "faults": "on"}},
			{
				Name: "no thread left, and a lying health check", Set: map[string]string{"how": "threads", "faults": "on", "check": "liar"},
				Fails: []string{"error-budget"}, Also: []string{"readiness-gating", "recovery"}, Evidence: "without service",
				Because: "the node stays in the rotation, is sent requests that it does not answer, and has all of them to answer at the heal",
			},
		},
	}
}

// applyFreeze chooses what stops.
func applyFreeze(s harness.Scenario, set map[string]string) (harness.Scenario, error) {
	switch how := set["how"]; how {
	case "", "pause":
	case "process":
		s.Phases[2].Faults[0].Fault = fault.ProcessFreeze{}
	case "threads":
		s.Phases[2].Faults[0].Fault = fault.ThreadsExhausted{}
		s.Asserts = slices.DeleteFunc(s.Asserts, func(c assert.Checker) bool { return c.Name() == assert.FailoverAnatomy{}.Name() })
	default:
		return s, fmt.Errorf("--set how=%s: want pause, process or threads", how)
	}
	return s, nil
}
