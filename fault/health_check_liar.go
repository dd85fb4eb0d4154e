package fault

import (
	"context"
	"strings"

	"github.com/hachaos/hachaos/topology"
)

// HealthCheckLiar has the balancers believe that a server is well whatever
// becomes of it: its targets, all the balancers, no longer ask ("disable
// health": the server is held for up unless an agent says otherwise, HAProxy
// 3.0 Management Guide, 9.3). It stands for a health check that asks for a
// port, a constant page or the wrong host.
type HealthCheckLiar struct {
	// Server is the name of the application node; required.
	Server string `json:"server"`
	// Backend is the balancers' name of the group that it is in; "nodes" by
	// default.
	Backend string `json:"backend,omitempty"`
}

// Kind is "health-check-liar".
func (HealthCheckLiar) Kind() string { return "health-check-liar" }

// Victims is the server.
func (f HealthCheckLiar) Victims() []string { return []string{f.Server} }

// Validate reports a server without a name.
func (f HealthCheckLiar) Validate() error { return f.order().validate() }

func (f HealthCheckLiar) order() serverOrder { return serverOrder{f.Kind(), f.Backend, f.Server} }

// Inject tells the balancers; the undo has them ask again.
func (f HealthCheckLiar) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	path := f.order().path()
	return f.order().inject(ctx, nodes, log, "disable health "+path,
		Entry{Undo: ServerChecked, Params: map[string]string{"server": path}})
}

// Active holds when every balancer itself says that it does not check the
// server.
func (f HealthCheckLiar) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.prove(ctx, nodes, "no check", f.order().note(), true)
}

// Healed holds when every balancer checks the server.
func (f HealthCheckLiar) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.prove(ctx, nodes, "checked", "", false)
}

func (f HealthCheckLiar) prove(ctx context.Context, nodes []topology.Node, asked, note string, lies bool) (Proof, error) {
	return f.order().prove(ctx, nodes, f.Server+": "+asked, showServers, note, func(s *sight, replies [2]string) error {
		_, after, err := viewOf(f.Server, replies)
		if err != nil {
			return err
		}
		s.measured = after.Status
		s.see(strings.HasPrefix(after.Status, "no check") == lies, "its view of %s is %s", f.Server, after.Status)
		return nil
	})
}

// ensureServerChecked has a balancer check a server. Where no HAProxy runs
// there is nothing to take back: its order is gone with its process.
func ensureServerChecked(ctx context.Context, n topology.Node, params map[string]string) error {
	return order(ctx, n, "enable health "+params["server"])
}
