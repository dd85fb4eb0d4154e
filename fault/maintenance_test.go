package fault

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// TestAMaintainedServerIsSentNothing: those of its own sessions neither.
func TestAMaintainedServerIsSentNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		set      func(*rolledStack)
		ok       bool
		measured string
		how      string
	}{
		"nothing":       {func(*rolledStack) {}, true, "lb1: MAINT; lb2: MAINT", "lb2: between two looks it sent j1 0 requests"},
		"sent one":      {func(s *rolledStack) { s.server(2, 1).sends = 1 }, false, "lb1: MAINT; lb2: MAINT", "lb2: between two looks it sent j1 1 requests"},
		"of long ago":   {func(s *rolledStack) { s.server(2, 1).total = 17 }, true, "lb1: MAINT; lb2: MAINT", "lb2: between two looks it sent j1 0 requests"},
		"drained only":  {func(s *rolledStack) { s.server(1, 1).state = stateDrain }, false, "lb1: DRAIN; lb2: MAINT", "lb1: its view of j1 is DRAIN"},
		"with a reason": {func(s *rolledStack) { s.server(1, 1).status = "MAINT (via nodes/j2)" }, true, "lb1: MAINT (via nodes/j2); lb2: MAINT", "lb1: its view of j1 is MAINT (via nodes/j2)"},
		"down":          {func(s *rolledStack) { s.server(1, 1).status = "DOWN" }, false, "lb1: DOWN; lb2: MAINT", "lb1: its view of j1 is DOWN"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := rolled(1, 2)
				require.NoError(t, Maintenance{}.Inject(t.Context(), s.pair(), s))
				tc.set(s)
				p := rolledProof(t, Maintenance{}.Active, s.pair())
				require.Equal(t, tc.ok, p.OK, "%+v", p)
				require.Equal(t, tc.measured, p.Measured)
				require.Contains(t, p.How, tc.how)
			})
		})
	}
}

// TestAServerThatDrainsCanBeMaintained: and not the other way round.
func TestAServerThatDrainsCanBeMaintained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rolled(1, 1)
		s.both("set server nodes/j1 state drain")
		require.NoError(t, Maintenance{}.Inject(t.Context(), s.pair(), s))
		require.Equal(t, stateMaint, s.server(1, 1).state)
	})
}

// TestAnOrderKnowsTheBackend: the path that is told has it.
func TestAnOrderKnowsTheBackend(t *testing.T) {
	for _, f := range []Fault{Drain{Backend: "app"}, Maintenance{Backend: "app"}, HealthCheckLiar{Backend: "app"}} {
		synctest.Test(t, func(t *testing.T) {
			s := rolled(1, 1)
			require.ErrorContains(t, f.Inject(t.Context(), s.pair(), s), "No such server")
			require.Equal(t, "app/j1", s.undos[0].Params["server"])
		})
	}
}
