package fault

import (
	"context"

	"github.com/hachaos/hachaos/topology"
)

// BalancerKill ends HAProxy, its master and its worker, by SIGKILL, and
// leaves the container, its network and keepalived: new connections are
// refused at once, and the address stays where it is until keepalived's check
// has noticed. The zero value is ready to use.
type BalancerKill struct {
	// Port is the TCP port whose refusal is part of the proof; 0 is the one
	// that the node says it serves.
	Port int `json:"port,omitempty"`
}

// Kind is "balancer-kill".
func (BalancerKill) Kind() string { return "balancer-kill" }

// Validate reports a port that cannot be.
func (f BalancerKill) Validate() error { return validPort(f.Kind(), f.Port) }

func (f BalancerKill) process() supervised { return supervised{f.Kind(), haproxyProcess} }

// Inject kills the processes; the undo starts HAProxy again.
func (f BalancerKill) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	p := f.process()
	return p.inject(ctx, nodes, log, p.killed(), ProcessRunning)
}

// Active holds when no HAProxy is left, its port refuses and the container
// runs on. From is when the signal was sent, To when the end was noticed.
func (f BalancerKill) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.process().goneAt(ctx, nodes, f.Port)
}

// Healed holds when HAProxy runs and its port answers.
func (f BalancerKill) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.process().backAt(ctx, nodes, f.Port)
}
