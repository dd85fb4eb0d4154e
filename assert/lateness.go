package assert

import (
	"fmt"
	"time"

	"github.com/hachaos/hachaos/history"
)

// lateLimit is the run's own limit, or the default.
func lateLimit(h *history.History) time.Duration {
	if h.Meta.Load.Late > 0 {
		return h.Meta.Load.Late
	}
	return defaultLate
}

// nothing skips no operation.
func nothing(*history.Op) bool { return false }

// judgeTwice is how an assertion on latency or outage is judged: with all
// operations, and without those that the generator itself sent late. Only
// what both agree on counts: a result that hangs on late operations may be
// the generator's doing, and one that needs them left out may be hiding the
// system's. The verdict is the first one; if the second has another status it
// becomes inconclusive, by name.
//
// judge must be pure and leave out the operations that skip names. It is
// called once if none is late.
func judgeTwice(h *history.History, judge func(skip func(*history.Op) bool) Verdict) Verdict {
	limit := lateLimit(h)
	late := func(o *history.Op) bool { return o.Lateness() > limit }
	n := 0
	for i := range h.Ops {
		if late(&h.Ops[i]) {
			n++
		}
	}
	v := judge(nothing)
	if n == 0 {
		return v
	}
	without := judge(late)
	if without.Status == v.Status {
		v.Notes = append(v.Notes, fmt.Sprintf("%s sent more than %s late by the generator; the status is the same without them",
			count(n, "operation"), sayTime(limit)))
		return v
	}
	v.Reasons = append(v.Reasons, fmt.Sprintf(
		"the generator sent %s more than %s late, and the result hangs on them: %s with them, %s without; lower the rate or give the generator more of the machine",
		count(n, "operation"), sayTime(limit), v.Status, without.Status))
	v.Summary = "inconclusive because of late sends; with them: " + v.Summary
	v.Status = Inconclusive
	return v
}
