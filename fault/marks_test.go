package fault_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
)

// What a fault orders of the engine, and whether it endures, its caller asks
// by its type: a mark that is lost makes a run of it inconclusive, or blind.
func TestWhatFaultsSayOfThemselves(t *testing.T) {
	orders := map[string][]string{
		"instance-kill": {"kill"}, "power-loss": {"kill"},
		"instance-stop": {"kill", "stop"}, "database-down": {"kill", "stop"},
		"instance-restart": {"kill", "stop", "start"}, "database-restart": {"kill", "stop", "start"},
		"instance-freeze": {"pause"}, "database-freeze": {"pause"},
	}
	endure := []string{
		"balancer-kill", "database-black-hole", "database-crash", "database-cut", "database-down", "database-freeze", "database-read-only",
		"dependency-down", "disk-full", "instance-freeze", "instance-kill", "instance-stop", "keepalived-freeze",
		"keepalived-kill", "network-cut", "power-loss", "process-freeze", "row-lock", "stale-arp", "stall",
		"vrrp-cut",
	}
	var marked []string
	for _, kind := range fault.Kinds() {
		f, err := fault.Decode([]byte(`{"kind":"` + kind + `"}`))
		require.NoError(t, err)
		if o, ok := f.(fault.Ordering); ok {
			require.Equal(t, orders[kind], o.Orders(), kind)
		} else {
			require.NotContains(t, orders, kind)
		}
		if _, ok := f.(fault.Enduring); ok {
			marked = append(marked, kind)
		}
	}
	slices.Sort(marked)
	require.Equal(t, endure, marked)
}
