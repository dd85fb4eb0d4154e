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
	// Server is the name of the application node, and the balancers alone are the
	// targets. Empty, it is the application nodes among the targets, such as the
	// one that serves a user: aim at them together with every balancer.
	Server string `json:"server,omitempty"`
	// Backend is the balancers' name of the group that it is in; "nodes" by
	// default.
	Backend string `json:"backend,omitempty"`
}

// Kind is "health-check-liar".
func (HealthCheckLiar) Kind() string { return "health-check-liar" }

// Victims is the server that is named, if one is.
func (f HealthCheckLiar) Victims() []string { return f.order().victims() }

// Suffers says that application nodes do; balancers are the means.
func (HealthCheckLiar) Suffers(n topology.Node) bool { return suffers(n) }

// Validate reports a name that no server can have.
func (f HealthCheckLiar) Validate() error { return f.order().validate() }

func (f HealthCheckLiar) order() serverOrder { return serverOrder{f.Kind(), f.Backend, f.Server} }

// Inject tells the balancers; the undo has them ask again. A server that a balancer
// does not check is an error, before any act.
func (f HealthCheckLiar) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	return f.order().inject(ctx, nodes, log, "disable health %s", ServerChecked, unchecked)
}

// Active holds when every balancer itself says that it does not check the
// server.
func (f HealthCheckLiar) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.prove(ctx, nodes, "no check", true)
}

// Healed holds when every balancer checks the server.
func (f HealthCheckLiar) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.prove(ctx, nodes, "checked", false)
}

func (f HealthCheckLiar) prove(ctx context.Context, nodes []topology.Node, asked string, lies bool) (Proof, error) {
	asked = f.order().names(nodes) + ": " + asked
	return f.order().prove(ctx, nodes, question{asked, allServers, lies, func(s *sight, server string, replies [2]string) error {
		_, after, err := viewOf(server, replies)
		if err != nil {
			return err
		}
		s.measured = after.Status
		s.see(unchecked(after) == lies, "its view of %s is %s", server, after.Status)
		return nil
	}})
}

// unchecked says that the balancer does not ask the server how it is.
func unchecked(v ServerView) bool { return strings.HasPrefix(v.Status, "no check") }

// ensureServerChecked has a balancer check a server. Where no HAProxy runs
// there is nothing to take back: its order is gone with its process.
func ensureServerChecked(ctx context.Context, n topology.Node, params map[string]string) error {
	return order(ctx, n, "enable health "+params["server"])
}
