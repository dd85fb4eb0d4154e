package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/hachaos/hachaos/history"
)

// Reconnect is how a client of a long-lived connection comes back.
type Reconnect struct {
	// Patience is how long the server may be silent before the client gives
	// the connection up: three of the server's beats, of which one or two
	// may be late.
	Patience time.Duration
	// Wait is the pause before it connects again, drawn anew each time from
	// half of it to one and a half, so that those who lost their connections
	// together do not come back together.
	Wait time.Duration
	// Together has every client wait for exactly Wait: a herd, to show that
	// it is seen.
	Together bool
}

// DefaultReconnect fits the sample application, whose open connections are
// silent for half a second at most and which tells its clients to wait 200 ms.
func DefaultReconnect() Reconnect {
	return Reconnect{Patience: 1500 * time.Millisecond, Wait: 200 * time.Millisecond}
}

// Longest is how long it takes, from the last that was heard on a connection
// that died in silence, until the client asks for another.
func (r Reconnect) Longest() time.Duration { return r.Patience + r.Wait*3/2 }

// link is one client's long-lived connection, over its whole life.
type link struct {
	Reconnect
	client int
	clock  history.RunClock
	sink   history.Sink
	rng    *rand.Rand
	alive  time.Duration // when the server was last heard
}

func newLink(r Reconnect, client int, clock history.RunClock, sink history.Sink) *link {
	return &link{Reconnect: r, client: client, clock: clock, sink: sink, rng: rand.New(rand.NewPCG(uint64(client), 0)), alive: clock.Now()}
}

// heard notes that the server lives.
func (l *link) heard() { l.alive = l.clock.Now() }

// tell journals a change.
func (l *link) tell(c history.Link) {
	c.Client, c.Alive = l.client, l.alive
	l.sink.Put(history.Observe(l.clock.Now(), c))
}

// keep connects again and again until ctx ends. connect returns when its
// connection has ended, with what to journal of it.
func (l *link) keep(ctx context.Context, connect func(context.Context) history.Link) {
	defer func() { l.tell(history.Link{State: history.LinkEnd}) }()
	for ctx.Err() == nil {
		ended := connect(ctx)
		if ctx.Err() != nil {
			return // its end is the client's own
		}
		l.tell(ended)
		wait := l.Wait
		if !l.Together {
			wait = l.Wait/2 + time.Duration(l.rng.Int64N(int64(l.Wait)+1))
		}
		pause(ctx, wait)
	}
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// validClients refuses a number of clients that is a slip of the pen.
func validClients(kind string, n int) error {
	if n < 1 || n > MaxSessions {
		return fmt.Errorf("companion %s: %d clients: want 1 to %d", kind, n, MaxSessions)
	}
	return nil
}
