package fault

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// ProcessCrash ends the application's process by SIGKILL, as a segmentation
// fault or the kernel's out-of-memory killer does, and leaves its container:
// new connections are refused at once. The process is the one whose number
// /run/hachaos/java.pid holds. The zero value is ready to use.
type ProcessCrash struct {
	// Port is the TCP port whose refusal is part of the proof; 0 is the one
	// that the node says it serves.
	Port int `json:"port,omitempty"`
}

// Files and programs of the supervisor that the application runs under.
const (
	pidFile  = "/run/hachaos/java.pid"
	appStart = "/usr/local/bin/app-start"
)

// crash kills the process. It notes the time before in a file's mtime, so
// that the proof knows from when on the process may have been dead.
const crash = `pid=$(cat ` + pidFile + `) && : >/run/hachaos/crashed && kill -KILL "$pid"`

// crashed prints when the kill was sent, when the supervisor noticed the end
// by taking the file with the process's number away, and that number while
// the process lives; "-" stands for what is not there.
const crashed = `cd /run/hachaos
stat -c %.9Y crashed 2>/dev/null || echo -
stat -c %.9Y . 2>/dev/null || echo -
pid=$(cat java.pid 2>/dev/null)
if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then echo "$pid"; else echo -; fi`

// Kind is "process-crash".
func (ProcessCrash) Kind() string { return "process-crash" }

// Validate reports a port that cannot be.
func (f ProcessCrash) Validate() error { return validPort(f.Kind(), f.Port) }

// Inject kills the processes; the undo starts them again. One that does not run is
// an error, before any act.
func (f ProcessCrash) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	vs, err := runningVictims(ctx, f.Kind(), nodes, f.Port, false)
	if err != nil {
		return err
	}
	if err := with(ctx, f.Kind(), vs, pidFile, "no process of the application runs"); err != nil {
		return err
	}
	return actOn(f.Kind(), vs, log, ensures(ProcessRunning, nil), func(v victim) error {
		return succeed(v.Exec(ctx, "/bin/sh", "-c", crash))
	})
}

// Active holds when no process is left, its port refuses and the container
// runs on. From is when the signal was sent, To when the end was noticed.
func (f ProcessCrash) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, false)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, "process gone, container running", vs, func(ctx context.Context, v victim) (sight, error) {
		s, p, err := seeProcess(ctx, v)
		if err != nil || !s.ok {
			return s, err
		}
		if p.pid != 0 {
			s.measured = "process running"
			s.see(false, "process %d runs", p.pid)
			return s, nil
		}
		s.measured, s.from, s.to = "process gone, container running", p.killed, p.gone
		s.see(!p.killed.IsZero(), "no process is left; the signal was sent at %s", p.killed.UTC().Format(stamp))
		return s, seeConnect(ctx, &s, v, refused)
	})
}

// Healed holds when a process runs and its port answers.
func (f ProcessCrash) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, false)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, "process running again", vs, func(ctx context.Context, v victim) (sight, error) {
		s, p, err := seeProcess(ctx, v)
		if err != nil || !s.ok {
			return s, err
		}
		if p.pid == 0 {
			s.measured = "no process"
			s.see(false, "no process runs")
			return s, nil
		}
		s.measured = "process running"
		s.see(true, "process %d runs", p.pid)
		return s, seeConnect(ctx, &s, v, connected)
	})
}

// process is what the victim says of the application.
type process struct {
	killed, gone time.Time // zero if it never was
	pid          int       // 0 if none runs
}

// seeProcess asks the engine whether the container runs, and the container
// about the process.
func seeProcess(ctx context.Context, v victim) (sight, process, error) {
	s, text, err := seeInside(ctx, v, crashed)
	if err != nil || !s.ok {
		return s, process{}, err
	}
	p, err := parseProcess(text)
	return s, p, err
}

// parseProcess reads the three lines that crashed prints.
func parseProcess(text string) (process, error) {
	f := strings.Fields(text)
	if len(f) != 3 {
		return process{}, fmt.Errorf("state of the process: %q: want three lines", text)
	}
	var p process
	var err error
	if p.killed, err = parseStamp(f[0]); err != nil {
		return p, err
	}
	if p.gone, err = parseStamp(f[1]); err != nil {
		return p, err
	}
	if f[2] != "-" {
		p.pid, err = strconv.Atoi(f[2])
	}
	if p.gone.Before(p.killed) {
		p.gone = p.killed
	}
	return p, err
}

// parseStamp reads Unix seconds with nine decimals; "-" is the zero time.
func parseStamp(s string) (time.Time, error) {
	if s == "-" {
		return time.Time{}, nil
	}
	sec, frac, ok := strings.Cut(s, ".")
	if !ok {
		sec, frac, ok = strings.Cut(s, ",")
	}
	a, err1 := strconv.ParseInt(sec, 10, 64)
	b, err2 := strconv.ParseInt(frac, 10, 64)
	if !ok || len(frac) != 9 || err1 != nil || err2 != nil {
		return time.Time{}, fmt.Errorf("time %q: want Unix seconds with nine decimals", s)
	}
	return time.Unix(a, b), nil
}
