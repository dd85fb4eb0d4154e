package fault

import (
	"context"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// Drain takes a server out of rotation in order: its targets, all the
// balancers, are told to send it no new session. Requests under way complete,
// and HAProxy goes on to send it the requests of sessions that a cookie binds
// to it ("drain" of `set server`, HAProxy 3.0 Management Guide, 9.3).
type Drain struct {
	// Server is the name of the application node, and the balancers alone are the
	// targets. Empty, it is the application nodes among the targets, such as the
	// one that serves a user: aim at them together with every balancer.
	Server string `json:"server,omitempty"`
	// Backend is the balancers' name of the group that it is in; "nodes" by
	// default.
	Backend string `json:"backend,omitempty"`
}

// Kind is "drain".
func (Drain) Kind() string { return "drain" }

// Victims is the server that is named, if one is.
func (f Drain) Victims() []string { return f.order().victims() }

// Suffers says that application nodes do; balancers are the means.
func (Drain) Suffers(n topology.Node) bool { return suffers(n) }

// Validate reports a name that no server can have.
func (f Drain) Validate() error { return f.order().validate() }

func (f Drain) order() serverOrder { return serverOrder{f.Kind(), f.Backend, f.Server} }

// Inject tells the balancers; the undo makes the server ready again, or leaves it in
// a maintenance that was ordered since. A server that a balancer drains, or has in
// maintenance, is an error, before any act: HAProxy keeps one of the two.
func (f Drain) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	return f.order().inject(ctx, nodes, log, "set server %s state drain", ServerReady, func(v ServerView) bool {
		return v.Drains() || v.InMaintenance()
	})
}

// Active holds when every balancer itself says that the server drains, or was told
// so and has put it into maintenance since, which spares it, too; and chose it for
// nothing between two looks. From is when the first was told,
// To when the last had taken it.
func (f Drain) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	asked := f.order().names(nodes) + " DRAIN at every balancer"
	return f.order().prove(ctx, nodes, question{asked, allServers, true, func(s *sight, server string, replies [2]string) error {
		before, after, err := viewOf(server, replies)
		if err != nil {
			return err
		}
		s.measured = after.Status
		s.see(after.Drains() || after.InMaintenance() && !s.from.IsZero(), "its view of %s is %s", server, after.Status)
		s.see(before.Chosen == after.Chosen, "between two looks it chose %s for %d requests", server, after.Chosen-before.Chosen)
		return nil
	}})
}

// Healed holds when no balancer says that the server drains, or has a note that it
// is to.
func (f Drain) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.order().proveOver(ctx, nodes, "no DRAIN", ServerView.Drains)
}

// proveOver holds when no balancer keeps the server out by the order, nor has a note
// of it.
func (o serverOrder) proveOver(ctx context.Context, nodes []topology.Node, over string, holds func(ServerView) bool) (Proof, error) {
	asked := o.names(nodes) + " with " + over + " at every balancer"
	return o.prove(ctx, nodes, question{asked, allServers, true, func(s *sight, server string, replies [2]string) error {
		_, after, err := viewOf(server, replies)
		if err != nil {
			return err
		}
		s.measured = after.Status
		s.see(!holds(after), "its view of %s is %s", server, after.Status)
		s.see(s.from.IsZero(), "the note of the order is there: %t", !s.from.IsZero())
		s.from, s.to = time.Time{}, time.Time{}
		return nil
	}})
}
