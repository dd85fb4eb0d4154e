package harness

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
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

// TestWatchSees: of what is observed, readiness as it is asked for by the
// balancers' path and the owners of the shared address; nothing else changes
// what is shown.
func TestWatchSees(t *testing.T) {
	w := newWatch()
	w.enter("steady", 2, time.Minute)
	nodes := []topology.Node{only("j1"), only("j2")}
	ready := func(node, probe string, up bool) history.Event {
		return history.Observe(1, history.Readiness{Node: node, Probe: probe, Up: up})
	}
	broken := ready("j1", "ready", false)
	broken.Data = json.RawMessage("{")
	other := ready("j1", "ready", false)
	other.Name = history.StreamTruth
	for _, e := range []history.Event{ready("j1", "ready", true), ready("j2", "live", true), broken, other} {
		w.see(e)
	}
	got := w.tick(nodes)
	require.Equal(t, []NodeTick{{"j1", true}, {"j2", false}}, got.Nodes)
	require.Equal(t, "steady", got.Phase)
	require.Equal(t, 2, got.Number)
	require.Equal(t, time.Minute, got.Ends)
	require.Equal(t, 1, got.Ready())
}

// only is a node of which the name alone counts.
type only string

func (o only) Name() string      { return string(o) }
func (only) Role() topology.Role { return topology.Application }
func (only) Exec(context.Context, ...string) (topology.Output, error) {
	return topology.Output{}, topology.ErrNotRunning
}
