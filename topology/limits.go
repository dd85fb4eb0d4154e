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

// DiskLimit is what holds back what a node writes to one of its disks.
type DiskLimit struct {
	// Device is the kernel's number of the disk, "254:0": of the whole disk,
	// where the file system lies on a part of it.
	Device string
	// Writes are how many a second the disk takes of the node; 0 is no limit.
	Writes int
}

// DiskLimited is the capability of a node whose writes to a disk of its own
// (NodeSpec.Disks) can be held back while it runs. The limit is the control
// group's of the container, and all that the container writes to the device
// counts, wherever its files lie. It ends with the container: each start makes a
// control group that has none.
//
// Both methods give an error that wraps ErrNotFound where the node has no disk
// at that path, and one that wraps ErrNotRunning where the container does not
// run; a paused one does.
type DiskLimited interface {
	Node
	// DiskLimit is what is in force, by the kernel's word.
	DiskLimit(ctx context.Context, at string) (DiskLimit, error)
	// LimitDisk puts a limit of so many writes a second in its place; 0 takes it
	// away. It returns once the kernel says that it is so.
	LimitDisk(ctx context.Context, at string, writes int) error
}
