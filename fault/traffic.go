package fault

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/hachaos/hachaos/topology"
)

// datagrams is a script that sends so many small datagrams to each address's
// discard port. Nothing listens there: they are there to be counted.
const datagrams = `n=$1; shift
for a in "$@"; do
	exec 3>"/dev/udp/$a/9" || continue
	for ((i = 0; i < n; i++)); do printf x >&3; done 2>/dev/null
	exec 3>&-
done
exit 0`

// sendDatagrams has a node send them. One that does not run sends none, and
// says so.
func sendDatagrams(ctx context.Context, from topology.Node, n int, to ...netip.Addr) (sent bool, err error) {
	ns, err := namespace(from)
	if err != nil {
		return false, err
	}
	argv := []string{"bash", "-c", datagrams, "datagrams", strconv.Itoa(n)}
	for _, a := range to {
		argv = append(argv, a.String())
	}
	err = succeed(ns.InNamespace(ctx, argv...))
	if errors.Is(err, topology.ErrNotRunning) {
		return false, nil
	}
	return err == nil, err
}

// exchange sends n datagrams from each peer to the victim and back, as far as
// the way goes, and returns how many of the peers took part.
func (l link) exchange(ctx context.Context, way string, n int) (int, error) {
	took := 0
	own := l.Container.(topology.Addressed).Addr()
	for _, p := range l.peers {
		ran := true
		for _, chain := range chains(way) {
			from, to := p, own
			if chain == "output" {
				from, to = topology.Node(l.ns), p.(topology.Addressed).Addr()
			}
			sent, err := sendDatagrams(ctx, from, n, to)
			if err != nil {
				return took, fmt.Errorf("datagrams from %s: %w", from.Name(), err)
			}
			ran = ran && sent
		}
		if ran {
			took++
		}
	}
	return took, nil
}

// otherWay is the way that is left open where one is meant; empty where both are.
func otherWay(way string) string {
	switch way {
	case Incoming:
		return Outgoing
	case Outgoing:
		return Incoming
	}
	return ""
}

// seeOtherWay looks, where a fault is meant for one way, whether the other is left
// alone: whether its filter counts nothing there, and as many datagrams arrive there
// as are sent for the purpose, by the receiver's own count. What clients are sent
// nobody can count.
func (l link) seeOtherWay(ctx context.Context, s *sight, way string, filter counts) error {
	other := otherWay(way)
	if other == "" {
		return nil
	}
	chain := chains(other)[0]
	_, filters := filter[chain]
	s.see(!filters, "its filter has a chain %s, of the way that is not meant: %t", chain, filters)
	for _, p := range l.peers {
		if !runs(ctx, p) {
			continue
		}
		to, err := namespace(p)
		if err != nil {
			return err
		}
		if other == Incoming {
			to = l.ns
		}
		before, err := unwantedBy(ctx, to)
		if err != nil {
			return err
		}
		if _, err := (link{victim: l.victim, peers: []topology.Node{p}}).exchange(ctx, other, cutDatagrams); err != nil {
			return err
		}
		after, err := unwantedBy(ctx, to)
		if err != nil {
			return err
		}
		s.see(after-before >= cutDatagrams, "the other way, between it and %s: %d datagrams sent, %d arrived", p.Name(), cutDatagrams, after-before)
	}
	return nil
}

// unwantedBy is how many datagrams a node has been sent to ports that nothing
// listens on: NoPorts of its kernel (RFC 4113, udpNoPorts).
func unwantedBy(ctx context.Context, ns topology.Namespace) (int, error) {
	out, err := ns.InNamespace(ctx, "cat", "/proc/net/snmp")
	if err := succeed(out, err); err != nil {
		return 0, err
	}
	return parseUnwanted(string(out.Stdout))
}

// parseUnwanted reads /proc/net/snmp: of each protocol a line of names and one of
// numbers.
func parseUnwanted(text string) (int, error) {
	var names []string
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] != "Udp:" {
			continue
		}
		at := slices.Index(names, "NoPorts")
		if at < 0 {
			names = f
			continue
		}
		if at < len(f) {
			return strconv.Atoi(f[at])
		}
	}
	return 0, errors.New("/proc/net/snmp: it has no NoPorts of Udp")
}

// callable checks that clients, where they are among the peers, can call each
// victim.
func callable(kind string, ls []link) error {
	for _, l := range ls {
		if l.clients && !l.addr.IsValid() {
			return fmt.Errorf("%s: node %s: %w (a port that %s can call, by which what they send is counted): name nodes or roles as its peers",
				kind, l.Name(), ErrCapability, Clients)
		}
	}
	return nil
}

// call has clients and the victim send each other n packets, as far as the way
// goes. What comes in are n attempts to connect, from where the harness runs,
// none of which lasts until TCP sends its packet again. What goes out are
// datagrams to an address that is no node's: that nobody has it does not matter,
// since they are counted before it is asked for.
func (l link) call(ctx context.Context, way string, n int) error {
	for _, chain := range chains(way) {
		if chain == "output" {
			sent, err := sendDatagrams(ctx, l.ns, n, l.stranger())
			if err == nil && !sent {
				err = topology.ErrNotRunning
			}
			if err != nil {
				return fmt.Errorf("datagrams from %s to %s: %w", l.Name(), Clients, err)
			}
			continue
		}
		err := each(make([]struct{}, n), func(struct{}) error {
			_, err := l.connect(ctx)
			return err
		})
		if err != nil {
			return fmt.Errorf("attempts of %s to connect to %s: %w", Clients, l.Name(), err)
		}
	}
	return nil
}

// stranger is the nearest address above the victim's that is no node's.
func (l link) stranger() netip.Addr {
	a := l.addr.Addr().Next()
	for slices.Contains(l.members, a) {
		a = a.Next()
	}
	return a
}

// connects tries to connect to each address within 0.7 s, all at a time, and
// prints the address and how it ended. The limit is below TCP's first
// retransmission after 1 s, so that each try is one packet.
const connects = `try() {
	out=$(timeout 0.7 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "${1%:*}" "${1##*:}" 2>&1)
	case "$?:$out" in
	0:*) echo "$1 connected" ;;
	124:*) echo "$1 silent" ;;
	*refused*) echo "$1 refused" ;;
	*) echo "$1 closed" ;;
	esac
}
for a in "$@"; do try "$a" & done
wait`

// connectsCommand is the command that tries the addresses.
func connectsCommand(to []netip.AddrPort) []string {
	argv := []string{"bash", "-c", connects, "connects"}
	for _, a := range to {
		argv = append(argv, a.String())
	}
	return argv
}

// attempt is one node's attempt to connect.
type attempt struct {
	who  string
	from topology.Namespace // nil where the harness tries itself
	to   []netip.AddrPort
	ends string // the lines that connects prints
}

// attempts are those between the victim and its peers, both ways.
func (l link) attempts(ctx context.Context) (all []*attempt) {
	own := &attempt{who: l.Name() + " to", from: l.ns}
	for _, p := range l.peers {
		if !runs(ctx, p) {
			continue
		}
		if a := address(p, 0); a.IsValid() {
			own.to = append(own.to, a)
		}
		if ns, err := namespace(p); err == nil && l.addr.IsValid() {
			all = append(all, &attempt{who: p.Name() + " to", from: ns, to: []netip.AddrPort{l.addr}})
		}
	}
	if len(own.to) > 0 {
		all = append([]*attempt{own}, all...)
	}
	if l.clients && l.addr.IsValid() {
		all = append(all, &attempt{who: Clients + " to", to: []netip.AddrPort{l.addr}})
	}
	return all
}

// try carries an attempt out.
func (l link) try(ctx context.Context, a *attempt) error {
	if a.from == nil {
		got, err := l.connect(ctx)
		a.ends = l.addr.String() + " " + strings.ReplaceAll(got, unreachable, probeSilent) + "\n"
		return err
	}
	out, err := a.from.InNamespace(ctx, connectsCommand(a.to)...)
	a.ends = string(out.Stdout)
	return succeed(out, err)
}

// seeConnects looks how attempts to connect end between the victim and its
// peers, both ways and all at the same time; want is how each must.
func (l link) seeConnects(ctx context.Context, s *sight, want string) error {
	all := l.attempts(ctx)
	if err := each(all, func(a *attempt) error { return l.try(ctx, a) }); err != nil {
		return err
	}
	for _, a := range all {
		l.seeEnds(s, a.who, a.ends, len(a.to), want)
	}
	return nil
}

// seeEnds reads the lines that connects prints.
func (l link) seeEnds(s *sight, who, text string, n int, want string) {
	lines := 0
	for line := range strings.Lines(text) {
		addr, how, _ := strings.Cut(strings.TrimSpace(line), " ")
		lines++
		s.see(how == want, "%s %s: %s", who, addr, how)
	}
	s.see(lines == n, "%s: %d of %d attempts to connect ended", who, lines, n)
}

// runs says whether a node's container runs.
func runs(ctx context.Context, n topology.Node) bool {
	c, ok := n.(topology.Container)
	if !ok {
		return true
	}
	st, err := c.Inspect(ctx)
	return err == nil && st.Running && !st.Paused
}
