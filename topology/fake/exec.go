package fake

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// Exec knows the commands that faults run in a node: the supervisor's start,
// the kill of the process, and the look at it.
func (n *node) Exec(_ context.Context, argv ...string) (topology.Output, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.running(); err != nil {
		return topology.Output{}, err
	}
	script := argv[len(argv)-1]
	switch {
	case argv[0] == "bash" && len(argv) == 6 && strings.Contains(argv[2], "/dev/tcp/"):
		return n.bash(argv[2], argv[4], argv[5]), nil
	case argv[0] == "test":
		return n.test(script), nil
	case argv[0] == "ps":
		return topology.Output{Stdout: []byte("S\n")}, nil
	case argv[0] == "cat":
		_, pid, _ := strings.Cut(strings.TrimSpace(n.look()), "\n")
		return topology.Output{Stdout: []byte(pid)}, nil
	case strings.HasSuffix(script, ">/run/hachaos/clock"):
		return n.moveClock(script), nil
	case argv[0] == "/usr/local/bin/app-start":
		return n.appStart()
	case strings.Contains(script, restartMark):
		return n.mark(argv[0], script)
	case strings.Contains(script, "/proc/$p/stat"):
		if n.proc == nil {
			return topology.Output{Stdout: []byte("--\n-\n")}, nil
		}
		return topology.Output{Stdout: []byte("S\n--\n-\n")}, nil
	case strings.Contains(script, "kill -KILL"):
		return n.crash()
	case strings.Contains(script, "kill -0"):
		return topology.Output{Stdout: []byte(n.look())}, nil
	}
	return topology.Output{Code: 127, Stderr: []byte(errNoCommand.Error())}, nil
}

// restartMark is the file that marks a restart under way.
const restartMark = "/tmp/hachaos-restart"

// test looks for a file: the mark of a restart, or that with the number of the
// process.
func (n *node) test(path string) topology.Output {
	there := false
	switch path {
	case restartMark:
		there = !n.marked.IsZero()
	case "/run/hachaos/java.pid", "/run/hachaos/haproxy.pid", "/run/hachaos/postgres.pid":
		there = !n.ended.After(n.state.StartedAt)
	default:
		return topology.Output{Code: 127, Stderr: []byte(errNoCommand.Error())}
	}
	if there {
		return topology.Output{}
	}
	return topology.Output{Code: 1}
}

// mark makes, removes, looks for or dates that file, and the exit status beside it.
func (n *node) mark(program, script string) (topology.Output, error) {
	answer := ""
	switch {
	case strings.HasPrefix(script, ": >"):
		if !n.cluster.opts.NoEffect {
			n.marked = time.Now()
		}
	case program == "rm":
		n.marked, n.endedBy = time.Time{}, ""
	case strings.HasPrefix(script, "echo "):
		n.endedBy = strings.Fields(script)[1]
	case strings.Contains(script, restartMark+".status"):
		answer = unixNano(n.marked) + "\n" + cmp.Or(n.endedBy, "-")
	case strings.HasPrefix(script, "stat "):
		answer = unixNano(n.marked)
	case n.marked.IsZero():
		answer = "no"
	default:
		answer = "yes"
	}
	return topology.Output{Stdout: []byte(answer + "\n")}, nil
}

func (n *node) appStart() (topology.Output, error) {
	if n.cluster.opts.UndoFails {
		return topology.Output{Code: 1, Stderr: []byte("app-start: the supervisor started nothing within 5 s")}, nil
	}
	if n.ended.After(n.state.StartedAt) && n.proc == nil {
		n.ended = time.Time{}
		n.launch()
	}
	return topology.Output{Stdout: fmt.Appendln(nil, n.pids)}, nil
}

func (n *node) crash() (topology.Output, error) {
	if n.cluster.opts.NoEffect {
		return topology.Output{}, nil
	}
	n.stopProcess()
	n.crashed, n.ended = time.Now(), time.Now()
	return topology.Output{}, nil
}

// moveClock sets how many seconds the application's clock is off.
func (n *node) moveClock(script string) topology.Output {
	var seconds int64
	if _, err := fmt.Sscanf(script, "echo %d >", &seconds); err != nil {
		return topology.Output{Code: 2, Stderr: []byte(err.Error())}
	}
	if seconds != 0 && n.cluster.opts.NoEffect {
		return topology.Output{}
	}
	n.clock.Store(seconds)
	return topology.Output{}
}

// look prints when the process was killed, when that was noticed, and its
// number while it lives.
func (n *node) look() string {
	pid := fmt.Sprint(n.pids)
	if !n.ended.IsZero() {
		pid = "-"
	}
	return strings.Join([]string{unixNano(n.crashed), unixNano(n.ended), pid}, "\n") + "\n"
}

func unixNano(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond())
}

// InNamespace knows what faults ask of nft: adding a table with chains that
// drop, deleting it, and listing the tables; and ip's list of addresses.
func (n *node) InNamespace(_ context.Context, argv ...string) (topology.Output, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.running(); err != nil {
		return topology.Output{}, err
	}
	if argv[0] == "ip" {
		return topology.Output{Stdout: n.addresses()}, nil
	}
	if argv[0] != "nft" {
		return topology.Output{Code: 127, Stderr: []byte(errNoCommand.Error())}, nil
	}
	for statement := range strings.SplitSeq(strings.Join(argv[1:], " "), "; ") {
		f := strings.Fields(statement)
		switch {
		case f[0] == "list", f[0] == "-s":
			return topology.Output{Stdout: []byte(n.listTables())}, nil
		case len(f) >= 4 && f[0] == "add" && f[1] == "table":
			if _, there := n.tables[f[3]]; !there && !n.cluster.opts.NoEffect {
				n.tables[f[3]] = false // it drops nothing yet
			}
		case len(f) >= 4 && f[0] == "add" && f[1] == "chain":
			if !n.cluster.opts.NoEffect {
				n.tables[f[3]] = true
			}
		case len(f) >= 4 && f[0] == "delete" && f[1] == "table":
			delete(n.tables, f[3])
		}
	}
	n.host.filter(n.dropping())
	return topology.Output{}, nil
}

// addresses is what `ip -j -4 addr` prints.
func (n *node) addresses() []byte {
	type local struct {
		Local string `json:"local"`
	}
	all := []local{{n.spec.Addr.String()}}
	if n.cluster.holder() == n {
		all = append(all, local{n.cluster.spec.VIP.String()})
	}
	b, err := json.Marshal([]map[string]any{{"addr_info": all}})
	if err != nil {
		return nil
	}
	return b
}

// dropping says whether a table has a chain that drops.
func (n *node) dropping() bool {
	for _, drops := range n.tables {
		if drops {
			return true
		}
	}
	return false
}

func (n *node) listTables() string {
	var lines []string
	for t := range n.tables {
		lines = append(lines, "table inet "+t+"\n")
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}
