package fault

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// TestAFamilyIsFrozenWhenAllOfItIs: and thawed when none of it is.
func TestAFamilyIsFrozenWhenAllOfItIs(t *testing.T) {
	const note = "1732082400.100000 1732082400.200000"
	for name, tc := range map[string]struct {
		text           string
		active, healed bool
		measured       string
	}{
		"all":            {"T\nT\n--\n" + note + "\n", true, false, "n1: keepalived in state TT"},
		"the only one":   {"T\n--\n" + note + "\n", true, false, "n1: keepalived in state T"},
		"the parent":     {"T\nS\n--\n" + note + "\n", false, false, "n1: keepalived in state TS"},
		"the child":      {"S\nT\n--\n" + note + "\n", false, false, "n1: keepalived in state ST"},
		"one in between": {"T\nS\nT\n--\n" + note + "\n", false, false, "n1: keepalived in state TST"},
		"none":           {"S\nR\n--\n" + note + "\n", false, true, "n1: keepalived in state SR"},
		"no process":     {"--\n" + note + "\n", false, false, "n1: keepalived in state "},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &stub{name: "n1", state: up, exec: says(tc.text)}
				p, err := heldLook(t, 0, KeepalivedFreeze{}.Active, n)
				require.NoError(t, err)
				require.Equal(t, tc.active, p.OK, "%+v", p)
				require.Equal(t, tc.measured, p.Measured)
				require.True(t, p.From.Equal(time.Unix(1732082400, 1e8)), "the note's times")
				require.True(t, p.To.Equal(time.Unix(1732082400, 2e8)))
				require.Len(t, p.How, 1)
				p, err = heldLook(t, 0, KeepalivedFreeze{}.Healed, n)
				require.NoError(t, err)
				require.Equal(t, tc.healed, p.OK, "%+v", p)
				require.Equal(t, tc.measured, p.Measured)
				require.Zero(t, p.From)
			})
		})
	}
}

// TestAFamilyIsGoneByASignalOfTheFault: one that nobody killed is no proof, nor is one
// that runs.
func TestAFamilyIsGoneByASignalOfTheFault(t *testing.T) {
	for name, tc := range map[string]struct {
		text     string
		active   bool
		measured string
	}{
		"killed":   {"1732082400.100000000\n1732082400.200000000\n-\n", true, "n1: keepalived gone, container running"},
		"ended":    {"-\n1732082400.200000000\n-\n", false, "n1: keepalived gone, container running"},
		"running":  {"1732082400.100000000\n1732082400.200000000\n30\n", false, "n1: keepalived running"},
		"number 1": {"1732082400.100000000\n1732082400.200000000\n1\n", false, "n1: keepalived running"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &stub{name: "n1", state: up, exec: says(tc.text)}
				p, err := heldLook(t, 0, KeepalivedKill{}.Active, n)
				require.NoError(t, err)
				require.Equal(t, tc.active, p.OK, "%+v", p)
				require.Equal(t, tc.measured, p.Measured)
				require.Len(t, p.How, 1)
				if tc.active {
					require.True(t, p.From.Equal(time.Unix(1732082400, 1e8)))
					require.True(t, p.To.Equal(time.Unix(1732082400, 2e8)))
				}
			})
		})
	}
}

// TestAProcessOfAContainerThatIsDownIsNoSight: neither gone nor frozen nor back.
func TestAProcessOfAContainerThatIsDownIsNoSight(t *testing.T) {
	for _, f := range []Fault{KeepalivedKill{}, KeepalivedFreeze{}, BalancerFreeze{}, BalancerKill{}, ProcessFreeze{}} {
		synctest.Test(t, func(t *testing.T) {
			n := heldRunning(heldInside(keepalivedProcess))
			n.state.Running = false
			p, err := heldLook(t, 0, f.Active, n)
			require.NoError(t, err)
			require.False(t, p.OK)
			require.Equal(t, "n1: container not running", p.Measured)
			require.Equal(t, []string{"n1: the engine says that the container does not run"}, p.How)
			p, err = heldLook(t, 0, f.Healed, n)
			require.NoError(t, err)
			require.False(t, p.OK)
		})
	}
}

// TestAFrozenProcessThatSomebodyEndedIsStarted: by the undo, and its container before
// it where that is down; one that is frozen is thawed first.
func TestAFrozenProcessThatSomebodyEndedIsStarted(t *testing.T) {
	for name, f := range map[string]Fault{haproxyProcess: BalancerFreeze{}, keepalivedProcess: KeepalivedFreeze{}, applicationProcess: ProcessFreeze{}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := heldInside(name)
				n := heldRunning(m)
				n.boots = nil
				log := &undos{}
				require.NoError(t, f.Inject(t.Context(), []topology.Node{n}, log))
				m.end()
				require.NoError(t, UndoAll(t.Context(), []topology.Node{n}, log.all))
				require.NotZero(t, m.pid)
				require.Empty(t, n.acts)
				m.end()
				require.NoError(t, n.Kill(t.Context()))
				require.NoError(t, UndoAll(t.Context(), []topology.Node{n}, log.all))
				require.NotZero(t, m.pid)
				require.Equal(t, []string{"kill", "start"}, n.acts)
			})
		})
	}
	n := heldRunning(heldInside(haproxyProcess))
	for _, name := range []string{"", "java", "postgres", "init"} {
		err := Undo(t.Context(), []topology.Node{n}, Entry{Undo: ProcessThawed, Node: "n1", Params: map[string]string{"process": name}})
		require.ErrorContains(t, err, `process "`+name+`" is none of a balancer`)
	}
	require.Empty(t, n.did)
}

// TestAProcessIsHalfFrozenAlready: one child that is stopped is enough to refuse.
func TestAProcessIsHalfFrozenAlready(t *testing.T) {
	for _, f := range []Fault{BalancerFreeze{}, BalancerKill{}} {
		synctest.Test(t, func(t *testing.T) {
			m := heldInside(haproxyProcess)
			m.stopped = 1
			n := heldRunning(m)
			log := &undos{}
			err := f.Inject(t.Context(), []topology.Node{n}, log)
			require.ErrorContains(t, err, f.Kind()+" n1: haproxy is frozen already")
			require.Empty(t, log.all)
			require.Equal(t, []string{"ps", "-C", "haproxy", "-o", "stat="}, n.did[len(n.did)-1])
		})
	}
	for _, f := range []Fault{KeepalivedKill{}, KeepalivedFreeze{}, BalancerFreeze{Port: 65535}, ProcessFreeze{}} {
		require.NoError(t, f.Validate())
	}
	require.ErrorContains(t, BalancerFreeze{Port: 65536}.Validate(), "balancer-freeze: port 65536")
}

// TestStatesThatCannotBeReadAreAnError: of frozen and of back.
func TestStatesThatCannotBeReadAreAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &stub{name: "n1", state: up, exec: says("S\n")}
		_, err := heldLook(t, 0, KeepalivedFreeze{}.Active, n)
		require.ErrorContains(t, err, "n1: states of a process")
		_, err = heldLook(t, 0, KeepalivedFreeze{}.Healed, n)
		require.ErrorContains(t, err, "n1: states of a process")
		_, err = heldLook(t, 0, KeepalivedKill{}.Active, n)
		require.ErrorContains(t, err, "n1: state of the process")
	})
}
