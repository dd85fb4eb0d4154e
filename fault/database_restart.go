package fault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// DatabaseRestart ends the database in order and starts it again at once, as
// an upgrade or a change of its configuration does. It is over when it is
// proven; the heal ensures that it runs. The zero value is ready to use.
type DatabaseRestart struct {
	// Pause is how long it is away between its end and its start, on top of
	// what both take: the time that an upgrade needs. At most a minute.
	Pause time.Duration `json:"pause,omitempty"`
	// Port is the TCP port whose answer is part of the proof; 0 is the one
	// that the node says it serves.
	Port int `json:"port,omitempty"`
}

// restartMark is a file in the container whose time is that of the restart, so
// that an earlier one is not taken for it.
const restartMark = "/tmp/hachaos-restart"

// restartStatus is a file in the container that says with which exit status it ended
// in a restart: the engine forgets that when it starts it again.
const restartStatus = restartMark + ".status"

// unmarked checks that none of the containers bears the mark of a restart.
func unmarked(ctx context.Context, kind string, vs []victim) error {
	return without(ctx, kind, vs, restartMark, "it bears the mark of a restart")
}

// Kind is "database-restart".
func (DatabaseRestart) Kind() string { return "database-restart" }

// Begins names the engine's event with which it takes effect.
func (DatabaseRestart) Begins() string { return "kill" }

// Takes is how long the database may take to end and to start.
func (f DatabaseRestart) Takes() time.Duration { return stopGrace + f.Pause }

// Validate reports a pause or a port that cannot be.
func (f DatabaseRestart) Validate() error {
	if f.Pause < 0 || f.Pause > time.Minute {
		return fmt.Errorf("database-restart: pause %v: want 0s to 1m", f.Pause)
	}
	return validPort(f.Kind(), f.Port)
}

// Inject marks, stops and starts the containers. One that does not run, or bears
// the mark of a restart, is an error, and so is one that did not end in order within 8 s: the engine forgets
// how a container ended when it starts it again, so that this is the time to
// ask.
func (f DatabaseRestart) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	vs, err := runningVictims(ctx, f.Kind(), nodes, f.Port, false)
	if err != nil {
		return err
	}
	if err := unmarked(ctx, f.Kind(), vs); err != nil {
		return err
	}
	for _, v := range vs {
		if err := log.Record(Entry{Undo: RestartMarkAbsent, Node: v.Name()}); err != nil {
			return fmt.Errorf("%s %s: %w", f.Kind(), v.Name(), err)
		}
		if err := succeed(v.Exec(ctx, "/bin/sh", "-c", ": >"+restartMark)); err != nil {
			return fmt.Errorf("%s %s: %w", f.Kind(), v.Name(), err)
		}
		if err := endInOrder(ctx, v); err != nil {
			return fmt.Errorf("%s %s: %w", f.Kind(), v.Name(), err)
		}
		if err := pause(ctx, f.Pause); err != nil {
			return fmt.Errorf("%s %s: %w", f.Kind(), v.Name(), err)
		}
		if err := v.Start(ctx); err != nil {
			return fmt.Errorf("%s %s: %w", f.Kind(), v.Name(), err)
		}
	}
	return nil
}

// endInOrder stops the database. That the engine had to kill it is an error.
func endInOrder(ctx context.Context, v victim) error {
	if err := v.stop(ctx, stopGrace); err != nil {
		return err
	}
	st, err := v.Inspect(ctx)
	if err == nil && !st.Running && st.ExitCode == exitKilled {
		err = fmt.Errorf("it did not end in order within %v and was killed: exit status %d", stopGrace, st.ExitCode)
	}
	return err
}

// restartSlack is how much longer than the pause a database may be away between its
// end and its start: what an engine needs to tell of the one and to do the other.
const restartSlack = 3 * time.Second

// Active holds when the containers ended and started after the restart was
// asked for, were away for the pause and at most 3 s longer, and answer; that they
// ended in order Inject has seen. From is the last end of one, To its start.
func (f DatabaseRestart) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, false)
	if err != nil {
		return Proof{}, err
	}
	asked := fmt.Sprintf("container ended and started %v later, or up to %v more", f.Pause, restartSlack)
	return prove(ctx, asked, vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		st, mark, err := f.see(ctx, &s, v)
		if err != nil || !s.ok {
			return s, err
		}
		s.from, s.to = st.FinishedAt, st.StartedAt
		s.see(!mark.IsZero() && st.FinishedAt.After(mark), "its end came after the restart was asked for")
		away := st.StartedAt.Sub(st.FinishedAt).Round(time.Millisecond)
		s.measured = fmt.Sprintf("away for %v", away)
		s.see(away >= f.Pause && away <= f.Pause+restartSlack, "between its end and its start it was away for %v", away)
		return s, seeConnect(ctx, &s, v, connected)
	})
}

// Healed holds when the containers run, answer, and bear no mark.
func (f DatabaseRestart) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, false)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, "container running, restart over", vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		_, mark, err := f.see(ctx, &s, v)
		if err != nil || !s.ok {
			return s, err
		}
		s.see(mark.IsZero(), "the mark of the restart is there: %t", !mark.IsZero())
		return s, seeConnect(ctx, &s, v, connected)
	})
}

// see asks the engine for the container's state, and the container for its
// mark; zero if there is none.
func (DatabaseRestart) see(ctx context.Context, s *sight, v victim) (topology.State, time.Time, error) {
	st, err := v.Inspect(ctx)
	if err != nil {
		return st, time.Time{}, err
	}
	if !st.Running || st.Paused {
		s.measured = "not running"
		s.see(false, "the engine says it does not run")
		return st, time.Time{}, nil
	}
	s.measured = "running since " + st.StartedAt.UTC().Format(stamp)
	s.see(true, "the engine says it runs since %s, after its end at %s", st.StartedAt.UTC().Format(stamp), st.FinishedAt.UTC().Format(stamp))
	out, err := v.Exec(ctx, "/bin/sh", "-c", "stat -c %.9Y "+restartMark+" 2>/dev/null || echo -")
	if err := succeed(out, err); err != nil {
		return st, time.Time{}, err
	}
	mark, err := parseStamp(strings.TrimSpace(string(out.Stdout)))
	return st, mark, err
}

func ensureNoRestartMark(ctx context.Context, n topology.Node, _ map[string]string) error {
	if err := ensureContainer(ctx, n, nil); err != nil {
		return err
	}
	for {
		err := succeed(n.Exec(ctx, "rm", "-f", restartStatus, restartMark))
		if !errors.Is(err, topology.ErrNotRunning) {
			return err
		}
		if pause(ctx, poll) != nil { // it is just starting
			return err
		}
	}
}
