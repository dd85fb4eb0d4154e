package fault

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func TestTheLimitsOfAWeight(t *testing.T) {
	for weight, ok := range map[int]bool{-1: false, 0: false, 1: true, 2: true, 256: true, 257: false} {
		synctest.Test(t, func(t *testing.T) {
			s := rolled(1, 1)
			f := Weight{Server: "j1", Weight: weight}
			if ok {
				require.NoError(t, f.Validate())
				require.NoError(t, f.Inject(t.Context(), s.lbs(), s))
				require.Equal(t, weight, s.server(1, 1).weight)
				return
			}
			require.ErrorContains(t, f.Validate(), "want 1 to 256")
			require.ErrorContains(t, f.Inject(t.Context(), s.lbs(), s), "want 1 to 256")
			require.Empty(t, s.acts)
		})
	}
	require.ErrorContains(t, Weight{Server: "j 1", Weight: 1}.Validate(), `server "j 1"`)
}

func TestAWeightIsProvenByItsNumber(t *testing.T) {
	for name, tc := range map[string]struct {
		set      func(*rolledStack)
		ok, over bool
		measured string
	}{
		"right":            {func(*rolledStack) {}, true, false, "lb1: 20; lb2: 20"},
		"a tenth of it":    {func(s *rolledStack) { s.server(1, 1).weight = 2 }, false, false, "lb1: 2; lb2: 20"},
		"ten times as one": {func(s *rolledStack) { s.server(2, 1).weight = 200 }, false, false, "lb1: 20; lb2: 200"},
		"one less":         {func(s *rolledStack) { s.server(2, 1).weight = 19 }, false, false, "lb1: 20; lb2: 19"},
		"half taken back":  {func(s *rolledStack) { s.server(1, 1).weight = 100 }, false, false, "lb1: 100; lb2: 20"},
		"taken back":       {func(s *rolledStack) { s.both("set weight nodes/j1 100%") }, false, true, "lb1: 100; lb2: 100"},
		"of another":       {func(s *rolledStack) { s.server(1, 2).weight = 3 }, true, false, "lb1: 20; lb2: 20"},
		"as configured":    {func(s *rolledStack) { s.server(1, 1).initial, s.server(2, 1).initial = 20, 20 }, true, true, "lb1: 20; lb2: 20"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, f := rolled(2, 2), Weight{Weight: 20}
				require.NoError(t, f.Inject(t.Context(), s.pair(), s))
				tc.set(s)
				p := rolledProof(t, f.Active, s.pair())
				require.Equal(t, tc.ok, p.OK, "%+v", p)
				require.Equal(t, tc.measured, p.Measured)
				require.Equal(t, "weight", p.Unit)
				p = rolledProof(t, f.Healed, s.pair())
				require.Equal(t, tc.over, p.OK, "%+v", p)
				require.Equal(t, tc.measured, p.Measured)
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := rolled(1, 1)
		s.server(1, 1).weight = 7
		p := rolledProof(t, Weight{Weight: 20}.Active, s.pair())
		require.Equal(t, []string{"lb1: its weight of j1 is 7, by its configuration 100"}, p.How)
		p = rolledProof(t, Weight{Weight: 20}.Healed, s.pair())
		require.Equal(t, []string{"lb1: its weight of j1 is 7, by its configuration 100"}, p.How)
	})
}

// TestTheLastOfTwoWeightsCounts: the one that the balancer ends with.
func TestTheLastOfTwoWeightsCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for f, look := range map[Weight]func(Weight) func(context.Context, []topology.Node) (Proof, error){
			{Server: "j1", Weight: 20}:  func(f Weight) func(context.Context, []topology.Node) (Proof, error) { return f.Active },
			{Server: "j1", Weight: 100}: func(f Weight) func(context.Context, []topology.Node) (Proof, error) { return f.Healed },
		} {
			s := rolled(1, 1)
			s.server(1, 1).weight, s.server(1, 1).drifts = f.Weight, 1
			require.False(t, rolledProof(t, look(f), s.lbs()).OK)
			s.server(1, 1).weight, s.server(1, 1).drifts = f.Weight-1, 1
			p := rolledProof(t, look(f), s.lbs())
			require.True(t, p.OK, "%+v", p)
		}
	})
}

// TestAWeightThatChangesNothingIsRefused: at whichever balancer, before any is told.
func TestAWeightThatChangesNothingIsRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		set func(*rolledStack)
		err string
	}{
		"it has it already": {
			func(s *rolledStack) { s.server(2, 1).weight, s.server(2, 1).initial = 20, 20 },
			"weight of j1: balancer lb2: its weight is 20 already: nothing would change",
		},
		"another fault's": {
			func(s *rolledStack) { s.server(2, 1).weight = 21 },
			"weight of j1: balancer lb2: its weight is 21 in place of 100 already: heal that first, or aim at another node",
		},
		"the same fault's": {func(s *rolledStack) { s.server(1, 1).weight = 20 }, "weight of j1: balancer lb1: its weight is 20 already: nothing would change"},
		"a silent one":     {func(s *rolledStack) { s.balancers[1].gone = true }, "weight of j1: balancer lb2: dial tcp"},
		"a complaint": {
			func(s *rolledStack) { s.breaks = func(w string) bool { return w == "lb2 get weight nodes/j1" } },
			`weight of j1: balancer lb2: get weight: "it fails\n": want a weight and the initial one`,
		},
		"one without an address": {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := rolled(1, 2)
				lbs := s.lbs()
				if tc.err == "" {
					lbs[1] = rolledMute{s.balancers[1].Container}
					err := Weight{Server: "j1", Weight: 20}.Inject(t.Context(), lbs, s)
					require.ErrorIs(t, err, ErrCapability)
					require.ErrorContains(t, err, "weight of j1: balancer lb2: ")
					require.Empty(t, s.acts)
					return
				}
				tc.set(s)
				require.ErrorContains(t, Weight{Server: "j1", Weight: 20}.Inject(t.Context(), lbs, s), tc.err)
				require.Empty(t, s.acts)
			})
		})
	}
}

// rolledMute is a container without an address.
type rolledMute struct{ topology.Container }

// TestAWeightIsGivenToEachServerThatIsAimedAt: at each balancer.
func TestAWeightIsGivenToEachServerThatIsAimedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := rolled(3, 2), Weight{Weight: 20}
		targets := append(s.pair(), s.apps[2])
		require.NoError(t, f.Inject(t.Context(), targets, s))
		require.Equal(t, []string{
			"lb1 set weight nodes/j1 20", "lb2 set weight nodes/j1 20", "lb1 set weight nodes/j3 20", "lb2 set weight nodes/j3 20",
		}, s.did())
		time.Sleep(time.Second)
		p := rolledProof(t, f.Active, targets)
		require.True(t, p.OK, "%+v", p)
		require.Equal(t, "lb1 of j1: 20; lb2 of j1: 20; lb1 of j3: 20; lb2 of j3: 20", p.Measured)
		s.undo(t)
		require.True(t, rolledProof(t, f.Healed, targets).OK)
	})
}

func TestAWeightThatIsNoNumberIsAnError(t *testing.T) {
	const huge = "99999999999999999999"
	for _, reply := range []string{huge + " (initial 100)", "100 (initial " + huge + ")"} {
		_, _, err := parseWeight(reply)
		require.ErrorContains(t, err, "value out of range")
	}
	for _, reply := range []string{"", "100", "x100 (initial 100)", "100 (initial 100) more", "-1 (initial 100)"} {
		_, _, err := parseWeight(reply)
		require.ErrorContains(t, err, "want a weight and the initial one")
	}
	now, initial, err := parseWeight("\n7 (initial 100)\n")
	require.NoError(t, err)
	require.Equal(t, [2]int{7, 100}, [2]int{now, initial})
}
