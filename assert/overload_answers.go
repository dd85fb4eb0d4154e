package assert

import (
	"net/http"
	"time"

	"github.com/hachaos/hachaos/history"
)

// retryPause is the client's pause before the first retry, doubled before
// each further one: load.RetryPause.
const retryPause = 100 * time.Millisecond

// tried is one attempt of an operation.
type tried struct {
	number   int
	from, to time.Duration // to: -1 if it never ended
	status   int
	class    string
	good     bool
}

// answers judges every attempt that was under way at the fault or made after
// it.
func (a *overloadAudit) answers() {
	for i := range a.h.Ops {
		o := &a.h.Ops[i]
		if o.Sent < 0 && a.h.ErrorOf(o) == history.ErrNotSent {
			if a.within(o.Intended) {
				a.ends++
			}
			continue
		}
		if a.skip(o) {
			continue
		}
		for _, t := range a.triesOf(o) {
			if t.from >= a.until || t.to >= 0 && t.to < a.from {
				continue
			}
			a.judge(o, t)
		}
	}
}

// triesOf are the attempts of an operation, each from when it was sent; one
// that found no connection, from when it was due.
func (a *overloadAudit) triesOf(o *history.Op) []tried {
	var all []tried
	from, pause := o.Sent, retryPause
	if from < 0 {
		from = o.Intended
	}
	for n, t := range a.h.Tries[o.ID] {
		all = append(all, tried{number: n + 1, from: from, to: t.End, status: t.Status, class: t.Error})
		from, pause = t.End+pause, 2*pause
	}
	return append(all, tried{
		number: len(all) + 1, from: from, to: o.End, status: int(o.Status),
		class: a.h.ErrorOf(o), good: o.Outcome == history.Good,
	})
}

// judge holds one attempt to the contract.
func (a *overloadAudit) judge(o *history.Op, t tried) {
	took := t.to - t.from
	violate := func(class, format string, args ...any) {
		a.violate(class, Evidence{Op: o.ID, At: t.from, Node: a.h.NodeOf(o)}, "operation %d, attempt %d "+format, append([]any{o.ID, t.number}, args...)...)
	}
	switch {
	case t.class == history.ErrCancelled || t.class == history.ErrDropped:
		return
	case t.to < 0:
		a.attempts++
		violate(classNoAnswer, "never ended")
		return
	}
	a.attempts++
	a.slowest = max(a.slowest, took)
	switch {
	case !t.good && t.status == 0:
		violate(classNoAnswer, "got no answer: %s after %s", t.class, sayTime(took))
	case !t.good && !isClear(t.status):
		violate(classUnclear, "was answered %d (%s) after %s", t.status, t.class, sayTime(took))
	case took > a.answer.Limit:
		violate(classTooLate, "was answered %d after %s, later than %s", t.status, sayTime(took), sayTime(a.answer.Limit))
	case !t.good:
		a.refused++
	}
}

// isClear says whether a status that is not ok tells the client what to do.
func isClear(status int) bool {
	return status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout || status >= 400 && status <= 499
}
