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
	// Server is the name of the application node, and the balancers alone are the
	// targets. Empty, it is the application nodes among the targets, such as the
	// one that serves a user: aim at them together with every balancer.
	Server string `json:"server,omitempty"`
	// Backend is the balancers' name of the group that it is in; "nodes" by
	// default.
	Backend string `json:"backend,omitempty"`
}

// Kind is "maintenance".
func (Maintenance) Kind() string { return "maintenance" }

// Victims is the server that is named, if one is.
func (f Maintenance) Victims() []string { return f.order().victims() }

// Suffers says that application nodes do; balancers are the means.
func (Maintenance) Suffers(n topology.Node) bool { return suffers(n) }

// Validate reports a name that no server can have.
func (f Maintenance) Validate() error { return f.order().validate() }

func (f Maintenance) order() serverOrder { return serverOrder{f.Kind(), f.Backend, f.Server} }

// Inject tells the balancers; the undo makes the server ready again, or drains it if
// that was ordered before. A server that is in maintenance is an error, before any
// act.
func (f Maintenance) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	return f.order().inject(ctx, nodes, log, "set server %s state maint", ServerReady, ServerView.InMaintenance)
}

// Active holds when every balancer itself says that the server is in
// maintenance, and sent it nothing between two looks. From is when the first
// was told, To when the last had taken it.
func (f Maintenance) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	asked := f.order().names(nodes) + " MAINT at every balancer"
	return f.order().prove(ctx, nodes, question{asked, allServers, true, func(s *sight, server string, replies [2]string) error {
		before, after, err := viewOf(server, replies)
		if err != nil {
			return err
		}
		s.measured = after.Status
		s.see(after.InMaintenance(), "its view of %s is %s", server, after.Status)
		s.see(before.Total == after.Total, "between two looks it sent %s %d requests", server, after.Total-before.Total)
		return nil
	}})
}

// Healed holds when no balancer says that the server is in maintenance, or has a note
// that it is to be.
func (f Maintenance) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.order().proveOver(ctx, nodes, "no MAINT", ServerView.InMaintenance)
}
