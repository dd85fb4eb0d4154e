package fault

import (
	"context"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// DependencyDown refuses everybody the way to a service that the application
// depends on: the connections that stand are closed and new ones are refused,
// as when the service has ended and its host has not. The target is the
// service. The zero value is ready to use.
type DependencyDown struct{}

// Kind is "dependency-down".
func (DependencyDown) Kind() string { return "dependency-down" }

// Validate accepts every value: there are no parameters.
func (DependencyDown) Validate() error { return nil }

// Inject disables the proxy that leads to the target; the undo enables it. One that
// is disabled already is an error, before any act.
func (f DependencyDown) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	return disable(ctx, f.Kind(), nodes, log)
}

// Active holds when no request of any application node that runs gets an answer
// where it asks.
func (f DependencyDown) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, "refused", func(p probes) bool { return p.all(cutProbes, probeClosed) })
}

// Healed holds when each request of each of them is answered there.
func (f DependencyDown) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, "answered again", func(p probes) bool { return len(p.answered) == cutProbes })
}

func (f DependencyDown) look(ctx context.Context, nodes []topology.Node, asked string, right func(probes) bool) (Proof, error) {
	return proveWays(ctx, f.Kind(), nodes, asked, func(ctx context.Context, s *sight, w way, at passage) error {
		return w.byAskers(ctx, s, func(ctx context.Context, s *sight, from topology.Namespace) error {
			p, err := askHTTP(ctx, from, at.in, cutProbes, 1, time.Second)
			if err != nil {
				return err
			}
			s.measured = p.String()
			s.see(right(p), "asked %s from %s: %s", at.in, from.Name(), p)
			return nil
		})
	})
}
