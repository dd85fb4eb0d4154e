package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// DatabaseFreeze freezes every process of the database: the kernel still
// accepts connections for it, and nothing answers. The zero value is ready to
// use.
type DatabaseFreeze struct {
	// Port is the TCP port whose silence is part of the proof; 0 is the one
	// that the node says it serves.
	Port int `json:"port,omitempty"`
}

// Kind is "database-freeze".
func (DatabaseFreeze) Kind() string { return "database-freeze" }

// Begins names the engine's event with which it takes effect.
func (DatabaseFreeze) Begins() string { return "pause" }

// Validate reports a port that cannot be.
func (f DatabaseFreeze) Validate() error { return validPort(f.Kind(), f.Port) }

// Inject freezes the containers; the undo thaws them. One that does not run,
// or is frozen already, is an error.
func (f DatabaseFreeze) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	return freeze(ctx, f.Kind(), nodes, f.Port, log)
}

// Active holds when the engine says that the containers are frozen, and their
// ports accept a connection on which nothing answers, or, with their queue
// full, no more. To is when the engine was seen to say so; From is its event,
// which the caller knows.
func (f DatabaseFreeze) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, "frozen: accepts and does not answer", true, silent, unreachable)
}

// Healed holds when they run, not frozen, and answer.
func (f DatabaseFreeze) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, "thawed: answers", false, answered)
}

func (f DatabaseFreeze) look(ctx context.Context, nodes []topology.Node, asked string, frozen bool, want ...string) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, false)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, asked, vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		st, err := v.Inspect(ctx)
		if err != nil {
			return s, err
		}
		s.measured = fmt.Sprintf("running: %t, frozen: %t", st.Running, st.Paused)
		s.see(st.Running && st.Paused == frozen, "the engine says: %s", s.measured)
		if !s.ok {
			return s, nil
		}
		if frozen {
			s.to = time.Now()
		}
		return s, seeAnswer(ctx, &s, v, want...)
	})
}
