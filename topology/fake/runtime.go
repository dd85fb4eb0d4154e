package fake

import (
	"bufio"
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// runtimePort is where HAProxy's runtime socket listens.
const runtimePort = 9999

// runtime answers the commands of HAProxy's runtime socket that observers
// send: one line a connection, whose end ends the reply.
func (b *lb) runtime(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			line, err := bufio.NewReader(conn).ReadString('\n')
			if err != nil {
				return
			}
			for command := range strings.SplitSeq(strings.TrimSpace(line), ";") {
				if _, err := conn.Write([]byte(b.answer(command))); err != nil {
					return
				}
			}
		}()
	}
}

// answer is the reply to one command.
func (b *lb) answer(command string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch command {
	case "show info":
		return fmt.Sprintf("Name: HAProxy\nPid: %d\nUptime_sec: %d\nCumReq: %d\nDroppedLogs: %d\n\n",
			b.pid, int(time.Since(b.began).Seconds()), b.lines, b.dropped)
	case "show stat -1 2 -1":
		current := 0
		for _, v := range b.views {
			current += v.current
		}
		return fmt.Sprintf("# pxname,svname,scur,qcur,\nnodes,BACKEND,%d,0,\n\n", current)
	case "show stat -1 4 -1":
		var s strings.Builder
		s.WriteString("# pxname,svname,scur,stot,lbtot,status,weight,check_status,\n")
		for _, v := range b.views {
			fmt.Fprintf(&s, "nodes,%s,%d,%d,%d,%s,%d,L7OK,\n", v.n.Name(), v.current, v.total, v.chosen, v.status(), v.weight)
		}
		return s.String() + "\n"
	}
	return b.order(strings.Fields(command))
}

// order carries out a command about one server.
func (b *lb) order(words []string) string {
	if len(words) < 3 {
		return "Unknown command.\n"
	}
	name := words[2]
	if len(words) == 3 {
		words = append(words, "")
	}
	for _, v := range b.views {
		if "nodes/"+v.n.Name() != name {
			continue
		}
		what := strings.TrimSpace(strings.Join(slices.Delete(slices.Clone(words), 2, 3), " "))
		weight, err := strconv.Atoi(words[len(words)-1])
		switch {
		case what == "get weight":
			return fmt.Sprintf("%d (initial %d)\n\n", v.weight, v.initial)
		case b.c.opts.NoEffect:
		case what == "disable health":
			v.blind, v.up = true, true
		case what == "enable health":
			v.blind = false
		case strings.HasPrefix(what, "set server state "):
			v.order = map[string]string{"drain": "DRAIN", "maint": "MAINT"}[words[len(words)-1]]
		case what == "set weight 100%":
			v.weight = v.initial
		case strings.HasPrefix(what, "set weight ") && err == nil:
			v.weight = weight
		default:
			return "Unknown command.\n"
		}
		return "\n"
	}
	return "No such server.\n"
}

// status is the view of a server as `show stat` has it.
func (v *view) status() string {
	switch {
	case v.order == "MAINT":
		return "MAINT"
	case v.blind:
		return "no check"
	case !v.up:
		return "DOWN"
	}
	return cmp.Or(v.order, "UP")
}

// bash imitates the scripts of package fault that speak to the runtime
// socket from inside of the node: "told" for a change, which notes when, "untell"
// for what takes one back, and otherwise two looks and the note.
func (n *node) bash(script, command, note string) topology.Output {
	if strings.Contains(script, "state=ready") {
		command, note = n.untell(command, note), ""
	}
	b, ok := n.proc.(*lb)
	if !ok {
		return topology.Output{Code: 7}
	}
	epoch := func() string { now := time.Now(); return fmt.Sprintf("%d.%06d", now.Unix(), now.Nanosecond()/1000) }
	before := epoch()
	reply := b.answer(command)
	if strings.Contains(script, "once()") {
		return topology.Output{Stdout: fmt.Appendf(nil, "%s--\n%s--\n%s\n", reply, b.answer(command), cmp.Or(n.told[note], "-"))}
	}
	if strings.TrimSpace(reply) != "" {
		return topology.Output{Code: 1, Stderr: []byte(reply)}
	}
	if note != "" && !n.cluster.opts.NoEffect {
		n.told[note] = before + " " + epoch()
	}
	return topology.Output{}
}

// untell takes the note of an order back and gives the command for the state that
// the notes which are left ask for.
func (n *node) untell(path, note string) string {
	delete(n.told, note)
	_, server, _ := strings.Cut(path, "/")
	state := "ready"
	switch {
	case n.told["maintenance."+server] != "":
		state = "maint"
	case n.told["drain."+server] != "":
		state = "drain"
	}
	return "set server " + path + " state " + state
}
