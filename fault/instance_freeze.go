package fault

import (
	"context"
	"errors"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// InstanceFreeze stops every process of each target's container and keeps
// them where they are, as a host that swaps, a virtual machine that is being
// moved, or a very long garbage collection does. The kernel goes on accepting
// connections for the frozen process, so that a check of the port alone sees
// nothing; what a client sends is taken and never answered, until the thaw.
// Once the port's queue is full, which holds 50 in Java if nothing else is
// said, the kernel drops further attempts, and they time out.
// The zero value is ready to use.
type InstanceFreeze struct {
	// Port is the TCP port whose silence is part of the proof; 0 is the one
	// that the node says it serves.
	Port int `json:"port,omitempty"`
}

// Kind is "instance-freeze".
func (InstanceFreeze) Kind() string { return "instance-freeze" }

// Validate reports a port that cannot be.
func (f InstanceFreeze) Validate() error { return validPort(f.Kind(), f.Port) }

// Inject freezes the containers; the undo thaws them. One that does not run,
// or is frozen already, is an error: it would pass for this fault's doing.
func (f InstanceFreeze) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	return freeze(ctx, f.Kind(), nodes, f.Port, log)
}

// freeze freezes the targets' containers, all of which must run and be thawed.
func freeze(ctx context.Context, kind string, nodes []topology.Node, port int, log Recorder) error {
	vs, err := runningVictims(ctx, kind, nodes, port, false)
	if err != nil {
		return err
	}
	if err := nonePaused(ctx, kind, vs); err != nil {
		return err
	}
	return actOn(kind, vs, log, ensures(Unpaused, nil), func(v victim) error {
		return v.pause(ctx)
	})
}

// nonePaused checks, before any act, that no victim is frozen already.
func nonePaused(ctx context.Context, kind string, vs []victim) error {
	return inTurn(kind, vs, func(v victim) error {
		state, err := v.Inspect(ctx)
		if err == nil && state.Paused {
			err = errors.New("it is frozen already: thaw it first")
		}
		return err
	})
}

// Active holds when the engine says that the containers are frozen and their
// ports accept a connection and leave a request unanswered, or, with their
// queue full, take no more. To is when the engine was seen to say so.
func (f InstanceFreeze) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, false)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, "frozen: accepts and does not answer", vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		st, err := v.Inspect(ctx)
		if err != nil {
			return s, err
		}
		if !st.Running || !st.Paused {
			s.measured = "not frozen"
			s.see(false, "the engine says that it runs: %t, frozen: %t", st.Running, st.Paused)
			return s, nil
		}
		s.measured, s.to = "frozen", time.Now()
		s.see(true, "the engine says that it is frozen")
		return s, seeAnswer(ctx, &s, v, silent, unreachable)
	})
}

// Healed holds when the containers run, not frozen, and their ports answer a
// request.
func (f InstanceFreeze) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, false)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, "thawed: answers", vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		st, err := v.Inspect(ctx)
		if err != nil {
			return s, err
		}
		if !st.Running || st.Paused {
			s.measured = "not running"
			s.see(false, "the engine says that it runs: %t, frozen: %t", st.Running, st.Paused)
			return s, nil
		}
		s.measured = "running"
		s.see(true, "the engine says that it runs and is not frozen")
		return s, seeAnswer(ctx, &s, v, answered)
	})
}
