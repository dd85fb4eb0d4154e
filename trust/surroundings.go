package trust

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/fake"
)

// surroundings are mutants of what a run stands on: the engine, the topology's
// start and its end, and what is there before the fault.
func surroundings() []Mutant {
	nodeKilled := control("node-killed", killed)
	return []Mutant{
		{
			Name: "start-fails", Title: "The topology does not start.",
			Stands:  "an image that does not build",
			Control: nodeKilled, Ends: Error, Says: []string{"could not be carried out", "image does not build"},
			Run: once(killed, func(m *memory) { m.system.Options.StartFails = topology.ErrImage }),
		},
		{
			Name: "start-fails-and-leaves", Title: "The topology does not start, and what had been created is not removed.",
			Stands:  "an engine that goes while containers are being made",
			Control: nodeKilled, Ends: Dirty, Says: []string{"could not be carried out", "Dirty: run"},
			Run: once(killed, func(m *memory) {
				m.system.Options.StartFails = fmt.Errorf("%w: %w", topology.ErrNoEngine, topology.ErrLeftBehind)
			}),
		},
		{
			Name: "never-ready", Title: "A node never becomes ready.",
			Stands:  "a machine that is too small for the topology",
			Control: nodeKilled, Ends: Error, Says: []string{"could not be carried out", "memory-ha did not become ready"},
			Run: once(killed, func(m *memory) { m.system.Options.NeverReady = "j2" }),
		},
		{
			Name: "no-guard", Title: "What is to clean up should hachaos die cannot be started.",
			Stands:  "a limit of processes",
			Control: nodeKilled, Ends: Error, Says: []string{"could not be carried out", "guard: no more processes"},
			Run: once(killed, func(m *memory) {
				m.runner.Guard = func(context.Context, harness.Guarded) (func(context.Context) error, error) {
					return nil, errors.New("no more processes")
				}
			}),
		},
		{
			Name: "engine-gone", Title: "The engine is gone from the beginning of a phase on: before the fault, with its heal, after that.",
			Stands:  "an engine that is restarted or killed while the containers run on",
			Control: nodeKilled, Ends: Dirty, Says: []string{"could not be carried out", "the engine was lost", "Dirty:"},
			Run: each(killed, []string{steady, healed, steadyAgain}, func(m *memory, phase string) {
				m.at = map[string]func(){phase: func() { m.system.Last().LoseEngine() }}
			}),
		},
		{
			Name: "engine-gone-after-calls", Title: "The engine is gone after a number of calls: 1, 8.",
			Stands:  "an engine that ends under what is asked of it",
			Control: nodeKilled, Ends: Dirty, Says: []string{"could not be carried out", "the engine was lost", "Dirty:"},
			Run: each(killed, []string{"1", "8"}, func(m *memory, n string) {
				var left atomic.Int64
				calls, _ := strconv.Atoi(n)
				left.Store(int64(calls))
				m.nodes(func(own node) topology.Node { return counted{own, m, &left} })
			}),
		},
		{
			Name: "left-behind", Title: "A container refuses to be removed at the end.",
			Stands:  "a process in it that the kernel cannot end",
			Control: nodeKilled, Ends: Dirty, Says: []string{"leftovers was violated", "Dirty: container", "lb2"},
			Run: once(killed, func(m *memory) { m.system.Options.Stuck = []string{"lb2"} }),
		},
		{
			Name: "baseline-bad", Title: "The database was away for a while before the fault.",
			Stands:  "an environment that is not in order, or that somebody else is breaking at the same time",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"baseline steady", "before any fault"},
			Run: once(killed, func(m *memory) {
				m.at = map[string]func(){steady: func() { m.away("db", 300*time.Millisecond) }}
			}),
		},
		{
			Name: "fault-in-the-baseline", Title: "The fault is injected before the baseline has ended.",
			Stands:  "a schedule in which the fault's delay counts from another moment",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"baseline steady", "was injected before the first steady phase"},
			Run: once(killed, func(m *memory) {
				p := m.scenario.Phases
				p[1].Faults, p[2].Faults = p[2].Faults, nil
			}),
		},
	}
}

// node is a node with every capability of the system in memory.
type node interface {
	topology.Container
	topology.Namespace
	topology.Served
	topology.Dialer
	topology.Member
	topology.Limited
}

// nodes is a cluster whose nodes are wrapped.
type nodes struct {
	*fake.Cluster
	wrap func(node) topology.Node
}

// Nodes implements topology.Cluster.
func (c nodes) Nodes() []topology.Node {
	all := c.Cluster.Nodes()
	for i, n := range all {
		if own, ok := n.(node); ok {
			all[i] = c.wrap(own)
		}
	}
	return all
}

// nodes has the run see the system's nodes as wrap gives them.
func (m *memory) nodes(wrap func(node) topology.Node) {
	m.cluster = func(c *fake.Cluster) topology.Cluster { return nodes{c, wrap} }
}

// starts has f take the place of each start of a container after the first.
func (m *memory) starts(f func(context.Context, topology.Container) error) {
	m.nodes(func(n node) topology.Node { return started{n, f} })
}

// away kills a node by somebody else's hand, and starts it again after a time.
func (m *memory) away(name string, d time.Duration) {
	n := m.node(name)
	_ = n.Kill(context.Background()) // in memory it fails only without an engine
	time.AfterFunc(d, func() { _ = n.Start(context.Background()) })
}

// started is a node that start starts.
type started struct {
	node
	start func(context.Context, topology.Container) error
}

// Start implements topology.Container.
func (s started) Start(ctx context.Context) error { return s.start(ctx, s.node) }

// counted is a node at which calls of the engine are counted: when none are
// left the engine is gone.
type counted struct {
	node
	m    *memory
	left *atomic.Int64
}

func (c counted) call() {
	if c.left.Add(-1) < 0 {
		c.m.system.Last().LoseEngine()
	}
}

// Exec implements topology.Node.
func (c counted) Exec(ctx context.Context, argv ...string) (topology.Output, error) {
	c.call()
	return c.node.Exec(ctx, argv...)
}

// InNamespace implements topology.Namespace.
func (c counted) InNamespace(ctx context.Context, argv ...string) (topology.Output, error) {
	c.call()
	return c.node.InNamespace(ctx, argv...)
}

// Inspect implements topology.Container.
func (c counted) Inspect(ctx context.Context) (topology.State, error) {
	c.call()
	return c.node.Inspect(ctx)
}

// Kill implements topology.Container.
func (c counted) Kill(ctx context.Context) error {
	c.call()
	return c.node.Kill(ctx)
}

// Start implements topology.Container.
func (c counted) Start(ctx context.Context) error {
	c.call()
	return c.node.Start(ctx)
}
