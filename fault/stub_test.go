package fault

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// stub is a node whose answers a test chooses. It acts on nothing.
type stub struct {
	name         string
	role         topology.Role
	port         int
	exec, beside func(argv []string) (topology.Output, error)
	dialed       func(address string) (net.Conn, error)
	state        topology.State
	limits       topology.Limits
	peers        []topology.Node
	limitless    bool // Limit reports success and does nothing
	disk         topology.DiskLimit
	diskErr      error // of what is asked about the disk

	mu  sync.Mutex
	did [][]string // the commands
}

var errUnasked = errors.New("the test does not expect that")

func (n *stub) Name() string        { return n.name }
func (n *stub) Role() topology.Role { return n.role }
func (n *stub) Addr() netip.Addr    { return netip.MustParseAddr("198.18.7.21") }
func (n *stub) Port() int           { return n.port }

func (n *stub) Peers() []topology.Node { return n.peers }

func (n *stub) Exec(_ context.Context, argv ...string) (topology.Output, error) {
	return n.answer(n.exec, argv)
}

func (n *stub) InNamespace(_ context.Context, argv ...string) (topology.Output, error) {
	return n.answer(n.beside, argv)
}

func (n *stub) answer(by func([]string) (topology.Output, error), argv []string) (topology.Output, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.did = append(n.did, argv)
	if by == nil {
		return topology.Output{}, errUnasked
	}
	return by(argv)
}

// lastWords are the last arguments of the commands.
func (n *stub) lastWords() []string {
	var out []string
	for _, argv := range n.did {
		out = append(out, argv[len(argv)-1])
	}
	return out
}

func (n *stub) DialContext(_ context.Context, _, address string) (net.Conn, error) {
	if n.dialed == nil {
		return nil, errUnasked
	}
	return n.dialed(address)
}

func (n *stub) Kill(context.Context) error                      { return errUnasked }
func (n *stub) Stop(context.Context, time.Duration) error       { return errUnasked }
func (n *stub) Start(context.Context) error                     { return errUnasked }
func (n *stub) Pause(context.Context) error                     { return errUnasked }
func (n *stub) Unpause(context.Context) error                   { return errUnasked }
func (n *stub) Inspect(context.Context) (topology.State, error) { return n.state, nil }

func (n *stub) Limits(context.Context) (topology.Limits, error) { return n.limits, nil }

func (n *stub) Limit(_ context.Context, l topology.Limits) error {
	if !n.limitless {
		n.limits = l
	}
	return nil
}

func (n *stub) DiskLimit(context.Context, string) (topology.DiskLimit, error) {
	return n.disk, n.diskErr
}

func (n *stub) LimitDisk(_ context.Context, _ string, writes int) error {
	if n.diskErr != nil {
		return n.diskErr
	}
	n.disk.Writes = writes
	return nil
}

// undos keeps what a fault records.
type undos struct{ all []Entry }

func (u *undos) Record(e Entry) error {
	u.all = append(u.all, e)
	return nil
}
