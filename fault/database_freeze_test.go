package fault

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// TestAFrozenDatabaseHasATime: the proof says by when it was frozen, or the engine's
// event could not begin the bracket.
func TestAFrozenDatabaseHasATime(t *testing.T) {
	n := &stub{name: "db", role: topology.Database, state: topology.State{Running: true, Paused: true}}
	p, err := DatabaseFreeze{}.Active(t.Context(), []topology.Node{n})
	require.NoError(t, err)
	require.True(t, p.OK)
	require.False(t, p.To.IsZero())
	n.state.Paused = false
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, errors.New("one look"))
	defer cancel()
	p, err = DatabaseFreeze{}.Healed(ctx, []topology.Node{n})
	require.NoError(t, err)
	require.Zero(t, p.To)
}
