package load

import (
	"context"
	"fmt"
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
const deliverySQL = `SELECT coalesce(d.order_id, o.order_id) AS "order", coalesce(d.times, 0) AS times, d.nodes, o.order_id IS NOT NULL AS waits
FROM (SELECT order_id, count(*) AS times, array_agg(DISTINCT node) AS nodes FROM deliveries GROUP BY order_id) d
FULL JOIN outbox o ON o.order_id = d.order_id ORDER BY 1`

// underWaySQL tells how many events wait and how many were delivered.
const underWaySQL = `SELECT (SELECT count(*) FROM outbox) AS waiting, (SELECT count(*) FROM deliveries) AS delivered`

func (e OrderEvents) read(ctx context.Context, c topology.Cluster, clock history.RunClock, sink history.Sink) error {
	if err := e.settle(ctx, c); err != nil {
		return err
	}
	seen, err := readRows(ctx, c, deliverySQL, func(d history.Delivery) { sink.Put(history.Observe(clock.Now(), d)) })
	if err != nil {
		return err
	}
	sink.Put(history.Observe(clock.Now(), history.Coverage{Stream: history.StreamDelivery, Source: "order-events", Complete: true, Seen: seen}))
	return nil
}

// settle waits until nothing waits any more and nothing has come for settled,
// or the patience ends: what still waits then is for the judge.
func (e OrderEvents) settle(ctx context.Context, c topology.Cluster) error {
	ctx, cancel := context.WithTimeoutCause(ctx, or(e.Patience, 15*time.Second), errPatience)
	defer cancel()
	type underWay struct{ Waiting, Delivered int64 }
	last, since := underWay{-1, -1}, time.Now()
	for {
		var now underWay
		_, err := readRows(ctx, c, underWaySQL, func(row underWay) { now = row })
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
		case now.Waiting == 0 && time.Since(since) >= settled:
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(deliveryPoll):
		}
	}
}
