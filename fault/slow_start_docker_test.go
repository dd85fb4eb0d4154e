//go:build docker

package fault_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/topology"
)

// TestDockerASlowStartOutlivesItsNode: it stands until the undo, so that a node
// that dies meanwhile starts as slowly, and one that is dead is healed.
func TestDockerASlowStartOutlivesItsNode(t *testing.T) {
	if _, ok := os.LookupEnv("HACHAOS_ROTATION"); ok {
		t.Skip("left out by the rotation: `make test-all` runs it")
	}
	c := standing(t)
	nodes := readyNodes(t, c, []string{"j1"})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var undos entries
	f := fault.SlowStart{Delay: 4 * time.Second}
	j1 := nodes[0].(topology.Container)

	require.NoError(t, f.Inject(ctx, nodes, &undos))
	for range 2 {
		p, err := f.Active(ctx, nodes)
		require.NoError(t, err)
		require.True(t, p.OK, "%+v", p)
		t.Logf("%s: %q", p.Measured, p.How)
		require.NoError(t, j1.Kill(ctx))
		require.NoError(t, j1.Start(ctx))
	}
	require.NoError(t, j1.Kill(ctx))
	for range 2 {
		require.NoError(t, fault.UndoAll(ctx, c.Nodes(), undos))
		p, err := f.Healed(ctx, nodes)
		require.NoError(t, err)
		require.True(t, p.OK, "%+v", p)
		t.Logf("%s: %q", p.Measured, p.How)
	}
}
