package docker

import (
	"context"
	"fmt"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/hachaos/hachaos/topology"
)

var _ topology.Limited = (*node)(nil)

// The engine has no word for "no limit" of memory in an update (0 is "as it
// was", and -1 is refused), so that one is set that no machine can reach.
const noMemoryLimit = 1 << 60

// cpuPeriod is the scheduler's period in microseconds: the kernel's default.
const cpuPeriod = 100_000

// Limits implements topology.Limited.
func (n *node) Limits(ctx context.Context) (topology.Limits, error) {
	result, err := n.cluster.engine.ContainerInspect(ctx, n.id, client.ContainerInspectOptions{})
	if err != nil {
		return topology.Limits{}, fmt.Errorf("limits of node %s: %w", n.spec.Name, n.cluster.engine.explain(err))
	}
	host := result.Container.HostConfig
	if host == nil {
		return topology.Limits{}, fmt.Errorf("limits of node %s: the engine tells none", n.spec.Name)
	}
	return limitsOf(host.Resources), nil
}

func limitsOf(r container.Resources) topology.Limits {
	var l topology.Limits
	if r.Memory > 0 && r.Memory < noMemoryLimit {
		l.Memory = r.Memory
	}
	switch {
	case r.NanoCPUs > 0:
		l.CPU = float64(r.NanoCPUs) / 1e9
	case r.CPUQuota > 0 && r.CPUPeriod > 0:
		l.CPU = float64(r.CPUQuota) / float64(r.CPUPeriod)
	}
	return l
}

// Limit implements topology.Limited.
func (n *node) Limit(ctx context.Context, l topology.Limits) error {
	r := resourcesOf(l)
	if _, err := n.cluster.engine.ContainerUpdate(ctx, n.id, client.ContainerUpdateOptions{Resources: &r}); err != nil {
		return fmt.Errorf("limit node %s: %w", n.spec.Name, n.cluster.engine.explain(err))
	}
	return nil
}

func resourcesOf(l topology.Limits) container.Resources {
	r := container.Resources{Memory: noMemoryLimit, CPUQuota: -1, CPUPeriod: cpuPeriod}
	if l.Memory > 0 {
		r.Memory = l.Memory
	}
	if l.CPU > 0 {
		r.CPUQuota = int64(l.CPU * cpuPeriod)
	}
	r.MemorySwap = r.Memory
	return r
}
