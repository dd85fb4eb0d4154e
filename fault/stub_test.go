package fault

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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

// errEngine is what an engine that a test silences ends every call with.
var errEngine = errors.New("the engine does not answer")

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

// undos keeps what a fault records, unless it fails.
type undos struct {
	all   []Entry
	fails error
}

func (u *undos) Record(e Entry) error {
	if u.fails != nil {
		return u.fails
	}
	u.all = append(u.all, e)
	return nil
}

// looking is a look of a fault: its Active, or its Healed.
type looking = func(context.Context, []topology.Node) (Proof, error)

// lookFor has a fault look for so long.
func lookFor(t *testing.T, within time.Duration, look looking, nodes []topology.Node) (Proof, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	return look(ctx, nodes)
}

// seeFor is lookFor for a look that must be able to see.
func seeFor(t *testing.T, within time.Duration, look looking, nodes []topology.Node) Proof {
	t.Helper()
	p, err := lookFor(t, within, look, nodes)
	require.NoError(t, err)
	return p
}

// epochOf is a time as stat and date print it.
func epochOf(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond())
}

// answering is a connection to a server that answers one request, by its path.
func answering(answer func(path string) string) net.Conn {
	here, there := net.Pipe()
	go func() {
		defer there.Close()
		r, err := http.ReadRequest(bufio.NewReader(there))
		if err == nil {
			_, _ = io.WriteString(there, answer(r.URL.Path))
		}
	}()
	return here
}
