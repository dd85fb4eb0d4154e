package fault

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func TestASwitchServesGreenBeforeItTakesBlueOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := rolled(4, 2), BlueGreen{Version: "2", Set: map[string]string{"POOL_SIZE": "8"}}
		s.apps[2].boot = 6 * time.Second
		s.server(2, 4).rise = 10 * time.Second
		require.NoError(t, f.Inject(t.Context(), s.nodes(), s))

		var want []string
		for _, green := range []string{"j3", "j4"} {
			want = append(want, rolledCourse("blue-green", green)[:5]...)
		}
		for _, blue := range []string{"j1", "j2"} {
			want = append(want, "record server-ready lb1 nodes/"+blue, "record server-ready lb2 nodes/"+blue)
		}
		require.Equal(t, want, s.words()[:len(want)], "all undos come first")
		require.ElementsMatch(t, slices.Concat(
			rolledOrders("drain", "j3", "j4"), rolledOrders("maint", "j3", "j4"), []string{"j3 replace blue-green", "j4 replace blue-green"},
			rolledOrders("ready", "j3", "j4"), rolledOrders("drain", "j1", "j2"), rolledOrders("maint", "j1", "j2"),
		), s.did())
		for act, at := range map[string]time.Duration{
			"lb1 set server nodes/j3 state maint": time.Second, "lb2 set server nodes/j4 state maint": time.Second,
			"j3 replace blue-green": time.Second, "j4 replace blue-green": time.Second,
			"lb1 set server nodes/j3 state ready": 7 * time.Second, "lb2 set server nodes/j4 state ready": 7 * time.Second,
			"lb1 set server nodes/j1 state drain": 13 * time.Second, "lb2 set server nodes/j2 state drain": 13 * time.Second,
			"lb1 set server nodes/j1 state maint": 14 * time.Second, "lb2 set server nodes/j2 state maint": 14 * time.Second,
		} {
			require.Equal(t, at, s.at(t, act), act)
		}
		require.Empty(t, s.apps[0].env)
		require.Equal(t, map[string]string{"VERSION": "2", "POOL_SIZE": "8"}, s.apps[3].env)

		p := rolledProof(t, f.Active, s.nodes())
		require.True(t, p.OK, "%+v", p)
		require.Equal(t, "version 2 on 2 nodes served, 1 on 2 nodes not", p.Asked)
		require.Equal(t, "j1: version 1; j2: version 1; j3: version 2; j4: version 2", p.Measured)
		require.Contains(t, p.How, "lb2: its view of j1 is MAINT, with 0 requests under way")
		require.Contains(t, p.How, "lb2: its view of j3 is UP, weight 100")
		require.False(t, rolledProof(t, f.Healed, s.nodes()).OK)
	})
}

// TestTheUndoOfASwitchServesBlueFirst: whatever becomes of green.
func TestTheUndoOfASwitchServesBlueFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := rolled(2, 2), BlueGreen{Version: "2"}
		require.NoError(t, f.Inject(t.Context(), s.nodes(), s))
		s.acts = nil
		s.undo(t)
		require.Equal(t, []string{
			"lb2 set server nodes/j1 state ready", "lb1 set server nodes/j1 state ready",
			"lb2 set server nodes/j2 state maint", "lb1 set server nodes/j2 state maint", "j2 restore 90",
		}, s.words()[:5])
		time.Sleep(time.Second)
		p := rolledProof(t, f.Healed, s.nodes())
		require.True(t, p.OK, "%+v", p)
		require.False(t, rolledProof(t, f.Active, s.nodes()).OK)
	})
}

func TestTheHalvesOfASwitch(t *testing.T) {
	for apps, want := range map[int][2][]string{
		2: {{"j1"}, {"j2"}},
		3: {{"j1"}, {"j2", "j3"}},
		5: {{"j1", "j2"}, {"j3", "j4", "j5"}},
	} {
		all, blue, green, err := BlueGreen{}.halves(rolled(apps, 1).nodes())
		require.NoError(t, err)
		require.Len(t, all.units, apps)
		for i, half := range []fleet{blue, green} {
			var got []string
			for _, u := range half.units {
				got = append(got, u.Name())
			}
			require.Equal(t, want[i], got)
			require.Len(t, half.directors, 1)
			require.Equal(t, "blue-green", half.kind)
		}
	}
	s := rolled(1, 1)
	err := BlueGreen{Version: "2"}.Inject(t.Context(), s.nodes(), s)
	require.EqualError(t, err, "blue-green: 1 application node among the targets: it takes two at least: no target")
	require.ErrorIs(t, err, ErrNoTargets)
	require.Empty(t, s.acts)
}

func TestASwitchGivesGreenItsTime(t *testing.T) {
	for name, tc := range map[string]struct {
		set  func(*rolledStack)
		err  string
		took time.Duration
	}{
		"twice what a node has": {func(s *rolledStack) { s.apps[1].boot = 2*readyWithin - 50*time.Millisecond }, "", 22250 * time.Millisecond},
		"blue has its grace":    {func(s *rolledStack) { s.server(1, 1).current, s.server(1, 1).busyTo = 1, time.Now().Add(time.Hour) }, "", 9300 * time.Millisecond},
		"not more":              {func(s *rolledStack) { s.apps[1].boot, s.apps[1].slow = 2*readyWithin+time.Second, 7*time.Millisecond }, "j2 did not become ready (503 starting)", 21 * time.Second},
		"nor until it is served": {func(s *rolledStack) {
			s.server(1, 2).rise, s.balancers[0].slow = readyWithin+time.Second, 7*time.Millisecond
		}, "j2 is not served again (lb1 holds it for DOWN)", 13*time.Second + 21*time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, f := rolled(2, 1), BlueGreen{Version: "2"}
				tc.set(s)
				began := time.Now()
				err := f.Inject(t.Context(), s.nodes(), s)
				if tc.err != "" {
					require.ErrorContains(t, err, "blue-green: "+tc.err)
					require.NotContains(t, s.did(), "lb1 set server nodes/j1 state drain", "blue goes on to serve")
				} else {
					require.NoError(t, err)
				}
				require.InDelta(t, tc.took, time.Since(began), float64(20*time.Millisecond))
				time.Sleep(time.Second)
			})
		})
	}
}

// TestEveryNodeOfGreenIsReportedThatFails: they are replaced at the same time.
func TestEveryNodeOfGreenIsReportedThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rolled(4, 1)
		s.breaks = func(what string) bool { return strings.HasSuffix(what, " replace blue-green") }
		err := BlueGreen{Version: "2"}.Inject(t.Context(), s.nodes(), s)
		require.EqualError(t, err, "blue-green: blue-green j3: exit status 1: the test has it fail\nblue-green j4: exit status 1: the test has it fail")
		require.NotContains(t, s.did(), "lb1 set server nodes/j3 state ready")
	})
}

func TestASwitchIsProvenByBothHalves(t *testing.T) {
	const right = "j1: version 1; j2: version 2"
	for name, tc := range map[string]struct {
		set      func(*rolledStack)
		measured string
		how      string
	}{
		"blue is served, too":      {func(s *rolledStack) { s.server(2, 1).state = stateReady }, right + "; lb2: j1 UP", "lb2: its view of j1 is UP"},
		"blue drains only":         {func(s *rolledStack) { s.server(1, 1).state = stateDrain }, right + "; lb1: j1 DRAIN", "lb1: its view of j1 is DRAIN"},
		"blue is down":             {func(s *rolledStack) { s.server(1, 1).status = "DOWN" }, right + "; lb1: j1 DOWN", "lb1: its view of j1 is DOWN"},
		"blue has work to do":      {func(s *rolledStack) { s.server(2, 1).current, s.server(2, 1).busyTo = 1, time.Now().Add(time.Hour) }, right + "; lb2: j1 MAINT with 1 requests under way", "with 1 requests under way"},
		"green is not served":      {func(s *rolledStack) { s.server(2, 2).state = stateMaint }, right + "; lb2: j2 MAINT", "lb2: its view of j2 is MAINT"},
		"green is of one version":  {func(s *rolledStack) { delete(s.apps[1].env, "VERSION") }, "j1: version 1; j2: version 1", "j2: its own answer names version 1"},
		"blue is of the other":     {func(s *rolledStack) { s.apps[0].env = map[string]string{"VERSION": "2"} }, "j1: version 2; j2: version 2", "j1: its own answer names version 2"},
		"blue is of some release":  {func(s *rolledStack) { s.apps[0].kind = "blue-green" }, right, `j1: no release is noted on it ("blue-green")`},
		"green is of another kind": {func(s *rolledStack) { s.apps[1].kind = "deploy" }, right, `is of kind "deploy"`},
		"blue is gone":             {func(s *rolledStack) { s.apps[0].served.state = topology.State{} }, "j1: container not running; j2: version 2", "the container does not run"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, f := rolled(2, 2), BlueGreen{Version: "2"}
				require.NoError(t, f.Inject(t.Context(), s.nodes(), s))
				require.True(t, rolledProof(t, f.Active, s.nodes()).OK)
				tc.set(s)
				p := rolledProof(t, f.Active, s.nodes())
				require.False(t, p.OK, "%+v", p)
				require.Equal(t, tc.measured, p.Measured)
				require.Contains(t, rolledHow(p), tc.how)
			})
		})
	}
}

func TestTheLimitsOfASwitch(t *testing.T) {
	for name, tc := range map[string]struct {
		f   BlueGreen
		err string
	}{
		"no drain":    {BlueGreen{Version: "2", Rollout: Rollout{NoDrain: true}}, "has no use for noDrain, noWait, goOn and reverse"},
		"no wait":     {BlueGreen{Version: "2", Rollout: Rollout{NoWait: true}}, "has no use for noDrain"},
		"going on":    {BlueGreen{Version: "2", Rollout: Rollout{GoOn: true}}, "has no use for noDrain"},
		"no version":  {BlueGreen{}, `blue-green: version ""`},
		"no variable": {BlueGreen{Version: "2", Set: map[string]string{"a": ""}}, `blue-green: setting "a"`},
	} {
		t.Run(name, func(t *testing.T) { require.ErrorContains(t, tc.f.Validate(), tc.err) })
	}
}
