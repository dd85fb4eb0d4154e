package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// StaleARP leaves each target with the link-layer address of a machine that is
// gone for each of its peers, as after an address has moved to another machine
// and the gratuitous ARP that says so was lost. What the target sends them
// goes nowhere; what they send it arrives. Unlike an entry that the kernel
// would find out to be stale by itself, within a minute, it stays until the
// heal. Peers must be given.
type StaleARP struct {
	// Peers are names of nodes or roles. The target itself is never one, and
	// clients, who have no address of their own here, cannot be.
	Peers []string `json:"peers"`
}

// goneMachine is the link-layer address that peers are believed to have: one
// of those that are administered locally (IEEE 802, the bit 0x02), which the
// engine gives to nobody. That of a container which runs would not do: it
// would forward what is not meant for it.
const goneMachine = "02:68:61:63:68:61"

// Kind is "stale-arp".
func (StaleARP) Kind() string { return "stale-arp" }

// Validate reports peers that cannot be.
func (f StaleARP) Validate() error {
	if err := validPeers(f.Kind(), f.Peers); err != nil {
		return err
	}
	if slices.Contains(f.Peers, Clients) {
		return fmt.Errorf("%s: peer %q: name nodes or roles; who is no node has no address to be wrong about", f.Kind(), Clients)
	}
	return nil
}

// Between are the peers' names.
func (f StaleARP) Between() []string { return f.Peers }

// mistakeNote is where the act leaves, beside the target, when it began and
// ended.
const mistakeNote = "/run/hachaos-stale-arp"

// mistake is the command that enters the wrong addresses, all or none.
func mistake(peers []netip.Addr) []string {
	return []string{"bash", "-c", "before=$EPOCHREALTIME; " + neighbours("replace", peers, " lladdr "+goneMachine+" nud permanent") +
		` && echo "$before $EPOCHREALTIME" >` + mistakeNote}
}

// forget is the command that forgets them.
func forget(peers []netip.Addr) []string {
	return []string{"/bin/sh", "-c", neighbours("del", peers, "")}
}

func neighbours(act string, peers []netip.Addr, more string) string {
	lines := make([]string, len(peers))
	for i, a := range peers {
		lines[i] = fmt.Sprintf("ip neigh %s %s dev %s%s", act, a, theDevice, more)
	}
	return strings.Join(lines, " && ")
}

// sees checks that the victim is wrong about none of its peers.
func (l link) sees(ctx context.Context) error {
	known, err := neighboursOf(ctx, l.ns)
	if err != nil {
		return err
	}
	for _, p := range l.addrs() {
		if known[p] == goneMachine {
			return already("it is wrong about the address of " + p.String())
		}
	}
	return nil
}

// Inject enters the addresses; the undo forgets them. A target that is wrong about
// one of the peers is an error, before any act.
func (f StaleARP) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	if err := f.Validate(); err != nil {
		return err
	}
	ls, err := runningLinks(ctx, f.Kind(), nodes, f.Peers)
	if err != nil {
		return err
	}
	if err := inTurn(f.Kind(), ls, func(l link) error { return l.sees(ctx) }); err != nil {
		return err
	}
	return actOn(f.Kind(), ls, log, func(l link) Entry {
		return Entry{Undo: StaleNeighbourAbsent, Node: l.Name(), Params: map[string]string{"peers": join(l.addrs())}}
	}, func(l link) error {
		return succeed(l.ns.InNamespace(ctx, mistake(l.addrs())...))
	})
}

// Active holds when the kernel of each target has that address for each peer,
// and no attempt to connect is answered either way: of a connection that a
// peer begins, the answer is lost.
func (f StaleARP) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, "the address of a machine that is gone", true, probeSilent)
}

// Healed holds when no target has it, and connections are made both ways.
func (f StaleARP) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, "the address of the machine that is there", false, connected)
}

func (f StaleARP) look(ctx context.Context, nodes []topology.Node, asked string, stale bool, want string) (Proof, error) {
	ls, err := links(f.Kind(), nodes, f.Peers)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, asked, ls, func(ctx context.Context, l link) (sight, error) {
		s := sight{ok: true}
		known, err := neighboursOf(ctx, l.ns)
		if err != nil {
			return s, err
		}
		wrong := 0
		for _, p := range l.addrs() {
			is := known[p]
			if is == goneMachine {
				wrong++
			}
			s.see((is == goneMachine) == stale, "it holds that %s is at %s; %s is gone", p, orNothing(is), goneMachine)
		}
		s.measured = fmt.Sprintf("wrong about %d of %d peers", wrong, len(l.peers))
		if !s.ok {
			return s, nil
		}
		if stale {
			if s.from, s.to, err = noted(ctx, l.ns, mistakeNote); err != nil {
				return s, err
			}
		}
		return s, l.seeConnects(ctx, &s, want)
	})
}

// noted reads the two times of a note; both are zero if there is none.
func noted(ctx context.Context, ns topology.Namespace, note string) (from, to time.Time, err error) {
	out, err := ns.InNamespace(ctx, "bash", "-c", "[[ ! -e "+note+" ]] || cat "+note)
	if err := succeed(out, err); err != nil {
		return from, to, err
	}
	at, err := parseNote(strings.Fields(string(out.Stdout)))
	return at[0], at[1], err
}

func orNothing(address string) string {
	if address == "" {
		return "no address that it knows"
	}
	return address
}

// neighboursOf are the link-layer addresses that a node's kernel knows.
func neighboursOf(ctx context.Context, ns topology.Namespace) (map[netip.Addr]string, error) {
	out, err := ns.InNamespace(ctx, "ip", "-j", "-4", "neigh", "show", "dev", theDevice)
	if err := succeed(out, err); err != nil {
		return nil, err
	}
	return parseNeighbours(out.Stdout)
}

// parseNeighbours reads `ip -j neigh`. A neighbour that does not answer has no
// link-layer address.
func parseNeighbours(b []byte) (map[netip.Addr]string, error) {
	var list []struct {
		Dst    netip.Addr `json:"dst"`
		Lladdr string     `json:"lladdr"`
	}
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, fmt.Errorf("ip neigh: %w", err)
	}
	known := map[netip.Addr]string{}
	for _, n := range list {
		known[n.Dst] = n.Lladdr
	}
	return known, nil
}

// ensureNoStaleNeighbour forgets of Params["peers"] those that are held to be
// where the fault says. It needs nothing where the container is down: what the
// kernel knew went with its namespace.
func ensureNoStaleNeighbour(ctx context.Context, n topology.Node, params map[string]string) error {
	ns, err := namespace(n)
	if err != nil {
		return err
	}
	known, err := neighboursOf(ctx, ns)
	if errors.Is(err, topology.ErrNotRunning) {
		return nil
	}
	if err != nil {
		return err
	}
	var wrong []netip.Addr
	for word := range strings.SplitSeq(params["peers"], ", ") {
		peer, err := netip.ParseAddr(word)
		if err != nil {
			return fmt.Errorf("peers %q: %w", params["peers"], err)
		}
		if known[peer] == goneMachine {
			wrong = append(wrong, peer)
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return succeed(ns.InNamespace(ctx, forget(wrong)...))
}
