package fault

import (
	"context"
	"fmt"

	"github.com/hachaos/hachaos/topology"
)

// NetworkCut drops every packet between each target and its peers: a broken
// cable, a wrong rule of a firewall, a partition. Connections that stood look
// alive. Peers must be given.
type NetworkCut struct {
	// Peers are names of nodes, roles, or Clients. The target itself is never
	// one. With Clients it must serve a port, by which theirs is counted.
	Peers []string `json:"peers"`
	// Way is Both, Incoming or Outgoing, as seen from the target; empty is
	// Both.
	Way string `json:"way,omitempty"`
}

// Kind is "network-cut".
func (NetworkCut) Kind() string { return "network-cut" }

// Validate reports peers or a way that cannot be.
func (f NetworkCut) Validate() error {
	if err := validPeers(f.Kind(), f.Peers); err != nil {
		return err
	}
	return validWay(f.Kind(), f.Way)
}

// Between are the peers' names.
func (f NetworkCut) Between() []string { return f.Peers }

// Inject drops the packets, on each target in one transaction. A target that
// serves no known port cannot be cut off from Clients: nothing of theirs could be
// counted. That is an error, before any act.
func (f NetworkCut) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	ls, err := links(f.Kind(), nodes, f.Peers)
	if err != nil {
		return err
	}
	if err := callable(f.Kind(), ls); err != nil {
		return err
	}
	return filter(ctx, f, nodes, log, f.Peers, f.Way, dropRule)
}

// cutDatagrams is how many datagrams a look at a cut sends each way to each
// peer, and how often a client calls.
const cutDatagrams = 5

// Active holds when every datagram that the peers and the target send each
// other for the purpose is dropped, each way that is cut, those of the way that is
// not cut arrive, and no attempt to connect is answered either way. (A connection
// takes both.) What comes in from
// Clients are attempts to connect, one packet each, and what goes out to them
// are datagrams to an address that is no node's.
func (f NetworkCut) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	ls, err := links(f.Kind(), nodes, f.Peers)
	if err != nil {
		return Proof{}, err
	}
	if err := callable(f.Kind(), ls); err != nil {
		return Proof{}, err
	}
	return prove(ctx, f.asked(), ls, func(ctx context.Context, l link) (sight, error) {
		s := sight{ok: true}
		before, err := countPackets(ctx, l.ns, toxicName(f))
		if err != nil {
			return s, err
		}
		if before == nil {
			s.measured = "nothing is dropped"
			s.see(false, "packet filter %s in its namespace: false", toxicName(f))
			return s, nil
		}
		took, err := l.exchange(ctx, f.Way, cutDatagrams)
		if err != nil {
			return s, err
		}
		sent := took * cutDatagrams
		if l.clients {
			if err := l.call(ctx, f.Way, cutDatagrams); err != nil {
				return s, err
			}
			sent += cutDatagrams
		}
		after, err := countPackets(ctx, l.ns, toxicName(f))
		if err != nil {
			return s, err
		}
		want := uint64(sent)
		s.measured = "dropped"
		for _, c := range chains(f.Way) {
			got := after[c] - before[c]
			s.measured += fmt.Sprintf(" %d of %d %s", got, want, c)
			s.see(got >= want, "%s: %d packets sent, %d dropped meanwhile; since it began %d of %d", c, want, got, after[c], after[c+"_all"])
		}
		s.see(took > 0 || l.clients, "peers that run: %d of %d", took, len(l.peers))
		if err := l.seeOtherWay(ctx, &s, f.Way, after); err != nil {
			return s, err
		}
		return s, l.seeConnects(ctx, &s, probeSilent)
	})
}

func (f NetworkCut) asked() string {
	switch f.Way {
	case Incoming:
		return "all packets dropped that come in, none that go out"
	case Outgoing:
		return "all packets dropped that go out, none that come in"
	}
	return "all packets dropped, both ways"
}

// Healed holds when no filter is left and connections are made both ways.
func (f NetworkCut) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return unfiltered(ctx, f, nodes, f.Peers)
}

// unfiltered holds when the fault's filter is gone and connections are made
// both ways between the targets and their peers.
func unfiltered(ctx context.Context, f Fault, nodes []topology.Node, peers []string) (Proof, error) {
	ls, err := links(f.Kind(), nodes, peers)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, "packets flow", ls, func(ctx context.Context, l link) (sight, error) {
		s := sight{ok: true, measured: "packets flow"}
		tables, err := l.ns.InNamespace(ctx, listTables()...)
		if err := succeed(tables, err); err != nil {
			return s, err
		}
		if hasTable(string(tables.Stdout), toxicName(f)) {
			s.measured = "a filter is left"
			s.see(false, "packet filter %s in its namespace: true", toxicName(f))
			return s, nil
		}
		s.see(true, "packet filter %s in its namespace: false", toxicName(f))
		return s, l.seeConnects(ctx, &s, connected)
	})
}
