package topology

import "context"

// Limits are the share of the machine that a node may take. Zero is no limit.
type Limits struct {
	// Memory is in bytes, swap included.
	Memory int64
	// CPU is in cores: 0.25 is a quarter of the time of one.
	CPU float64
}

// Limited is the capability of a node whose limits can be changed while it
// runs. They outlive a restart of the node.
type Limited interface {
	Node
	// Limits are those in force, by the engine's word.
	Limits(ctx context.Context) (Limits, error)
	// Limit puts these in their place. A limit of memory that lies below what
	// the node cannot give back is an error, and changes nothing.
	Limit(ctx context.Context, l Limits) error
}
