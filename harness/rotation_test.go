package harness_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

// The first users are shared among all nodes: they come when every balancer
// holds each of them for up, not as soon as the nodes say that they are ready.
func TestUsersComeWhenTheRotationIsWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.driver.Options.Slow = "j1"
		res := r.run(t, t.Context(), small())
		h, err := history.Load(res.Dir)
		require.NoError(t, err)
		seen := map[[2]string]bool{}
		for _, s := range h.Servers {
			if key := [2]string{s.V.Balancer, s.V.Server}; !seen[key] {
				seen[key] = true
				require.True(t, s.V.Up, "%s holds %s for %s when the load begins", s.V.Balancer, s.V.Server, s.V.Status)
			}
		}
		require.Len(t, seen, 4, "two balancers and two nodes")
	})
}
