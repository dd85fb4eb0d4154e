package fault

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// InstanceRestart ends the container of each target and starts it again at
// once, all of them at the same time: nothing that the process had in memory
// is left, and whatever it has to warm is cold. The zero value is ready to
// use.
type InstanceRestart struct {
	// Grace is how long a container may take to end by itself before it is
	// killed; 0 is DefaultGrace.
	Grace time.Duration `json:"grace,omitempty"`
	// Kill ends it by SIGKILL instead, without a grace.
	Kill bool `json:"kill,omitempty"`
	// Port is the TCP port whose answer is part of the proof that it is back;
	// 0 is the one that the node says it serves.
	Port int `json:"port,omitempty"`
}

// Kind is "instance-restart".
func (InstanceRestart) Kind() string { return "instance-restart" }

// Begins names the engine's event with which it takes effect.
func (InstanceRestart) Begins() string { return "kill" }

// Takes is the grace.
func (f InstanceRestart) Takes() time.Duration { return f.stop().grace() }

func (f InstanceRestart) stop() InstanceStop { return InstanceStop{Grace: f.Grace} }

// Validate reports a grace or a port that cannot be.
func (f InstanceRestart) Validate() error {
	if f.Kill && f.Grace != 0 {
		return fmt.Errorf("%s: grace %v: a container that is killed has none", f.Kind(), f.Grace)
	}
	if err := validGrace(f.Kind(), f.Grace); err != nil {
		return err
	}
	return validPort(f.Kind(), f.Port)
}

// Inject restarts the containers. The undo starts those that do not run, and
// takes away the mark of the act. One that does not run, or bears such a mark, is an
// error.
func (f InstanceRestart) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	vs, err := runningVictims(ctx, f.Kind(), nodes, f.Port, false)
	if err != nil {
		return err
	}
	if err := unmarked(ctx, f.Kind(), vs); err != nil {
		return err
	}
	return actOn(f.Kind(), vs, log, ensures(RestartMarkAbsent, nil), func(v victim) error { return f.restart(ctx, v) })
}

func (f InstanceRestart) restart(ctx context.Context, v victim) error {
	if err := succeed(v.Exec(ctx, "/bin/sh", "-c", ": >"+restartMark)); err != nil {
		return err
	}
	end := func() error { return v.stop(ctx, f.stop().grace()) }
	if f.Kill {
		end = func() error { return v.kill(ctx) }
	}
	if err := end(); err != nil {
		return err
	}
	st, err := v.Inspect(ctx)
	if err != nil {
		return err
	}
	if err := v.Start(ctx); err != nil {
		return err
	}
	return succeed(v.Exec(ctx, "/bin/sh", "-c", fmt.Sprintf("echo %d >%s", st.ExitCode, restartStatus)))
}

// restarted prints when the act began and with which exit status the container ended
// in it, "-" for what is not there.
const restarted = "stat -c %.9Y " + restartMark + " 2>/dev/null || echo -; cat " + restartStatus + " 2>/dev/null || echo -"

// parseRestarted reads what restarted prints.
func parseRestarted(text string) (acted time.Time, status string, err error) {
	f := strings.Fields(text)
	if len(f) != 2 {
		return acted, "", fmt.Errorf("marks of the restart: %.80q: want a time and an exit status", text)
	}
	acted, err = parseStamp(f[0])
	return acted, f[1], err
}

// Active holds when the engine reports an end of each container that came
// after the act had begun, and a start after it, and has said between the two that
// the container ended by itself, or by SIGKILL if that was asked for. From is the
// act, To the last end.
func (f InstanceRestart) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, false)
	if err != nil {
		return Proof{}, err
	}
	asked := "container ended by itself and started again"
	if f.Kill {
		asked = "container ended by SIGKILL and started again"
	}
	return prove(ctx, asked, vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		st, err := v.Inspect(ctx)
		if err != nil {
			return s, err
		}
		seeStarted(&s, st)
		if !s.ok {
			return s, nil
		}
		out, err := v.Exec(ctx, "/bin/sh", "-c", restarted)
		if err := succeed(out, err); err != nil {
			return s, err
		}
		acted, status, err := parseRestarted(string(out.Stdout))
		if err != nil {
			return s, err
		}
		if acted.IsZero() || !st.FinishedAt.After(acted) {
			s.measured = "not ended since the act"
			s.see(false, "its last end, at %s, did not come after the act", st.FinishedAt.UTC().Format(stamp))
			return s, nil
		}
		s.measured = fmt.Sprintf("ended with exit status %s and started again within %v", status, st.StartedAt.Sub(st.FinishedAt).Round(time.Millisecond))
		s.see(status != "-" && (status == strconv.Itoa(exitKilled)) == f.Kill, "before its start the engine said that it had ended with exit status %s", status)
		s.see(true, "the act began at %s", acted.UTC().Format(stamp))
		s.from, s.to = acted, st.FinishedAt // the service is away from then on
		return s, nil
	})
}

// Healed holds when the containers run, their ports answer, and the mark of
// the act is gone.
func (f InstanceRestart) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, false)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, "running, no restart pending", vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		st, err := v.Inspect(ctx)
		if err != nil {
			return s, err
		}
		s.measured = fmt.Sprintf("running: %t", st.Running && !st.Paused)
		s.see(st.Running && !st.Paused, "the engine says that it runs: %t, since %s", st.Running, st.StartedAt.UTC().Format(stamp))
		if !s.ok {
			return s, nil
		}
		left, err := v.marked(ctx, restartMark)
		if err != nil {
			return s, err
		}
		s.see(!left, "mark of the act in the container: %t", left)
		return s, seeConnect(ctx, &s, v, connected)
	})
}

// marked says whether a file is in the victim's container.
func (v victim) marked(ctx context.Context, file string) (bool, error) {
	out, err := v.Exec(ctx, "/bin/sh", "-c", "test -e "+file+" && echo yes || echo no")
	if err := succeed(out, err); err != nil {
		return false, err
	}
	return strings.TrimSpace(string(out.Stdout)) == "yes", nil
}
