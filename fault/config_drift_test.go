package fault

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func TestADriftIsProvenByTheNodesOwnAccount(t *testing.T) {
	drift := ConfigDrift{Set: map[string]string{"POOL_SIZE": "8", "GREETING": "hi"}}
	for name, tc := range map[string]struct {
		set      func(*rolledStack)
		measured string // of j2, empty if it holds
		how      string
	}{
		"right": {func(*rolledStack) {}, "", `j2: it says that POOL_SIZE is "8"`},
		"one that balancers do not serve": {func(s *rolledStack) {
			s.apps[1].broken, s.server(1, 1).state, s.balancers[0].gone = true, stateMaint, true
		}, "", `j1: it says that GREETING is "hi"`},
		"another amount":   {func(s *rolledStack) { s.apps[1].env["POOL_SIZE"] = "80" }, "GREETING=hi POOL_SIZE=80", `j2: it says that POOL_SIZE is "80"`},
		"half of it":       {func(s *rolledStack) { delete(s.apps[1].env, "GREETING") }, "GREETING= POOL_SIZE=8", `j2: it says that GREETING is ""`},
		"of another act":   {func(s *rolledStack) { s.apps[1].kind = "deploy" }, "version 1", `j2: the release that its process was started by is of kind "deploy"`},
		"one that says no": {func(s *rolledStack) { s.apps[1].settings = "none" }, "no answer", "j2: its own account of its settings: status 200: invalid character"},
		"one that fails": {func(s *rolledStack) {
			s.breaks = func(what string) bool { return what == "j2 GET /health/settings" }
		}, "no answer", "j2: its own account of its settings: status 500: invalid character"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := rolled(2, 1)
				require.NoError(t, drift.Inject(t.Context(), s.nodes(), s))
				require.Equal(t, drift.Set, s.apps[1].env)
				tc.set(s)
				p := rolledProof(t, drift.Active, s.nodes())
				require.Equal(t, "GREETING=hi POOL_SIZE=8", p.Asked)
				require.Contains(t, rolledHow(p), tc.how)
				require.NotContains(t, rolledHow(p), "lb1", "balancers have no part in it")
				if tc.measured == "" {
					require.True(t, p.OK, "%+v", p)
					require.Equal(t, "j1: GREETING=hi POOL_SIZE=8; j2: GREETING=hi POOL_SIZE=8", p.Measured)
					return
				}
				require.False(t, p.OK, "%+v", p)
				require.Equal(t, "j1: GREETING=hi POOL_SIZE=8; j2: "+tc.measured, p.Measured)
			})
		})
	}
}

// TestADriftThatWouldBeNoneIsRefused: on whichever of the nodes, before any is
// restarted.
func TestADriftThatWouldBeNoneIsRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		set map[string]string
		now string // of j2
		err string
	}{
		"the same":        {map[string]string{"POOL_SIZE": "8"}, `{"POOL_SIZE":"8"}`, `config-drift j2: its POOL_SIZE is "8" already: nothing would change`},
		"one of two":      {map[string]string{"A": "1", "B": "2"}, `{"A":"2","B":"2"}`, `config-drift j2: its B is "2" already`},
		"empty, and not":  {map[string]string{"A": ""}, `{}`, ""},
		"empty as it was": {map[string]string{"A": ""}, `{"A":""}`, `config-drift j2: its A is "" already`},
		"others":          {map[string]string{"A": "1"}, `{"A":"2","B":"1"}`, ""},
		"no account":      {map[string]string{"A": "1"}, `[]`, "config-drift j2: its own account of its settings: status 200: json"},
		"no process":      {map[string]string{"A": "1"}, "", "config-drift j2: its own account of its settings: status 0: Get"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := rolled(2, 1)
				s.apps[1].settings, s.apps[1].down = tc.now, tc.now == ""
				err := ConfigDrift{Set: tc.set}.Inject(t.Context(), s.nodes(), s)
				if tc.err == "" {
					require.NoError(t, err)
					return
				}
				require.ErrorContains(t, err, tc.err)
				require.Empty(t, s.acts)
			})
		})
	}
}

// TestAnAccountThatIsBrokenOffSaysNothing: the one before it stands.
func TestAnAccountThatIsBrokenOffSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := rolled(1, 1), ConfigDrift{Set: map[string]string{"POOL_SIZE": "8"}}
		require.NoError(t, f.Inject(t.Context(), s.nodes(), s))
		s.apps[0].env["POOL_SIZE"], s.apps[0].slow = "80", 30*time.Millisecond
		ctx, cancel := context.WithTimeout(t.Context(), 3*30*time.Millisecond+poll+15*time.Millisecond)
		defer cancel()
		p, err := f.Active(ctx, s.nodes())
		require.NoError(t, err)
		require.False(t, p.OK)
		require.Equal(t, "j1: POOL_SIZE=80", p.Measured)
		time.Sleep(time.Second) // what still waits has ended
	})
}

func TestADriftIsTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := rolled(1, 1), ConfigDrift{Set: map[string]string{"POOL_SIZE": "8"}}
		require.NoError(t, f.Inject(t.Context(), s.nodes(), s))
		require.False(t, rolledProof(t, f.Healed, s.nodes()).OK)
		s.apps[0].served.state = topology.State{} // it went down meanwhile
		s.undo(t)
		require.Empty(t, s.apps[0].env)
		p := rolledProof(t, f.Healed, s.nodes())
		require.True(t, p.OK, "%+v", p)
		require.False(t, rolledProof(t, f.Active, s.nodes()).OK)
	})
}

func TestADriftIsOfVariables(t *testing.T) {
	require.EqualError(t, ConfigDrift{Set: map[string]string{"pool": "8"}}.Validate(),
		`config-drift: setting "pool": want the name of an environment variable, such as POOL_SIZE`)
	require.EqualError(t, ConfigDrift{Set: map[string]string{"POOL": "8\n"}}.Validate(), "config-drift: setting POOL: its value has a line break")
}
