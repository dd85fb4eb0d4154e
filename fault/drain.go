package fault

import (
	"context"

	"github.com/hachaos/hachaos/topology"
)

// Drain takes a server out of rotation in order: its targets, all the
// balancers, are told to send it no new session. Requests under way complete,
// and HAProxy goes on to send it the requests of sessions that a cookie binds
// to it ("drain" of `set server`, HAProxy 3.0 Management Guide, 9.3).
type Drain struct {
	// Server is the name of the application node; required.
	Server string `json:"server"`
	// Backend is the balancers' name of the group that it is in; "nodes" by
	// default.
	Backend string `json:"backend,omitempty"`
}

// Kind is "drain".
func (Drain) Kind() string { return "drain" }

// Victims is the server.
func (f Drain) Victims() []string { return []string{f.Server} }

// Validate reports a server without a name.
func (f Drain) Validate() error { return f.order().validate() }

func (f Drain) order() serverOrder { return serverOrder{f.Kind(), f.Backend, f.Server} }

// Inject tells the balancers; the undo makes the server ready again.
func (f Drain) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	path := f.order().path()
	return f.order().inject(ctx, nodes, log, "set server "+path+" state drain",
		Entry{Undo: ServerReady, Params: map[string]string{"server": path}})
}

// Active holds when every balancer itself says that the server drains, and
// chose it for nothing between two looks. From is when the first was told,
// To when the last had taken it.
func (f Drain) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.order().prove(ctx, nodes, f.Server+" DRAIN at every balancer", showServers, f.order().note(), func(s *sight, replies [2]string) error {
		before, after, err := viewOf(f.Server, replies)
		if err != nil {
			return err
		}
		s.measured = after.Status
		s.see(after.Drains(), "its view of %s is %s", f.Server, after.Status)
		s.see(before.Chosen == after.Chosen, "between two looks it chose %s for %d requests", f.Server, after.Chosen-before.Chosen)
		return nil
	})
}

// Healed holds when no balancer says that the server drains.
func (f Drain) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.order().proveReady(ctx, nodes)
}

// proveReady holds when no balancer keeps the server out by an order.
func (o serverOrder) proveReady(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return o.prove(ctx, nodes, o.server+" ready at every balancer", showServers, "", func(s *sight, replies [2]string) error {
		_, after, err := viewOf(o.server, replies)
		if err != nil {
			return err
		}
		s.measured = after.Status
		s.see(!after.Drains() && !after.InMaintenance(), "its view of %s is %s", o.server, after.Status)
		return nil
	})
}
