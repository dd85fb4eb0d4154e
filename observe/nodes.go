package observe

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

// nodes records what each node is: at the beginning, after each start of its
// container and at the end.
type nodes struct{ env env }

// versionEvery is how often a node that does not yet answer is asked again
// for its version.
const versionEvery = 200 * time.Millisecond

// atEnd bounds the last look, which the run's end must not break off.
const atEnd = 5 * time.Second

// Name implements Observer.
func (n *nodes) Name() string { return "nodes" }

// Observe implements Observer.
func (n *nodes) Observe(ctx context.Context, sink history.Sink) error {
	all := n.env.cluster.Nodes()
	names := make([]string, 0, len(all))
	for _, node := range all {
		names = append(names, node.Name())
	}
	states, failed := lives(ctx, n.env, names...)
	var watches sync.WaitGroup
	for _, node := range all {
		watches.Go(func() { n.watch(ctx, sink, node, states[node.Name()], failed) })
	}
	watches.Wait()
	return failed()
}

// watch records one node until its states end, and once more then.
func (n *nodes) watch(ctx context.Context, sink history.Sink, node topology.Node, states <-chan bool, failed func() error) {
	a := &account{stream: history.StreamNode, source: node.Name()}
	n.each(ctx, sink, a, node, states)
	if err := failed(); err != nil {
		a.lack("%v", err)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), atEnd)
	defer cancel()
	n.record(last, sink, a, node, false)
	settle(sink, n.env.clock.Now, a)
}

// each records the node now and after every start, until the states end. A
// record that waits for a version is broken off by the next.
func (n *nodes) each(ctx context.Context, sink history.Sink, a *account, node topology.Node, states <-chan bool) {
	up, open := true, true
	for open {
		recording, stop := context.WithCancel(ctx)
		done := make(chan struct{})
		go func(up bool) {
			defer close(done)
			if up {
				n.record(recording, sink, a, node, true)
			}
		}(up)
		up, open = <-states
		stop()
		<-done
	}
}

// record asks the engine and, of an application node, its version; if wait
// is set it asks again until the node answers or ctx ends.
func (n *nodes) record(ctx context.Context, sink history.Sink, a *account, node topology.Node, wait bool) {
	ns, _ := n.env.cluster.Spec().NodeByName(node.Name())
	v := history.NodeInfo{Node: node.Name(), Role: string(node.Role()), Image: ns.Image}
	if c, ok := node.(topology.Container); ok {
		state, err := n.inspect(ctx, c)
		if err != nil {
			if ctx.Err() != context.Canceled { // a later record takes its place
				a.miss(1, "inspect %s: %v", node.Name(), err)
			}
			return
		}
		v.Running = state.Running
		v.Started, v.Finished = n.at(state.StartedAt), n.at(state.FinishedAt)
	}
	if node.Role() == topology.Application && v.Running {
		v.Version = n.version(ctx, ns, wait)
	}
	a.saw()
	put(sink, history.StreamNode, n.env.clock.Now(), node.Name(), v)
}

// looks is how often the engine is asked before a node counts as missed: one
// question that a busy machine does not answer is no reason to doubt a run.
const looks = 3

func (n *nodes) inspect(ctx context.Context, c topology.Container) (state topology.State, err error) {
	for range looks {
		short, cancel := context.WithTimeout(ctx, atEnd/looks)
		state, err = c.Inspect(short)
		cancel()
		if err == nil || ctx.Err() != nil {
			break
		}
		pause(ctx, versionEvery)
	}
	return state, err
}

// at maps an engine's time; a time that never was stays 0.
func (n *nodes) at(wall time.Time) time.Duration {
	if wall.IsZero() {
		return 0
	}
	at, _ := n.env.wall.Map(wall)
	return at
}

// version is what the node's answers name; empty if it gives none.
func (n *nodes) version(ctx context.Context, ns topology.NodeSpec, wait bool) string {
	for {
		got, err := n.askVersion(ctx, ns)
		if err == nil || !wait || ctx.Err() != nil {
			return got
		}
		pause(ctx, versionEvery)
	}
}

func (n *nodes) askVersion(ctx context.Context, ns topology.NodeSpec) (string, error) {
	short, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	got, err := get(short, n.env.dial(), addr(ns, ns.Port, appPort), livePath)
	if err != nil {
		return "", fmt.Errorf("version of %s: %w", ns.Name, err)
	}
	return got.header.Get("X-Hachaos-Version"), nil
}
