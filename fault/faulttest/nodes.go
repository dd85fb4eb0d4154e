package faulttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/topology"
)

// errLost stands for a reply that never came.
var errLost = errors.New("the reply was lost")

// script keeps, in order, what happened in a test: "record j1", "kill j1".
type script struct {
	mu      sync.Mutex
	lines   []string
	entries []fault.Entry
	// refuse makes Record fail; lose makes the n-th act take effect and
	// report an error; mute makes acts report success without an effect;
	// onAct is called after each act.
	refuse bool
	lose   int
	mute   bool
	onAct  func()
	acts   int
}

// Record keeps an undo, as fault.Recorder does.
func (s *script) Record(e fault.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse {
		return errors.New("the disk is full")
	}
	s.lines = append(s.lines, "record "+e.Node)
	s.entries = append(s.entries, e)
	return nil
}

// act carries out something that changes a node, as the script wants it.
func (s *script) act(what, node string, do func() error) error {
	s.mu.Lock()
	s.lines = append(s.lines, what+" "+node)
	s.acts++
	lose, mute := s.lose == s.acts, s.mute
	s.mu.Unlock()
	if mute {
		return nil
	}
	err := do()
	if s.onAct != nil {
		s.onAct()
	}
	if lose {
		return errors.Join(err, fmt.Errorf("%s %s: %w", what, node, errLost))
	}
	return err
}

// actsBeforeRecord are the acts on a node that preceded its undo.
func (s *script) actsBeforeRecord() []string {
	recorded := map[string]bool{}
	var early []string
	for _, l := range s.lines {
		what, node := split(l)
		if what == "record" {
			recorded[node] = true
		} else if !recorded[node] {
			early = append(early, l)
		}
	}
	return early
}

func split(line string) (what, node string) {
	for i := range line {
		if line[i] == ' ' {
			return line[:i], line[i+1:]
		}
	}
	return line, ""
}

// spy is a node whose acts pass through a script. It offers every
// capability and passes each on.
type spy struct {
	topology.Node
	s *script
}

func spies(nodes []topology.Node, s *script) []topology.Node {
	out := make([]topology.Node, len(nodes))
	for i, n := range nodes {
		out[i] = &spy{n, s}
	}
	return out
}

func (n *spy) c() topology.Container { return n.Node.(topology.Container) }

func (n *spy) act(what string, do func() error) error { return n.s.act(what, n.Name(), do) }

// looks says whether a command changes nothing by its very form, so that a
// fault may look by it before it records and acts: a request by GET (RFC 9110,
// 9.2.1), a `tc … show`, an `ip … show`, an `nft list …`, a `ps`, a `test`, or
// statements that PostgreSQL holds to reading.
func looks(argv []string) bool {
	switch argv[0] {
	case "curl":
		return strings.Contains(strings.Join(argv, " "), " -X GET ")
	case "tc":
		return len(argv) > 2 && argv[2] == "show"
	case "ip":
		return slices.Contains(argv, "show")
	case "nft":
		return strings.HasPrefix(argv[len(argv)-1], "list ")
	case "psql":
		return slices.ContainsFunc(argv, func(a string) bool { return strings.Contains(a, fault.ReadingOnly) })
	}
	return argv[0] == "test" || argv[0] == "ps"
}

// Exec is an act, but for a look.
func (n *spy) Exec(ctx context.Context, argv ...string) (out topology.Output, err error) {
	if looks(argv) {
		return n.Node.Exec(ctx, argv...)
	}
	err = n.act("exec", func() error { out, err = n.Node.Exec(ctx, argv...); return err })
	return out, err
}

// InNamespace is an act, but for a look.
func (n *spy) InNamespace(ctx context.Context, argv ...string) (out topology.Output, err error) {
	if looks(argv) {
		return n.Node.(topology.Namespace).InNamespace(ctx, argv...)
	}
	err = n.act("namespace", func() error {
		out, err = n.Node.(topology.Namespace).InNamespace(ctx, argv...)
		return err
	})
	return out, err
}

func (n *spy) Kill(ctx context.Context) error {
	return n.act("kill", func() error { return n.c().Kill(ctx) })
}

func (n *spy) Stop(ctx context.Context, grace time.Duration) error {
	return n.act("stop", func() error { return n.c().Stop(ctx, grace) })
}

func (n *spy) Start(ctx context.Context) error {
	return n.act("start", func() error { return n.c().Start(ctx) })
}

func (n *spy) Pause(ctx context.Context) error {
	return n.act("pause", func() error { return n.c().Pause(ctx) })
}

func (n *spy) Unpause(ctx context.Context) error {
	return n.act("unpause", func() error { return n.c().Unpause(ctx) })
}

func (n *spy) Limit(ctx context.Context, l topology.Limits) error {
	return n.act("limit", func() error { return n.Node.(topology.Limited).Limit(ctx, l) })
}

func (n *spy) Limits(ctx context.Context) (topology.Limits, error) {
	return n.Node.(topology.Limited).Limits(ctx)
}

func (n *spy) LimitDisk(ctx context.Context, at string, writes int) error {
	return n.act("limit-disk", func() error { return n.Node.(topology.DiskLimited).LimitDisk(ctx, at, writes) })
}

func (n *spy) DiskLimit(ctx context.Context, at string) (topology.DiskLimit, error) {
	return n.Node.(topology.DiskLimited).DiskLimit(ctx, at)
}

func (n *spy) Inspect(ctx context.Context) (topology.State, error) { return n.c().Inspect(ctx) }

func (n *spy) Addr() netip.Addr {
	if a, ok := n.Node.(topology.Addressed); ok {
		return a.Addr()
	}
	return netip.Addr{}
}

func (n *spy) Port() int {
	if s, ok := n.Node.(topology.Served); ok {
		return s.Port()
	}
	return 0
}

// DialContext passes on, and has what a balancer is told over the connection be
// an act.
func (n *spy) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	dial := (&net.Dialer{}).DialContext
	if d, ok := n.Node.(topology.Dialer); ok {
		dial = d.DialContext
	}
	conn, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &orders{Conn: conn, node: n, reply: conn}, nil
}

// orders is a connection on which a line that begins with "set " is an act: what
// changes something in HAProxy (3.0 Management Guide, 9.3), which answers one line
// and closes. Anything else passes through.
type orders struct {
	net.Conn
	node  *spy
	reply io.Reader
}

func (o *orders) Write(line []byte) (int, error) {
	if !bytes.HasPrefix(line, []byte("set ")) {
		return o.Conn.Write(line)
	}
	o.reply = strings.NewReader("\n") // to an order that has no effect
	err := o.node.act("order", func() error {
		if _, err := o.Conn.Write(line); err != nil {
			return err
		}
		reply, err := io.ReadAll(o.Conn)
		o.reply = bytes.NewReader(reply)
		return err
	})
	return len(line), err
}

func (o *orders) Read(b []byte) (int, error) { return o.reply.Read(b) }

// Peers are spies of the same script.
func (n *spy) Peers() []topology.Node {
	if m, ok := n.Node.(topology.Member); ok {
		return spies(m.Peers(), n.s)
	}
	return nil
}

// everyone are the targets and the other nodes of their cluster: a fault may
// act on what stands between.
func everyone(nodes []topology.Node) []topology.Node {
	all := slices.Clone(nodes)
	for _, n := range nodes {
		m, ok := n.(topology.Member)
		if !ok {
			continue
		}
		for _, p := range m.Peers() {
			if !slices.ContainsFunc(all, func(o topology.Node) bool { return o.Name() == p.Name() }) {
				all = append(all, p)
			}
		}
	}
	return all
}

// bare is a node that offers nothing but the least.
type bare struct{ topology.Node }

// changing are the acts of a script that change a node whatever their
// arguments.
func (s *script) changing() []string {
	return slices.DeleteFunc(slices.Clone(s.lines), func(l string) bool {
		what, _ := split(l)
		return what == "record" || what == "exec" || what == "namespace"
	})
}
