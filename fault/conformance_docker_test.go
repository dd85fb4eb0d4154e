//go:build docker

package fault_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/fault/faulttest"
	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/observe"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/docker"
)

// The test's binary is the reaper and Toxiproxy, too.
func init() { wiring.Agent() }

// TestDockerConformance holds every built-in fault to the suite, on nodes of
// a real topology; a rotation takes one of them by its seed.
func TestDockerConformance(t *testing.T) {
	all := onStack()
	turn := drawn(t, len(all))
	c := standing(t)
	for i, one := range all {
		f := one.Fault
		t.Run(f.Kind(), func(t *testing.T) {
			if turn >= 0 && i != turn {
				t.Skip("left out by the rotation: `make test-all` runs it")
			}
			needKernel(t, f)
			faulttest.Suite{
				New:      func() fault.Fault { return f },
				Wrong:    wrongUnlessDrawn(f, turn),
				Beside:   beside(f),
				Nodes:    func(t *testing.T) []topology.Node { return readyNodes(t, c, one.nodes) },
				Settle:   30 * time.Second,
				Restless: f.Kind() == fault.CrashLoop{}.Kind(),
				Notices:  notices(f),
			}.Run(t)
		})
	}
}

// wrongUnlessDrawn are the wrong amounts of a fault. A rotation leaves them out:
// each of them is looked at for as long as a proof may take.
func wrongUnlessDrawn(f fault.Fault, turn int) []func() fault.Fault {
	if turn >= 0 {
		return nil
	}
	return wrong(f)
}

// notices says whether the fault looks from inside while it acts.
func notices(f fault.Fault) bool {
	switch f.(type) {
	case fault.MemorySqueeze, fault.OutOfMemory, fault.PowerLoss:
		return true
	}
	return false
}

// drawn is the one of n that a rotation runs, by its seed; -1 without one.
func drawn(t *testing.T, n int) int {
	t.Helper()
	seed, ok := os.LookupEnv("HACHAOS_ROTATION")
	if !ok {
		return -1
	}
	number, err := strconv.ParseUint(seed, 10, 64)
	require.NoError(t, err, "HACHAOS_ROTATION wants a number")
	return int(number % uint64(n))
}

// standing is a topology that ends with the test, whatever becomes of it. Its
// keepalived leaves a frozen HAProxy to the fault that froze it.
func standing(t *testing.T) topology.Cluster {
	return standingWith(t, map[string]string{"clock": "movable", "vip-fence": "off"})
}

// standingWith is one with switches.
func standingWith(t *testing.T, set map[string]string) topology.Cluster {
	t.Helper()
	ctx := t.Context()
	d, err := docker.Open(ctx, docker.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	plan, err := topology.JettyHA().Plan(topology.Options{Set: set})
	require.NoError(t, err)
	id := fmt.Sprintf("%08x", rand.Uint32())
	reaper, err := d.StartReaper(ctx, docker.ReaperOptions{RunID: id})
	require.NoError(t, err)
	c, err := d.Start(ctx, id, plan, topology.StartOptions{Progress: func(s string) { t.Log(s) }})
	require.NoError(t, err)
	t.Cleanup(func() {
		bounded, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.NoError(t, c.Close(bounded))
		require.NoError(t, reaper.Release(bounded))
	})
	return c
}

// readyNodes are nodes of the topology once that serves again.
func readyNodes(t *testing.T, c topology.Cluster, names []string) (nodes []topology.Node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	require.NoError(t, c.Ready(ctx))
	// A node is ready before the balancers have found it so; one whose checks are
	// switched off meanwhile stays down for them.
	require.NoError(t, observe.Rotation(ctx, c))
	for _, n := range c.Nodes() {
		if slices.Contains(names, n.Name()) || slices.Contains(names, vipOwner) && owns(t, n, c.Spec().VIP) {
			nodes = append(nodes, n)
		}
	}
	require.Len(t, nodes, len(names))
	return nodes
}

// owns says whether the node is a balancer that holds the address.
func owns(t *testing.T, n topology.Node, vip netip.Addr) bool {
	t.Helper()
	if n.Role() != topology.Balancer {
		return false
	}
	out, err := n.Exec(t.Context(), "ip", "-4", "-o", "address", "show", "dev", "eth0")
	require.NoError(t, err)
	return strings.Contains(string(out.Stdout), " "+vip.String()+"/")
}

// needKernel skips a fault that the engine's kernel cannot carry out.
func needKernel(t *testing.T, f fault.Fault) {
	t.Helper()
	demanding, ok := f.(fault.Demanding)
	if !ok {
		return
	}
	d, err := docker.Open(t.Context(), docker.Options{})
	require.NoError(t, err)
	defer d.Close()
	has, err := d.Has(t.Context(), demanding.Demands())
	require.NoError(t, err)
	if !has {
		t.Skipf("the kernel has no %s: %s", demanding.Demands(), demanding.Instead())
	}
}
