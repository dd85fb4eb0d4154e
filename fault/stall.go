package fault

import (
	"context"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// Stall holds back every byte between each target and its database: what it
// connects to accepts, and nothing ever answers, on connections that stood
// and on new ones. They are closed when it heals. The zero value is ready to
// use.
type Stall struct{}

// stallLimit is how long a probe waits for an answer.
const stallLimit = 700 * time.Millisecond

// Kind is "stall".
func (Stall) Kind() string { return "stall" }

// Validate accepts every value: there are no parameters.
func (Stall) Validate() error { return nil }

// Inject adds a timeout without end to the targets' proxies, both ways; the
// undo removes it.
func (f Stall) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	var toxics []dose
	for _, stream := range []string{"upstream", "downstream"} {
		name := f.toxic(stream)
		toxics = append(toxics, dose{name, addToxic(name, "timeout", stream, map[string]int64{"timeout": 0})})
	}
	return poison(ctx, f, nodes, log, toxics...)
}

func (f Stall) toxic(stream string) string { return toxicName(f) + "_" + stream }

// Active holds when each target can connect to where its database is, and is
// not answered, while the database itself answers.
func (f Stall) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, "accepts, and does not answer", func(s *sight, p probes) {
		s.see(p.all(cutProbes, probeSilent), "asked by its proxy: %s within %v", p, stallLimit)
	})
}

// Healed holds when each target is answered again.
func (f Stall) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, "answered again", func(s *sight, p probes) {
		s.see(len(p.answered) == cutProbes, "asked by its proxy: %s", p)
	})
}

func (f Stall) look(ctx context.Context, nodes []topology.Node, asked string, judge func(*sight, probes)) (Proof, error) {
	return proveWays(ctx, f.Kind(), nodes, asked, func(ctx context.Context, s *sight, w way, at passage) error {
		held, err := probeDatabase(ctx, w.ns, at.in, cutProbes, cutProbes, stallLimit)
		if err != nil {
			return err
		}
		straight, err := probeDatabase(ctx, w.ns, at.out, cutProbes, cutProbes, stallLimit)
		if err != nil {
			return err
		}
		s.measured = held.String()
		judge(s, held)
		s.see(len(straight.answered) == cutProbes, "asked past it: %s", straight)
		return nil
	})
}
