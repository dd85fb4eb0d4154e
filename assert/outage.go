package assert

import (
	"cmp"
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// DefaultThreshold is how slow an answer may be before the operation counts
// as bad: below TCP's first retransmission of a SYN (1 s, RFC 6298 §2), which
// otherwise turns a second of lost packets into zero errors and slow seconds.
const DefaultThreshold = 500 * time.Millisecond

// health is how an operation counts for availability.
type health uint8

const (
	// void operations are nobody's experience: the generator itself
	// dropped them, or the run's end cut them off before they could be
	// called slow. They neither make nor end an outage.
	void health = iota
	good
	bad
)

// grader grades operations of one history.
type grader struct {
	threshold          time.Duration
	dropped, cancelled uint16
}

func newGrader(h *history.History, threshold time.Duration) grader {
	if threshold <= 0 {
		threshold = DefaultThreshold
	}
	return grader{threshold, classNumber(h, history.ErrDropped), classNumber(h, history.ErrCancelled)}
}

// grade says how an operation counts, after the client's own retries: good is
// ok within the threshold from the intended send; an operation that never
// completed is bad.
func (g grader) grade(o *history.Op) health {
	if o.Error != 0 && o.Error == g.dropped {
		return void
	}
	late, completed := o.Latency()
	switch {
	case !completed:
		return bad
	case late > g.threshold:
		return bad
	case o.Outcome == history.Good:
		return good
	case o.Error != 0 && o.Error == g.cancelled:
		return void
	}
	return bad
}

// outage is a run of bad operations in the order of their intended times: a
// user who had asked between From and To would not have been served, as far
// as the sample tells. Concurrency does not blur it: an operation counts at
// the moment at which its user asked, whenever its answer came, so that an
// order that takes 250 ms and a read that takes 3 ms, both asked for at one
// time, stand side by side.
type outage struct {
	// From and Last are the intended times of the first and the last bad
	// operation, or the floor: between the two, service was certainly away.
	From, Last time.Duration
	// To is the intended time of the first good operation after; of an Open
	// outage the end of the phase in which Last lies.
	To time.Duration
	// Open says that no good operation came after.
	Open bool
	Bad  int
	// First, Final and Until are operations: the first and the last bad one,
	// and the good one that ended it (0 if Open).
	First, Final, Until uint64
}

// length is the outage as it is reported.
func (o outage) length() time.Duration { return o.To - o.From }

// certain is the part of it with a bad operation at both ends.
func (o outage) certain() time.Duration { return o.Last - o.From }

// gap is how long the sample left open whether the outage was over.
func (o outage) gap() time.Duration { return o.To - o.Last }

// leastRow is how many bad operations in a row of one session, or of one type,
// are an outage of its own. Two that are far apart may be two mishaps.
const leastRow = 3

// runs finds the longest outage in a sequence of operations fed to it in the
// order of their intended times. The zero value is ready.
type runs struct {
	// floor is the earliest that an outage begins: an operation that was under
	// way when a fault took effect was being served until then.
	floor   time.Duration
	now     outage // in progress if now.Bad > 0
	best    outage // longest by length
	spanned outage // longest by certain, of those of at least leastRow bad ones
}

// add takes the next operation.
func (r *runs) add(o *history.Op, g health) {
	switch g {
	case void:
		return
	case bad:
		if r.now.Bad == 0 {
			r.now = outage{From: max(o.Intended, r.floor), First: o.ID}
		}
		r.now.Bad++
		r.now.Last, r.now.Final = max(o.Intended, r.floor), o.ID
	case good:
		if r.now.Bad > 0 {
			r.now.To, r.now.Until = max(o.Intended, r.floor), o.ID
			r.keep()
		}
	}
}

// finish ends a run that no good operation ended, at the given time.
func (r *runs) finish(end func(last time.Duration) time.Duration) {
	if r.now.Bad == 0 {
		return
	}
	r.now.Open = true
	r.now.To = max(r.now.Last, end(r.now.Last))
	r.keep()
}

func (r *runs) keep() {
	if r.best.Bad == 0 || r.now.length() > r.best.length() {
		r.best = r.now
	}
	if r.now.Bad >= leastRow && (r.spanned.Bad == 0 || r.now.certain() > r.spanned.certain()) {
		r.spanned = r.now
	}
	r.now = outage{}
}

// phaseEnd is the end of the phase that t lies in, and otherwise the end of
// the record.
func phaseEnd(h *history.History, t time.Duration) time.Duration {
	for _, p := range h.Phases {
		if p.From <= t && t < p.To {
			return p.To
		}
	}
	return max(t, h.End)
}

// inOrder calls visit for each operation by intended time, ties by number.
// Operations are numbered in the schedule's order, so that this is a plain
// walk unless the record is odd.
func inOrder(h *history.History, visit func(o *history.Op)) {
	if scheduled(h.Ops) {
		for i := range h.Ops {
			visit(&h.Ops[i])
		}
		return
	}
	order := make([]*history.Op, len(h.Ops))
	for i := range order {
		order[i] = &h.Ops[i]
	}
	slices.SortStableFunc(order, func(a, b *history.Op) int {
		return cmp.Or(cmp.Compare(a.Intended, b.Intended), cmp.Compare(a.ID, b.ID))
	})
	for _, o := range order {
		visit(o)
	}
}

func scheduled(ops []history.Op) bool {
	for i := 1; i < len(ops); i++ {
		a, b := &ops[i-1], &ops[i]
		if a.Intended > b.Intended || a.Intended == b.Intended && a.ID > b.ID {
			return false
		}
	}
	return true
}
