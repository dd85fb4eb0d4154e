package fault

import (
	"cmp"
	"context"
	"fmt"

	"github.com/hachaos/hachaos/topology"
)

// ThreadsExhausted makes the application lose worker threads, as calls
// without a time limit to something that hangs do. Without any left the node
// accepts connections and answers nothing, its health checks included. The
// node must allow it: jetty-ha's switch faults. The zero value takes all.
type ThreadsExhausted struct {
	// Threads are lost; 0 is all.
	Threads int `json:"threads,omitempty"`
}

const gaugeHeldThreads = "hachaos_held_threads"

// Kind is "threads-exhausted".
func (ThreadsExhausted) Kind() string { return "threads-exhausted" }

// Validate reports a number that no server has.
func (f ThreadsExhausted) Validate() error {
	if f.Threads < 0 || f.Threads > holdAll {
		return fmt.Errorf("%s: %d threads: want 1 to %d, or 0 for all", f.Kind(), f.Threads, holdAll)
	}
	return nil
}

// Inject asks the nodes to lose them; the undo has them given back.
func (f ThreadsExhausted) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	return lose(ctx, f, nodes, log, "threads", cmp.Or(f.Threads, holdAll))
}

// Active holds, where all are lost, when the node's port accepts and nothing
// is answered, neither there within 300 ms nor, asked from beside it for its
// figures, within a second; otherwise when the node says that it has lost exactly so many.
func (f ThreadsExhausted) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := holders(f.Kind(), nodes)
	if err != nil {
		return Proof{}, err
	}
	asked := "accepts and answers nothing"
	if f.Threads > 0 {
		asked = fmt.Sprintf("%d threads", f.Threads)
	}
	return prove(ctx, asked, vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		if f.Threads == 0 {
			return s, f.seeNoAnswer(ctx, &s, v)
		}
		g, err := v.gauges(ctx)
		if err != nil {
			return s, err
		}
		s.measured = fmt.Sprintf("%.0f threads", g[gaugeHeldThreads])
		s.see(g[gaugeHeldThreads] == float64(f.Threads), "the node says that it lost %.0f threads (0 where the switch faults is off)", g[gaugeHeldThreads])
		return s, nil
	})
}

// seeNoAnswer looks twice: one answer that is late is not that of a node
// without threads.
func (ThreadsExhausted) seeNoAnswer(ctx context.Context, s *sight, v victim) error {
	s.measured = "no figures from the node"
	if err := seeAnswer(ctx, s, v, silent); err != nil || !s.ok {
		return err
	}
	g, err := v.gauges(ctx)
	s.see(g == nil, "the node's figures, asked from beside it: %d of them", len(g))
	return err
}

// Healed holds when the node answers and has none lost.
func (f ThreadsExhausted) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := holders(f.Kind(), nodes)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, "0", vs, func(ctx context.Context, v victim) (sight, error) {
		return seeReturned(ctx, v, gaugeHeldThreads)
	})
}
