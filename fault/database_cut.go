package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// DatabaseCut refuses each target its way to the database: the connections
// that it has are closed and new ones are refused, while the database itself
// and the other nodes' ways are well. The zero value is ready to use.
//
// It acts on the proxy between the node and the database. A node whose proxy
// refuses connections already is an error, before any act.
type DatabaseCut struct{}

// Kind is "database-cut".
func (DatabaseCut) Kind() string { return "database-cut" }

// Validate accepts every value: there are no parameters.
func (DatabaseCut) Validate() error { return nil }

// Inject disables the targets' proxies; the undo enables them.
func (f DatabaseCut) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	return disable(ctx, f.Kind(), nodes, log)
}

// Active holds when each target is refused where it connects to for its
// database, and has no connection left there.
func (f DatabaseCut) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, "refused", func(s *sight, p probes, open int) {
		s.see(p.all(cutProbes, probeRefused), "asked the database from beside it: %s", p)
		s.see(open == 0, "connections to the database that it has left: %d", open)
	})
}

// Healed holds when each target is answered there again.
func (f DatabaseCut) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, "answered again", func(s *sight, p probes, _ int) {
		s.see(len(p.answered) == cutProbes, "asked the database from beside it: %s", p)
	})
}

// disable disables the proxies that the targets' ways lead through. One that is
// disabled is an error, before any act: the first undo would open it for both.
func disable(ctx context.Context, kind string, nodes []topology.Node, log Recorder) error {
	ws, err := runningWays(ctx, kind, nodes)
	if err != nil {
		return err
	}
	if err := inTurn(kind, ws, func(w way) error { return w.open(ctx) }); err != nil {
		return err
	}
	return actOn(kind, ws, log, func(w way) Entry { return w.undo(ProxyEnabled, nil) }, func(w way) error {
		return w.ask(ctx, "POST", w.Name(), `{"enabled":false}`)
	})
}

// cutProbes is how many probes a look makes.
const cutProbes = 3

func (f DatabaseCut) look(ctx context.Context, nodes []topology.Node, asked string, judge func(*sight, probes, int)) (Proof, error) {
	return proveWays(ctx, f.Kind(), nodes, asked, func(ctx context.Context, s *sight, w way, at passage) error {
		p, err := probeDatabase(ctx, w.ns, at.in, cutProbes, cutProbes, time.Second)
		if err != nil {
			return err
		}
		open, err := established(ctx, w.ns, at.in)
		if err != nil {
			return err
		}
		s.measured = fmt.Sprintf("%s, %d connections", p, open)
		judge(s, p, open)
		return nil
	})
}
