package observe

import (
	"context"
	"errors"
	"fmt"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

// engine records the engine's events of all nodes.
type engine struct{ env env }

// Name implements Observer.
func (e *engine) Name() string { return "engine" }

// Observe implements Observer.
func (e *engine) Observe(ctx context.Context, sink history.Sink) error {
	a := &account{stream: history.StreamEngine}
	events, failed := e.env.cluster.Events(ctx, e.env.clock.Start())
	for ev := range events {
		a.saw()
		at, span := e.env.span(ev.Wall, withinEngine)
		put(sink, history.StreamEngine, at, ev.Node, history.Engine{
			Span: span, Node: ev.Node, Action: ev.Action, ExitCode: ev.ExitCode, Signal: ev.Signal,
		})
	}
	err := eventsEnd(ctx, failed)
	if err != nil {
		a.lack("%v", err)
	}
	settle(sink, e.env.clock.Now, a)
	return err
}

// errEventsEnded: the events ended, with no reason given.
var errEventsEnded = errors.New("they ended before the run did")

// eventsEnd is why an event stream ended; nil if it was asked to.
func eventsEnd(ctx context.Context, failed func() error) error {
	err := failed()
	switch {
	case ctx.Err() != nil && (err == nil || errors.Is(err, ctx.Err())):
		return nil
	case err == nil:
		err = errEventsEnded
	}
	return fmt.Errorf("engine's events: %w", err)
}

// running tells whether the node's container runs, each time that it
// changes, until ctx ends or the engine's events do: then it closes the
// channel, and the function returned says why.
func running(ctx context.Context, env env, node topology.Node) (<-chan bool, func() error) {
	states := make(chan bool)
	var err error
	go func() {
		defer close(states)
		events, failed := env.cluster.Events(ctx, env.clock.Start())
		for ev := range events {
			if ev.Node != node.Name() || ev.Action != "die" && ev.Action != "start" {
				continue
			}
			select {
			case states <- ev.Action == "start":
			case <-ctx.Done():
			}
		}
		err = eventsEnd(ctx, failed)
	}()
	return states, func() error { return err }
}
