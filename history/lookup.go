package history

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Op finds an operation by its number.
func (h *History) Op(id uint64) (*Op, bool) {
	if i := id - 1; i < uint64(len(h.Ops)) && h.Ops[i].ID == id {
		return &h.Ops[i], true
	}
	i, ok := slices.BinarySearchFunc(h.Ops, id, func(o Op, id uint64) int { return cmp.Compare(o.ID, id) })
	if !ok {
		return nil, false
	}
	return &h.Ops[i], true
}

// The names of an operation's fields; empty where it has none.

// KeyOf is the operation's idempotency key.
func (h *History) KeyOf(o *Op) string { return h.Names.Get(o.Key) }

// NodeOf is the node that the last answer named.
func (h *History) NodeOf(o *Op) string { return h.Names.Get(o.Node) }

// BoundOf is the node that the session was bound to when it was sent.
func (h *History) BoundOf(o *Op) string { return h.Names.Get(o.Bound) }

// UserOf is the client that the session belongs to.
func (h *History) UserOf(o *Op) string { return h.Names.Get(o.User) }

// OwnerOf is the user that the answer named.
func (h *History) OwnerOf(o *Op) string { return h.Names.Get(o.Owner) }

// SessionIDOf is the server's id of the session that answered.
func (h *History) SessionIDOf(o *Op) string { return h.Names.Get(o.SessionID) }

// VersionOf is the version that the last answer named.
func (h *History) VersionOf(o *Op) string { return h.Names.Get(Name(o.Version)) }

// BalancerOf is the balancer that the last answer named.
func (h *History) BalancerOf(o *Op) string { return h.Names.Get(Name(o.Balancer)) }

// ErrorOf is the class of the last attempt's error.
func (h *History) ErrorOf(o *Op) string { return h.Names.Get(Name(o.Error)) }

// PhaseAt is the phase that runs at t: From is in it, To is not, but for the
// history's very end. The second result is false between phases.
func (h *History) PhaseAt(t time.Duration) (Phase, bool) {
	i, _ := slices.BinarySearchFunc(h.Phases, t, func(p Phase, t time.Duration) int {
		if p.From <= t {
			return -1
		}
		return 1
	})
	if i == 0 {
		return Phase{}, false
	}
	p := h.Phases[i-1]
	if t < p.To || t == p.To && t == h.End {
		return p, true
	}
	return Phase{}, false
}

// PhaseOf is the phase in which the operation was due.
func (h *History) PhaseOf(o *Op) (Phase, bool) { return h.PhaseAt(o.Intended) }

// FaultByID finds an injection by its number.
func (h *History) FaultByID(id int) (Fault, bool) {
	for _, f := range h.Faults {
		if f.ID == id {
			return f, true
		}
	}
	return Fault{}, false
}

// Victims are the nodes that any fault was aimed at, in the order of the
// first injection.
func (h *History) Victims() []string {
	var nodes []string
	for _, f := range h.Faults {
		for _, n := range f.Nodes {
			if !slices.Contains(nodes, n) {
				nodes = append(nodes, n)
			}
		}
	}
	return nodes
}

// CoverageOf says whether the observers of a stream missed nothing, at no
// time, and if not, why. A stream that nobody gave an account of is incomplete,
// and so is one whose observer ended before the load did. Where sources are
// given, each of them must be accounted for, by its own account
// or by one that is for all.
func (h *History) CoverageOf(stream string, sources ...string) (complete bool, reasons []string) {
	for _, c := range h.Coverage {
		if c.V.Stream == stream {
			for _, w := range c.V.Unknown {
				reasons = append(reasons, fmt.Sprintf("%s, %v to %v: %s", c.V.of(),
					w.From.Round(time.Millisecond), w.To.Round(time.Millisecond), w.Why))
			}
		}
	}
	_, missed := h.CoverageBeside(stream, sources...)
	reasons = append(missed, reasons...)
	return len(reasons) == 0, reasons
}

// CoverageBeside is CoverageOf without the times that the observers name as
// unknown: it is for those who treat what was under way then as unknown. See
// UnknownOf.
func (h *History) CoverageBeside(stream string, sources ...string) (complete bool, reasons []string) {
	accounts := map[string]bool{}
	for _, c := range h.Coverage {
		if c.V.Stream != stream {
			continue
		}
		accounts[c.V.Source] = true
		if r := c.V.incomplete(); r != "" {
			reasons = append(reasons, r)
		} else if end := h.loadEnd(); c.Time < end {
			reasons = append(reasons, fmt.Sprintf("%s: its observer ended after %v, and the load after %v",
				c.V.of(), c.Time.Round(time.Millisecond), end.Round(time.Millisecond)))
		}
	}
	if len(accounts) == 0 {
		return false, []string{fmt.Sprintf("%s: no observer gave an account of itself", stream)}
	}
	for _, s := range sources {
		if !accounts[s] && !accounts[""] {
			reasons = append(reasons, fmt.Sprintf("%s of %s: no observer gave an account of it", stream, s))
		}
	}
	return len(reasons) == 0, reasons
}

// UnknownOf are the times of a stream that its observers name as unknown, by
// source.
func (h *History) UnknownOf(stream string) map[string][]Window {
	out := map[string][]Window{}
	for _, c := range h.Coverage {
		if c.V.Stream == stream && len(c.V.Unknown) > 0 {
			out[c.V.Source] = append(out[c.V.Source], c.V.Unknown...)
		}
	}
	return out
}

// incomplete is the reason in words; empty if the stream is complete.
func (c Coverage) incomplete() string {
	name := c.of()
	switch {
	case c.Missed > 0 && c.Reason != "":
		return fmt.Sprintf("%s: %d missed: %s", name, c.Missed, c.Reason)
	case c.Missed > 0:
		return fmt.Sprintf("%s: %d missed", name, c.Missed)
	case !c.Complete:
		return fmt.Sprintf("%s: %s", name, cmp.Or(c.Reason, "incomplete, and no reason was given"))
	}
	return ""
}

// of names what it is an account of: "readiness of j1".
func (c Coverage) of() string {
	if c.Source == "" {
		return c.Stream
	}
	return c.Stream + " of " + c.Source
}

// PhaseIndex is the index of the phase that holds t (From is in it, To is
// not), or -1. The cursor, which begins at 0, makes a walk in the order of
// time cheap; it may stand anywhere.
func PhaseIndex(phases []Phase, t time.Duration, cursor *int) int {
	holds := func(i int) bool { return i < len(phases) && phases[i].From <= t && t < phases[i].To }
	if holds(*cursor) {
		return *cursor
	}
	for i := range phases {
		if holds(i) {
			*cursor = i
			return i
		}
	}
	return -1
}

// loadEnd is when the last phase ended; 0 if there is none.
func (h *History) loadEnd() time.Duration {
	if len(h.Phases) == 0 {
		return 0
	}
	return h.Phases[len(h.Phases)-1].To
}

// maxStolen is the share of the looks at the machine that may have found time
// taken by the hypervisor. Where the machine is the run's own it is 1 to 3 %; one
// that others used measured 35 to 98 %.
const maxStolen = 0.2

// HostUnderLoad are the looks at the machine until the last phase had ended, after
// which what the run left is read, at leisure: all looks where no phase has ended. The
// caller must not change them.
func (h *History) HostUnderLoad() []At[Host] {
	if len(h.Phases) == 0 {
		return h.Host
	}
	end := h.Phases[len(h.Phases)-1].To
	if end <= 0 {
		return h.Host
	}
	n, _ := slices.BinarySearchFunc(h.Host, end, func(look At[Host], end time.Duration) int {
		if look.Time <= end {
			return -1
		}
		return 1
	})
	return h.Host[:n]
}

// Stolen counts the looks at the machine under load that found time taken from it by
// its hypervisor, of how many; throughout says that they are a fifth of all or more, so
// that it was not the run's own.
func (h *History) Stolen() (looks, of int, throughout bool) {
	host := h.HostUnderLoad()
	for i := range host {
		if host[i].V.Steal > 0 {
			looks++
		}
	}
	return looks, len(host), looks > 0 && float64(looks) >= maxStolen*float64(len(host))
}
