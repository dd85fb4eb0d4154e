//go:build docker

package fault_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/fault/faulttest"
	"github.com/hachaos/hachaos/topology"
)

// TestDockerConformanceOfResources holds the faults that use something up to
// the suite, on a topology of their own that allows them. They act by SQL, by
// a file system and by the application itself, which no node in memory has:
// plans and parsers are unit tests, and this is all the rest. The last one
// costs the database its orders, since the suite kills what it is aimed at.
func TestDockerConformanceOfResources(t *testing.T) {
	all := onResources()
	turn := drawn(t, len(all))
	usual := sync.OnceValue(func() topology.Cluster {
		return standingWith(t, map[string]string{"faults": "on", "dependency": "on"})
	})
	small := sync.OnceValue(func() topology.Cluster { return standingWith(t, map[string]string{"small-disk": "orders"}) })
	slow := sync.OnceValue(func() topology.Cluster { return standingWith(t, map[string]string{"database-disk": "volume"}) })
	for i, one := range all {
		t.Run(one.Kind(), func(t *testing.T) {
			if turn >= 0 && i != turn {
				t.Skip("left out by the rotation: `make test-all` runs it")
			}
			needKernel(t, one.Fault)
			nodes := func(t *testing.T) []topology.Node { return readyNodes(t, usual(), one.nodes) }
			switch one.Fault.(type) {
			case fault.DiskSlow:
				nodes = func(t *testing.T) []topology.Node { return readyNodes(t, slow(), one.nodes) }
			case fault.DiskFull:
				nodes = func(t *testing.T) []topology.Node { return named(t, small(), one.nodes[0]) }
			}
			faulttest.Suite{
				New: func() fault.Fault { return one.Fault }, Wrong: wrongUnlessDrawn(one.Fault, turn),
				Nodes: nodes, Settle: 30 * time.Second, Beside: beside(one.Fault),
			}.Run(t)
		})
	}
}

// named is a node of the topology, whether or not that serves.
func named(t *testing.T, c topology.Cluster, name string) []topology.Node {
	t.Helper()
	for _, n := range c.Nodes() {
		if n.Name() == name {
			return []topology.Node{n}
		}
	}
	require.FailNow(t, "no node "+name)
	return nil
}
