package assert

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/hachaos/hachaos/history"
)

// generatorReason: of all operations at most 0.1 % were dropped by the
// generator itself (its ceiling, or no socket left), and in each judged phase at most 5 % were sent
// late, by more than the run's own limit (5 ms if it has none). Late is what
// the generator itself delayed: see Op.Lateness. An operation that was due so
// long before its phase ended, and that the record does not have, is late, too:
// a generator that stalls when the load ends never gets to it.
func generatorReason(h *history.History) string {
	if len(h.Ops) == 0 {
		return "nothing was sent"
	}
	if h.Meta.Entry != "" && !slices.ContainsFunc(h.Coverage, func(c history.At[history.Coverage]) bool { return c.V.Stream == history.StreamClient }) {
		return "the clients gave no account of what they sent"
	}
	if r := droppedReason(h); r != "" {
		return r
	}
	if r := pastBalancers(h); r != "" {
		return r
	}
	limit := lateLimit(h)
	counts := make([]lateCount, len(h.Phases))
	cursor := 0
	for i := range h.Ops {
		op := &h.Ops[i]
		p := history.PhaseIndex(h.Phases, op.Intended, &cursor)
		if p < 0 {
			continue
		}
		counts[p].all++
		if op.Lateness() > limit {
			counts[p].late++
		}
	}
	for i, p := range h.Phases {
		c := counts[i]
		missing := unsent(h, p, limit)
		c.all, c.late = c.all+missing, c.late+missing
		if p.Judged() && float64(c.late) > maxLate*float64(c.all) {
			never := ""
			if missing > 0 {
				never = ", or never"
			}
			return fmt.Sprintf("in phase %s %d of %d operations were sent more than %s late%s (at most 5 %%)", p.Name, c.late, c.all, limit, never)
		}
	}
	return ""
}

// unsent counts the operations that the schedule has in the phase, more than
// limit before its end, and the record has not. Operation n is due n − 1
// intervals after the first; of a record that does not keep to that nothing is
// known.
func unsent(h *history.History, p history.Phase, limit time.Duration) int {
	every := h.Meta.Load.Interval()
	first, last := &h.Ops[0], &h.Ops[len(h.Ops)-1]
	due := func(o *history.Op) time.Duration { return o.Intended - time.Duration(o.ID-1)*every }
	if every <= 0 || due(first) != due(last) {
		return 0
	}
	from, to := max(p.From, due(first)), p.To-limit
	if to <= from {
		return 0
	}
	upTo := func(t time.Duration) int { return int((t - due(first) + every - 1) / every) } // due before t
	n := upTo(to) - upTo(from)
	for range opsWithin(h, from, to) {
		n--
	}
	return max(0, n)
}

// maxPast is the share of the good answers that may have come through no
// balancer.
const maxPast = 0.001

// pastBalancers: of a load that had an entry to balancers, at most 0.1 % of the
// good answers came through none. A load that goes to the nodes themselves says
// nothing about what is before them.
func pastBalancers(h *history.History) string {
	if h.Meta.Entry == "" || !slices.ContainsFunc(h.Meta.Nodes, func(n history.NodeMeta) bool { return n.Role == roleBalancer }) {
		return ""
	}
	answers, past := 0, 0
	for i := range h.Ops {
		if op := &h.Ops[i]; op.Outcome == history.Good {
			answers++
			if op.Balancer == 0 {
				past++
			}
		}
	}
	if float64(past) <= maxPast*float64(answers) {
		return ""
	}
	return fmt.Sprintf("%d of %d good answers came through no balancer: the load went past them", past, answers)
}

type lateCount struct{ all, late int }

func droppedReason(h *history.History) string {
	class := classNumber(h, history.ErrDropped)
	if class == 0 {
		return ""
	}
	n := 0
	for i := range h.Ops {
		if h.Ops[i].Error == class {
			n++
		}
	}
	if float64(n) > maxDropped*float64(len(h.Ops)) {
		return fmt.Sprintf("the generator dropped %d of %d operations (at most 0.1 %%)", n, len(h.Ops))
	}
	return ""
}

// opsWithin yields the indices of the operations intended in [from, to). It
// relies on ids following the schedule, as Call.ID promises.
func opsWithin(h *history.History, from, to time.Duration) func(func(int) bool) {
	first := sort.Search(len(h.Ops), func(i int) bool { return h.Ops[i].Intended >= from })
	return func(yield func(int) bool) {
		for i := first; i < len(h.Ops) && h.Ops[i].Intended < to; i++ {
			if !yield(i) {
				return
			}
		}
	}
}
