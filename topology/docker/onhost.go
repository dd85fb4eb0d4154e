package docker

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"

	"github.com/hachaos/hachaos/topology"
)

// hostTree is where a helper on the engine's host has the tree of control groups.
const hostTree = "/host/cgroup"

// hostHelper is the container that acts on the engine's host, wherever that is.
// The zero value is none.
type hostHelper struct {
	mu sync.Mutex
	id string
}

// onHost runs argv in a helper that sees the host's processes and control groups.
// The first call starts it, which takes a few hundred milliseconds; it ends with
// the cluster. No error of it wraps topology.ErrNotRunning: that would be said of
// a node.
func (c *cluster) onHost(ctx context.Context, argv ...string) (topology.Output, error) {
	out, err := c.besideHost(ctx, argv)
	if ended(err) && c.forgetHostHelper(ctx) {
		out, err = c.besideHost(ctx, argv)
	}
	switch {
	case ended(err):
		return out, fmt.Errorf("helper on the engine's host: it ended: %v", err)
	case err != nil:
		return out, fmt.Errorf("helper on the engine's host: %w", err)
	}
	return out, nil
}

// ended says whether an error is that the helper runs no more, or is gone.
func ended(err error) bool {
	return errors.Is(err, topology.ErrNotRunning) || errdefs.IsNotFound(err)
}

func (c *cluster) besideHost(ctx context.Context, argv []string) (topology.Output, error) {
	id, err := c.hostHelper(ctx)
	if err != nil {
		return topology.Output{}, err
	}
	return c.engine.exec(ctx, id, argv)
}

// hostHelper returns the helper's id, and starts one if there is none.
func (c *cluster) hostHelper(ctx context.Context) (string, error) {
	c.host.mu.Lock()
	defer c.host.mu.Unlock()
	if c.host.id != "" {
		return c.host.id, nil
	}
	id, err := c.engine.create(ctx, hostBox(c))
	if err != nil {
		return "", err
	}
	if _, err := c.engine.ContainerStart(ctx, id, client.ContainerStartOptions{}); err != nil {
		err = c.engine.explain(err)
		_, left := c.engine.ContainerRemove(context.WithoutCancel(ctx), id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		return "", errors.Join(err, left) // its name is free for the next
	}
	c.host.id = id
	return id, nil
}

// forgetHostHelper has the next call make another, under the same name; false if
// there was none.
func (c *cluster) forgetHostHelper(ctx context.Context) bool {
	c.host.mu.Lock()
	defer c.host.mu.Unlock()
	if c.host.id == "" {
		return false
	}
	_, _ = c.engine.ContainerRemove(ctx, c.host.id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true}) // the next creation tells
	c.host.id = ""
	return true
}

// hostBox is the helper. On a topology that outlives this process its name is
// the process's own, so that two processes do not share it.
func hostBox(c *cluster) box {
	name := containerName(c.id, "host-helper")
	if c.attached {
		name = fmt.Sprintf("%s-%d", name, c.owner.pid)
	}
	marks := labels(c.id, "", c.owner)
	marks[labelHelper] = hostLabel
	if !c.attached && c.standing != "" {
		marks[labelStanding] = c.standing
	}
	return box{name: name, config: container.Config{Image: c.netRef, Labels: marks}, host: hostRights()}
}

// hostRights are those of a container that reads which control group a process
// of the host is in and what is mounted for it, and writes that group's limits:
// the host's numbers of processes and names of groups, the tree of groups, and
// to look at other users' processes. It has no network.
func hostRights() container.HostConfig {
	return container.HostConfig{
		NetworkMode: "none", PidMode: "host", CgroupnsMode: container.CgroupnsModeHost, UsernsMode: "host",
		CapAdd: []string{"SYS_PTRACE"}, SecurityOpt: []string{"label=disable"}, LogConfig: logLimits,
		Mounts: []mount.Mount{{Type: mount.TypeBind, Source: "/sys/fs/cgroup", Target: hostTree}},
	}
}
