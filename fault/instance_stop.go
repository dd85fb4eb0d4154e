package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// DefaultGrace is how long a container may take to end by itself: Docker's
// own default (docker stop, --time).
const DefaultGrace = 10 * time.Second

// InstanceStop asks each target's container to end, as an orderly shutdown
// does: SIGTERM, and SIGKILL only for one that has not ended after the grace.
// A container that had to be killed was not stopped, and is no proof. The
// zero value is ready to use.
type InstanceStop struct {
	// Grace is how long it may take; 0 is DefaultGrace.
	Grace time.Duration `json:"grace,omitempty"`
	// Port is the TCP port whose silence is part of the proof; 0 is the one
	// that the node says it serves.
	Port int `json:"port,omitempty"`
}

// Kind is "instance-stop".
func (InstanceStop) Kind() string { return "instance-stop" }

// Begins names the engine's event with which it takes effect: the engine
// reports SIGTERM as a kill.
func (InstanceStop) Begins() string { return "kill" }

// Takes is the grace: the engine answers when the container has ended.
func (f InstanceStop) Takes() time.Duration { return f.grace() }

func (f InstanceStop) grace() time.Duration {
	if f.Grace > 0 {
		return f.Grace
	}
	return DefaultGrace
}

// Validate reports a grace or a port that cannot be.
func (f InstanceStop) Validate() error {
	if err := validGrace(f.Kind(), f.Grace); err != nil {
		return err
	}
	return validPort(f.Kind(), f.Port)
}

// validGrace reports a time that an engine cannot wait.
func validGrace(kind string, grace time.Duration) error {
	if grace < 0 || grace > time.Minute || grace != grace.Truncate(time.Second) {
		return fmt.Errorf("%s: grace %v: want whole seconds up to 1m, or 0 for %v", kind, grace, DefaultGrace)
	}
	return nil
}

// Inject stops the containers, all at the same time; the undo starts them
// again. One that does not run is an error.
func (f InstanceStop) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	vs, err := runningVictims(ctx, f.Kind(), nodes, f.Port, false)
	if err != nil {
		return err
	}
	return actOn(f.Kind(), vs, log, ensures(ContainerRunning, nil), func(v victim) error {
		return v.stop(ctx, f.grace())
	})
}

// Active holds when the engine reports the containers as ended by themselves,
// not by SIGKILL, and their ports answer no more. To is the last end; From is
// the engine's event, which the caller knows.
func (f InstanceStop) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, false)
	if err != nil {
		return Proof{}, err
	}
	asked := fmt.Sprintf("container ended by itself within %v", f.grace())
	return prove(ctx, asked, vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		st, err := v.Inspect(ctx)
		if err != nil {
			return s, err
		}
		seeStopped(&s, st)
		if !s.ok {
			return s, nil
		}
		return s, seeConnect(ctx, &s, v, refused, unreachable)
	})
}

// Healed holds when the containers were started after their end and their
// ports answer again.
func (f InstanceStop) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, false)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, "container running again", vs, seeBack)
}
