package trust

import (
	"context"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/observe"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/fake"
)

// disturbances are mutants of what a run takes for granted: that it is alone
// with its system, that its load goes where it should, and that those who look
// do so to the end.
func disturbances() []Mutant {
	nodeKilled := control("node-killed", killed)
	return []Mutant{
		{
			Name: "engine-gone-while-proving", Title: "The engine is gone while the fault is being proven.",
			Stands:  "an engine that is stopped, or updated, while a run is under way",
			Control: nodeKilled, Ends: Dirty, Says: []string{"could not be carried out", "the engine was lost"},
			Run: once(killed, func(m *memory) {
				m.inject(kill{look: func(ctx context.Context, nodes []topology.Node) (fault.Proof, error) {
					m.system.Last().LoseEngine()
					return fault.InstanceKill{}.Active(ctx, nodes)
				}})
				m.runner.Budgets = harness.Budgets{} // with its own, the look lasts until the heal
			}),
		},
		{
			Name: "fault-ends-early", Title: "The node is started again 100 ms after the kill was proven, and not by hachaos.",
			Stands:  "an orchestrator, or a colleague, that brings back what hachaos took away",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"undisturbed: j1 was started after"},
			Run: once(killed, func(m *memory) {
				m.inject(kill{look: func(ctx context.Context, nodes []topology.Node) (fault.Proof, error) {
					p, err := fault.InstanceKill{}.Active(ctx, nodes)
					time.AfterFunc(100*time.Millisecond, func() { _ = m.node("j1").Start(context.Background()) })
					return p, err
				}})
			}),
		},
		{
			Name: "fault-wears-off", Title: "The fault bites when it is proven, and is over when it should be undone, and the engine tells of nothing.",
			Stands:  "a rule that the firewall's own reload removes, or a supervisor inside the container",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"did not last until its undo"},
			Run: once(killed, func(m *memory) {
				var looks atomic.Int64
				m.inject(kill{look: func(ctx context.Context, nodes []topology.Node) (fault.Proof, error) {
					p, err := fault.InstanceKill{}.Active(ctx, nodes)
					if looks.Add(1) > 1 {
						p.OK, p.Measured = false, "j1: running"
					}
					return p, err
				}})
			}),
		},
		{
			Name: "fault-hits-one-more", Title: "The fault hits its target, and another node.",
			Stands:  "a selector that matches more than was meant",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"undisturbed: j2 was killed by signal 9 after"},
			Run: once(killed, func(m *memory) {
				m.inject(kill{act: func(ctx context.Context, f fault.InstanceKill, nodes []topology.Node, log fault.Recorder) error {
					return f.Inject(ctx, append(slices.Clone(nodes), m.node("j2")), log)
				}})
			}),
		},
		{
			Name: "node-down-in-the-baseline", Title: "A node was down for a while before the fault, by somebody else's hand.",
			Stands:  "a deployment, or a colleague's test, on the same system",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"undisturbed: j2 was "},
			Run: once(killed, func(m *memory) {
				m.at = map[string]func(){steady: func() { m.away("j2", 300*time.Millisecond) }}
			}),
		},
		{
			Name: "observer-retired", Title: "An observer ends before the fault, and signs its account as complete: each in turn.",
			Stands:  "a probe whose connection ends in order, and which takes that for the end",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"its observer ended after"},
			Run: each(killed, []string{"health j1", "truth j1", "engine", "balancer lb2", "vip lb1", "nodes"}, func(m *memory, name string) {
				m.watching(name, func(o observe.Observer) observe.Observer { return retiring{o} })
			}),
		},
		{
			Name: "observers-retired", Title: "All observers but the logs' and one balancer's end before the fault, and sign their accounts as complete.",
			Stands:  "a monitoring that was switched off before the incident",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"its observer ended after"},
			Run: once(killed, func(m *memory) {
				m.observers = func(all []observe.Observer) []observe.Observer {
					for i, o := range all {
						if !strings.HasPrefix(o.Name(), "log ") && o.Name() != "balancer lb1" {
							all[i] = retiring{o}
						}
					}
					return all
				}
			}),
		},
		{
			Name: "client-record-lost", Title: "The record has what the system said, and no operation of the clients.",
			Stands:  "a load generator whose results were written somewhere else",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"the clients began"},
			Run: restated(func(events []history.Event) ([]history.Event, error) {
				return without(events, func(e *history.Event) bool { return e.Op != nil }), nil
			}),
		},
		{
			Name: "checker-endless", Title: "A checker takes half an hour, and passes.",
			Stands:  "an analysis that is quadratic in the length of the run",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"the checker did not end within"},
			Run: once(killed, func(m *memory) {
				m.scenario.Asserts = append(m.scenario.Asserts, dawdler{})
				m.runner.Checkers = assert.Table{"dawdler": assert.Typed[dawdler]()}
			}),
		},
		{
			Name: "load-past-the-balancers", Title: "The load goes to a node, and past the balancers.",
			Stands:  "a test that goes to a node, because its address was at hand",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"came through no balancer"},
			Run: once(killed, func(m *memory) {
				m.cluster = func(c *fake.Cluster) topology.Cluster { return shortcut{c} }
			}),
		},
		{
			Name: "engine-events-lost", Title: "The engine's events of one kind are lost on the way: kill, die, start.",
			Stands:  "a stream of events that drops some when it is slow",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"the engine"},
			Run: each(killed, []string{"kill", "die", "start"}, func(m *memory, name string) {
				m.cluster = func(c *fake.Cluster) topology.Cluster { return forgetful{c, name} }
			}),
		},
		{
			Name: "ledger-read-short", Title: "The ledger's reader ends five rows before as many as the database counts, and signs its account as complete.",
			Stands:  "an export that is cut off, and exits with 0",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"its observers saw"},
			Run: once(killed, func(m *memory) {
				m.ledger = func(_ context.Context, sink history.Sink) error {
					all, err := m.system.Last().Orders()
					if err != nil {
						return err
					}
					rows := all[:len(all)-5]
					for _, r := range rows {
						sink.Put(history.Observe(0, history.LedgerRow{Order: r.ID, Key: r.Key, Op: r.Op, Attempt: r.Attempt, Node: r.Node, Version: r.Version}))
					}
					sink.Put(history.Observe(0, history.Coverage{Stream: history.StreamLedger, Complete: true, Seen: uint64(len(all))}))
					return nil
				}
			}),
		},
	}
}

// retiring is an observer that ends in the run, as if that were over.
type retiring struct{ observe.Observer }

func (o retiring) Observe(ctx context.Context, sink history.Sink) error {
	alive, cancel := context.WithTimeout(ctx, inTheRun)
	defer cancel()
	return o.Observer.Observe(alive, sink)
}

// dawdler is a checker that takes half an hour.
type dawdler struct{}

func (dawdler) Name() string         { return "dawdler" }
func (dawdler) About() string        { return "nothing" }
func (dawdler) Needs() []assert.Need { return nil }

func (dawdler) Check(*history.History) assert.Verdict {
	time.Sleep(30 * time.Minute)
	return assert.Verdict{Status: assert.Pass}
}

// shortcut is a cluster whose entry is a node.
type shortcut struct{ *fake.Cluster }

func (s shortcut) Entry() topology.Entry {
	n, _ := s.Spec().NodeByName("j2")
	return topology.Entry{URL: "http://" + net.JoinHostPort(n.Addr.String(), strconv.Itoa(n.Port)), Via: "direct"}
}

// forgetful is a cluster whose engine does not tell of an action.
type forgetful struct {
	*fake.Cluster
	action string
}

func (f forgetful) Events(ctx context.Context, since time.Time) (<-chan topology.EngineEvent, func() error) {
	return changed(ctx, f.Cluster, since, func(e topology.EngineEvent) (topology.EngineEvent, bool) { return e, e.Action != f.action })
}
