package fault

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// heldArmed is a node whose application dies at an order, after the commit.
func heldArmed(t *testing.T) (*heldMachine, *heldNode) {
	t.Helper()
	m := heldInside(applicationProcess)
	n := heldRunning(m)
	require.NoError(t, TransactionKill{}.Inject(t.Context(), []topology.Node{n}, &undos{}))
	return m, n
}

// TestADeathAtAnOrderIsProvenByItsMark: the point must be the asked one, and the
// process gone.
func TestADeathAtAnOrderIsProvenByItsMark(t *testing.T) {
	for name, tc := range map[string]struct {
		change   func(*heldMachine)
		active   bool
		measured string
	}{
		"died":              {func(*heldMachine) {}, true, "n1: process died after-commit of operation 12.1, port 8080 refused"},
		"at another point":  {func(m *heldMachine) { m.mark = "before-commit 1732082400000002 7.3 k-9" }, false, "n1: process died before-commit of operation 7.3, port 8080 refused"},
		"it was killed":     {func(m *heldMachine) { m.mark = "" }, false, "n1: no order came to the point"},
		"it lives":          {func(m *heldMachine) { m.start() }, false, "n1: process running"},
		"it lives, process": {func(m *heldMachine) { m.pid = 1 }, false, "n1: process running"},
		"disarmed since":    {func(m *heldMachine) { m.armed = "" }, true, "n1: process died after-commit of operation 12.1, port 8080 refused"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, n := heldArmed(t)
				m.order()
				tc.change(m)
				p, err := heldLook(t, 0, TransactionKill{}.Active, n)
				require.NoError(t, err)
				require.Equal(t, tc.active, p.OK, "%+v", p)
				require.Equal(t, tc.measured, p.Measured)
			})
		})
	}
}

// TestADeathAtAnOrderHasItsTime: from the application's own mark to when its end was
// noticed, which is no earlier.
func TestADeathAtAnOrderHasItsTime(t *testing.T) {
	for _, after := range []time.Duration{3 * time.Millisecond, -3 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			m, n := heldArmed(t)
			time.Sleep(time.Second)
			began := time.Now()
			m.order()
			m.gone = began.Add(after)
			p, err := heldLook(t, 0, TransactionKill{}.Active, n)
			require.NoError(t, err)
			require.True(t, p.OK)
			require.True(t, p.From.Equal(began))
			require.True(t, p.To.Equal(began.Add(max(after, 0))), "%v", p.To)
			require.Contains(t, p.How, "n1: the application's own mark: after-commit of operation 12.1, key k-12, at "+began.UTC().Format(stamp))
		})
	}
}

// TestAHealedOrderPointLeavesNothing: neither what is armed nor a mark, and a process
// runs.
func TestAHealedOrderPointLeavesNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*heldMachine)
		want   bool
	}{
		"nothing":          {func(*heldMachine) {}, true},
		"armed":            {func(m *heldMachine) { m.armed = "after-commit" }, false},
		"a mark":           {func(m *heldMachine) { m.mark = "after-commit 1732082400000002 7.3 k-9" }, false},
		"no process":       {func(m *heldMachine) { m.pid = 0 }, false},
		"another process":  {func(m *heldMachine) { m.pid = 1 }, true},
		"all that is left": {func(m *heldMachine) { m.armed, m.mark, m.pid = "x", "x 1 2 3", 0 }, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := heldInside(applicationProcess)
				tc.change(m)
				n := heldRunning(m)
				n.serves = func() string { return answered }
				p, err := heldLook(t, 0, TransactionKill{}.Healed, n)
				require.NoError(t, err)
				require.Equal(t, tc.want, p.OK, "%+v", p)
				require.Equal(t, map[bool]string{true: "n1: no crash point, process running, port 8080 connected", false: "n1: armed, or no process"}[tc.want], p.Measured)
				require.Len(t, p.How, map[bool]int{true: 3, false: 2}[tc.want])
			})
		})
	}
}

// TestACrashPointOfAContainerThatIsDownIsTakenAway: it is started for that, and the
// process with it.
func TestACrashPointOfAContainerThatIsDownIsTakenAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, n := heldArmed(t)
		m.order()
		require.NoError(t, n.Kill(t.Context()))
		n.boots = nil // a container whose process does not come by itself
		e := Entry{Undo: CrashPointsAbsent, Node: "n1"}
		require.NoError(t, Undo(t.Context(), []topology.Node{n}, e))
		require.Equal(t, []string{"kill", "start"}, n.acts)
		require.NotZero(t, m.pid)
		require.False(t, m.exists(crashDir))
	})
}

// TestAMarkHasFourWords: a point, a time, an operation and a key, in this order.
func TestAMarkHasFourWords(t *testing.T) {
	const process = "-\n1732082400.000000003\n-\n"
	m, err := parseMark("after-commit  \nbefore-commit 1732082400000002 op key\n" + process)
	require.NoError(t, err)
	require.Equal(t, mark{
		armed: "after-commit", point: "before-commit", at: time.UnixMicro(1732082400000002), op: "op", key: "key",
		process: parsed(t, process),
	}, m)
	for _, line := range []string{"", "a", "a 1 b", "a 1 b c d", "a x b c", "a 1_0 b c"} {
		_, err := parseMark("\n" + line + "\n" + process)
		require.ErrorContains(t, err, "mark of the crash point: \""+line+"\"", line)
	}
	_, err = parseMark("\n-\nnothing\n")
	require.ErrorContains(t, err, "state of the process")
	require.ErrorContains(t, TransactionKill{Port: -1}.Validate(), "transaction-kill: port -1")
	require.NoError(t, TransactionKill{Point: AfterCommit, Port: 65535}.Validate())
}

func parsed(t *testing.T, text string) process {
	t.Helper()
	p, err := parseProcess(text)
	require.NoError(t, err)
	return p
}
