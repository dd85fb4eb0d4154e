package assert

import (
	"cmp"
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// blow is a fault as a session sees it: from when on it may be gone, and
// with which nodes.
type blow struct {
	from, to time.Duration
	victims  []history.Name
	// shared says that it hit none of the nodes that sessions are bound to,
	// but what they have in common: the store, the balancers.
	shared bool
}

// blows are the faults that have taken effect, in the order of time. Faults
// on application nodes that no operation names cannot bind a session and are
// left out.
func blows(h *history.History) []blow {
	var out []blow
	for _, f := range h.Faults {
		if f.Injected < 0 {
			continue
		}
		b := blow{shared: len(f.Nodes) > 0 && !slices.ContainsFunc(f.Nodes, func(n string) bool { return serves(h, n) })}
		b.from, b.to = f.Took()
		b.to = max(b.to, b.from)
		for _, n := range f.Nodes {
			if id := nameOf(h, n); id != 0 && !b.shared {
				b.victims = append(b.victims, id)
			}
		}
		if len(b.victims) > 0 || b.shared {
			out = append(out, b)
		}
	}
	slices.SortStableFunc(out, func(a, b blow) int { return cmp.Compare(a.from, b.from) })
	return out
}

// risk says whether a session was bound to a victim when a fault began.
type risk uint8

const (
	safe    risk = iota
	perhaps      // it logged in or moved while the fault took effect
	surely
)

// meet lets the session meet the faults that began before op ended, while it
// is still what it was before op: its binding is then the one at the fault.
func (r *register) meet(l *life, op *history.Op) {
	end := op.End
	if end < 0 {
		end = max(op.Sent, op.Intended)
	}
	for int(l.blows) < len(r.blows) && r.blows[l.blows].from <= end {
		bound := op.Bound
		if bound == 0 {
			bound = l.node
		}
		r.strike(l, r.blows[l.blows], bound)
		l.blows++
	}
}

// strike notes whether the fault b hit the node that the session is bound to.
func (r *register) strike(l *life, b blow, bound history.Name) {
	if l.state != alive && l.state != doubtful {
		return
	}
	l.outlived = l.outlived || b.shared
	if !slices.Contains(b.victims, bound) {
		return
	}
	hit := surely
	if l.state == doubtful {
		hit = perhaps
	}
	l.risk = max(l.risk, hit)
	l.hit = max(l.hit, hit)
	l.lostAt, l.lost = b.to, bound
}

// grazed notes a session that came to a victim while its fault took effect.
func (r *register) grazed(l *life, op *history.Op) {
	if op.Node == 0 || l.blows == 0 || l.risk != safe {
		return
	}
	b := r.blows[l.blows-1]
	if op.End >= b.from && op.End <= b.to && slices.Contains(b.victims, op.Node) {
		l.risk, l.hit, l.lostAt, l.lost = perhaps, max(l.hit, perhaps), b.to, op.Node
	}
}
