package fake

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// node is a container that exists in memory only. It offers every
// capability.
type node struct {
	cluster *Cluster
	spec    topology.NodeSpec
	out     *record[line]

	mu     sync.Mutex
	state  topology.State
	host   *host
	proc   process // nil if none runs
	tables map[string]bool
	// endedBy is the exit status that a restart noted; empty without one.
	endedBy string
	told    map[string]string // notes of orders to the balancer's process
	// crashed and ended are when the process was last killed and noticed.
	crashed, ended time.Time
	marked         time.Time // the mark of a restart; zero if there is none
	limits         topology.Limits
	disks          map[string]int // writes a second, by where the disk is mounted
	pids           int
	boot           *time.Timer
	clock          atomic.Int64 // seconds that the application's clock is ahead
}

// How long the engine takes to end and to start a container.
const (
	endTime   = 5 * time.Millisecond
	startTime = 20 * time.Millisecond
)

// process is what runs in a container.
type process interface {
	// stop ends it; the node's host has let go of its connections.
	stop()
}

func (n *node) Name() string        { return n.spec.Name }
func (n *node) Role() topology.Role { return n.spec.Role }
func (n *node) Addr() netip.Addr    { return n.spec.Addr }
func (n *node) Port() int           { return n.spec.Port }

// Peers are all nodes of the cluster.
func (n *node) Peers() []topology.Node { return n.cluster.Nodes() }

// DialContext connects from outside of the cluster.
func (n *node) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return n.cluster.DialContext(ctx, network, address)
}

// Inspect reports the container's state.
func (n *node) Inspect(context.Context) (topology.State, error) {
	if err := n.cluster.engine(); err != nil {
		return topology.State{}, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.state, nil
}

// Kill ends the container by SIGKILL.
func (n *node) Kill(context.Context) error { return n.end("kill", 137) }

// Stop ends the container in order.
func (n *node) Stop(context.Context, time.Duration) error { return n.end("stop", 143) }

func (n *node) end(how string, code int) error {
	if err := n.cluster.engine(); err != nil {
		return err
	}
	time.Sleep(endTime)
	if n.cluster.opts.NoEffect {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.state.Running {
		return nil
	}
	event := topology.EngineEvent{Node: n.Name(), Action: "kill", Signal: "9", Wall: time.Now()}
	if how == "stop" {
		event.Signal = "15"
	}
	n.cluster.events.add(event)
	n.down(code)
	n.cluster.events.add(topology.EngineEvent{Node: n.Name(), Action: "die", ExitCode: fmt.Sprint(code), Wall: n.state.FinishedAt})
	return nil
}

// down takes the container's life, and with it the namespace, away. Its lock
// is held.
func (n *node) down(code int) {
	n.cluster.serves(n, false)
	n.stopProcess()
	n.host.vanish()
	n.tables, n.disks = map[string]bool{}, nil
	n.state.Running, n.state.Paused, n.state.Pid = false, false, 0
	n.state.ExitCode, n.state.FinishedAt = code, time.Now()
}

// stopProcess ends the process; what it was connected to is told so.
func (n *node) stopProcess() {
	if n.boot != nil {
		n.boot.Stop()
	}
	n.host.reset()
	if n.proc != nil {
		n.proc.stop()
		n.proc = nil
	}
}

// Start starts the container, with a namespace that is new.
func (n *node) Start(context.Context) error {
	if err := n.cluster.engine(); err != nil {
		return err
	}
	time.Sleep(startTime)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.state.Running {
		return nil
	}
	if n.cluster.opts.UndoFails && !n.state.FinishedAt.IsZero() {
		return fmt.Errorf("start %s: no space left on device", n.Name())
	}
	n.host, n.told = n.cluster.net.plug(n.spec.Addr), map[string]string{}
	n.state.Running, n.state.ExitCode, n.state.StartedAt = true, 0, time.Now()
	n.pids++
	n.state.Pid = 1000 + n.pids
	n.cluster.events.add(topology.EngineEvent{Node: n.Name(), Action: "start", Wall: n.state.StartedAt})
	n.cluster.serves(n, true)
	n.launch()
	return nil
}

// launch begins the process, which listens after the boot time. The node's
// lock is held.
func (n *node) launch() {
	n.pids++
	pid := n.pids
	boot := n.cluster.opts.Boot
	if n.Name() == n.cluster.opts.Slow {
		boot += time.Second
	}
	n.boot = time.AfterFunc(boot, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.state.Running && n.proc == nil && n.pids == pid {
			n.proc = n.cluster.process(n)
		}
	})
}

// Pause freezes the container.
func (n *node) Pause(context.Context) error { return n.freeze(true, "pause") }

// Unpause thaws it.
func (n *node) Unpause(context.Context) error { return n.freeze(false, "unpause") }

func (n *node) freeze(on bool, action string) error {
	if err := n.cluster.engine(); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.state.Paused == on {
		return nil
	}
	if !n.state.Running {
		return fmt.Errorf("%s %s: %w", action, n.Name(), topology.ErrNotRunning)
	}
	n.state.Paused = on
	n.host.freeze(on)
	n.cluster.serves(n, !on)
	n.cluster.events.add(topology.EngineEvent{Node: n.Name(), Action: action, Wall: time.Now()})
	return nil
}

// running is an error that wraps ErrNotRunning where a command cannot run.
func (n *node) running() error {
	if err := n.cluster.engine(); err != nil {
		return err
	}
	if !n.state.Running {
		return fmt.Errorf("node %s: %w", n.Name(), topology.ErrNotRunning)
	}
	return nil
}

// up says whether the node's container runs and is not frozen.
func (n *node) up() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.state.Running && !n.state.Paused
}

var errNoCommand = errors.New("the in-memory node knows no such command")
