package load

import (
	"context"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

// Companion is a client beside the mix: one that follows an event stream,
// uploads files, watches a price. It is a plain value with no state of a run,
// one file each, and safe for concurrent use. What it sees it journals as
// observations of its own streams.
type Companion interface {
	// Kind names it: "event-stream". Unique in a scenario.
	Kind() string
	// Validate reports parameters that make no sense, before anything starts.
	Validate() error
	// Streams are the observations that it writes.
	Streams() []string
	// Run is the client's life: from the load's beginning until ctx ends,
	// which is when the load stops; then it returns once what it had begun is
	// over. Before that it accounts for each of its streams by a Coverage; an
	// error, like a panic, makes them incomplete. The function that it
	// returns, which may be nil, is called once the system is healed and
	// quiet, to read what became of what it did.
	Run(ctx context.Context, target Target, clock history.RunClock, sink history.Sink) (Aftermath, error)
}

// Aftermath reads, when all is quiet, what a companion needs to know of the
// end.
type Aftermath func(ctx context.Context, c topology.Cluster) error
