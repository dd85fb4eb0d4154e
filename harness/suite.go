package harness

import (
	"context"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/observe"
	"github.com/hachaos/hachaos/topology"
)

// Suite is all that looks at the system: while it is loaded, and after. Each
// part writes a history.Coverage of itself.
type Suite interface {
	// Observers watch the cluster until their contexts end; dir is where
	// they keep the components' logs.
	Observers(c topology.Cluster, clock history.RunClock, dir string) []observe.Observer
	// Quiesce returns once no request is in flight on any node or balancer.
	Quiesce(ctx context.Context, c topology.Cluster) error
	// Ledger reads the orders straight from the database.
	Ledger(ctx context.Context, c topology.Cluster, sink history.Sink) error
	// Sessions reads each session through the entry and from each node.
	Sessions(ctx context.Context, c topology.Cluster, refs []history.SessionRef, sink history.Sink) error
}

// Observed is the Suite of package observe. The zero value is ready to use.
type Observed struct{}

var _ Suite = Observed{}

// Observers implements Suite.
func (Observed) Observers(c topology.Cluster, clock history.RunClock, dir string) []observe.Observer {
	return observe.All(c, clock, dir)
}

// Quiesce implements Suite.
func (Observed) Quiesce(ctx context.Context, c topology.Cluster) error {
	return observe.Quiesce(ctx, c)
}

// Ledger implements Suite.
func (Observed) Ledger(ctx context.Context, c topology.Cluster, sink history.Sink) error {
	return observe.Ledger(ctx, c, sink)
}

// Sessions implements Suite.
func (Observed) Sessions(ctx context.Context, c topology.Cluster, refs []history.SessionRef, sink history.Sink) error {
	return observe.Sessions(ctx, c, c.Entry(), refs, sink)
}
