package observe

import (
	"context"
	"errors"
	"fmt"

	"github.com/hachaos/hachaos/history"
)

// engine records the engine's events of all nodes.
type engine struct{ env env }

// Name implements Observer.
func (e *engine) Name() string { return "engine" }

// Observe implements Observer.
func (e *engine) Observe(ctx context.Context, sink history.Sink) error {
	a, clock := &account{stream: history.StreamEngine}, e.env.foreign("the engine")
	events, failed := e.env.cluster.Events(ctx, e.env.clock.Start())
	for ev := range events {
		a.saw()
		at, span := e.env.span(ev.Wall, withinEngine)
		clock.dates(at, span.Within)
		put(sink, history.StreamEngine, at, ev.Node, history.Engine{
			Span: span, Node: ev.Node, Action: ev.Action, ExitCode: ev.ExitCode, Signal: ev.Signal,
		})
	}
	err := eventsEnd(ctx, failed)
	if err != nil {
		a.lack("%v", err)
	}
	clock.judge(a)
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

// lives follows the engine's events and tells of each of the named nodes
// whether its container runs, each time that it changes, until ctx ends or
// the events do: then it closes the channels, and the function returned says
// why. Each channel must be received from until it is closed.
func lives(ctx context.Context, env env, names ...string) (map[string]chan bool, func() error) {
	states := make(map[string]chan bool, len(names))
	for _, n := range names {
		states[n] = make(chan bool)
	}
	var err error
	go func() {
		events, failed := env.cluster.Events(ctx, env.clock.Start())
		for ev := range events {
			state, ok := states[ev.Node]
			if !ok || ev.Action != "die" && ev.Action != "start" {
				continue
			}
			select {
			case state <- ev.Action == "start":
			case <-ctx.Done():
			}
		}
		err = eventsEnd(ctx, failed)
		for _, state := range states {
			close(state)
		}
	}()
	return states, func() error { return err }
}
