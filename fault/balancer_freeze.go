package fault

import (
	"context"

	"github.com/hachaos/hachaos/topology"
)

// BalancerFreeze stops HAProxy, its master and its worker, by SIGSTOP, and
// leaves the rest of the container running: the kernel goes on to accept
// connections that nobody answers, and keepalived's check has to notice. The
// zero value is ready to use.
type BalancerFreeze struct {
	// Port is the TCP port whose silence is part of the proof; 0 is the one
	// that the node says it serves.
	Port int `json:"port,omitempty"`
}

// Kind is "balancer-freeze".
func (BalancerFreeze) Kind() string { return "balancer-freeze" }

// Validate reports a port that cannot be.
func (f BalancerFreeze) Validate() error { return validPort(f.Kind(), f.Port) }

func (f BalancerFreeze) process() supervised { return supervised{f.Kind(), haproxyProcess} }

// Inject stops the processes; the undo thaws HAProxy, or starts it where
// somebody ended it meanwhile.
func (f BalancerFreeze) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	p := f.process()
	return p.inject(ctx, nodes, log, p.stopped(), ProcessThawed)
}

// Active holds when every process of HAProxy is stopped and its port accepts
// and does not answer. It asks at once, before a keepalived that fences can
// have ended it. From and To bracket the signals.
func (f BalancerFreeze) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.process().silentAt(ctx, nodes, f.Port, silent)
}

// Healed holds when HAProxy runs, and its port answers.
func (f BalancerFreeze) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.process().answersAt(ctx, nodes, f.Port)
}
