package fault

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// heldNode is a stub whose container the engine can end, start and freeze, and
// each call of which can be made to fail.
type heldNode struct {
	*stub
	lives    func() bool   // whether what serves the port runs; nil is with the container
	serves   func() string // how its port takes a request; nil is by whether it lives
	socket   func() string // the reply of the runtime socket, to each command
	boots    func()        // what a start of the container begins
	ends     int           // the exit status of a container that is stopped
	stubborn bool          // it does not end by itself

	count  sync.Mutex
	calls  []string
	from   int      // the first call that fails; 0 is none
	which  heldWay  // which others do
	like   string   // the call that fails, for heldLike
	status bool     // commands are counted alone, and fail by their exit status
	why    error    // what the engine says then; nil is errEngine
	acts   []string // what the engine was told
	dials  []string
}

// heldWay says which calls fail.
type heldWay int

const (
	heldFrom heldWay = iota // one and all that come later
	heldOnce                // one alone
	heldLike                // one and all that are like it
)

// next counts a call and says whether it fails.
func (n *heldNode) next(command bool, what ...string) bool {
	n.count.Lock()
	defer n.count.Unlock()
	if n.status && !command {
		return false
	}
	n.calls = append(n.calls, strings.Join(what, " "))
	switch {
	case n.from == 0:
		return false
	case n.which == heldOnce:
		return len(n.calls) == n.from
	case n.which == heldLike:
		return n.calls[len(n.calls)-1] == n.like
	}
	return len(n.calls) >= n.from
}

// fail has calls fail from now on, one of those that were counted before.
func (n *heldNode) fail(way heldWay, from int, counted []string, status bool) {
	n.calls, n.which, n.from, n.status = nil, way, from, status
	if from > 0 {
		n.like = counted[from-1]
	}
}

func (n *heldNode) failure() (topology.Output, error) {
	if n.status {
		return topology.Output{Code: 9, Stderr: []byte("no such luck\n")}, nil
	}
	if n.why != nil {
		return topology.Output{}, n.why
	}
	return topology.Output{}, errEngine
}

func (n *heldNode) Exec(ctx context.Context, argv ...string) (topology.Output, error) {
	if n.next(true, argv...) {
		return n.failure()
	}
	if !n.state.Running {
		return topology.Output{}, topology.ErrNotRunning
	}
	return n.stub.Exec(ctx, argv...)
}

func (n *heldNode) InNamespace(ctx context.Context, argv ...string) (topology.Output, error) {
	if n.next(true, argv...) {
		return n.failure()
	}
	if !n.state.Running {
		return topology.Output{}, topology.ErrNotRunning
	}
	return n.stub.InNamespace(ctx, argv...)
}

func (n *heldNode) Inspect(context.Context) (topology.State, error) {
	if n.next(false, "inspect") {
		return topology.State{}, errEngine
	}
	return n.state, nil
}

func (n *heldNode) Limits(ctx context.Context) (topology.Limits, error) {
	if n.next(false, "limits") {
		return topology.Limits{}, errEngine
	}
	return n.stub.Limits(ctx)
}

func (n *heldNode) Limit(ctx context.Context, l topology.Limits) error {
	if n.next(false, "limit") {
		return errEngine
	}
	return n.stub.Limit(ctx, l)
}

// end has the container end with that status, some time later.
func (n *heldNode) end(after time.Duration, status int) {
	time.Sleep(after)
	if n.state.Running {
		n.state = topology.State{ExitCode: status, StartedAt: n.state.StartedAt, FinishedAt: time.Now()}
	}
}

func (n *heldNode) Kill(context.Context) error {
	if n.next(false, "kill") {
		return errEngine
	}
	n.acts = append(n.acts, "kill")
	n.end(10*time.Millisecond, exitKilled)
	return nil
}

func (n *heldNode) Stop(_ context.Context, grace time.Duration) error {
	if n.next(false, "stop") {
		return errEngine
	}
	n.acts = append(n.acts, "kill", "stop", grace.String())
	if n.stubborn {
		n.end(grace, exitKilled)
	} else {
		n.end(100*time.Millisecond, n.ends)
	}
	return nil
}

func (n *heldNode) Start(context.Context) error {
	if n.next(false, "start") {
		return errEngine
	}
	n.acts = append(n.acts, "start")
	if !n.state.Running {
		time.Sleep(50 * time.Millisecond)
		n.state = topology.State{Running: true, StartedAt: time.Now(), FinishedAt: n.state.FinishedAt}
		if n.boots != nil {
			n.boots()
		}
	}
	return nil
}

func (n *heldNode) Pause(context.Context) error {
	if n.next(false, "pause") {
		return errEngine
	}
	n.acts = append(n.acts, "pause")
	n.state.Paused = true
	return nil
}

// DialContext takes a request as the node's port does.
func (n *heldNode) DialContext(_ context.Context, _, address string) (net.Conn, error) {
	if n.next(false, "dial", address) {
		return nil, errEngine
	}
	n.dials = append(n.dials, address)
	if strings.HasSuffix(address, fmt.Sprintf(":%d", runtimePort)) && n.socket != nil {
		return replying(n.socket())(address)
	}
	how := answered
	switch {
	case n.serves != nil:
		how = n.serves()
	case !n.state.Running:
		how = unreachable
	case n.lives != nil && !n.lives():
		how = refused
	}
	switch how {
	case refused:
		return nil, syscall.ECONNREFUSED
	case unreachable:
		return nil, syscall.EHOSTUNREACH
	}
	here, there := net.Pipe()
	go func() {
		if how == answered {
			_, _ = there.Read(make([]byte, 1024))
			_, _ = there.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
		}
		_, _ = io.Copy(io.Discard, there)
	}()
	return here, nil
}

// heldBare is a node without a network namespace to act in.
type heldBare struct{ heldParts }

type heldParts interface {
	topology.Container
	topology.Served
	topology.Dialer
	topology.Limited
}

// heldEpoch is a time as bash prints it.
func heldEpoch(t time.Time) string { return fmt.Sprintf("%d.%06d", t.Unix(), t.Nanosecond()/1000) }

// heldLife is a fault and a node that it can act on. It is made inside of the
// bubble of time that it is used in.
type heldLife struct {
	fault  Fault
	node   *heldNode
	beside bool          // it needs the namespace
	bite   func()        // what happens between the act and its effect
	within time.Duration // of a look; 0 is a second
	undos  []Entry
	// What the proofs of the effect and of its end say.
	asked, measured, unit string
	healed, over          string
	// sees says that a command's exit status is itself what is seen.
	sees bool
}

func (l heldLife) target() topology.Node {
	if l.beside {
		return l.node
	}
	return heldBare{l.node}
}

func (l heldLife) nodes() []topology.Node { return []topology.Node{l.target()} }

func (l heldLife) inject(t *testing.T, log Recorder) error {
	t.Helper()
	err := l.fault.Inject(t.Context(), l.nodes(), log)
	if err == nil && l.bite != nil {
		l.bite()
	}
	return err
}

func (l heldLife) active(t *testing.T) (Proof, error) {
	t.Helper()
	return heldLook(t, l.within, l.fault.Active, l.nodes()...)
}

func (l heldLife) isHealed(t *testing.T) (Proof, error) {
	t.Helper()
	return heldLook(t, l.within, l.fault.Healed, l.nodes()...)
}

// heldLook looks for so long; 0 is a second.
func heldLook(t *testing.T, within time.Duration, look looking, nodes ...topology.Node) (Proof, error) {
	t.Helper()
	return lookFor(t, cmp.Or(within, time.Second), look, nodes)
}
