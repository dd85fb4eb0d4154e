package load

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

// OrderEvents stands for the system behind the application that waits for the
// events of orders: it does nothing during the load, and reads in the end
// what was delivered. The zero value is ready to use.
type OrderEvents struct {
	// Patience is how long it waits, when all is quiet, for what is still on
	// its way; 0 is 15 s.
	Patience time.Duration `json:"patience,omitempty"`
}

// Kind is "order-events".
func (OrderEvents) Kind() string { return "order-events" }

// Validate reports a patience that cannot be.
func (e OrderEvents) Validate() error {
	if e.Patience < 0 {
		return fmt.Errorf("patience %v: want none, for 15 s, or a time", e.Patience)
	}
	return nil
}

// Streams is the deliveries.
func (OrderEvents) Streams() []string { return []string{history.StreamDelivery} }

// Run waits; the function that it returns reads the deliveries straight from
// the database once they have stood still for settled.
func (e OrderEvents) Run(ctx context.Context, _ Target, clock history.RunClock, sink history.Sink) (Aftermath, error) {
	<-ctx.Done()
	return func(ctx context.Context, c topology.Cluster) error {
		return e.read(ctx, c, clock, sink)
	}, nil
}

// settled is how long nothing may have come for all to have come: a few times
// the pause of the application's publisher.
const (
	settled      = 2 * time.Second
	deliveryPoll = 250 * time.Millisecond
)

// deliverySQL gives each order with how often it was delivered, by whom, and
// whether its event still waits.
const deliverySQL = `SELECT coalesce(d.order_id, o.order_id), coalesce(d.times, 0), coalesce(d.nodes, ''), o.order_id IS NOT NULL
FROM (SELECT order_id, count(*) AS times, string_agg(DISTINCT node, ' ') AS nodes FROM deliveries GROUP BY order_id) d
FULL JOIN outbox o ON o.order_id = d.order_id ORDER BY 1`

func (e OrderEvents) read(ctx context.Context, c topology.Cluster, clock history.RunClock, sink history.Sink) error {
	db, err := databaseNode(c)
	if err != nil {
		return err
	}
	if err := e.settle(ctx, db); err != nil {
		return err
	}
	text, err := query(ctx, db, deliverySQL)
	if err != nil {
		return err
	}
	seen := uint64(0)
	for line := range strings.Lines(text) {
		d, err := parseDelivery(strings.TrimSpace(line))
		if err != nil {
			return err
		}
		seen++
		sink.Put(history.Observe(clock.Now(), d))
	}
	sink.Put(history.Observe(clock.Now(), history.Coverage{Stream: history.StreamDelivery, Source: "order-events", Complete: true, Seen: seen}))
	return nil
}

// settle waits until nothing waits any more and nothing has come for settled,
// or the patience ends: what still waits then is for the judge.
func (e OrderEvents) settle(ctx context.Context, db topology.Node) error {
	ctx, cancel := context.WithTimeoutCause(ctx, or(e.Patience, 15*time.Second), errPatience)
	defer cancel()
	last, since := "", time.Now()
	for {
		now, err := query(ctx, db, `SELECT (SELECT count(*) FROM outbox), (SELECT count(*) FROM deliveries)`)
		switch {
		case ctx.Err() != nil:
			if context.Cause(ctx) == errPatience {
				return nil
			}
			return ctx.Err()
		case err != nil:
			return err
		case now != last:
			last, since = now, time.Now()
		case strings.HasPrefix(now, "0|") && time.Since(since) >= settled:
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(deliveryPoll):
		}
	}
}

// databaseNode is the cluster's database.
func databaseNode(c topology.Cluster) (topology.Node, error) {
	for _, n := range c.Nodes() {
		if n.Role() == topology.Database {
			return n, nil
		}
	}
	return nil, fmt.Errorf("the topology has no database: %w", topology.ErrNotFound)
}

// query runs SQL on the application's database, beside it, and returns rows of
// fields with a bar between them.
func query(ctx context.Context, db topology.Node, sql string) (string, error) {
	out, err := db.Exec(ctx, "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", "jetty_sessions", "-c", sql)
	if err != nil {
		return "", fmt.Errorf("query %s: %w", db.Name(), err)
	}
	if out.Code != 0 {
		return "", fmt.Errorf("query %s: exit status %d: %s", db.Name(), out.Code, strings.TrimSpace(string(out.Stderr)))
	}
	return string(out.Stdout), nil
}

// parseDelivery reads "7|1|j1 j2|f".
func parseDelivery(line string) (history.Delivery, error) {
	f := strings.Split(line, "|")
	if len(f) != 4 {
		return history.Delivery{}, fmt.Errorf("delivery %q: want four fields", line)
	}
	order, err1 := strconv.ParseInt(f[0], 10, 64)
	times, err2 := strconv.Atoi(f[1])
	if err1 != nil || err2 != nil {
		return history.Delivery{}, fmt.Errorf("delivery %q: want numbers first", line)
	}
	return history.Delivery{Order: order, Times: times, Nodes: strings.Fields(f[2]), Waits: f[3] == "t"}, nil
}
