package fault

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hachaos/hachaos/topology"
)

// Clients is the peer that stands for everyone who is no node of the cluster:
// the users, as they come in by a relay or past it.
const Clients = "clients"

// Ways in which a fault between a victim and its peers works, as seen from
// the victim. The zero value is both.
const (
	Both     = "both"
	Incoming = "in"  // what the peers send
	Outgoing = "out" // what the victim sends
)

// validWay reports a direction that there is not.
func validWay(kind, way string) error {
	switch way {
	case "", Both, Incoming, Outgoing:
		return nil
	}
	return fmt.Errorf("%s: way %q: want %s, %s or %s, as seen from the victim", kind, way, Both, Incoming, Outgoing)
}

// validPeers reports peers that name nobody.
func validPeers(kind string, peers []string) error {
	if len(peers) == 0 {
		return fmt.Errorf("%s: no peers: name nodes, roles or %q", kind, Clients)
	}
	if slices.Contains(peers, "") {
		return fmt.Errorf("%s: a peer without a name: name nodes, roles or %q", kind, Clients)
	}
	return nil
}

// link is a victim with those that a fault stands between it and.
type link struct {
	victim
	peers   []topology.Node
	clients bool
	members []netip.Addr // every node but relays: who is no client
}

// links checks, before any act, that there are targets whose packets can be
// filtered, and that each peer's name means somebody.
func links(kind string, nodes []topology.Node, peers []string) ([]link, error) {
	vs, err := victims(kind, nodes, 0, true)
	if err != nil {
		return nil, err
	}
	var all []link
	for i, v := range vs {
		m, ok := nodes[i].(topology.Member)
		if !ok {
			return nil, fmt.Errorf("%s: node %s: %w (its cluster's other nodes)", kind, v.Name(), ErrCapability)
		}
		l := link{victim: v}
		if err := l.find(m.Peers(), peers); err != nil {
			return nil, fmt.Errorf("%s: node %s: %w", kind, v.Name(), err)
		}
		all = append(all, l)
	}
	return all, nil
}

// find picks the peers by name or role; the victim itself is none.
func (l *link) find(nodes []topology.Node, names []string) error {
	found := map[string]bool{}
	for _, n := range nodes {
		a, ok := n.(topology.Addressed)
		if !ok || !a.Addr().IsValid() {
			continue
		}
		if n.Role() != topology.Relay {
			l.members = append(l.members, a.Addr())
		}
		if n.Name() == l.Name() {
			continue
		}
		for _, name := range names {
			if name == n.Name() || name == string(n.Role()) {
				found[name] = true
				if !slices.Contains(l.peers, n) {
					l.peers = append(l.peers, n)
				}
			}
		}
	}
	for _, name := range names {
		if name == Clients {
			l.clients = true
		} else if !found[name] {
			return fmt.Errorf("peer %q: %w: there is no such other node or role", name, ErrNoTargets)
		}
	}
	return nil
}

// runningLinks are links whose victims all run.
func runningLinks(ctx context.Context, kind string, nodes []topology.Node, peers []string) ([]link, error) {
	ls, err := links(kind, nodes, peers)
	if err != nil {
		return nil, err
	}
	vs := make([]victim, len(ls))
	for i, l := range ls {
		vs[i] = l.victim
	}
	return ls, allRun(ctx, kind, vs)
}

// addrs are the peers' addresses.
func (l link) addrs() []netip.Addr {
	var all []netip.Addr
	for _, p := range l.peers {
		all = append(all, p.(topology.Addressed).Addr())
	}
	return all
}

// matches are the nft expressions of the packets between the victim and its
// peers; field is "saddr" or "daddr", device "iifname" or "oifname".
func (l link) matches(field, device string) []string {
	var all []string
	if a := l.addrs(); len(a) > 0 {
		all = append(all, fmt.Sprintf("ip %s { %s }", field, join(a)))
	}
	if l.clients {
		all = append(all, fmt.Sprintf(`%s != "lo" ip %s != { %s }`, device, field, join(l.members)))
	}
	return all
}

// names lists the peers in words.
func (l link) names() string {
	var all []string
	for _, p := range l.peers {
		all = append(all, p.Name())
	}
	if l.clients {
		all = append(all, Clients)
	}
	return strings.Join(all, ", ")
}

func join(addrs []netip.Addr) string {
	all := make([]string, len(addrs))
	for i, a := range addrs {
		all[i] = a.String()
	}
	return strings.Join(all, ", ")
}
