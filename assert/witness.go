package assert

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// unwitnessed holds an observer's account against what others saw: a good
// answer that names its node was logged by that node on its arrival, and one
// that names its balancer by that balancer at its end; and a node that was
// started and then served has logged what it had become. A log that lacks such
// a thing is not whole, whatever its observer says: the engine that carries it
// may have lost a line. Empty if all are there.
func unwitnessed(h *history.History, stream string) string {
	var seen bitset
	var by func(*history.Op) string
	switch stream {
	case history.StreamReceipt:
		seen, by = arrivals(h), h.NodeOf
	case history.StreamDispatch:
		seen, by = handled(h), h.BalancerOf
	case history.StreamTransition:
		return unsaid(h)
	default:
		return ""
	}
	excused := hiddenOps(h, stream)
	n, first := 0, 0
	for i := range h.Ops {
		if op := &h.Ops[i]; op.Outcome == history.Good && !seen.has(i) && by(op) != "" && !excused[op.ID] {
			if n == 0 {
				first = i
			}
			n++
		}
	}
	if n == 0 {
		return ""
	}
	op := &h.Ops[first]
	return fmt.Sprintf("%s answered, and not in the log of who answered: the first is operation %d, by %s", count(n, "operation"), op.ID, by(op))
}

// arrivals marks the operations whose last attempt was logged by the node
// that answered it.
func arrivals(h *history.History) bitset {
	seen := newBitset(len(h.Ops))
	for i := range h.Receipts {
		r := &h.Receipts[i].V
		if at, ok := opIndex(h.Ops, r.Op); ok && r.What == "arrive" && r.Attempt == int(h.Ops[at].Attempts) && r.Node == h.NodeOf(&h.Ops[at]) {
			seen.set(at)
		}
	}
	return seen
}

// handled marks the operations whose last attempt was logged by the balancer
// that answered it.
func handled(h *history.History) bitset {
	seen := newBitset(len(h.Ops))
	for i := range h.Dispatches {
		d := &h.Dispatches[i].V
		if at, ok := opIndex(h.Ops, d.Op); ok && d.Attempt == int(h.Ops[at].Attempts) && d.Balancer == h.BalancerOf(&h.Ops[at]) {
			seen.set(at)
		}
	}
	return seen
}

// beforeStart is how long before the engine says that it has started a node
// that node's process may have logged something.
const beforeStart = 250 * time.Millisecond

// unsaid names the first node that the engine started in the run, and that
// served after that, of which no state was logged in that life. Empty if there
// is none, or if the engine's own account is not complete: a witness that is
// not sound bears out nothing.
func unsaid(h *history.History) string {
	if streamReason(h, history.StreamEngine) != "" {
		return ""
	}
	for i := range h.Engine {
		e := &h.Engine[i]
		if e.V.Action != "start" || e.Time < 0 || !application(h, e.V.Node) {
			continue
		}
		until := death(h, e.V.Node, e.Time)
		if said(h, e.V.Node, e.Time-e.V.Within-beforeStart, until) {
			continue
		}
		if how := served(h, e.V.Node, e.Time+e.V.Within, until); how != "" {
			return fmt.Sprintf("%s was started at %s and %s, and in that life it logged no state of its own", e.V.Node, sayTime(e.Time), how)
		}
	}
	return ""
}

// death is when the node next ended; later than all else if it did not.
func death(h *history.History, node string, after time.Duration) time.Duration {
	for i := range h.Engine {
		if e := &h.Engine[i]; e.Time > after && e.V.Node == node && e.V.Action == "die" {
			return e.Time
		}
	}
	return math.MaxInt64
}

// said says whether the node logged a state of its own between the two, other
// than its end.
func said(h *history.History, node string, from, to time.Duration) bool {
	return slices.ContainsFunc(h.Transitions, func(t history.At[history.Transition]) bool {
		return t.V.Node == node && t.Time >= from && t.Time <= to && t.V.What != "stopping" && t.V.What != "stopped"
	})
}

// served says how others saw that the node worked between the two; empty if
// none did.
func served(h *history.History, node string, from, to time.Duration) string {
	for i := range h.Readiness {
		if r := &h.Readiness[i]; r.V.Node == node && r.V.Probe == "ready" && r.V.Up && r.Time >= from && r.Time+r.V.Took < to {
			return "was seen ready at " + sayTime(r.Time)
		}
	}
	for i := range h.Ops {
		if op := &h.Ops[i]; op.Outcome == history.Good && op.Sent >= from && op.End < to && h.NodeOf(op) == node {
			return fmt.Sprintf("answered operation %d at %s", op.ID, sayTime(op.End))
		}
	}
	return ""
}
