package fault

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// TestALiarHoldsAServerForWell: whatever becomes of it, until it is asked again.
func TestALiarHoldsAServerForWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rolled(2, 2)
		require.NoError(t, HealthCheckLiar{}.Inject(t.Context(), s.pair(), s))
		s.apps[0].down = true
		p := rolledProof(t, HealthCheckLiar{}.Active, s.pair())
		require.True(t, p.OK, "%+v", p)
		require.Equal(t, "lb1: no check; lb2: no check", p.Measured)
		require.Contains(t, p.How, "lb1: its view of j1 is no check")

		s.balancers[1].tell("enable health nodes/j1")
		p = rolledProof(t, HealthCheckLiar{}.Active, s.pair())
		require.False(t, p.OK, "%+v", p)
		require.Equal(t, "lb1: no check; lb2: DOWN", p.Measured)
		require.False(t, rolledProof(t, HealthCheckLiar{}.Healed, s.pair()).OK)

		s.undo(t)
		p = rolledProof(t, HealthCheckLiar{}.Healed, s.pair())
		require.True(t, p.OK, "a server that is down is checked, too: %+v", p)
		require.Equal(t, "lb1: DOWN; lb2: DOWN", p.Measured)
	})
}

func TestALiarIsOfOneServer(t *testing.T) {
	require.NoError(t, HealthCheckLiar{Server: "j1", Backend: "app"}.Validate())
	require.ErrorContains(t, HealthCheckLiar{Server: "j1 j2"}.Validate(), `health-check-liar: server "j1 j2": want the name of one`)
	require.ErrorContains(t, HealthCheckLiar{Backend: "/"}.Validate(), `health-check-liar: backend "/"`)
}
