package fake

import (
	"context"

	"github.com/hachaos/hachaos/topology"
)

var _ topology.Limited = (*node)(nil)

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
