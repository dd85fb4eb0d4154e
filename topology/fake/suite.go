package fake

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/observe"
	"github.com/hachaos/hachaos/topology"
)

// Suite looks at a cluster in memory: with the observers of package observe
// where the wire contract reaches, and at what is left, the database and the
// machine, directly. The zero value is whole.
type Suite struct {
	// Dead are observers, by name, that end at once with no account.
	Dead []string
	// Lame are observers, by name, that never end.
	Lame []string
	// Busy makes the system never quiet.
	Busy bool
}

// Observers watch the cluster.
func (s Suite) Observers(c topology.Cluster, clock history.RunClock, dir string) []observe.Observer {
	var all []observe.Observer
	for _, o := range observe.All(c, clock, dir) {
		switch kind, _, _ := strings.Cut(o.Name(), " "); {
		case slices.Contains(s.Dead, o.Name()):
			all = append(all, dead{o})
		case slices.Contains(s.Lame, o.Name()):
			all = append(all, lame{o})
		case kind == "connections", kind == "host":
		default:
			all = append(all, o)
		}
	}
	return append(all, connections{c.(*Cluster), clock})
}

// Quiesce waits until no request is in flight.
func (s Suite) Quiesce(ctx context.Context, c topology.Cluster) error {
	if s.Busy {
		<-ctx.Done()
		return fmt.Errorf("wait until no request is in flight: %w", ctx.Err())
	}
	return observe.Quiesce(ctx, c)
}

// Sessions reads all sessions.
func (Suite) Sessions(ctx context.Context, c topology.Cluster, refs []history.SessionRef, sink history.Sink) error {
	return observe.Sessions(ctx, c, c.Entry(), refs, sink)
}

// Ledger reads the orders from memory.
func (Suite) Ledger(_ context.Context, c topology.Cluster, sink history.Sink) error {
	rows, err := c.(*Cluster).Orders()
	account := history.Coverage{Stream: history.StreamLedger, Complete: err == nil, Seen: uint64(len(rows))}
	if err != nil {
		account.Reason = err.Error()
	}
	for _, r := range rows {
		put(sink, history.StreamLedger, 0, history.LedgerRow{Order: r.ID, Key: r.Key, Op: r.Op, Attempt: r.Attempt, Node: r.Node, Version: r.Version})
	}
	put(sink, history.StreamCoverage, 0, account)
	return err
}

// Orders are the rows that the database holds.
func (c *Cluster) Orders() ([]Row, error) {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	if !c.store.up() {
		return nil, errStore
	}
	return slices.Clone(c.store.rows), nil
}

// connections says, twice a second, that the database has as many
// connections as there are application nodes.
type connections struct {
	c     *Cluster
	clock history.RunClock
}

func (connections) Name() string { return "connections db" }

func (o connections) Observe(ctx context.Context, sink history.Sink) error {
	seen := uint64(0)
	for every := time.NewTicker(500 * time.Millisecond); ; {
		n := len(o.c.apps())
		put(sink, history.StreamConnections, o.clock.Now(), history.Connections{Known: o.c.store.up(), Total: n, Max: 100})
		seen++
		select {
		case <-every.C:
		case <-ctx.Done():
			every.Stop()
			put(sink, history.StreamCoverage, o.clock.Now(), history.Coverage{Stream: history.StreamConnections, Source: "db", Complete: true, Seen: seen})
			return nil
		}
	}
}

// dead is an observer that ends before it has accounted for itself.
type dead struct{ observe.Observer }

func (d dead) Observe(context.Context, history.Sink) error { panic(d.Name() + " is dead") }

// lame is an observer that does not end when it should.
type lame struct{ observe.Observer }

func (l lame) Observe(ctx context.Context, _ history.Sink) error {
	<-ctx.Done()
	time.Sleep(10 * time.Minute)
	return nil
}

func put(sink history.Sink, stream string, at time.Duration, v any) {
	e := history.Event{At: at, Kind: history.Observed, Name: stream}
	b, err := json.Marshal(v)
	if err != nil {
		e.Err = err.Error()
	}
	e.Data = b
	sink.Put(e)
}
