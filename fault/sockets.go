package fault

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/hachaos/hachaos/topology"
)

// listConnections is the command that lists the connections of a namespace
// that stand to an address, one a line.
func listConnections(to netip.AddrPort) []string {
	return []string{"ss", "-Htn", "state", "established", fmt.Sprintf("dst %s dport = :%d", to.Addr(), to.Port())}
}

// established counts the connections that a node has to an address.
func established(ctx context.Context, from topology.Namespace, to netip.AddrPort) (int, error) {
	out, err := from.InNamespace(ctx, listConnections(to)...)
	if err := succeed(out, err); err != nil {
		return 0, fmt.Errorf("connections of %s: %w", from.Name(), err)
	}
	return strings.Count(string(out.Stdout), "\n"), nil
}
