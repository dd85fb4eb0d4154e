package fault

import (
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// heldOrder is a fault whose act is an order to the engine, and how it takes effect.
var heldOrders = []struct {
	fault  Fault
	orders []string // in turn
	begins string   // the first that the service feels; empty if something else is
}{
	{InstanceKill{}, []string{"kill"}, "kill"},
	{InstanceStop{}, []string{"kill", "stop", "10s"}, "kill"},
	{InstanceRestart{}, []string{"kill", "stop", "10s", "start"}, "kill"},
	{InstanceRestart{Kill: true}, []string{"kill", "start"}, "kill"},
	{InstanceFreeze{}, []string{"pause"}, ""},
	{DatabaseDown{}, []string{"kill"}, "kill"},
	{DatabaseDown{Stop: true}, []string{"kill", "stop", "8s"}, "kill"},
	{DatabaseRestart{}, []string{"kill", "stop", "8s", "start"}, "kill"},
	{DatabaseFreeze{}, []string{"pause"}, "pause"},
}

// TestAFaultBeginsWithWhatItOrdersFirst: the event by which its proof is bracketed is
// the one that its own act brings about, and nothing but an order has one.
func TestAFaultBeginsWithWhatItOrdersFirst(t *testing.T) {
	eventful := map[string]bool{}
	for _, tc := range heldOrders {
		synctest.Test(t, func(t *testing.T) {
			n := heldRunning(heldInside(applicationProcess))
			require.NoError(t, tc.fault.Inject(t.Context(), []topology.Node{n}, &undos{}))
			require.Equal(t, tc.orders, n.acts, tc.fault.Kind())
			f, ok := tc.fault.(Eventful)
			require.Equal(t, tc.begins != "", ok, tc.fault.Kind())
			if !ok {
				return
			}
			require.Equal(t, n.acts[0], f.Begins(), tc.fault.Kind())
			require.Equal(t, tc.begins, f.Begins())
			require.Contains(t, tc.fault.(Ordering).Orders(), f.Begins(), "it is its own doing")
			eventful[f.Kind()] = true
		})
	}
	for kind, f := range builtin {
		_, ok := f.(Eventful)
		require.Equal(t, eventful[kind], ok, kind)
	}
}

// TestAnActTakesNoLongerThanItSays: of the faults whose act is a course of steps, each
// as slow as it may be.
func TestAnActTakesNoLongerThanItSays(t *testing.T) {
	for _, f := range []Fault{
		InstanceStop{},
		InstanceStop{Grace: 3 * time.Second},
		InstanceStop{Grace: time.Minute},
		InstanceRestart{},
		InstanceRestart{Grace: 3 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := heldRunning(heldInside(applicationProcess))
			n.stubborn = true
			began := time.Now()
			require.NoError(t, f.Inject(t.Context(), []topology.Node{n}, &undos{}))
			takes := f.(Lasting).Takes()
			require.GreaterOrEqual(t, takes+100*time.Millisecond, time.Since(began), "%+v", f)
			require.LessOrEqual(t, takes, time.Since(began), "%+v waits for more than it does", f)
		})
	}
	for _, f := range []DatabaseRestart{{}, {Pause: 5 * time.Second}, {Pause: time.Minute}} {
		synctest.Test(t, func(t *testing.T) {
			n := heldRunning(heldInside(databaseProcess))
			n.stubborn = true
			began := time.Now()
			require.Error(t, f.Inject(t.Context(), []topology.Node{n}, &undos{}))
			require.Equal(t, f.Takes(), time.Since(began)+f.Pause, "to end, and the pause")
		})
	}
}

// TestADeploymentTakesAsLongAsItsNodes: at the most eight, two of a switch and one of a
// canary, each of which is drained, left its grace, stopped and awaited.
func TestADeploymentTakesAsLongAsItsNodes(t *testing.T) {
	each := time.Second + 5*time.Second + 9*time.Second + 2*readyWithin
	slow := Rollout{Linger: 2 * time.Second, Grace: 7 * time.Second, Pause: 10 * time.Second}
	slower := each + time.Second + 2*time.Second + 10*time.Second
	for _, tc := range []struct {
		fault Lasting
		want  time.Duration
	}{
		{Deploy{}, 8 * each},
		{Deploy{Rollout: slow}, 8 * slower},
		{RollBack{}, 8 * each},
		{RollBack{Rollout: slow}, 8 * slower},
		{ConfigDrift{}, 8 * each},
		{ConfigDrift{Rollout: slow}, 8 * slower},
		{BlueGreen{}, 2 * each},
		{BlueGreen{Rollout: slow}, 2 * slower},
		{Canary{}, each},
		{Canary{Rollout: slow}, slower},
	} {
		require.Equal(t, tc.want, tc.fault.Takes(), "%+v", tc.fault)
	}
	lasting := []string{"blue-green", "canary", "config-drift", "database-restart", "deploy", "instance-restart", "instance-stop", "roll-back", "slow-start"}
	for kind, f := range builtin {
		if _, ok := f.(Lasting); ok {
			require.Contains(t, lasting, kind)
			continue
		}
		require.NotContains(t, lasting, kind)
	}
}

// TestWhoSuffersIsWhoServes: of what tells balancers or deploys, application nodes do,
// and balancers are the means; an order that names a server has it for its victim.
func TestWhoSuffersIsWhoServes(t *testing.T) {
	j1, lb1 := &stub{name: "j1", role: topology.Application}, &stub{name: "lb1", role: topology.Balancer}
	for _, tc := range []struct {
		named, nameless Fault
		indirect        bool
	}{
		{Drain{Server: "j1"}, Drain{}, true},
		{Maintenance{Server: "j1"}, Maintenance{}, true},
		{Weight{Server: "j1", Weight: 10}, Weight{Weight: 10}, true},
		{HealthCheckLiar{Server: "j1"}, HealthCheckLiar{}, true},
		{nil, Deploy{}, false},
		{nil, RollBack{}, false},
		{nil, ConfigDrift{}, false},
		{nil, Canary{}, false},
		{nil, BlueGreen{}, false},
	} {
		d, ok := tc.nameless.(Directed)
		require.True(t, ok, "%T", tc.nameless)
		require.True(t, d.Suffers(j1), "%T", tc.nameless)
		require.False(t, d.Suffers(lb1), "%T", tc.nameless)
		i, ok := tc.nameless.(Indirect)
		require.Equal(t, tc.indirect, ok, "%T", tc.nameless)
		if ok {
			require.Empty(t, i.Victims(), "%T: the targets tell", tc.nameless)
			require.Equal(t, []string{"j1"}, tc.named.(Indirect).Victims(), "%T", tc.named)
		}
	}
	for kind, f := range builtin {
		_, told := f.(Indirect)
		_, directed := f.(Directed)
		require.Equal(t, told, told && directed, "%s: without a name its victims are among the targets", kind)
	}
}

// TestWhatEnduresIsStillThereLater: shortly before its undo as after its act; what a
// load or the system may end meanwhile is none.
func TestWhatEnduresIsStillThereLater(t *testing.T) {
	heldEach(t, func(t *testing.T, of func() heldLife) {
		synctest.Test(t, func(t *testing.T) {
			l := of()
			if _, ok := l.fault.(Enduring); !ok {
				return
			}
			require.NoError(t, l.inject(t, &undos{}))
			for range 3 {
				time.Sleep(time.Hour)
				p, err := l.active(t)
				require.NoError(t, err)
				require.True(t, p.OK, "%+v", p)
			}
		})
	})
	for _, f := range []Fault{InstanceRestart{}, DatabaseRestart{}, SessionCleanup{}, BalancerFreeze{}, CrashLoop{}, OutOfMemory{}, TransactionKill{}} {
		_, ok := f.(Enduring)
		require.False(t, ok, "%s is over by itself, or ended by others", f.Kind())
	}
}

// TestAFaultHasItsKind: what is held to its life here bears the name that others know it by.
func TestAFaultHasItsKind(t *testing.T) {
	for name, of := range heldLives {
		kind := of().fault.Kind()
		require.True(t, strings.HasPrefix(name, kind), "%s: %s", name, kind)
		require.Contains(t, builtin, kind)
	}
}

// TestSessionsAtOnceFailTogether runs the script itself: so many times, and one that
// fails fails all.
func TestSessionsAtOnceFailTogether(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "/bin/sh", "-c", atOnce, "sh", "3", "echo", "1 2").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, "1 2\n1 2\n1 2\n", string(out))
	_, err = exec.CommandContext(t.Context(), "/bin/sh", "-c", atOnce, "sh", "3", "false").CombinedOutput()
	require.Error(t, err)
}
