package assert

import (
	"fmt"
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
		if o.Sent < 0 {
			if a.within(o.Intended) && a.h.ErrorOf(o) == history.ErrNotSent {
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

// triesOf are the attempts of an operation, each from when it was sent.
func (a *overloadAudit) triesOf(o *history.Op) []tried {
	var all []tried
	from, pause := o.Sent, retryPause
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
	who := fmt.Sprintf("operation %d, attempt %d", o.ID, t.number)
	e := Evidence{Op: o.ID, At: t.from, Node: a.h.NodeOf(o)}
	switch {
	case t.class == history.ErrCancelled || t.class == history.ErrDropped:
		return
	case t.to < 0:
		e.Text = who + " never ended"
		a.attempts++
		a.violate(classNoAnswer, e)
		return
	}
	a.attempts++
	a.slowest = max(a.slowest, took)
	switch {
	case !t.good && t.status == 0:
		e.Text = fmt.Sprintf("%s got no answer: %s after %s", who, t.class, sayTime(took))
		a.violate(classNoAnswer, e)
	case !t.good && !isClear(t.status):
		e.Text = fmt.Sprintf("%s was answered %d (%s) after %s", who, t.status, t.class, sayTime(took))
		a.violate(classUnclear, e)
	case took > a.answer.Limit:
		e.Text = fmt.Sprintf("%s was answered %d after %s, later than %s", who, t.status, sayTime(took), sayTime(a.answer.Limit))
		a.violate(classTooLate, e)
	case !t.good:
		a.refused++
	}
}

// isClear says whether a status that is not ok tells the client what to do.
func isClear(status int) bool {
	return status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout || status >= 400 && status <= 499
}
