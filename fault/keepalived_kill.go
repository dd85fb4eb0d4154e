package fault

import (
	"context"

	"github.com/hachaos/hachaos/topology"
)

// KeepalivedKill ends keepalived, its parent and its VRRP process, by
// SIGKILL, and leaves HAProxy and the container. Nobody takes the address off
// the interface, and the peer, that hears no advertisement any more, takes it
// too: both hold it. The zero value is ready to use.
type KeepalivedKill struct{}

// Kind is "keepalived-kill".
func (KeepalivedKill) Kind() string { return "keepalived-kill" }

// Validate finds nothing wrong: there are no parameters.
func (KeepalivedKill) Validate() error { return nil }

func (f KeepalivedKill) process() supervised { return supervised{f.Kind(), keepalivedProcess} }

// Inject kills the processes; the undo starts keepalived again.
func (f KeepalivedKill) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	p := f.process()
	return p.inject(ctx, nodes, log, p.killed(), ProcessRunning)
}

// Active holds when no keepalived is left and the container runs on.
func (f KeepalivedKill) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.process().gone(ctx, nodes, nothingElse)
}

// Healed holds when keepalived runs.
func (f KeepalivedKill) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.process().back(ctx, nodes, nothingElse)
}
