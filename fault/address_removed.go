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

// AddressRemoved takes the shared address off the interface of the balancer
// that owns it, by hand, behind keepalived's back: a slip of an operator, a
// script that sets the network up anew. It must be aimed at the owner; a
// balancer that holds no address but its own is an error.
//
// What follows is keepalived's to do. Version 2.3.3 was seen to learn of it
// from the kernel within a millisecond, to turn backup and tell the others by
// an advertisement of priority 0; whichever has the shorter skew (RFC 9568,
// 6.1) takes the address after that, the one that lost it not excluded. So
// nothing is left to undo but the note of the act. The zero value is ready to
// use.
type AddressRemoved struct{}

// removalNote is where the act leaves, in the container, when it began and
// ended, and what it took away.
const removalNote = "/run/hachaos/address-removed"

// removeAddress takes every address off the device but the node's own, $1, and
// looks in the kernel's table whether they are gone: keepalived, which hears
// of it at once, may have them back within some tens of milliseconds.
const removeAddress = `own=$1 shared=()
while read -r _ _ _ address _; do
	[[ $address == "$own"/* ]] || shared+=("$address")
done < <(ip -4 -o address show dev ` + theDevice + `)
((${#shared[@]})) || { echo "it holds no address but its own: aim at the owner of the shared one" >&2; exit 4; }
before=$EPOCHREALTIME
for address in "${shared[@]}"; do ip address del "$address" dev ` + theDevice + ` || exit; done
table=$(</proc/net/fib_trie)
after=$EPOCHREALTIME
for address in "${shared[@]}"; do
	[[ $table != *"|-- ${address%/*}"$'\n'* ]] || { echo "$address is there still" >&2; exit 5; }
done
echo "$before $after ${shared[*]%/*}" >` + removalNote

// Kind is "address-removed".
func (AddressRemoved) Kind() string { return "address-removed" }

// Validate finds nothing wrong: there are no parameters.
func (AddressRemoved) Validate() error { return nil }

// sharers are targets with the balancers of their cluster, themselves
// included.
func (f AddressRemoved) sharers(nodes []topology.Node) ([]sharer, error) {
	vs, err := victims(f.Kind(), nodes, 0, true)
	if err != nil {
		return nil, err
	}
	var all []sharer
	for i, v := range vs {
		m, ok := nodes[i].(topology.Member)
		if !ok || !v.addr.IsValid() || v.Role() != topology.Balancer {
			return nil, fmt.Errorf("%s: node %s: %w (an address that balancers share)", f.Kind(), v.Name(), ErrCapability)
		}
		s := sharer{victim: v}
		for _, p := range m.Peers() {
			if p.Role() == topology.Balancer {
				s.all = append(s.all, p)
			}
		}
		all = append(all, s)
	}
	return all, nil
}

// sharer is a victim that may own the shared address.
type sharer struct {
	victim
	all []topology.Node // the balancers
}

// Inject takes the address away; the undo takes away the note of that. A target that
// has such a note is an error, before any act.
func (f AddressRemoved) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	ss, err := f.sharers(nodes)
	if err != nil {
		return err
	}
	vs := make([]victim, len(ss))
	for i, s := range ss {
		vs[i] = s.victim
	}
	if err := allRun(ctx, f.Kind(), vs); err != nil {
		return err
	}
	if err := without(ctx, f.Kind(), vs, removalNote, "there is the note of such a removal"); err != nil {
		return err
	}
	return actOn(f.Kind(), ss, log, func(s sharer) Entry {
		return Entry{Undo: RemovalNoteAbsent, Node: s.Name()}
	}, func(s sharer) error {
		return succeed(s.Exec(ctx, "bash", "-c", removeAddress, "hachaos-remove", s.addr.Addr().String()))
	})
}

// Active holds when each target's kernel was seen without the address; who
// has it now is told beside that. From and To bracket the removal.
func (f AddressRemoved) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, "the shared address taken off "+theDevice, func(ctx context.Context, v sharer, s *sight, note removed) error {
		s.measured = "nothing taken"
		if len(note.addrs) == 0 {
			s.see(false, "there is no note of a removal in its container")
			return nil
		}
		s.measured = join(note.addrs) + " taken off " + theDevice
		s.from, s.to = note.from, note.to
		s.see(true, "its kernel was seen without %s at %s", join(note.addrs), note.to.UTC().Format(stamp))
		owners, err := v.owners(ctx, note.addrs)
		if err != nil {
			return err
		}
		s.how = append(s.how, "it is now at: "+orNobody(owners))
		return nil
	})
}

// Healed holds when one balancer holds an address beside its own, and the note
// is gone.
func (f AddressRemoved) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, "one owner of the shared address", func(ctx context.Context, v sharer, s *sight, note removed) error {
		owners, err := v.owners(ctx, nil)
		if err != nil {
			return err
		}
		s.measured = "owned by " + orNobody(owners)
		s.see(len(owners) == 1, "the shared address is at: %s", orNobody(owners))
		s.see(len(note.addrs) == 0, "note of the removal in its container: %t", len(note.addrs) > 0)
		return nil
	})
}

func (f AddressRemoved) look(ctx context.Context, nodes []topology.Node, asked string, see func(context.Context, sharer, *sight, removed) error) (Proof, error) {
	ss, err := f.sharers(nodes)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, asked, ss, func(ctx context.Context, v sharer) (sight, error) {
		s := sight{ok: true}
		out, err := v.Exec(ctx, "bash", "-c", "[[ ! -e "+removalNote+" ]] || cat "+removalNote)
		if errors.Is(err, topology.ErrNotRunning) {
			s.measured = "not running"
			s.see(false, "the container does not run")
			return s, nil
		}
		if err := succeed(out, err); err != nil {
			return s, err
		}
		note, err := parseRemoved(string(out.Stdout))
		if err != nil {
			return s, err
		}
		return s, see(ctx, v, &s, note)
	})
}

// owners are the balancers that run and hold one of the addresses, or, if none
// is asked for, any but their own.
func (v sharer) owners(ctx context.Context, addrs []netip.Addr) ([]string, error) {
	var all []string
	for _, n := range v.all {
		ns, err := namespace(n)
		if err != nil {
			return nil, err
		}
		out, err := ns.InNamespace(ctx, "ip", "-j", "-4", "address", "show", "dev", theDevice)
		if errors.Is(err, topology.ErrNotRunning) {
			continue
		}
		if err := succeed(out, err); err != nil {
			return nil, fmt.Errorf("addresses of %s: %w", n.Name(), err)
		}
		held, err := parseAddresses(out.Stdout)
		if err != nil {
			return nil, fmt.Errorf("addresses of %s: %w", n.Name(), err)
		}
		own := address(n, 1).Addr()
		if slices.ContainsFunc(held, func(a netip.Addr) bool { return a != own && (addrs == nil || slices.Contains(addrs, a)) }) {
			all = append(all, n.Name())
		}
	}
	return all, nil
}

func orNobody(names []string) string {
	if len(names) == 0 {
		return "nobody"
	}
	return strings.Join(names, ", ")
}

// parseAddresses reads `ip -j address`.
func parseAddresses(b []byte) ([]netip.Addr, error) {
	var list []struct {
		AddrInfo []struct {
			Local netip.Addr `json:"local"`
		} `json:"addr_info"`
	}
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, fmt.Errorf("ip address: %w", err)
	}
	var all []netip.Addr
	for _, l := range list {
		for _, a := range l.AddrInfo {
			all = append(all, a.Local)
		}
	}
	return all, nil
}

// removed is the note of an act; without addresses, there was none.
type removed struct {
	from, to time.Time
	addrs    []netip.Addr
}

// parseRemoved reads the note: two times and addresses.
func parseRemoved(text string) (removed, error) {
	f := strings.Fields(text)
	if len(f) == 0 {
		return removed{}, nil
	}
	if len(f) < 3 {
		return removed{}, fmt.Errorf("note of the removal: %.80q: want two times and addresses", text)
	}
	at, err := parseNote(f[:2])
	if err != nil {
		return removed{}, err
	}
	r := removed{from: at[0], to: at[1]}
	for _, word := range f[2:] {
		a, err := netip.ParseAddr(word)
		if err != nil {
			return removed{}, fmt.Errorf("note of the removal: %w", err)
		}
		r.addrs = append(r.addrs, a)
	}
	return r, nil
}

// ensureNoRemovalNote needs nothing where the container is down: the folder is
// emptied when it starts.
func ensureNoRemovalNote(ctx context.Context, n topology.Node, _ map[string]string) error {
	err := succeed(n.Exec(ctx, "rm", "-f", removalNote))
	if errors.Is(err, topology.ErrNotRunning) {
		return nil
	}
	return err
}
