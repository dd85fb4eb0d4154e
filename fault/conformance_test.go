package fault_test

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/fault/faulttest"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/fake"
)

// TestConformance holds the faults that can be imitated to the suite, over two
// nodes in memory and in virtual time. A crash loop is a program in the node,
// and a limit an engine's: those are held to it on containers alone, as are
// those of keepalived and its packets and of a HAProxy that is frozen or
// reloaded, whose plans are compared as text.
func TestConformance(t *testing.T) {
	for _, f := range []fault.Fault{
		fault.InstanceKill{},
		fault.InstanceKill{Port: 8080},
		fault.ProcessCrash{},
		fault.PowerLoss{},
		fault.InstanceFreeze{},
		fault.ClockMoved{By: time.Minute},
		fault.InstanceStop{},
		fault.InstanceRestart{},
		fault.InstanceRestart{Kill: true},
	} {
		conforms(t, f, topology.Application)
	}
	for _, f := range []fault.Fault{
		fault.Drain{Server: "j1"},
		fault.Maintenance{Server: "j1"},
		fault.Weight{Server: "j2", Weight: 10},
		fault.HealthCheckLiar{Server: "j1"},
		fault.BalancerKill{},
	} {
		conforms(t, f, topology.Balancer)
	}
	// What acts through the proxies or leaves a mark in the container is held
	// to it on containers only.
	for _, f := range []fault.Fault{
		fault.DatabaseDown{},
		fault.DatabaseDown{Stop: true},
		fault.DatabaseFreeze{},
		fault.DatabaseBlackHole{},
	} {
		conforms(t, f, topology.Database)
	}
}

// conforms holds a fault to the suite over the nodes of a role.
func conforms(t *testing.T, f fault.Fault, role topology.Role) {
	_, cuts := f.(fault.PowerLoss)
	t.Run(f.Kind(), func(t *testing.T) {
		faulttest.Suite{
			New:     func() fault.Fault { return f },
			Nodes:   func(t *testing.T) []topology.Node { return nodesOf(t, role) },
			Around:  synctest.Test,
			Notices: cuts,
		}.Run(t)
	})
}

// nodesOf are the nodes of a role of a cluster in memory that is ready.
func nodesOf(t *testing.T, role topology.Role) []topology.Node {
	t.Helper()
	var d fake.Driver
	plan, err := fake.Definition(d.Options).Plan(topology.Options{})
	require.NoError(t, err)
	ctx := context.Background()
	c, err := d.Start(ctx, "conformance", plan, topology.StartOptions{Subnet: netip.MustParsePrefix("198.18.7.0/24")})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, c.Close(ctx))
		time.Sleep(time.Minute) // virtual: what still waits has ended
	})
	require.NoError(t, c.Ready(ctx))
	var nodes []topology.Node
	for _, n := range c.Nodes() {
		if n.Role() == role {
			nodes = append(nodes, n)
		}
	}
	return nodes
}
