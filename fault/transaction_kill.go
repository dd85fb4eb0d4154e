package fault

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// Points of an order's transaction at which TransactionKill can strike.
const (
	// BeforeCommit is when the order is written and not yet committed: it
	// must not be there afterwards.
	BeforeCommit = "before-commit"
	// AfterCommit is when the order is committed and not yet answered: the
	// client cannot know what became of it.
	AfterCommit = "after-commit"
)

var crashPoints = []string{AfterCommit, BeforeCommit}

// TransactionKill ends the application's process, as SIGKILL would, at a named
// point of the next order's transaction: the moment that a kill from outside
// only meets by chance. It arms a crash point of the application, which dies
// by itself when it comes there and leaves behind which operation it was at.
// Only an application with such points can be a target: the proof misses the
// mark of any other. The zero value strikes after the commit.
type TransactionKill struct {
	// Point is AfterCommit or BeforeCommit; empty is AfterCommit.
	Point string `json:"point,omitempty"`
	// Port is the TCP port whose refusal is part of the proof; 0 is the one
	// that the node says it serves.
	Port int `json:"port,omitempty"`
}

// Files of the application's crash points.
const (
	crashDir  = "/run/hachaos/crash"
	crashMark = crashDir + "/crashed"
)

// disarm takes the crash points away.
const disarm = `rm -rf ` + crashDir

// crashPoint looks: the points that are armed, the mark that the application
// left, and the state of its process as crashed prints it.
const crashPoint = `ls ` + crashDir + ` 2>/dev/null | grep -v crashed | tr '\n' ' '; echo
cat ` + crashMark + ` 2>/dev/null || echo -
` + crashed

// Kind is "transaction-kill".
func (TransactionKill) Kind() string { return "transaction-kill" }

// Validate reports a point that does not exist and a port that cannot be.
func (f TransactionKill) Validate() error {
	if f.Point != "" && !slices.Contains(crashPoints, f.Point) {
		return fmt.Errorf("%s: point %q: want %s", f.Kind(), f.Point, strings.Join(crashPoints, " or "))
	}
	return validPort(f.Kind(), f.Port)
}

func (f TransactionKill) point() string {
	if f.Point == "" {
		return AfterCommit
	}
	return f.Point
}

// Inject arms the point; the application dies at the next order. The undo
// disarms it and starts the process again. A node that does not run, or where one is
// armed, is an error.
func (f TransactionKill) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	vs, err := runningVictims(ctx, f.Kind(), nodes, f.Port, false)
	if err != nil {
		return err
	}
	if err := without(ctx, f.Kind(), vs, crashDir, "a crash point is armed"); err != nil {
		return err
	}
	arm := fmt.Sprintf("mkdir -p %[1]s && chmod 777 %[1]s && : >%[1]s/%[2]s", crashDir, f.point())
	return actOn(f.Kind(), vs, log, ensures(CrashPointsAbsent, nil), func(v victim) error {
		return succeed(v.Exec(ctx, "/bin/sh", "-c", arm))
	})
}

// Active holds when the application has left the mark of the point, no process
// is left, its port refuses and the container runs on. From is the mark's
// time, To when the end was noticed.
func (f TransactionKill) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, false)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, "process died "+f.point()+" of an order", vs, func(ctx context.Context, v victim) (sight, error) {
		s, m, err := seeMark(ctx, v)
		if err != nil || !s.ok {
			return s, err
		}
		switch {
		case m.point == "":
			s.measured = "no order came to the point"
			s.see(false, "the application left no mark; armed: %s", m.armed)
			return s, nil
		case m.pid != 0:
			s.measured = "process running"
			s.see(false, "process %d runs", m.pid)
			return s, nil
		}
		s.measured = fmt.Sprintf("process died %s of operation %s", m.point, m.op)
		s.from, s.to = m.at, m.gone
		if s.to.Before(s.from) {
			s.to = s.from
		}
		s.see(m.point == f.point(), "the application's own mark: %s of operation %s, key %s, at %s",
			m.point, m.op, m.key, m.at.UTC().Format(stamp))
		return s, seeConnect(ctx, &s, v, refused)
	})
}

// Healed holds when no point is armed, a process runs and its port answers.
func (f TransactionKill) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, false)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, "no crash point, process running again", vs, func(ctx context.Context, v victim) (sight, error) {
		s, m, err := seeMark(ctx, v)
		if err != nil || !s.ok {
			return s, err
		}
		if m.armed != "" || m.point != "" || m.pid == 0 {
			s.measured = "armed, or no process"
			s.see(false, "armed: %q, mark: %q, process: %d", m.armed, m.point, m.pid)
			return s, nil
		}
		s.measured = "no crash point, process running"
		s.see(true, "nothing is armed, and process %d runs", m.pid)
		return s, seeConnect(ctx, &s, v, connected)
	})
}

// mark is what the victim says of its crash points.
type mark struct {
	armed          string // the points, separated by spaces
	point, op, key string // where it died; empty if it did not
	at             time.Time
	process
}

func seeMark(ctx context.Context, v victim) (sight, mark, error) {
	s, text, err := seeInside(ctx, v, crashPoint)
	if err != nil || !s.ok {
		return s, mark{}, err
	}
	m, err := parseMark(text)
	return s, m, err
}

// parseMark reads what crashPoint prints.
func parseMark(text string) (mark, error) {
	lines := strings.SplitN(text, "\n", 3)
	if len(lines) < 3 {
		return mark{}, fmt.Errorf("state of the crash points: %q: want five lines", text)
	}
	m := mark{armed: strings.TrimSpace(lines[0])}
	if f := strings.Fields(lines[1]); len(f) == 4 {
		micros, err := strconv.ParseInt(f[1], 10, 64)
		if err != nil {
			return m, fmt.Errorf("mark of the crash point: %q: its time is no number", lines[1])
		}
		m.point, m.at, m.op, m.key = f[0], time.UnixMicro(micros), f[2], f[3]
	} else if strings.TrimSpace(lines[1]) != "-" {
		return m, fmt.Errorf("mark of the crash point: %q: want point, time, operation and key", lines[1])
	}
	var err error
	m.process, err = parseProcess(lines[2])
	return m, err
}

// ensureNoCrashPoint disarms, and starts the process if it died.
func ensureNoCrashPoint(ctx context.Context, n topology.Node, _ map[string]string) error {
	if err := ensureContainer(ctx, n, nil); err != nil {
		return err
	}
	if err := succeed(n.Exec(ctx, "/bin/sh", "-c", disarm)); err != nil {
		return err
	}
	return ensureProcess(ctx, n, nil)
}
