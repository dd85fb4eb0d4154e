package fault

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

func TestADeploymentHasItsVersionAndItsSettings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rolled(1, 1)
		set := map[string]string{"POOL_SIZE": "8", "VERSION": "9", "GREETING": "it is"}
		require.NoError(t, Deploy{Version: "2", Set: set}.Inject(t.Context(), s.nodes(), s))
		require.Equal(t, map[string]string{"POOL_SIZE": "8", "VERSION": "2", "GREETING": "it is"}, s.apps[0].env)
		require.Equal(t, "9", set["VERSION"], "what was asked for is left as it is")
		require.True(t, rolledProof(t, Deploy{Version: "2"}.Active, s.nodes()).OK)
	})
}

// TestADeploymentTakesThePlaceOfTheOneBefore: each is proven by its own start, and
// the undo of both leaves nothing.
func TestADeploymentTakesThePlaceOfTheOneBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rolled(2, 1)
		require.NoError(t, Deploy{Version: "2"}.Inject(t.Context(), s.nodes(), s))
		require.NoError(t, Deploy{Version: "3"}.Inject(t.Context(), s.nodes(), s))
		p := rolledProof(t, Deploy{Version: "3"}.Active, s.nodes())
		require.True(t, p.OK, "%+v", p)
		require.False(t, rolledProof(t, Deploy{Version: "2"}.Active, s.nodes()).OK)
		s.undo(t)
		require.True(t, rolledProof(t, Deploy{Version: "3"}.Healed, s.nodes()).OK)
	})
}

// TestADeploymentWithoutDrainIsProvenWithoutBalancers: they are looked at if they are
// there.
func TestADeploymentWithoutDrainIsProvenWithoutBalancers(t *testing.T) {
	for name, f := range map[string]Fault{
		"deploy":       Deploy{Version: "2", Rollout: Rollout{NoDrain: true}},
		"roll-back":    RollBack{Rollout{NoDrain: true}},
		"config-drift": ConfigDrift{Set: map[string]string{"POOL_SIZE": "8"}, Rollout: Rollout{NoDrain: true}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := rolled(2, 1)
				apps := s.nodes()[:2]
				require.NoError(t, f.Inject(t.Context(), apps, s))
				require.Equal(t, []string{"unreleased j1", "unreleased j2"}, s.recorded())
				p := rolledProof(t, f.Active, apps)
				require.True(t, p.OK, "%+v", p)
				s.undo(t)
				require.True(t, rolledProof(t, f.Healed, apps).OK)
				s.server(1, 2).state = stateMaint
				require.True(t, rolledProof(t, f.Healed, apps).OK)
				require.False(t, rolledProof(t, f.Healed, s.nodes()).OK)
			})
		})
	}
}
