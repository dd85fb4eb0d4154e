//go:build docker

package fault_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/fault/faulttest"
	"github.com/hachaos/hachaos/topology"
)

// TestDockerDeployments holds the deployments to the suite, over containers
// alone: a release is what the image's own scripts make of an environment,
// which a node in memory could only pretend, and a step of the schema is the
// database's own. A rotation takes one of them by its seed.
func TestDockerDeployments(t *testing.T) {
	all := deployments()
	turn := drawn(t, len(all))
	c := standing(t)
	for i, one := range all {
		t.Run(one.Kind(), func(t *testing.T) {
			if turn >= 0 && i != turn {
				t.Skip("left out by the rotation: `make test-all` runs it")
			}
			nodes := func(t *testing.T) []topology.Node { return readyNodes(t, c, one.nodes) }
			if one.Fault == (fault.SchemaChange{Step: fault.StepContract}) {
				expand(t, nodes(t))
			}
			faulttest.Suite{
				New:     func() fault.Fault { return one.Fault },
				Wrong:   wrongUnlessDrawn(one.Fault, turn),
				Beside:  beside(one.Fault),
				Repeats: repeats(one.Fault),
				Nodes:   nodes,
				Settle:  30 * time.Second,
			}.Run(t)
		})
	}
}

// expand takes the step that a contraction needs, until the test ends.
func expand(t *testing.T, db []topology.Node) {
	t.Helper()
	undos := &kept{}
	t.Cleanup(func() { require.NoError(t, fault.UndoAll(context.Background(), db, undos.all)) })
	require.NoError(t, fault.SchemaChange{Step: fault.StepExpand}.Inject(t.Context(), db, undos))
}

// repeats says whether a second one of the fault takes the first one's place.
func repeats(f fault.Fault) bool {
	switch f.(type) {
	case fault.Deploy, fault.RollBack, fault.Canary, fault.BlueGreen:
		return true
	}
	return false
}
