package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// DependencySlow delays every answer of a service that the application
// depends on, on the proxy that leads to it: connections are accepted at
// once, and what is asked takes long. The target is the service; all who ask
// it suffer. There is no useful zero value: Delay must be given.
type DependencySlow struct {
	// Delay is added to each answer, 10 ms to 10 s, in whole milliseconds.
	Delay time.Duration `json:"delay"`
}

// Kind is "dependency-slow".
func (DependencySlow) Kind() string { return "dependency-slow" }

// Validate reports a delay that cannot be made or measured.
func (f DependencySlow) Validate() error {
	if f.Delay < 10*time.Millisecond || f.Delay > maxDelay || f.Delay%time.Millisecond != 0 {
		return fmt.Errorf("%s: delay %v: want 10ms to %v, in whole milliseconds", f.Kind(), f.Delay, maxDelay)
	}
	return nil
}

// Inject adds the delay to the proxy that leads to the target; the undo
// removes it.
func (f DependencySlow) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	if err := f.Validate(); err != nil {
		return err
	}
	body := addToxic(toxicName(f), "latency", "downstream", map[string]int64{"latency": f.Delay.Milliseconds()})
	return poison(ctx, f, nodes, log, dose{toxicName(f), body})
}

// tolerance of a measured delay: 10 % of the asked one, or 5 ms.
func (f DependencySlow) tolerance() time.Duration { return max(f.Delay/10, latencyFloor) }

// Shows implements Gradual: a request takes the delay at least.
func (f DependencySlow) Shows() time.Duration { return f.Delay }

// Active holds when, from beside each application node that runs, the median of 30
// requests by the proxy, less that of the same ones straight to the service, is the
// asked delay within 10 % or 5 ms.
func (f DependencySlow) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	asked := fmt.Sprintf("%d within %d", f.Delay.Milliseconds(), f.tolerance().Milliseconds())
	return f.look(ctx, nodes, asked, func(added time.Duration) bool { return (added - f.Delay).Abs() <= f.tolerance() })
}

// Healed holds when less than the tolerance is left of it.
func (f DependencySlow) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	asked := fmt.Sprintf("less than %d", f.tolerance().Milliseconds())
	return f.look(ctx, nodes, asked, func(added time.Duration) bool { return added < f.tolerance() })
}

func (f DependencySlow) look(ctx context.Context, nodes []topology.Node, asked string, right func(time.Duration) bool) (Proof, error) {
	p, err := proveWays(ctx, f.Kind(), nodes, asked, func(ctx context.Context, s *sight, w way, at passage) error {
		return w.byAskers(ctx, s, func(ctx context.Context, s *sight, from topology.Namespace) error {
			n, limit := latencyProbes, f.Delay+2*time.Second
			straight, err := askHTTP(ctx, from, at.out, n, atATime(n, f.Delay), limit)
			if err != nil {
				return err
			}
			through, err := askHTTP(ctx, from, at.in, n, atATime(n, f.Delay), limit)
			if err != nil {
				return err
			}
			s.added("from "+from.Name()+" %d requests by the proxy: %s, median %.1f ms; straight to the service: %s, median %.1f ms", n, through, straight, right)
			return nil
		})
	})
	p.Unit = "ms"
	return p, err
}
