package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// VRRPCut drops the packets by which balancers tell each other that they
// live (IP protocol 112), both ways, at each target, and nothing else: users
// and application nodes reach both. Each then holds the shared address. The
// zero value is ready to use; its targets are one balancer or all of them.
type VRRPCut struct{}

// vrrpTable is the table of the filter.
const vrrpTable = tablePrefix + "vrrp_cut"

// Kind is "vrrp-cut".
func (VRRPCut) Kind() string { return "vrrp-cut" }

// Validate finds nothing wrong: there are no parameters.
func (VRRPCut) Validate() error { return nil }

// dropVRRP is the command that drops VRRP in and out, in one transaction.
// The counters are the proof that there was something to drop.
func dropVRRP() []string {
	chain := func(hook string) []string {
		return []string{
			fmt.Sprintf("add chain inet %s %s { type filter hook %s priority -400; policy accept; }", vrrpTable, hook, hook),
			fmt.Sprintf("add rule inet %s %s ip protocol 112 counter drop", vrrpTable, hook),
		}
	}
	return nft(append(append([]string{"add table inet " + vrrpTable, "flush table inet " + vrrpTable}, chain("input")...), chain("output")...)...)
}

// Inject drops the packets; the undo removes the filter. A target that has such a
// filter is an error, before any act.
func (f VRRPCut) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	vs, err := runningVictims(ctx, f.Kind(), nodes, 0, true)
	if err != nil {
		return err
	}
	if err := inTurn(f.Kind(), vs, func(v victim) error { return noFilter(ctx, v.ns, vrrpTable) }); err != nil {
		return err
	}
	return actOn(f.Kind(), vs, log, ensures(FilterAbsent, map[string]string{"table": vrrpTable}), func(v victim) error {
		return succeed(v.ns.InNamespace(ctx, dropVRRP()...))
	})
}

// Active holds when the filter of every target stands both ways and has dropped
// something: an owner's own advertisements, or those that reach a standby. Where a
// balancer is no target, whose advertisements still come in, each way must have: a
// balancer that hears nothing becomes an owner, and advertises. That two then own
// the address is for the VIP's observer to see.
func (f VRRPCut) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	hears := othersAdvertise(nodes)
	return f.prove(ctx, nodes, "VRRP dropped, both ways", func(s *sight, table string) {
		in, out := droppedIn(table, "input"), droppedIn(table, "output")
		s.measured = fmt.Sprintf("VRRP dropped: %d in, %d out", max(0, in), max(0, out))
		s.see(in >= 0 && out >= 0, "its filter drops VRRP that comes in: %t, that goes out: %t", in >= 0, out >= 0)
		if hears {
			s.see(in > 0 && out > 0, "packets of VRRP that it has dropped: %d that came in and %d that went out", max(0, in), max(0, out))
			return
		}
		s.see(in > 0 || out > 0, "packets of VRRP that it has dropped: %d", max(0, in)+max(0, out))
	})
}

// othersAdvertise says whether a balancer is none of the targets.
func othersAdvertise(nodes []topology.Node) bool {
	for _, n := range nodes {
		m, ok := n.(topology.Member)
		if !ok {
			continue
		}
		for _, p := range m.Peers() {
			if p.Role() == topology.Balancer && !slices.ContainsFunc(nodes, func(n topology.Node) bool { return n.Name() == p.Name() }) {
				return true
			}
		}
	}
	return false
}

// droppedIn is what a chain of a table has dropped; -1 if it drops nothing.
func droppedIn(table, chain string) int {
	_, rules, _ := strings.Cut(table, "chain "+chain+" {")
	rules, _, _ = strings.Cut(rules, "}")
	if !strings.Contains(rules, " drop") {
		return -1
	}
	return droppedBy(rules)
}

// Healed holds when no filter is left. To is when it was looked for.
func (f VRRPCut) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.prove(ctx, nodes, "VRRP passes", func(s *sight, table string) {
		s.measured = "VRRP passes"
		if table != "" {
			s.measured = "a filter is left"
		}
		if table == "" {
			s.to = time.Now()
		}
		s.see(table == "", "the filter is %s", map[bool]string{true: "gone", false: "there"}[table == ""])
	})
}

// prove shows look the text of each target's table; empty if there is none.
func (f VRRPCut) prove(ctx context.Context, nodes []topology.Node, asked string, look func(*sight, string)) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, 0, true)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, asked, vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		list, err := v.ns.InNamespace(ctx, listTables()...)
		if errors.Is(err, topology.ErrNotRunning) {
			s.measured = "not running"
			s.see(false, "the container does not run")
			return s, nil
		}
		if err := succeed(list, err); err != nil {
			return s, err
		}
		text := ""
		if hasTable(string(list.Stdout), vrrpTable) {
			out, err := v.ns.InNamespace(ctx, nft("list table inet "+vrrpTable)...)
			if err := succeed(out, err); err != nil {
				return s, err
			}
			text = string(out.Stdout)
		}
		look(&s, text)
		return s, nil
	})
}

// droppedBy sums the counters of rules as nft lists them: "counter packets 3
// bytes 120 drop".
func droppedBy(table string) (sum int) {
	f := strings.Fields(table)
	for i := 0; i+2 < len(f); i++ {
		if f[i] == "counter" && f[i+1] == "packets" {
			var n int
			if _, err := fmt.Sscan(f[i+2], &n); err == nil {
				sum += n
			}
		}
	}
	return sum
}
