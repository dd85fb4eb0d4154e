package fault

import (
	"context"
	"fmt"

	"github.com/hachaos/hachaos/topology"
)

// InstanceKill ends the container of each target by SIGKILL, as an
// out-of-memory host or a lost virtual machine does. Its network namespace
// goes with it: new connections are refused for some tens of milliseconds
// and hang from then on. The zero value is ready to use.
type InstanceKill struct {
	// Port is the TCP port whose silence is part of the proof; 0 is the one
	// that the node says it serves.
	Port int `json:"port,omitempty"`
}

// Kind is "instance-kill".
func (InstanceKill) Kind() string { return "instance-kill" }

// Begins names the engine's event with which it takes effect.
func (InstanceKill) Begins() string { return "kill" }

// Validate reports a port that cannot be.
func (f InstanceKill) Validate() error { return validPort(f.Kind(), f.Port) }

// Inject kills the containers; the undo starts them again. One that does not
// run is an error: an earlier death would pass for this one.
func (f InstanceKill) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	vs, err := runningVictims(ctx, f.Kind(), nodes, f.Port, false)
	if err != nil {
		return err
	}
	return actOn(f.Kind(), vs, log, ensures(ContainerRunning, nil), func(v victim) error {
		return v.kill(ctx)
	})
}

// Active holds when the engine reports the containers as ended by SIGKILL
// and their ports answer no more. To is the last end; From is the engine's
// event, which the caller knows.
func (f InstanceKill) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, false)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, "container ended by SIGKILL", vs, func(ctx context.Context, v victim) (sight, error) {
		return seeGone(ctx, v, refused, unreachable)
	})
}

// Healed holds when the containers were started after their end and their
// ports answer again.
func (f InstanceKill) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, false)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, "container running again", vs, seeBack)
}

// validPort reports a TCP port that cannot be; 0 stands for the node's own.
func validPort(kind string, port int) error {
	if port < 0 || port > 65535 {
		return fmt.Errorf("%s: port %d: want 1 to 65535, or 0 for the node's own", kind, port)
	}
	return nil
}
