package fake

import (
	"context"
	"fmt"
	"slices"

	"github.com/hachaos/hachaos/topology"
)

var (
	_ topology.Limited     = (*node)(nil)
	_ topology.DiskLimited = (*node)(nil)
)

// Limits are those that were put in force, which bind nothing here.
func (n *node) Limits(context.Context) (topology.Limits, error) {
	if err := n.cluster.engine(); err != nil {
		return topology.Limits{}, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.limits, nil
}

// Limit notes them.
func (n *node) Limit(_ context.Context, l topology.Limits) error {
	if err := n.cluster.engine(); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.limits = l
	return nil
}

// DiskLimit is that which was put in force, and holds nothing back here.
func (n *node) DiskLimit(_ context.Context, at string) (topology.DiskLimit, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.disk(at); err != nil {
		return topology.DiskLimit{}, err
	}
	return topology.DiskLimit{Device: "8:0", Writes: n.disks[at]}, nil
}

// LimitDisk notes it.
func (n *node) LimitDisk(_ context.Context, at string, writes int) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.disk(at); err != nil {
		return err
	}
	if n.disks == nil {
		n.disks = map[string]int{}
	}
	n.disks[at] = writes
	return nil
}

// disk is an error where nothing can be limited; the node's lock is held.
func (n *node) disk(at string) error {
	if !slices.Contains(n.spec.Disks, at) {
		return fmt.Errorf("disk %s of node %s: %w", at, n.Name(), topology.ErrNotFound)
	}
	return n.running()
}
