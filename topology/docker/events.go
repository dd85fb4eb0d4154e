package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"

	"github.com/hachaos/hachaos/topology"
)

// actions are the events of a container that topology.EngineEvent tells of.
var actions = []string{"kill", "die", "start", "stop", "pause", "unpause", "oom", "restart"}

// ringSize is how many past events an engine keeps, of all its objects.
const ringSize = 256

// patience is how long an engine may be away before what follows it gives up.
const patience = 30 * time.Second

// errEventsLost says that the engine forgot events that were not yet seen.
var errEventsLost = errors.New("the engine's events are incomplete: it keeps only the last " +
	strconv.Itoa(ringSize) + ", and none since it was restarted")

// Events implements topology.Cluster.
func (c *cluster) Events(ctx context.Context, since time.Time) (<-chan topology.EngineEvent, func() error) {
	out := make(chan topology.EngineEvent, ringSize)
	var mu sync.Mutex
	var result error
	go func() {
		defer close(out)
		err := c.followEvents(ctx, newCursor(since), out)
		mu.Lock()
		defer mu.Unlock()
		result = err
	}()
	return out, func() error {
		mu.Lock()
		defer mu.Unlock()
		return result
	}
}

// followEvents streams until ctx ends, and resumes a stream that breaks.
func (c *cluster) followEvents(ctx context.Context, at *cursor, out chan<- topology.EngineEvent) error {
	policy := backoff.NewExponentialBackOff()
	policy.InitialInterval, policy.MaxInterval = 50*time.Millisecond, time.Second
	away := time.Time{}
	for {
		progressed, err := c.streamEvents(ctx, at, out)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errEventsLost):
			return fmt.Errorf("events of %s: %w", c.id, err)
		case progressed:
			policy.Reset()
			away = time.Time{}
		case away.IsZero():
			away = time.Now()
		case time.Since(away) > patience:
			return fmt.Errorf("events of %s: %w", c.id, c.engine.explain(err))
		}
		select {
		case <-time.After(policy.NextBackOff()):
		case <-ctx.Done():
			return nil
		}
	}
}

// streamEvents sends one stream's events. It reports whether the stream began
// well, and why it ended.
func (c *cluster) streamEvents(ctx context.Context, at *cursor, out chan<- topology.EngineEvent) (bool, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	filters := ofRun(c.id).Add("type", "container").Add("event", actions...)
	stream := c.engine.Events(ctx, client.EventsListOptions{Since: unixNano(at.from()), Filters: filters})
	if err := c.engine.remembers(ctx, at); err != nil {
		return false, err
	}
	for {
		select {
		case message := <-stream.Messages:
			event, ok := eventOf(message)
			if !ok || !at.fresh(message) {
				continue
			}
			select {
			case out <- event:
			case <-ctx.Done():
				return true, nil
			}
		case err := <-stream.Err:
			return true, err
		}
	}
}

// remembers asks whether the engine still knows all events since the cursor.
func (e *engine) remembers(ctx context.Context, at *cursor) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	past := e.Events(ctx, client.EventsListOptions{Since: "0", Until: unixNano(time.Now())})
	var times []time.Time
	for {
		select {
		case message := <-past.Messages:
			times = append(times, time.Unix(0, message.TimeNano))
		case err := <-past.Err:
			if !errors.Is(err, io.EOF) {
				return err
			}
			if !covers(times, at) {
				return errEventsLost
			}
			return nil
		}
	}
}

// covers says whether the remembered events, oldest first, reach back to the
// cursor. They do if one is as old; or if the engine has room for more and
// none was seen before, so that it was not restarted meanwhile.
func covers(remembered []time.Time, at *cursor) bool {
	if len(remembered) > 0 && !remembered[0].After(at.last) {
		return true
	}
	return len(remembered) < ringSize && len(at.seen) == 0
}

// eventOf translates a message; false if it concerns no node.
func eventOf(m events.Message) (topology.EngineEvent, bool) {
	event := topology.EngineEvent{
		Node:     m.Actor.Attributes[labelNode],
		Action:   string(m.Action),
		ExitCode: m.Actor.Attributes["exitCode"],
		Signal:   m.Actor.Attributes["signal"],
		Wall:     time.Unix(0, m.TimeNano),
	}
	return event, event.Node != ""
}

// overlap is how much of the stream is asked for again on resuming: events are
// published in about the order of their times.
const overlap = 2 * time.Second

// cursor remembers how far a stream was read. Since a resumed stream begins
// before its end, it also remembers what came in between.
type cursor struct {
	since time.Time
	last  time.Time // the newest event's; since, before there is one
	seen  map[eventKey]time.Time
}

type eventKey struct {
	at             int64
	id             string
	action, signal string
}

func newCursor(since time.Time) *cursor {
	return &cursor{since: since, last: since, seen: make(map[eventKey]time.Time)}
}

// from is where to resume.
func (c *cursor) from() time.Time {
	from := c.last.Add(-overlap)
	if from.Before(c.since) {
		return c.since
	}
	return from
}

// fresh reports whether the message was not seen before, and remembers it.
func (c *cursor) fresh(m events.Message) bool {
	key := eventKey{at: m.TimeNano, id: m.Actor.ID, action: string(m.Action), signal: m.Actor.Attributes["signal"]}
	at := time.Unix(0, m.TimeNano)
	if _, again := c.seen[key]; again || at.Before(c.since) {
		return false
	}
	c.seen[key] = at
	if at.After(c.last) {
		c.last = at
	}
	maps.DeleteFunc(c.seen, func(_ eventKey, at time.Time) bool { return at.Before(c.last.Add(-2 * overlap)) })
	return true
}

// unixNano is a time as the engine's interface takes it.
func unixNano(t time.Time) string {
	if t.IsZero() {
		return "0"
	}
	return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond())
}
