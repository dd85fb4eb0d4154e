package observe

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
	"github.com/stretchr/testify/require"
)

// fakeCluster is a cluster in memory whose nodes the tests script. Its
// connections are net.Pipes, so that it runs in a bubble of testing/synctest.
type fakeCluster struct {
	topology.Cluster // panics where a test needs more than there is here

	spec  topology.Spec
	nodes []topology.Node

	mu     sync.Mutex
	events []topology.EngineEvent
	broken error // what ends Events
	logs   map[string]*bytes.Buffer
	torn   map[string]error // what ends Logs
	change chan struct{}    // closed at each change
}

// errQuietEnd ends a fake's events or log early and without an error.
var errQuietEnd = errors.New("quiet end")

// newFake makes a cluster of j1, lb1 and db1.
func newFake() *fakeCluster {
	c := &fakeCluster{
		logs: map[string]*bytes.Buffer{}, torn: map[string]error{}, change: make(chan struct{}),
		spec: topology.Spec{Name: "fake", VIP: netip.MustParseAddr("198.18.0.100"), Port: 80},
	}
	c.add("j1", topology.Application, "198.18.0.21", 8080)
	c.add("lb1", topology.Balancer, "198.18.0.11", 0)
	c.add("db1", topology.Database, "198.18.0.31", 0)
	c.spec.Nodes[2].Env = map[string]string{databaseName: "shop", databaseUser: "reader", databasePassword: "p/w"}
	return c
}

func (c *fakeCluster) add(name string, role topology.Role, addr string, port int) {
	c.spec.Nodes = append(c.spec.Nodes, topology.NodeSpec{
		Name: name, Role: role, Addr: netip.MustParseAddr(addr), Port: port, Image: string(role),
	})
	c.nodes = append(c.nodes, &fakeNode{cluster: c, name: name, role: role, up: true, started: time.Now()})
	c.logs[name] = &bytes.Buffer{}
}

func (c *fakeCluster) Spec() topology.Spec    { return c.spec }
func (c *fakeCluster) Nodes() []topology.Node { return c.nodes }

func (c *fakeCluster) node(name string) *fakeNode {
	for _, n := range c.nodes {
		if n.Name() == name {
			return fakeOf(n)
		}
	}
	panic("no node " + name)
}

// fakeOf is the fakeNode below whatever capability was put over it.
func fakeOf(n topology.Node) *fakeNode {
	switch n := n.(type) {
	case *fakeNode:
		return n
	case streamNode:
		return n.fakeNode
	}
	panic("not a fake")
}

// changed wakes whoever waits. The lock is held.
func (c *fakeCluster) changed() {
	close(c.change)
	c.change = make(chan struct{})
}

// say appends lines to a node's log.
func (c *fakeCluster) say(node string, lines ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range lines {
		c.logs[node].WriteString(l + "\n")
	}
	c.changed()
}

// tear ends a node's log with an error.
func (c *fakeCluster) tear(node string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.torn[node] = err
	c.changed()
}

// happen adds an engine event and ends or begins the container.
func (c *fakeCluster) happen(node, action string) {
	n := c.node(node)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch action {
	case "die":
		n.up, n.finished = false, time.Now()
	case "start":
		n.up, n.started = true, time.Now()
	}
	c.events = append(c.events, topology.EngineEvent{Node: node, Action: action, Wall: time.Now()})
	c.changed()
}

func (c *fakeCluster) Events(ctx context.Context, _ time.Time) (<-chan topology.EngineEvent, func() error) {
	out := make(chan topology.EngineEvent)
	var err error
	go func() {
		defer close(out)
		for sent := 0; ctx.Err() == nil; {
			c.mu.Lock()
			events, change := c.events[sent:], c.change
			err = c.broken
			c.mu.Unlock()
			if err == errQuietEnd {
				err = nil
				return
			}
			if err != nil {
				return
			}
			for _, e := range events {
				select {
				case out <- e:
				case <-ctx.Done():
				}
			}
			sent += len(events)
			select {
			case <-change:
			case <-ctx.Done():
			}
		}
	}()
	return out, func() error { return err }
}

func (c *fakeCluster) Logs(ctx context.Context, node string, _ time.Time, w io.Writer) error {
	for sent := 0; ; {
		c.mu.Lock()
		text, change, err := c.logs[node].Bytes()[sent:], c.change, c.torn[node]
		c.mu.Unlock()
		if _, werr := w.Write(text); werr != nil {
			return werr
		}
		sent += len(text)
		if err == errQuietEnd {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-change:
		case <-ctx.Done():
			return nil
		}
	}
}

// DialContext implements topology.Dialer. SYNs to a dead container vanish.
func (c *fakeCluster) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	for i, ns := range c.spec.Nodes {
		if ns.Addr.String() != host {
			continue
		}
		n := fakeOf(c.nodes[i])
		c.mu.Lock()
		up, serve := n.up, n.serve
		c.mu.Unlock()
		if !up {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		if serve == nil {
			return nil, fmt.Errorf("dial %s: %w", address, syscall.ECONNREFUSED)
		}
		ours, theirs := net.Pipe()
		go func() { defer theirs.Close(); serve(theirs) }()
		return ours, nil
	}
	return nil, syscall.EHOSTUNREACH
}

// fakeNode is a container; its fields are guarded by the cluster's lock.
type fakeNode struct {
	topology.Container
	cluster           *fakeCluster
	name              string
	role              topology.Role
	up                bool
	started, finished time.Time
	serve             func(net.Conn) // answers one connection; nil: refused
	owner             bool           // holds the VIP
	mute              bool           // the engine does not answer for it
}

func (n *fakeNode) Name() string        { return n.name }
func (n *fakeNode) Role() topology.Role { return n.role }

func (n *fakeNode) Inspect(ctx context.Context) (topology.State, error) {
	n.cluster.mu.Lock()
	defer n.cluster.mu.Unlock()
	if n.mute {
		n.cluster.mu.Unlock()
		<-ctx.Done()
		n.cluster.mu.Lock()
		return topology.State{}, ctx.Err()
	}
	return topology.State{Running: n.up, StartedAt: n.started, FinishedAt: n.finished}, nil
}

// serves sets what answers the node's connections.
func (n *fakeNode) serves(f func(net.Conn)) {
	n.cluster.mu.Lock()
	defer n.cluster.mu.Unlock()
	n.serve = f
}

// streamNode is a fakeNode with topology.Streamer, as a driver has it.
type streamNode struct{ *fakeNode }

func (n streamNode) Stream(ctx context.Context, w io.Writer, _ ...string) error {
	for {
		n.cluster.mu.Lock()
		up, owner := n.up, n.owner
		n.cluster.mu.Unlock()
		if !up {
			return fmt.Errorf("%s: %w", n.name, topology.ErrNotRunning)
		}
		now := time.Now()
		stamp := fmt.Sprintf("%d.%06d", now.Unix(), now.Nanosecond()/1000)
		if _, err := fmt.Fprintf(w, "%s %s %d\n", stamp, stamp, map[bool]int{true: 1}[owner]); err != nil {
			return err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// overHTTP answers one request of a connection.
func overHTTP(h http.HandlerFunc) func(net.Conn) {
	return func(conn net.Conn) {
		req, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			return
		}
		rec := httptest.NewRecorder()
		h(rec, req)
		res := rec.Result()
		res.Close = true
		_ = res.Write(conn)
	}
}

// replies answers one line of a runtime socket.
func replies(text func(command string) string) func(net.Conn) {
	return func(conn net.Conn) {
		command, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, text(strings.TrimSpace(command)))
	}
}

// recorder is a Sink that keeps all.
type recorder struct {
	mu     sync.Mutex
	events []history.Event
}

func (r *recorder) Put(e history.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// observed are the payloads of a stream.
func observed[T any](t *testing.T, r *recorder, stream string) []T {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []T
	for _, e := range r.events {
		require.Equal(t, history.Observed, e.Kind)
		require.Empty(t, e.Err)
		if e.Name != stream {
			continue
		}
		var v T
		require.NoError(t, json.Unmarshal(e.Data, &v))
		all = append(all, v)
	}
	return all
}

// coverage is the one account of a stream and source; it must be the last
// word on it.
func coverage(t *testing.T, r *recorder, stream, source string) history.Coverage {
	t.Helper()
	var found []history.Coverage
	for _, c := range observed[history.Coverage](t, r, history.StreamCoverage) {
		if c.Stream == stream && c.Source == source {
			found = append(found, c)
		}
	}
	require.Len(t, found, 1, "coverage of %s %s", stream, source)
	return found[0]
}

// testEnv is an env over c with a clock that begins now.
func testEnv(t *testing.T, c *fakeCluster) env {
	t.Helper()
	return newEnv(c, history.StartClock(), t.TempDir())
}

// observe runs o while script runs, then ends it, and returns what it put
// and its error.
func observe(t *testing.T, o Observer, script func()) (*recorder, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, ended := &recorder{}, make(chan error, 1)
	go func() { ended <- o.Observe(ctx, r) }()
	script()
	cancel()
	return r, <-ended
}
