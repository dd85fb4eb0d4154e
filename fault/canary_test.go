package fault

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// TestACanaryIsWeighedBeforeItIsServed: by what the others weigh at each balancer,
// and while nothing reaches it.
func TestACanaryIsWeighedBeforeItIsServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rolled(4, 2)
		s.server(2, 3).weight = 50
		s.server(1, 4).status, s.server(2, 4).status = "DOWN", "MAINT" // which weigh nothing
		f := Canary{Version: "2", Share: 20, Set: map[string]string{"POOL_SIZE": "8"}}
		require.NoError(t, f.Inject(t.Context(), s.targets(f), s))
		require.Equal(t, slices.Concat(
			rolledOrders("drain", "j1"), rolledOrders("maint", "j1"),
			[]string{"lb1 set weight nodes/j1 50", "lb2 set weight nodes/j1 38", "j1 replace canary"},
			rolledOrders("ready", "j1"),
		), s.did())
		require.Equal(t, []string{
			"server-ready lb1 nodes/j1", "server-ready lb2 nodes/j1", "server-weight lb1 nodes/j1", "server-weight lb2 nodes/j1",
			"unreleased j1", "server-out lb1 nodes/j1", "server-out lb2 nodes/j1",
		}, s.recorded())
		require.Equal(t, s.recorded()[0], s.words()[0][len("record "):], "they come first")
		require.Equal(t, map[string]string{"VERSION": "2", "POOL_SIZE": "8"}, s.apps[0].env)

		p := rolledProof(t, f.Active, s.targets(f))
		require.True(t, p.OK, "%+v", p)
		require.Equal(t, "version 2 on j1, 20 % of new sessions", p.Asked)
		require.Equal(t, "version 2; lb1: 20.0 %; lb2: 20.2 %", p.Measured)
		require.Equal(t, "lb2: its view of j1 is UP, weight 38 beside 150 of the others", p.How[len(p.How)-1])
		require.Equal(t, "j1: its own answer names version 2", p.How[0])
		require.True(t, p.To.Equal(s.apps[0].started))

		s.undo(t)
		require.Equal(t, 100, s.server(1, 1).weight)
		require.Equal(t, 100, s.server(2, 1).weight)
		require.Equal(t, 50, s.server(2, 3).weight, "another's weight is left alone")
		require.True(t, rolledProof(t, f.Healed, s.targets(f)).OK)
		require.False(t, rolledProof(t, f.Active, s.targets(f)).OK)
	})
}

// A balancer holds for up what it does not check, and so it counts.
func TestACanaryStandsBesideAServerThatIsNotChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := rolled(2, 2), Canary{Version: "2", Share: 20}
		s.server(1, 2).unchecked, s.server(2, 2).unchecked = true, true
		require.NoError(t, f.Inject(t.Context(), s.targets(f), s))
		p := rolledProof(t, f.Active, s.targets(f))
		require.True(t, p.OK, "%+v", p)
		require.Equal(t, "version 2; lb1: 20.0 %; lb2: 20.0 %", p.Measured)
	})
}

// The version that is asked for is what runs, whatever else is set.
func TestAReleaseHasItsVersion(t *testing.T) {
	set := map[string]string{"VERSION": "9", "POOL_SIZE": "8"}
	want := map[string]string{"VERSION": "2", "POOL_SIZE": "8"}
	require.Equal(t, want, Canary{Version: "2", Set: set}.env())
	require.Equal(t, want, BlueGreen{Version: "2", Set: set}.env())
	require.Equal(t, want, Deploy{Version: "2", Set: set}.env())
	require.Equal(t, "9", set["VERSION"], "what was asked for is left as it is")
}

func TestACanaryIsProvenByItsShareAtEveryBalancer(t *testing.T) {
	for name, tc := range map[string]struct {
		set      func(*rolledStack)
		ok       bool
		measured string
	}{
		"right":                    {func(*rolledStack) {}, true, "version 2; lb1: 20.0 %; lb2: 20.0 %"},
		"just a tenth too much":    {func(s *rolledStack) { s.server(2, 1).weight, s.server(2, 2).weight = 22, 78 }, true, "version 2; lb1: 20.0 %; lb2: 22.0 %"},
		"just a tenth too little":  {func(s *rolledStack) { s.server(1, 1).weight, s.server(1, 2).weight = 18, 82 }, true, "version 2; lb1: 18.0 %; lb2: 20.0 %"},
		"more than a tenth":        {func(s *rolledStack) { s.server(2, 1).weight, s.server(2, 2).weight = 45, 155 }, false, "version 2; lb1: 20.0 %; lb2: 22.5 %"},
		"less than a tenth":        {func(s *rolledStack) { s.server(1, 1).weight, s.server(1, 2).weight = 35, 165 }, false, "version 2; lb1: 17.5 %; lb2: 20.0 %"},
		"its old weight":           {func(s *rolledStack) { s.server(2, 1).weight = 100 }, false, "version 2; lb1: 20.0 %; lb2: 50.0 %"},
		"the others are gone":      {func(s *rolledStack) { s.server(2, 1).weight, s.server(2, 2).status = 1, "DOWN" }, false, "version 2; lb1: 20.0 %; lb2: 100.0 %"},
		"nobody has a weight":      {func(s *rolledStack) { s.server(2, 1).weight, s.server(2, 2).weight = 0, 0 }, false, "version 2; lb1: 20.0 %; lb2: 0.0 %"},
		"it is not served":         {func(s *rolledStack) { s.server(2, 1).state = stateMaint }, false, "version 2; lb1: 20.0 %; lb2: 20.0 %, MAINT"},
		"it has the first version": {func(s *rolledStack) { delete(s.apps[0].env, "VERSION") }, false, "version 1; lb1: 20.0 %; lb2: 20.0 %"},
		"it is of another act":     {func(s *rolledStack) { s.apps[0].kind = "deploy" }, false, "version 2; lb1: 20.0 %; lb2: 20.0 %"},
		"the other node is no matter": {func(s *rolledStack) {
			s.apps[1].kind, s.apps[1].env = "deploy", map[string]string{"VERSION": "9"}
		}, true, "version 2; lb1: 20.0 %; lb2: 20.0 %"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, f := rolled(2, 2), Canary{Version: "2", Share: 20}
				require.NoError(t, f.Inject(t.Context(), s.targets(f), s))
				tc.set(s)
				p := rolledProof(t, f.Active, s.targets(f))
				require.Equal(t, tc.ok, p.OK, "%+v", p)
				require.Equal(t, tc.measured, p.Measured)
			})
		})
	}
}

// TestACanarysBalancersMustAnswer: one that does not is no proof of anything.
func TestACanarysBalancersMustAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := rolled(2, 2), Canary{Version: "2", Share: 20}
		require.NoError(t, f.Inject(t.Context(), s.targets(f), s))
		for _, failing := range []int{0, 1} { // one of the two looks at lb2
			looks := 0
			s.breaks = func(what string) bool {
				if what != "lb2 "+showServers {
					return false
				}
				looks++
				return looks%2 == failing
			}
			ctx, cancel := context.WithTimeout(t.Context(), 3*poll)
			p, err := f.Active(ctx, s.targets(f))
			cancel()
			require.ErrorContains(t, err, "balancer lb2: show stat")
			require.Zero(t, p)
		}
	})
}

func TestAShareThatCannotBeGivenIsRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		share float64
		set   func(*rolledStack)
		err   string
	}{
		"too fine": {10, func(s *rolledStack) { s.server(2, 2).weight = 4 }, "canary j1: 10 % beside a weight of 4 would be a weight of 1, which is 20.0 %: give the others a weight that leaves room"},
		"too much": {90, func(*rolledStack) {}, "canary j1: 90 % beside a weight of 100 would be a weight of 256, which is 71.9 %"},
		"nobody else": {
			20, func(s *rolledStack) { s.server(1, 2).status = "DOWN" },
			"canary j1: 20 % beside a weight of 0 would be a weight of 1, which is 100.0 %",
		},
		"a silent balancer": {20, func(s *rolledStack) { s.balancers[1].gone = true }, "canary j1: balancer lb2: dial tcp"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, f := rolled(2, 2), Canary{Version: "2", Share: tc.share}
				tc.set(s)
				require.ErrorContains(t, f.Inject(t.Context(), s.targets(f), s), tc.err)
				require.Empty(t, s.acts)
			})
		})
	}
}

func TestACanaryIsOneNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := rolled(2, 2), Canary{Version: "2", Share: 20}
		const want = "canary: 2 application nodes among the targets: aim at one, and at every balancer"
		require.EqualError(t, f.Inject(t.Context(), s.nodes(), s), want)
		require.Empty(t, s.acts)
		for _, look := range []func(context.Context, []topology.Node) (Proof, error){f.Active, f.Healed} {
			p, err := look(t.Context(), s.nodes())
			require.EqualError(t, err, want)
			require.Zero(t, p)
		}
	})
}

func TestTheLimitsOfACanary(t *testing.T) {
	for name, tc := range map[string]struct {
		f   Canary
		err string
	}{
		"hardly any":  {Canary{Version: "2", Share: 0.5}, ""},
		"nearly all":  {Canary{Version: "2", Share: 99.5}, ""},
		"nothing":     {Canary{Version: "2", Share: 0}, "canary: share 0: want a percentage above 0 and below 100"},
		"less":        {Canary{Version: "2", Share: -0.5}, "canary: share -0.5"},
		"all":         {Canary{Version: "2", Share: 100}, "canary: share 100"},
		"more":        {Canary{Version: "2", Share: 100.5}, "canary: share 100.5"},
		"no version":  {Canary{Share: 20}, `canary: version ""`},
		"no variable": {Canary{Version: "2", Share: 20, Set: map[string]string{"a": ""}}, `canary: setting "a"`},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.err == "" {
				require.NoError(t, tc.f.Validate())
				return
			}
			require.ErrorContains(t, tc.f.Validate(), tc.err)
		})
	}
	near := Canary{Share: 20}.near
	require.True(t, near(18))
	require.True(t, near(22))
	require.False(t, near(17.99))
	require.False(t, near(22.01))
}
