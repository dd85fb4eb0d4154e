package fault

import (
	"context"

	"github.com/hachaos/hachaos/topology"
)

// KeepalivedFreeze stops keepalived by SIGSTOP and leaves HAProxy and the
// container. The address stays on the interface while the peer, that hears no
// advertisement any more, takes it too; once thawed, one of the two yields.
// The zero value is ready to use.
type KeepalivedFreeze struct{}

// Kind is "keepalived-freeze".
func (KeepalivedFreeze) Kind() string { return "keepalived-freeze" }

// Validate finds nothing wrong: there are no parameters.
func (KeepalivedFreeze) Validate() error { return nil }

func (f KeepalivedFreeze) process() supervised { return supervised{f.Kind(), keepalivedProcess} }

// Inject stops the processes; the undo thaws them.
func (f KeepalivedFreeze) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	p := f.process()
	return p.inject(ctx, nodes, log, p.stopped(), ProcessThawed)
}

// Active holds when every process of keepalived is stopped. From and To
// bracket the signals.
func (f KeepalivedFreeze) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.process().frozen(ctx, nodes, nothingElse)
}

// Healed holds when keepalived runs.
func (f KeepalivedFreeze) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.process().back(ctx, nodes, nothingElse)
}
