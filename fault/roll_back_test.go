package fault

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

func TestARollBackBringsTheFirstVersionBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rolled(2, 2)
		require.NoError(t, Deploy{Version: "2", Set: map[string]string{"POOL_SIZE": "8"}}.Inject(t.Context(), s.nodes(), s))
		s.acts = nil
		require.False(t, rolledProof(t, RollBack{}.Active, s.nodes()).OK)

		require.NoError(t, RollBack{Rollout{Reverse: true}}.Inject(t.Context(), s.nodes(), s))
		require.Less(t, s.at(t, "j2 replace roll-back"), s.at(t, "j1 replace roll-back"))
		for _, a := range s.apps {
			require.Empty(t, a.env, "nothing is left of the deployment, and nothing is its own")
		}
		p := rolledProof(t, RollBack{}.Active, s.nodes())
		require.True(t, p.OK, "%+v", p)
		require.Equal(t, "version 1 on 2 nodes", p.Asked)
		require.Equal(t, "j1: version 1; j2: version 1", p.Measured)
		require.False(t, rolledProof(t, RollBack{}.Healed, s.nodes()).OK, "it is noted")
		require.False(t, rolledProof(t, Deploy{Version: "1"}.Active, s.nodes()).OK, "another kind of act")

		s.apps[0].env["VERSION"] = "2"
		p = rolledProof(t, RollBack{}.Active, s.nodes())
		require.False(t, p.OK)
		require.Equal(t, "j1: version 2; j2: version 1", p.Measured)
	})
}

// TestTheUndoOfARollBackLeavesTheProcess: it runs as its container was made.
func TestTheUndoOfARollBackLeavesTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rolled(1, 1)
		require.NoError(t, RollBack{}.Inject(t.Context(), s.nodes(), s))
		started := s.apps[0].started
		s.undo(t)
		require.Equal(t, started, s.apps[0].started)
		p := rolledProof(t, RollBack{}.Healed, s.nodes())
		require.True(t, p.OK, "%+v", p)
	})
}
