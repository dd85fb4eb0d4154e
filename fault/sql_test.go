package fault

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// TestUndosAwaitADatabaseThatStarts: another fault's undo has just started it.
func TestUndosAwaitADatabaseThatStarts(t *testing.T) {
	for _, e := range []Entry{
		{Undo: SettingReset, Params: map[string]string{"setting": readOnlySetting}},
		{Undo: TriggerAbsent, Params: map[string]string{"table": "orders"}},
		{Undo: SchemaUnexpanded},
		{Undo: SchemaUncontracted},
		{Undo: NoCleanupTrace},
	} {
		e.Node = "db"
		for name, tc := range map[string]struct {
			code, looks int
			err         string
		}{
			"starting": {code: 2, looks: 4},
			"refused":  {code: 1, looks: 1, err: "exit status 1: ERROR"},
		} {
			t.Run(e.Undo+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					n := &stub{name: "db", role: topology.Database, state: up}
					n.exec = func([]string) (topology.Output, error) {
						if len(n.did) > 3 {
							return topology.Output{}, nil
						}
						return topology.Output{Code: tc.code, Stderr: []byte("ERROR\n")}, nil
					}
					err := UndoAll(t.Context(), []topology.Node{n}, []Entry{e})
					require.Len(t, n.did, tc.looks)
					if tc.err == "" {
						require.NoError(t, err)
						return
					}
					require.ErrorContains(t, err, tc.err)
				})
			})
		}
	}
	synctest.Test(t, func(t *testing.T) {
		n := &stub{name: "db", state: up}
		n.exec = func([]string) (topology.Output, error) {
			return topology.Output{Code: 2, Stderr: []byte("no server\n")}, nil
		}
		began := time.Now()
		err := UndoAll(t.Context(), []topology.Node{n}, []Entry{{Undo: SchemaUnexpanded, Node: "db"}})
		require.ErrorContains(t, err, "no server", "a database that does not start is left")
		require.Equal(t, UndoBudget, time.Since(began))
		n.exec = func([]string) (topology.Output, error) { return topology.Output{}, topology.ErrNotRunning }
		require.ErrorIs(t, UndoAll(t.Context(), []topology.Node{n}, []Entry{{Undo: SchemaUnexpanded, Node: "db"}}), topology.ErrNotRunning)
	})
}
