package faulttest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/topology"
)

// state is what a fault may change about a node.
type state struct {
	container topology.State
	process   string // its number, as the supervisor keeps it
	filters   string // the packet filters, without counters
	limits    topology.Limits
	disk      topology.DiskLimit // of the database's disk
	servers   string             // what a balancer was ordered to do with its servers
}

// states looks at the nodes below their spies.
func states(t *testing.T, nodes []topology.Node) []state {
	t.Helper()
	ctx := context.Background()
	var all []state
	for _, n := range nodes {
		if s, ok := n.(*spy); ok {
			n = s.Node
		}
		var one state
		if c, ok := n.(topology.Container); ok {
			st, err := c.Inspect(ctx)
			require.NoError(t, err)
			one.container = st
			if !st.Running || st.Paused {
				all = append(all, one)
				continue
			}
		}
		if l, ok := n.(topology.Limited); ok {
			limits, err := l.Limits(ctx)
			require.NoError(t, err)
			one.limits = limits
		}
		if d, ok := n.(topology.DiskLimited); ok {
			limit, err := d.DiskLimit(ctx, topology.DatabaseDisk)
			if !errors.Is(err, topology.ErrNotFound) {
				require.NoError(t, err)
			}
			one.disk = limit
		}
		if out, err := n.Exec(ctx, "cat", "/run/hachaos/java.pid"); err == nil {
			one.process = string(out.Stdout)
		}
		if n.Role() == topology.Balancer {
			if views, err := fault.Servers(ctx, n); err == nil {
				for _, v := range views {
					one.servers += fmt.Sprintf("%s %t %t %d\n", v.Name, v.Drains(), v.InMaintenance(), v.Weight)
				}
			}
		}
		if ns, ok := n.(topology.Namespace); ok {
			out, err := ns.InNamespace(ctx, "nft", "-s", "list", "ruleset")
			require.NoError(t, err)
			one.filters = string(out.Stdout)
		}
		all = append(all, one)
	}
	return all
}
