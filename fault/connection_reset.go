package fault

import (
	"context"
	"fmt"

	"github.com/hachaos/hachaos/topology"
)

// ConnectionReset answers every TCP packet between each target and its peers
// with a reset, as a firewall that rejects or a router that lost its table
// does: new connections are refused, and those that stood break at their next
// packet. Peers must be given.
type ConnectionReset struct {
	// Peers are names of nodes, roles, or Clients. The target itself is never
	// one.
	Peers []string `json:"peers"`
}

// Kind is "connection-reset".
func (ConnectionReset) Kind() string { return "connection-reset" }

// Validate reports peers that cannot be.
func (f ConnectionReset) Validate() error { return validPeers(f.Kind(), f.Peers) }

// Between are the peers' names.
func (f ConnectionReset) Between() []string { return f.Peers }

// Inject rejects the packets, both ways, on each target in one transaction.
func (f ConnectionReset) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	return filter(ctx, f, nodes, log, f.Peers, Both, resetRule)
}

// Active holds when each attempt to connect between a target and its peers,
// either way, is refused, and the filter has counted resets.
func (f ConnectionReset) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	ls, err := links(f.Kind(), nodes, f.Peers)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, "connections are reset, both ways", ls, func(ctx context.Context, l link) (sight, error) {
		s := sight{ok: true, measured: "reset"}
		if err := l.seeConnects(ctx, &s, refused); err != nil {
			return s, err
		}
		now, err := countPackets(ctx, l.ns, toxicName(f))
		if err != nil {
			return s, err
		}
		resets := now["input"] + now["output"]
		s.see(resets > 0, "packets that its filter %s answered with a reset: %d", toxicName(f), resets)
		if !s.ok {
			s.measured = fmt.Sprintf("not all are reset: %d packets were", resets)
		}
		return s, nil
	})
}

// Healed holds when no filter is left and connections are made both ways.
func (f ConnectionReset) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return unfiltered(ctx, f, nodes, f.Peers)
}
