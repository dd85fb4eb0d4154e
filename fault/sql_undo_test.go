package fault

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// TestADatabaseThatIsDownIsStartedForItsUndo: what was set in its files outlives its
// end.
func TestADatabaseThatIsDownIsStartedForItsUndo(t *testing.T) {
	for name, f := range map[string]Fault{
		"read-only": DatabaseReadOnly{}, "a slow table": DatabaseSlowInside{Delay: time.Second}, "cleaned up": SessionCleanup{},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := heldDB()
				n := heldOn(d)
				n.boots = func() { d.starting = 3 }
				log := &undos{}
				require.NoError(t, f.Inject(t.Context(), []topology.Node{n}, log))
				require.NoError(t, n.Kill(t.Context()))
				require.NoError(t, UndoAll(t.Context(), []topology.Node{n}, log.all))
				require.Equal(t, []string{"kill", "start"}, n.acts)
				p, err := heldLook(t, 0, f.Healed, n)
				require.NoError(t, err)
				require.True(t, p.OK, "%+v", p)
			})
		})
	}
}

// TestSessionsGoWithTheirContainer: nothing is left to end where it is down.
func TestSessionsGoWithTheirContainer(t *testing.T) {
	e := Entry{Undo: SessionsEnded, Node: "db", Params: map[string]string{"name": "hachaos-lock-orders"}}
	n := heldOn(heldDB())
	n.state.Running = false
	require.NoError(t, Undo(t.Context(), []topology.Node{n}, e))
	require.Empty(t, n.acts, "it is not started for that")
	n.from = 1
	require.ErrorIs(t, Undo(t.Context(), []topology.Node{n}, e), errEngine)
}

// TestOnlySessionsOfHachaosAreEnded: whatever an entry says.
func TestOnlySessionsOfHachaosAreEnded(t *testing.T) {
	n := heldOn(heldDB())
	for _, name := range []string{"", "psql", "x-hachaos-", "hachaos-' OR ''='", `hachaos-"`, "hachaos- ", `hachaos-\`} {
		err := Undo(t.Context(), []topology.Node{n}, Entry{Undo: SessionsEnded, Node: "db", Params: map[string]string{"name": name}})
		require.ErrorContains(t, err, "is not one of hachaos", name)
	}
	require.ErrorContains(t, Undo(t.Context(), []topology.Node{n}, Entry{Undo: SettingReset, Node: "db", Params: map[string]string{"setting": "fsync"}}), `setting "fsync" is none that hachaos changes`)
	for _, table := range []string{"", "a b", "orders;"} {
		require.ErrorContains(t, Undo(t.Context(), []topology.Node{n}, Entry{Undo: TriggerAbsent, Node: "db", Params: map[string]string{"table": table}}), "undo: table \""+table+"\"")
	}
	require.Empty(t, n.did)
}

// TestAQuestionBeforeAnActOnlyReads: the session that asks could not write, and says
// who it is.
func TestAQuestionBeforeAnActOnlyReads(t *testing.T) {
	argv := asReader("SELECT 1")
	require.Equal(t, []string{
		"psql", "-XAtq", "-v", "ON_ERROR_STOP=1",
		"dbname=jetty_sessions user=postgres application_name=hachaos-proof connect_timeout=5 options='-c default_transaction_read_only=on'",
		"-c", "SELECT 1",
	}, argv)
	require.NotContains(t, strings.Join(asSuperuser("SELECT 1"), " "), ReadingOnly)
}
