package fault

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// TestALateAnswerIsNotNone: a node with all of its threads answers once late, and
// gives its figures.
func TestALateAnswerIsNotNone(t *testing.T) {
	for name, tc := range map[string]struct {
		figures topology.Output
		want    bool
	}{
		"late":         {topology.Output{Stdout: []byte("hachaos_held_threads 0\n")}, false},
		"never":        {topology.Output{Code: 28}, true}, // curl's own word for a time that is up
		"late, halted": {topology.Output{Stdout: []byte("\n")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &stub{name: "j1", port: 8080, state: up}
				n.dialed = func(string) (net.Conn, error) {
					here, there := net.Pipe()
					go func() { _, _ = there.Read(make([]byte, 1024)) }() // and no word in return
					return here, nil
				}
				n.beside = func([]string) (topology.Output, error) { return tc.figures, nil }
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				p, err := ThreadsExhausted{}.Active(ctx, []topology.Node{n})
				require.NoError(t, err)
				require.Equal(t, tc.want, p.OK, "%+v", p)
			})
		})
	}
}
