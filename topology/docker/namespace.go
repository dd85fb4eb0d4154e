package docker

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/hachaos/hachaos/topology"
)

// helper is the container that shares a node's network namespace, and which
// namespace that was when it was last started. The zero value is none.
type helper struct {
	id    string
	space string
}

// InNamespace implements topology.Namespace. The first call starts the helper
// container, the first one after a restart of the node starts it anew: both
// take a few hundred milliseconds. A node that is not running has no namespace
// and gives an error that wraps topology.ErrNotRunning; a paused one has.
func (n *node) InNamespace(ctx context.Context, argv ...string) (topology.Output, error) {
	out, err := n.besides(ctx, argv)
	if errors.Is(err, topology.ErrNotRunning) && n.forgetHelper() {
		out, err = n.besides(ctx, argv) // the helper itself may have ended
	}
	if err != nil {
		return out, fmt.Errorf("beside node %s: %w", n.spec.Name, err)
	}
	return out, nil
}

func (n *node) besides(ctx context.Context, argv []string) (topology.Output, error) {
	id, err := n.helperID(ctx)
	if err != nil {
		return topology.Output{}, fmt.Errorf("helper: %w", err)
	}
	return n.cluster.engine.exec(ctx, id, argv)
}

// forgetHelper has the next call start the helper anew; false if there was
// none that could have ended.
func (n *node) forgetHelper() bool {
	if n.lender != nil {
		return n.lender.forgetHelper()
	}
	n.helping.Lock()
	defer n.helping.Unlock()
	known := n.helper.space != ""
	n.helper.space = ""
	return known
}

// helperID returns a helper that runs in the namespace that the node has now.
func (n *node) helperID(ctx context.Context) (string, error) {
	if n.lender != nil {
		return n.lender.helperID(ctx)
	}
	n.helping.Lock()
	defer n.helping.Unlock()
	space, err := n.namespace(ctx)
	if err != nil {
		return "", err
	}
	if n.helper.id != "" && n.helper.space == space {
		return n.helper.id, nil
	}
	fresh := helper{id: n.helper.id}
	if fresh.id == "" {
		if fresh.id, err = n.createHelper(ctx); err != nil {
			return "", err
		}
		n.helper.id = fresh.id
	}
	if err := n.restartHelper(ctx, fresh.id); err != nil {
		return "", err
	}
	if fresh.space, err = n.namespace(ctx); err != nil {
		return "", err
	}
	if fresh.space != space {
		return "", fmt.Errorf("%w: it was restarted in the same moment: try again", topology.ErrNotRunning)
	}
	n.helper = fresh
	return fresh.id, nil
}

// namespace names the node's network namespace; each start makes a new one.
func (n *node) namespace(ctx context.Context) (string, error) {
	result, err := n.cluster.engine.ContainerInspect(ctx, n.id, client.ContainerInspectOptions{})
	if err != nil {
		return "", n.cluster.engine.explain(err)
	}
	c := result.Container
	if c.State == nil || !c.State.Running || c.NetworkSettings == nil {
		return "", fmt.Errorf("%w: it has no network namespace", topology.ErrNotRunning)
	}
	return c.NetworkSettings.SandboxKey + " " + c.State.StartedAt, nil
}

// createHelper makes the container. On a topology that outlives this process
// its name is the process's own, so that two processes do not share it.
func (n *node) createHelper(ctx context.Context) (string, error) {
	return n.cluster.engine.create(ctx, helperBox(n.cluster, n))
}

func helperBox(c *cluster, n *node) box {
	name := containerName(c.id, n.spec.Name) + "-net"
	if c.attached {
		name = fmt.Sprintf("%s-%d", name, c.owner.pid)
	}
	marks := labels(c.id, "", c.owner)
	marks[labelHelper] = n.spec.Name
	if !c.attached && c.standing != "" {
		marks[labelStanding] = c.standing
	}
	return box{
		name:   name,
		config: container.Config{Image: c.netRef, Labels: marks},
		host: container.HostConfig{
			NetworkMode: container.NetworkMode("container:" + n.id),
			CapAdd:      []string{"NET_ADMIN", "NET_RAW"},
			LogConfig:   logLimits,
		},
	}
}

// restartHelper starts the helper in the node's present namespace, whether it
// runs in an old one or not at all. There is nothing in it to end gracefully.
func (n *node) restartHelper(ctx context.Context, id string) error {
	at := 0
	_, err := n.cluster.engine.ContainerRestart(ctx, id, client.ContainerRestartOptions{Timeout: &at})
	switch {
	case err == nil:
		return nil
	case errdefs.IsNotFound(err):
		n.helper = helper{} // removed by somebody: the next call makes another
		return fmt.Errorf("%w: it was removed: try again", topology.ErrNotRunning)
	case errdefs.IsConflict(err):
		return fmt.Errorf("%w: %w", topology.ErrNotRunning, err)
	}
	return n.cluster.engine.explain(err)
}
