package harness

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
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

// TestWatchFaults: those in place are shown, each until its undo is over.
func TestWatchFaults(t *testing.T) {
	w := newWatch()
	kill := &injection{Injection: Injection{Fault: fault.InstanceKill{}}, number: 1}
	loss := &injection{Injection: Injection{Fault: fault.PowerLoss{}}, number: 2}
	for _, step := range []struct {
		in   *injection
		on   bool
		want []string
	}{
		{loss, true, []string{"power-loss nothing"}},
		{kill, true, []string{"instance-kill nothing", "power-loss nothing"}},
		{loss, false, []string{"instance-kill nothing"}},
		{kill, false, nil},
	} {
		w.fault(step.in, step.on)
		require.Equal(t, step.want, w.tick(nil).Faults)
	}
}
