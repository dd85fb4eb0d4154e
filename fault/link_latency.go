package fault

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// LinkLatency delays every packet that each target sends, whatever to, by the
// kernel's netem: a distant node. What it is sent is not delayed. Where the
// kernel has no netem it is refused before anything starts; Latency delays
// the database's answers without it. A node has room for one of it or of
// Bandwidth: a second is refused before it acts. There is no useful zero value:
// Delay must be given.
type LinkLatency struct {
	// Delay is added to each packet, 10 ms to 10 s, in whole milliseconds.
	Delay time.Duration `json:"delay"`
	// Jitter varies it, evenly (the kernel's sch_netem.c, tabledist, without a
	// table), by so much to both sides; at least 20 ms and at most half of
	// Delay. 0 is none.
	Jitter time.Duration `json:"jitter,omitempty"`
}

// heldPackets is how many packets may be under way: more than a node of the
// built-in topologies sends in 10 s (tc-netem(8), "limit": 1000 by default,
// and what is beyond is dropped).
const heldPackets = 100_000

// Kind is "link-latency".
func (LinkLatency) Kind() string { return "link-latency" }

// Demands implements Demanding.
func (LinkLatency) Demands() topology.Feature { return topology.Netem }

// Instead implements Demanding.
func (LinkLatency) Instead() string {
	return "use the fault latency, by which Toxiproxy delays the database's answers to one node"
}

// like has the same figures, and is measured in the same way.
func (f LinkLatency) like() Latency { return Latency(f) }

// Validate reports a delay that cannot be made or not be measured.
func (f LinkLatency) Validate() error {
	if err := f.like().Validate(); err != nil {
		return fmt.Errorf("%s: %w", f.Kind(), err)
	}
	return nil
}

// netem is the command that sets the delay.
func (f LinkLatency) netem() []string {
	argv := []string{
		"tc", "qdisc", "add", "dev", theDevice, "root", "netem", "limit", strconv.Itoa(heldPackets),
		"delay", strconv.FormatInt(f.Delay.Milliseconds(), 10) + "ms",
	}
	if f.Jitter > 0 {
		argv = append(argv, strconv.FormatInt(f.Jitter.Milliseconds(), 10)+"ms")
	}
	return argv
}

// Inject delays what the targets send; the undo takes the delay away. A target
// whose sending is limited or delayed already is an error, before any act.
func (f LinkLatency) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	if err := f.Validate(); err != nil {
		return err
	}
	ws, err := runningWays(ctx, f.Kind(), nodes)
	if err != nil {
		return err
	}
	if err := inTurn(f.Kind(), ws, func(w way) error { return unshaped(ctx, w.ns) }); err != nil {
		return err
	}
	return actOn(f.Kind(), ws, log, func(w way) Entry {
		return Entry{Undo: ShapingAbsent, Node: w.Name()}
	}, func(w way) error {
		return succeed(w.ns.InNamespace(ctx, f.netem()...))
	})
}

// Active holds when the median of the times in which the database answers
// each target, less that of its answers to the proxies' node, is the asked
// delay within 10 % or 5 ms, and so much more spread is the asked jitter: see
// Latency.
func (f LinkLatency) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.like().lookBy(ctx, f.Kind(), nodes, f.like().bite(), f.measure)
}

// Healed holds when less than the tolerance is left of the delay, and less than
// half of the jitter.
func (f LinkLatency) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.like().lookBy(ctx, f.Kind(), nodes, f.like().end(), f.measure)
}

// Shows implements Gradual: a probe sends twice, to connect and to ask.
func (f LinkLatency) Shows() time.Duration { return 2 * f.like().Shows() }

// measure makes the probes straight to the database, from the target and from
// the proxies' node.
func (f LinkLatency) measure(ctx context.Context, w way, at passage) (there, beside probes, how string, err error) {
	l := f.like()
	n := l.sample()
	if beside, err = probeDatabase(ctx, w.keeper, at.out, n, l.parallel(n), l.patience()); err != nil {
		return there, beside, "", err
	}
	there, err = probeDatabase(ctx, w.ns, at.out, n, l.parallel(n), l.patience())
	return there, beside, "%d probes of the database from it: %s, median %.1f ms; from the proxies' node: %s, median %.1f ms", err
}
