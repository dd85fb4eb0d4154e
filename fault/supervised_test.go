package fault

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// TestAnUndoStartsItsOwnProcessOnly: that of another fault stays down.
func TestAnUndoStartsItsOwnProcessOnly(t *testing.T) {
	for _, tc := range []struct {
		undo   string
		params map[string]string
		want   []string
	}{
		{ProcessRunning, map[string]string{"process": keepalivedProcess}, []string{appStart, keepalivedProcess}},
		{ProcessThawed, map[string]string{"process": haproxyProcess}, []string{appStart, haproxyProcess}},
		{ApplicationThawed, map[string]string{"process": applicationProcess}, []string{appStart, applicationProcess}},
		{ProcessRunning, nil, []string{appStart}},
	} {
		n := &stub{name: "lb1", state: up, exec: func([]string) (topology.Output, error) { return topology.Output{}, nil }}
		require.NoError(t, Undo(t.Context(), []topology.Node{n}, Entry{Undo: tc.undo, Node: "lb1", Params: tc.params}))
		require.Equal(t, tc.want, n.did[len(n.did)-1])
	}
}
