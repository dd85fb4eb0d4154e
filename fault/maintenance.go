package fault

import (
	"context"

	"github.com/hachaos/hachaos/topology"
)

// Maintenance takes a server out of rotation for good: its targets, all the
// balancers, are told to send it nothing, the requests of its own sessions
// neither, and to check it no more. Requests under way complete ("maint" of
// `set server`, HAProxy 3.0 Management Guide, 9.3).
type Maintenance struct {
	// Server is the name of the application node; required.
	Server string `json:"server"`
	// Backend is the balancers' name of the group that it is in; "nodes" by
	// default.
	Backend string `json:"backend,omitempty"`
}

// Kind is "maintenance".
func (Maintenance) Kind() string { return "maintenance" }

// Victims is the server.
func (f Maintenance) Victims() []string { return []string{f.Server} }

// Validate reports a server without a name.
func (f Maintenance) Validate() error { return f.order().validate() }

func (f Maintenance) order() serverOrder { return serverOrder{f.Kind(), f.Backend, f.Server} }

// Inject tells the balancers; the undo makes the server ready again.
func (f Maintenance) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	path := f.order().path()
	return f.order().inject(ctx, nodes, log, "set server "+path+" state maint",
		Entry{Undo: ServerReady, Params: map[string]string{"server": path}})
}

// Active holds when every balancer itself says that the server is in
// maintenance, and sent it nothing between two looks. From is when the first
// was told, To when the last had taken it.
func (f Maintenance) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.order().prove(ctx, nodes, f.Server+" MAINT at every balancer", showServers, f.order().note(), func(s *sight, replies [2]string) error {
		before, after, err := viewOf(f.Server, replies)
		if err != nil {
			return err
		}
		s.measured = after.Status
		s.see(after.InMaintenance(), "its view of %s is %s", f.Server, after.Status)
		s.see(before.Total == after.Total, "between two looks it sent %s %d requests", f.Server, after.Total-before.Total)
		return nil
	})
}

// Healed holds when no balancer says that the server is in maintenance.
func (f Maintenance) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.order().proveReady(ctx, nodes)
}
