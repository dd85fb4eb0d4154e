package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// DatabaseDown ends the database's container and starts it again when it
// heals. The zero value kills it, as a crash does; the database then recovers
// from its log when it starts.
type DatabaseDown struct {
	// Stop asks it to end in order instead, as an operator does: its clients
	// are told, and it writes a checkpoint.
	Stop bool `json:"stop,omitempty"`
	// Port is the TCP port whose silence is part of the proof; 0 is the one
	// that the node says it serves.
	Port int `json:"port,omitempty"`
}

// stopGrace is how long a database may take to end in order.
const stopGrace = 8 * time.Second

// Kind is "database-down".
func (DatabaseDown) Kind() string { return "database-down" }

// Begins names the engine's event with which it takes effect.
func (DatabaseDown) Begins() string { return "kill" }

// Validate reports a port that cannot be.
func (f DatabaseDown) Validate() error { return validPort(f.Kind(), f.Port) }

// Inject ends the containers; the undo starts them. One that does not run is
// an error: an earlier death would pass for this one.
func (f DatabaseDown) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	vs, err := runningVictims(ctx, f.Kind(), nodes, f.Port, false)
	if err != nil {
		return err
	}
	return actOn(f.Kind(), vs, log, ensures(ContainerRunning, nil), func(v victim) error {
		return f.end(ctx, v)
	})
}

func (f DatabaseDown) end(ctx context.Context, v victim) error {
	if f.Stop {
		return v.stop(ctx, stopGrace)
	}
	return v.kill(ctx)
}

// Active holds when the engine reports the containers as ended, by SIGKILL
// unless Stop asked for order, and their ports answer no more.
func (f DatabaseDown) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, false)
	if err != nil {
		return Proof{}, err
	}
	asked := "container ended by SIGKILL"
	if f.Stop {
		asked = "container ended in order"
	}
	return prove(ctx, asked, vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		st, err := v.Inspect(ctx)
		if err != nil {
			return s, err
		}
		if f.Stop {
			seeStopped(&s, st)
		} else {
			seeKilled(&s, st)
		}
		if !s.ok {
			return s, nil
		}
		return s, seeConnect(ctx, &s, v, refused, unreachable)
	})
}

// seeStopped looks whether the engine says that the container ended, and not
// by SIGKILL.
func seeStopped(s *sight, st topology.State) {
	if st.Running {
		s.measured = "running"
		s.see(false, "the engine says it runs, since %s", st.StartedAt.UTC().Format(stamp))
		return
	}
	s.measured = fmt.Sprintf("not running, exit status %d", st.ExitCode)
	s.see(st.ExitCode != exitKilled && !st.FinishedAt.IsZero(),
		"the engine says it ended at %s with exit status %d", st.FinishedAt.UTC().Format(stamp), st.ExitCode)
	s.to = st.FinishedAt
}

// Healed holds when the containers were started after their end and their
// ports answer again.
func (f DatabaseDown) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, false)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, "container running again", vs, seeBack)
}
