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

// The link of the distant node: 10 ms away, each answer, and 4 Mbit/s wide.
const (
	farAway  = 10 * time.Millisecond
	linkKBit = 4000
)

// SlowNetwork puts one application node on a slow and narrow link.
func SlowNetwork() harness.Scenario {
	return harness.Scenario{
		Name:  "slow-network",
		About: "One node is on a slow and narrow link, 10 ms away from its database and with 4 Mbit/s to send: its users are served a little later, and nobody notices.",
		Story: `A node in another building, a cheaper machine, a link that a backup has filled: the
network works, and everything takes longer. A node whose every answer from the
database is 10 ms late is no reason to take it out. Whether it bears its share is
decided by two figures that nobody looks at while the network is fast.

The first is the size of its pool of connections. A request holds one of them from
its first statement to its last, and so for as many delays as it has answers to wait
for: about three. The connections in use are the requests a second times the time
that each holds one (J. D. C. Little, A proof for the queuing formula L = λW, 1961):
half of the load is 62 a second, and 62 × 3 × 10 ms = 2. Of the 10 of the tuned
profile, that leaves a margin for chance; two, which are ample without the delay,
cannot carry it, and three times the delay even less: a queue grows for as long as it
lasts. It is nothing that more threads or a faster processor would help.

The second is what the node sends: 15 kbit for an operation, to its users and to its
database (measured at the node's interface), which makes 0.9 Mbit/s for its share.
Beyond the link's width a queue stands before it, what does not fit is dropped, and
TCP slows down to what fits, while users go on asking.

Where both suffice users get their answers some tens of milliseconds later, which is
within the usual objectives, so that the one over the run is that of a steady phase,
99.9 %; the other node's users get them as before. Orders work for 50 ms here, so
that it is the network that decides what is slow.`,
		Tags:     []string{"network", "latency"},
		Topology: "jetty-ha",
		Load:     load.Default(),
		Set:      map[string]string{"order-work": "50ms"},
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "far", Kind: history.PhaseBreak, For: 10 * time.Second, Faults: []harness.Injection{
				injected("slow", fault.Latency{Delay: farAway}),
				injected("narrow", fault.Bandwidth{KBit: linkKBit}),
			}},
			{Name: "near again", Kind: history.PhaseRecover, For: 5 * time.Second, Cover: []string{topology.BoundReady}, Heal: []string{"slow", "narrow"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"blast-radius"},
		Asserts: []assert.Checker{
			assert.ErrorBudget{Overall: assert.DefaultSteady},
			assert.SessionSurvival{Expect: assert.ExpectSurvive},
			assert.WriteLedger{},
			assert.BlastRadius{},
			assert.Recovery{Bounds: []string{topology.BoundReady}},
			assert.Leftovers{},
		},
		Settings: []topology.Switch{
			{Key: "link-delay", Default: farAway.String(), About: "how late the database's answers reach the node on the slow link; 0s is not at all"},
			{Key: "link-kbit", Default: strconv.Itoa(linkKBit), About: "what that node can send, in kbit/s, 200 to 50000"},
			{Key: "delay-by", Values: []string{"proxy", "netem"}, Default: "proxy", About: "what delays: Toxiproxy, the database's answers; or the kernel, all that the node sends, in place of the narrow link"},
		},
		Apply: applySlowNetwork,
		Cases: []harness.Case{
			{
				Name: "two connections to a database 30 ms away", Set: map[string]string{"pool": "2", "link-delay": "30ms"},
				Fails: []string{"error-budget"}, Evidence: "status 503",
			},
			{
				Name: "narrower than its load", Set: map[string]string{"link-kbit": "600", "link-delay": "0s"},
				Fails: []string{"error-budget"}, Evidence: "slow",
			},
		},
	}
}

func applySlowNetwork(s harness.Scenario, set map[string]string) (harness.Scenario, error) {
	delay, kbit := farAway, linkKBit
	if text, ok := set["link-delay"]; ok {
		var err error
		if delay, err = time.ParseDuration(text); err != nil {
			return s, fmt.Errorf("--set link-delay=%s: want a duration in whole milliseconds, such as %s", text, farAway)
		}
	}
	if text, ok := set["link-kbit"]; ok {
		var err error
		if kbit, err = strconv.Atoi(text); err != nil {
			return s, fmt.Errorf("--set link-kbit=%s: want a whole number of kbit/s, such as %d", text, linkKBit)
		}
	}
	switch {
	case set["delay-by"] == "netem": // an interface has one queue: the two would replace each other
		onLink(&s, injected("slow", fault.LinkLatency{Delay: delay}))
	case delay == 0:
		onLink(&s, injected("narrow", fault.Bandwidth{KBit: kbit}))
	default:
		onLink(&s, injected("slow", fault.Latency{Delay: delay}), injected("narrow", fault.Bandwidth{KBit: kbit}))
	}
	return s, nil
}

// onLink has these faults be injected, and healed.
func onLink(s *harness.Scenario, all ...harness.Injection) {
	s.Phases[2].Faults, s.Phases[3].Heal = all, nil
	for _, in := range all {
		s.Phases[3].Heal = append(s.Phases[3].Heal, in.Label)
	}
}

// injected aims a fault at the node on the slow link.
func injected(label string, f fault.Fault) harness.Injection {
	return harness.Injection{Label: label, Fault: f, Aim: harness.Named("j1")}
}
