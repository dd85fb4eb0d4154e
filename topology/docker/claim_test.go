package docker

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// TestJudgeClaim: only the mark of a process that is certainly gone yields.
func TestJudgeClaim(t *testing.T) {
	me := self()
	gone, elsewhere := me, me
	gone.start, elsewhere.machine = "0", "another"
	d := &Driver{owner: me}
	for name, tc := range map[string]struct{ owner, err string }{
		"a process that lives":      {me.String(), "await its end, or interrupt it"},
		"a process that is gone":    {gone.String(), ""},
		"a process of somewhere":    {elsewhere.String(), "docker rm hachaos-r1-in-use"},
		"one that nobody can parse": {"me", "docker rm hachaos-r1-in-use"},
	} {
		t.Run(name, func(t *testing.T) {
			err := d.judgeClaim(thing{name: "hachaos-r1-in-use", owner: tc.owner})
			if tc.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, topology.ErrInUse)
			require.ErrorContains(t, err, tc.err)
		})
	}
}
