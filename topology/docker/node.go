package docker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/hachaos/hachaos/topology"
)

// node is one container of a cluster. Its id is set before it is handed out.
type node struct {
	cluster *cluster
	spec    topology.NodeSpec
	id      string
	image   string // what the container was made from, with its digest unless the name has one

	// lender is the same node of another cluster of this process, whose helper
	// is used; nil is none, and then helping guards helper.
	lender  *node
	helping sync.Mutex
	helper  helper
}

var (
	_ topology.Container = (*node)(nil)
	_ topology.Namespace = (*node)(nil)
	_ topology.Served    = (*node)(nil)
	_ topology.Streamer  = (*node)(nil)
	_ topology.Member    = (*node)(nil)
	_ topology.Dialer    = (*node)(nil)
)

// Name implements topology.Node.
func (n *node) Name() string { return n.spec.Name }

// Role implements topology.Node.
func (n *node) Role() topology.Role { return n.spec.Role }

// Addr implements topology.Addressed.
func (n *node) Addr() netip.Addr { return n.spec.Addr }

// Port implements topology.Served.
func (n *node) Port() int { return n.spec.Port }

// Peers implements topology.Member.
func (n *node) Peers() []topology.Node { return n.cluster.Nodes() }

// DialContext implements topology.Dialer: like the cluster's, by the relay where
// the host has no route.
func (n *node) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return n.cluster.DialContext(ctx, network, address)
}

// Kill implements topology.Container.
func (n *node) Kill(ctx context.Context) error {
	return n.ensure(ctx, "kill", stopped, func() error {
		_, err := n.cluster.engine.ContainerKill(ctx, n.id, client.ContainerKillOptions{Signal: "SIGKILL"})
		return err
	})
}

// Stop implements topology.Container. The engine counts whole seconds, so that
// grace is rounded up.
func (n *node) Stop(ctx context.Context, grace time.Duration) error {
	seconds := int((grace + time.Second - 1) / time.Second)
	return n.ensure(ctx, "stop", stopped, func() error {
		_, err := n.cluster.engine.ContainerStop(ctx, n.id, client.ContainerStopOptions{Timeout: &seconds})
		return err
	})
}

// Start implements topology.Container.
func (n *node) Start(ctx context.Context) error {
	return n.ensure(ctx, "start", running, func() error {
		_, err := n.cluster.engine.ContainerStart(ctx, n.id, client.ContainerStartOptions{})
		return err
	})
}

// Pause implements topology.Container.
func (n *node) Pause(ctx context.Context) error {
	return n.ensure(ctx, "pause", paused, func() error {
		_, err := n.cluster.engine.ContainerPause(ctx, n.id, client.ContainerPauseOptions{})
		return err
	})
}

// Unpause implements topology.Container.
func (n *node) Unpause(ctx context.Context) error {
	return n.ensure(ctx, "unpause", thawed, func() error {
		_, err := n.cluster.engine.ContainerUnpause(ctx, n.id, client.ContainerUnpauseOptions{})
		return err
	})
}

// The states that acts bring about.
func running(s topology.State) bool { return s.Running }
func stopped(s topology.State) bool { return !s.Running }
func paused(s topology.State) bool  { return s.Paused }
func thawed(s topology.State) bool  { return !s.Paused }

// ensure acts, and asks the engine what is the case if that gave an error: the
// state may have been reached before, or the reply may have been lost. Only
// if it is not reached does the error count.
func (n *node) ensure(ctx context.Context, verb string, reached func(topology.State) bool, act func() error) error {
	err := act()
	if err == nil {
		return nil
	}
	state, askErr := n.Inspect(ctx)
	switch {
	case askErr != nil:
		return fmt.Errorf("%s node %s: %w", verb, n.spec.Name, errors.Join(n.cluster.engine.explain(err), askErr))
	case reached(state):
		return nil
	case !state.Running && errdefs.IsConflict(err):
		return fmt.Errorf("%s node %s: %w: start it first: %w", verb, n.spec.Name, topology.ErrNotRunning, err)
	}
	return fmt.Errorf("%s node %s: %w", verb, n.spec.Name, n.cluster.engine.explain(err))
}

// Inspect implements topology.Container.
func (n *node) Inspect(ctx context.Context) (topology.State, error) {
	result, err := n.cluster.engine.ContainerInspect(ctx, n.id, client.ContainerInspectOptions{})
	if err != nil {
		return topology.State{}, fmt.Errorf("inspect node %s: %w", n.spec.Name, n.cluster.engine.explain(err))
	}
	return stateOf(result.Container)
}

func stateOf(c container.InspectResponse) (topology.State, error) {
	if c.State == nil {
		return topology.State{}, fmt.Errorf("container %s: the engine tells no state", c.Name)
	}
	state := topology.State{
		ID: c.ID, Running: c.State.Running, Paused: c.State.Paused, Pid: c.State.Pid,
		ExitCode: c.State.ExitCode, OOMKilled: c.State.OOMKilled, Restarts: c.RestartCount,
	}
	var startErr, finishErr error
	state.StartedAt, startErr = engineTime(c.State.StartedAt)
	state.FinishedAt, finishErr = engineTime(c.State.FinishedAt)
	return state, errors.Join(startErr, finishErr)
}

// engineTime parses a time of the engine, which says year 1 for "never".
func engineTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() <= 1 {
		return time.Time{}, err
	}
	return t, nil
}
