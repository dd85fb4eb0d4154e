package assert

import (
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// hidden is an attempt of which no balancer's log need tell: it was under way
// when one of them ended, and what that had not finished has no line.
type hidden struct {
	op      uint64
	attempt int
	// from and to are the client's: it was sent, and answered or given up.
	from, to time.Duration
}

// within says whether it was under way in one of the windows.
func (a hidden) within(windows []history.Window) bool {
	return slices.ContainsFunc(windows, func(w history.Window) bool { return a.from <= w.To && a.to >= w.From })
}

// hiddenRequests are the attempts without a line that were under way in a
// time which the request logs name as unknown; none if they name none. What a
// checker does not find in the logs may be one of these. An attempt that
// certainly did not reach a balancer is none of them.
func hiddenRequests(h *history.History) []hidden {
	windows := h.UnknownOf(history.StreamDispatch)
	if len(windows) == 0 {
		return nil
	}
	var all []history.Window
	for _, of := range windows {
		all = append(all, of...)
	}
	var out []hidden
	for i := range h.Ops {
		for _, a := range attempts(h, &h.Ops[i]) {
			if a.within(all) {
				out = append(out, a)
			}
		}
	}
	return withoutLine(h, out)
}

// attempts are those of an operation that may have reached a balancer.
func attempts(h *history.History, op *history.Op) []hidden {
	if op.Sent < 0 {
		return nil
	}
	var out []hidden
	from := max(op.Sent, op.Intended)
	tries := h.Tries[op.ID]
	for i, t := range tries {
		if t.Outcome != history.Fail || t.Status != 0 {
			out = append(out, hidden{op.ID, i + 1, from, t.End})
		}
		from = t.End
	}
	last := hidden{op.ID, max(int(op.Attempts), len(tries)+1), from, op.End}
	if op.End < 0 {
		last.to = h.End
	}
	if e := h.ErrorOf(op); e != history.ErrRefused && e != history.ErrConnect && e != history.ErrNotSent && e != history.ErrDropped {
		out = append(out, last)
	}
	return out
}

// withoutLine leaves out the attempts that a balancer's log tells of.
func withoutLine(h *history.History, of []hidden) []hidden {
	type key struct {
		op      uint64
		attempt int
	}
	told := make(map[key]bool, len(of))
	for _, a := range of {
		told[key{a.op, a.attempt}] = false
	}
	for i := range h.Dispatches {
		d := &h.Dispatches[i].V
		if _, asked := told[key{d.Op, d.Attempt}]; asked {
			told[key{d.Op, d.Attempt}] = true
		}
	}
	var out []hidden
	for _, a := range of {
		if !told[key{a.op, a.attempt}] {
			out = append(out, a)
		}
	}
	return out
}

// hiddenOps are the operations whose answer the log of the balancer that gave
// it need not show.
func hiddenOps(h *history.History, stream string) map[uint64]bool {
	if stream != history.StreamDispatch {
		return nil
	}
	windows, out := h.UnknownOf(stream), map[uint64]bool{}
	for _, a := range hiddenRequests(h) {
		if op, ok := h.Op(a.op); ok && int(op.Attempts) == a.attempt && a.within(windows[h.BalancerOf(op)]) {
			out[a.op] = true
		}
	}
	return out
}
