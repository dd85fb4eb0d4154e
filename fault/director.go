package fault

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// runtimePort is where a balancer takes orders from outside.
const runtimePort = 9999

// runtimeWithin bounds one exchange with a runtime socket, and maxAnswer what
// is read of any answer.
const (
	runtimeWithin = 2 * time.Second
	maxAnswer     = 1 << 20
)

// Administrative states of a server, as `set server … state` takes them
// (HAProxy 3.0 Management Guide, 9.3). A server that drains still gets the
// requests of sessions that a cookie binds to it; one in maintenance gets
// none, and is not checked.
const (
	stateReady = "ready"
	stateDrain = "drain"
	stateMaint = "maint"
)

// director is a balancer that a deployment directs, from outside, as a
// pipeline does: many times a second, where the faults of runtime.go go in.
type director struct {
	name string
	addr netip.AddrPort
	dial topology.DialFunc
}

// newDirector checks that the node has an address for its runtime socket.
func newDirector(n topology.Node) (director, error) {
	d := director{name: n.Name(), addr: address(n, runtimePort), dial: dialer(n)}
	if !d.addr.IsValid() {
		return d, fmt.Errorf("balancer %s: %w (an address for its runtime socket)", n.Name(), ErrCapability)
	}
	return d, nil
}

// ask sends one line to the runtime socket and returns the reply.
func (d director) ask(ctx context.Context, command string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, runtimeWithin)
	defer cancel()
	conn, err := d.dial(ctx, "tcp", d.addr.String())
	if err != nil {
		return "", fmt.Errorf("balancer %s: %w", d.name, err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	defer stop()
	if _, err := io.WriteString(conn, command+"\n"); err != nil {
		return "", fmt.Errorf("balancer %s: send: %w", d.name, err)
	}
	reply, err := io.ReadAll(io.LimitReader(conn, maxAnswer))
	if err != nil {
		return "", fmt.Errorf("balancer %s: reply: %w", d.name, err)
	}
	return string(reply), nil
}

// order sends a command that changes something. HAProxy answers it with an
// empty line; anything else is a complaint.
func (d director) order(ctx context.Context, command string) error {
	reply, err := d.ask(ctx, command)
	if err == nil && strings.TrimSpace(reply) != "" {
		err = fmt.Errorf("balancer %s: %s: %s", d.name, command, strings.TrimSpace(reply))
	}
	return err
}

// state puts a server into an administrative state.
func (d director) state(ctx context.Context, server, state string) error {
	return d.order(ctx, fmt.Sprintf("set server %s/%s state %s", defaultBackend, server, state))
}

// weigh gives a server a weight, from 0 to 256.
func (d director) weigh(ctx context.Context, server string, weight int) error {
	return d.order(ctx, fmt.Sprintf("set weight %s/%s %d", defaultBackend, server, weight))
}

// servers asks for the view of all servers.
func (d director) servers(ctx context.Context) ([]ServerView, error) {
	reply, err := d.ask(ctx, showServers)
	if err != nil {
		return nil, err
	}
	all, err := parseServers(reply)
	if err != nil {
		return nil, fmt.Errorf("balancer %s: %w", d.name, err)
	}
	return all, nil
}

// server asks for the view of one.
func (d director) server(ctx context.Context, name string) (ServerView, error) {
	all, err := d.servers(ctx)
	if err != nil {
		return ServerView{}, err
	}
	i := slices.IndexFunc(all, func(s ServerView) bool { return s.Name == name })
	if i < 0 {
		return ServerView{}, fmt.Errorf("balancer %s: it has no server %q", d.name, name)
	}
	return all[i], nil
}

// ensureServerOut puts a balancer's server into maintenance, so that nothing
// reaches it while more is undone. Where no HAProxy runs nothing does.
func ensureServerOut(ctx context.Context, n topology.Node, params map[string]string) error {
	return order(ctx, n, "set server "+params["server"]+" state "+stateMaint)
}
