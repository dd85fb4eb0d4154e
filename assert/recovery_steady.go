package assert

import (
	"fmt"
	"time"

	"github.com/hachaos/hachaos/history"
)

// steady judges whether the service was steady within the bound after the
// heal.
func (a *recoveryAudit) steady(g reign, v *Verdict) objective {
	name := "the recovery from " + g.names()
	limit, formula, file, reason := a.bound(a.h)
	if reason != "" {
		return objective{name: name, reason: reason}
	}
	v.Bound = figure(millis(limit))
	var t tally
	var bads badByKind
	a.operations(g, g.heal+limit, func(o *history.Op, grade health) {
		t.add(o, grade)
		if grade == bad {
			bads.add(o)
		}
	})
	o := judgePercent(fmt.Sprintf("the time from %s after the heal of %s on", sayTime(limit), g.names()), t, a.Steady)
	since := g.heal
	if o.status == Fail {
		since += limit // it was not by then
	}
	took, again := a.until(g, since)
	said := fmt.Sprintf("the service was steady %s after the heal of %s began (at most %s)", sayTime(took), g.names(), sayTime(limit))
	m := Measure{
		Name: "steady again", Value: millis(took), Unit: "ms", Bound: figure(millis(limit)),
		Note: "after the heal of " + g.names() + " began; " + formula,
	}
	if !again {
		said = fmt.Sprintf("the service was not steady again by the end, %s after the heal of %s began (at most %s)", sayTime(took), g.names(), sayTime(limit))
		m.Note = "not by the end, " + m.Note
	}
	if v.Measured == nil || millis(took) > *v.Measured {
		v.Measured = figure(millis(took))
	}
	v.Measures = addMeasure(v.Measures, m)
	switch o.status {
	case Fail:
		o.text = said + ": " + o.text
		o.fix = boundFix(history.Bound{File: file, Formula: formula})
		for _, op := range bads.first() {
			a.evidence = append(a.evidence, opEvidence(a.h, op))
		}
	case Pass:
		o.text = said
	}
	return o
}

// until is how long after the heal the service became steady, at the earliest
// from since on: the operations due from then on are good to the objective, and
// enough to tell. If there is no such time, it is the reign's end, and false.
func (a *recoveryAudit) until(g reign, since time.Duration) (took time.Duration, again bool) {
	type due struct {
		at  time.Duration
		bad bool
	}
	var all []due
	bads := 0
	a.operations(g, since, func(o *history.Op, grade health) {
		all = append(all, due{o.Intended, grade == bad})
		if grade == bad {
			bads++
		}
	})
	least := leastOps(a.Steady)
	for i, o := range all {
		left := len(all) - i
		if left < least {
			break
		}
		if bads <= allowedBad(left, a.Steady) {
			if i == 0 {
				return since - g.heal, true
			}
			return o.at - g.heal, true
		}
		if o.bad {
			bads--
		}
	}
	return g.until - g.heal, false
}

// operations visits those that were due between from and the reign's end, by
// intended time. One that the next fault struck is not this recovery's.
func (a *recoveryAudit) operations(g reign, from time.Duration, visit func(*history.Op, health)) {
	inOrder(a.h, func(o *history.Op) {
		if o.Intended < from || o.Intended >= g.until || a.skip(o) {
			return
		}
		if at, was := struck(a.h, o, a.Threshold); was && at >= g.until {
			return
		}
		if grade := a.grader.grade(o); grade != void {
			visit(o, grade)
		}
	})
}
