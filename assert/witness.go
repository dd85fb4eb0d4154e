package assert

import (
	"fmt"

	"github.com/hachaos/hachaos/history"
)

// unwitnessed holds an observer's account against what the clients saw: a
// good answer that names its node was logged by that node on its arrival, and
// one that names its balancer by that balancer at its end. A log that lacks
// such an operation is not whole, whatever its observer says: the engine that
// carries it may have lost a line. Empty if all are there.
func unwitnessed(h *history.History, stream string) string {
	var seen bitset
	var by func(*history.Op) string
	switch stream {
	case history.StreamReceipt:
		seen, by = arrivals(h), h.NodeOf
	case history.StreamDispatch:
		seen, by = handled(h), h.BalancerOf
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
