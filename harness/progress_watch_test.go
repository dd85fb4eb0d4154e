package harness

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

// TestWatchOwners: who owns the shared address is what each balancer said
// last, and a look that failed says nothing.
func TestWatchOwners(t *testing.T) {
	w := newWatch()
	for _, step := range []struct {
		seen   history.VIP
		owners []string
	}{
		{history.VIP{Balancer: "lb1", Known: true}, nil},
		{history.VIP{Balancer: "lb2", Known: true, Owner: true}, []string{"lb2"}},
		{history.VIP{Balancer: "lb1", Known: true, Owner: true}, []string{"lb1", "lb2"}},
		{history.VIP{Balancer: "lb1"}, []string{"lb1", "lb2"}},
		{history.VIP{Balancer: "lb1", Known: true}, []string{"lb2"}},
	} {
		w.see(history.Observe(time.Second, step.seen))
		require.Equal(t, step.owners, w.tick(nil).Owners)
		if len(step.owners) > 0 {
			require.Equal(t, step.owners[0], w.owner())
		} else {
			require.Empty(t, w.owner())
		}
	}
}
