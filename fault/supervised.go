package fault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// Names of the processes that the init of a balancer, and that of a database, supervises.
const (
	haproxyProcess    = "haproxy"
	keepalivedProcess = "keepalived"
	databaseProcess   = "postgres"
)

// supervised is a process that the init of a node supervises, with all that
// it began: HAProxy's master and worker, keepalived and its VRRP process,
// PostgreSQL's server processes.
type supervised struct{ kind, name string }

// family is the beginning of a script: $all are the process and its children.
// It ends the script where there is no process.
func (p supervised) family() string {
	return `pid=$(cat /run/hachaos/` + p.name + `.pid) || exit 1
all="$pid $(pgrep -P "$pid")"
`
}

// killed is the command that ends the whole family at once. The time before
// is noted in a file's mtime, as ProcessCrash does.
func (p supervised) killed() []string {
	return []string{"/bin/sh", "-c", p.family() + `: >/run/hachaos/crashed.` + p.name + ` && kill -KILL $all`}
}

// stopped is the command that freezes the family, and notes when.
func (p supervised) stopped() []string {
	return []string{"bash", "-c", p.family() + `before=$EPOCHREALTIME
kill -STOP $all && echo "$before $EPOCHREALTIME" >/run/hachaos/frozen.` + p.name}
}

// thawed is the command that thaws whatever of the name there is.
func (p supervised) thawed() []string {
	return []string{"/bin/sh", "-c", `pid=$(cat /run/hachaos/` + p.name + `.pid 2>/dev/null) || exit 0
kill -CONT "$pid" $(pgrep -P "$pid") 2>/dev/null; exit 0`}
}

// looked prints what parseProcess reads.
func (p supervised) looked() []string {
	return []string{"/bin/sh", "-c", strings.NewReplacer("stat -c %.9Y crashed", "stat -c %.9Y crashed."+p.name, "java.pid", p.name+".pid").Replace(crashed)}
}

// states prints the state of each of the family, as ps has it, and then the
// note of stopped.
func (p supervised) states() []string {
	return []string{"/bin/sh", "-c", `pid=$(cat /run/hachaos/` + p.name + `.pid 2>/dev/null) &&
for p in $pid $(pgrep -P "$pid"); do sed 's/.*) //; s/ .*//' /proc/$p/stat 2>/dev/null; done
echo --
cat /run/hachaos/frozen.` + p.name + ` 2>/dev/null || echo -`}
}

// running checks that each victim's process runs, and is not frozen.
func (p supervised) running(ctx context.Context, vs []victim) error {
	if err := with(ctx, p.kind, vs, "/run/hachaos/"+p.name+".pid", "no "+p.name+" runs"); err != nil {
		return err
	}
	return inTurn(p.kind, vs, func(v victim) error {
		out, err := v.Exec(ctx, "ps", "-C", p.name, "-o", "stat=")
		if err := succeed(out, err); err != nil {
			return err
		}
		if strings.Contains(string(out.Stdout), "T") {
			return already(p.name + " is frozen")
		}
		return nil
	})
}

// inject acts on the process of each node by the command, after the undo was
// recorded. One that does not run, or is frozen, is an error, before any act.
func (p supervised) inject(ctx context.Context, nodes []topology.Node, log Recorder, argv []string, undo string) error {
	vs, err := runningVictims(ctx, p.kind, nodes, 0, false)
	if err != nil {
		return err
	}
	if err := p.running(ctx, vs); err != nil {
		return err
	}
	return actOn(p.kind, vs, log, ensures(undo, map[string]string{"process": p.name}), func(v victim) error {
		return succeed(v.Exec(ctx, argv...))
	})
}

// gone holds when no process is left while the container runs on; then see
// looks at what else the fault does.
func (p supervised) gone(ctx context.Context, nodes []topology.Node, see func(context.Context, *sight, victim) error) (Proof, error) {
	return p.prove(ctx, nodes, p.name+" gone, container running", func(ctx context.Context, v victim, s *sight) error {
		at, err := p.see(ctx, v)
		if err != nil {
			return err
		}
		if at.pid != 0 {
			s.measured = p.name + " running"
			s.see(false, "process %d runs", at.pid)
			return nil
		}
		s.measured, s.from, s.to = p.name+" gone, container running", at.killed, at.gone
		s.see(!at.killed.IsZero(), "no process of %s is left; the signal was sent at %s", p.name, at.killed.UTC().Format(stamp))
		return see(ctx, s, v)
	})
}

// frozen holds when every process of the family is stopped.
func (p supervised) frozen(ctx context.Context, nodes []topology.Node, see func(context.Context, *sight, victim) error) (Proof, error) {
	return p.prove(ctx, nodes, p.name+" stopped", func(ctx context.Context, v victim, s *sight) error {
		states, given, err := p.stateOf(ctx, v)
		if err != nil {
			return err
		}
		s.measured, s.from, s.to = p.name+" in state "+states, given[0], given[1]
		s.see(states != "" && strings.Trim(states, "T") == "", "the processes of %s are in the states %q; T is stopped", p.name, states)
		return see(ctx, s, v)
	})
}

// back holds when the process runs, and is not stopped.
func (p supervised) back(ctx context.Context, nodes []topology.Node, see func(context.Context, *sight, victim) error) (Proof, error) {
	return p.prove(ctx, nodes, p.name+" running", func(ctx context.Context, v victim, s *sight) error {
		states, _, err := p.stateOf(ctx, v)
		if err != nil {
			return err
		}
		s.measured = p.name + " in state " + states
		s.see(states != "" && !strings.Contains(states, "T"), "the processes of %s are in the states %q; T is stopped", p.name, states)
		return see(ctx, s, v)
	})
}

// silentAt is frozen, where the port takes a connection, and what then comes is one of
// these answers; 0 is the port that the node says it serves.
func (p supervised) silentAt(ctx context.Context, nodes []topology.Node, port int, answers ...string) (Proof, error) {
	return p.frozen(ctx, nodes, func(ctx context.Context, s *sight, v victim) error {
		v.addr = address(v.Container, port)
		return seeAnswer(ctx, s, v, answers...)
	})
}

// answersAt is back, where the port answers.
func (p supervised) answersAt(ctx context.Context, nodes []topology.Node, port int) (Proof, error) {
	return p.back(ctx, nodes, func(ctx context.Context, s *sight, v victim) error {
		v.addr = address(v.Container, port)
		return seeAnswer(ctx, s, v, answered)
	})
}

// goneAt is gone, where the port refuses; 0 is the one that the node says it serves.
func (p supervised) goneAt(ctx context.Context, nodes []topology.Node, port int) (Proof, error) {
	return p.gone(ctx, nodes, reaching(port, refused))
}

// backAt is back, where the port takes a connection.
func (p supervised) backAt(ctx context.Context, nodes []topology.Node, port int) (Proof, error) {
	return p.back(ctx, nodes, reaching(port, connected))
}

// reaching looks how an attempt to connect to a port ends.
func reaching(port int, want string) func(context.Context, *sight, victim) error {
	return func(ctx context.Context, s *sight, v victim) error {
		v.addr = address(v.Container, port)
		return seeConnect(ctx, s, v, want)
	}
}

// prove looks at each victim whose container runs.
func (p supervised) prove(ctx context.Context, nodes []topology.Node, asked string, look func(context.Context, victim, *sight) error) (Proof, error) {
	vs, err := victims(p.kind, nodes, 0, false)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, asked, vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		st, err := v.Inspect(ctx)
		if err != nil {
			return s, err
		}
		if !st.Running {
			s.measured = "container not running"
			s.see(false, "the engine says that the container does not run")
			return s, nil
		}
		err = look(ctx, v, &s)
		return s, err
	})
}

func (p supervised) see(ctx context.Context, v victim) (process, error) {
	out, err := v.Exec(ctx, p.looked()...)
	if err := succeed(out, err); err != nil {
		return process{}, err
	}
	return parseProcess(string(out.Stdout))
}

func (p supervised) stateOf(ctx context.Context, v victim) (states string, given [2]time.Time, err error) {
	out, err := v.Exec(ctx, p.states()...)
	if err := succeed(out, err); err != nil {
		return "", given, err
	}
	return parseStates(string(out.Stdout))
}

// parseStates reads what states prints: a letter a line, then the note.
func parseStates(text string) (states string, given [2]time.Time, err error) {
	letters, note, ok := strings.Cut(text, "--\n")
	if !ok {
		return "", given, fmt.Errorf("states of a process: %.80q: want letters and a note", text)
	}
	given, err = parseNote(strings.Fields(note))
	return strings.Join(strings.Fields(letters), ""), given, err
}

// nothingElse is what a proof looks at that needs no more.
func nothingElse(context.Context, *sight, victim) error { return nil }

// ensureThawed thaws the process that Params["process"] names, and starts it
// where it was ended meanwhile.
func ensureThawed(ctx context.Context, n topology.Node, params map[string]string) error {
	p := supervised{name: params["process"]}
	if p.name != haproxyProcess && p.name != keepalivedProcess {
		return fmt.Errorf("process %q is none of a balancer", p.name)
	}
	return p.ensureThawed(ctx, n)
}

// ensureThawed thaws the process, and starts it where it was ended meanwhile.
func (p supervised) ensureThawed(ctx context.Context, n topology.Node) error {
	err := succeed(n.Exec(ctx, p.thawed()...))
	if err != nil && !errors.Is(err, topology.ErrNotRunning) {
		return err
	}
	return ensureProcess(ctx, n, map[string]string{"process": p.name})
}
