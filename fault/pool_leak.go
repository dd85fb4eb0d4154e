package fault

import (
	"context"
	"fmt"

	"github.com/hachaos/hachaos/topology"
)

// PoolLeak makes the application lose connections of its own pool, as code
// does that forgets to close them: nobody uses them and nobody gets them
// back. The node must allow it: jetty-ha's switch faults. There is no useful
// zero value: Connections must be given.
type PoolLeak struct {
	// Connections are lost, 1 to 200. More than the pool has is never proven.
	Connections int `json:"connections"`
}

const (
	gaugeHeldConnections = "hachaos_held_connections"
	gaugePoolActive      = "hachaos_pool_active"
)

// Kind is "pool-leak".
func (PoolLeak) Kind() string { return "pool-leak" }

// Validate reports a number that no pool has.
func (f PoolLeak) Validate() error {
	if f.Connections < 1 || f.Connections > 200 {
		return fmt.Errorf("%s: %d connections: want 1 to 200", f.Kind(), f.Connections)
	}
	return nil
}

// Inject asks the nodes to lose them; the undo has them given back.
func (f PoolLeak) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	return lose(ctx, f, nodes, log, "pool", f.Connections)
}

// Active holds when the node has lost exactly so many, and its pool counts at
// least as many as in use.
func (f PoolLeak) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := holders(f.Kind(), nodes)
	if err != nil {
		return Proof{}, err
	}
	p, err := prove(ctx, fmt.Sprint(f.Connections), vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		g, err := v.gauges(ctx)
		if err != nil {
			return s, err
		}
		if g == nil {
			s.measured = "no answer"
			s.see(false, "the node's figures: no answer")
			return s, nil
		}
		held, active := g[gaugeHeldConnections], g[gaugePoolActive]
		s.measured = fmt.Sprintf("%.0f", held)
		s.see(held == float64(f.Connections), "the node says that it lost %.0f connections (0 where the switch faults is off)", held)
		s.see(active >= float64(f.Connections), "its pool counts %.0f connections in use", active)
		return s, nil
	})
	p.Unit = "connections"
	return p, err
}

// Healed holds when the node answers and has none lost.
func (f PoolLeak) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := holders(f.Kind(), nodes)
	if err != nil {
		return Proof{}, err
	}
	p, err := prove(ctx, "0", vs, func(ctx context.Context, v victim) (sight, error) {
		return seeReturned(ctx, v, gaugeHeldConnections)
	})
	p.Unit = "connections"
	return p, err
}
