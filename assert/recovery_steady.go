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
	took := a.until(g)
	if v.Measured == nil || millis(took) > *v.Measured {
		v.Measured = figure(millis(took))
	}
	v.Measures = addMeasure(v.Measures, Measure{
		Name: "steady again", Value: millis(took), Unit: "ms", Bound: figure(millis(limit)),
		Note: "after the heal of " + g.names() + " began; " + formula,
	})
	var t tally
	var bads badByKind
	a.operations(g, g.heal+limit, func(o *history.Op, grade health) {
		t.add(o, grade)
		if grade == bad {
			bads.add(o)
		}
	})
	o := judgePercent(fmt.Sprintf("the time from %s after the heal of %s on", sayTime(limit), g.names()), t, a.Steady)
	switch o.status {
	case Fail:
		o.text = fmt.Sprintf("the service was steady %s after the heal of %s began (at most %s): %s", sayTime(took), g.names(), sayTime(limit), o.text)
		o.fix = boundFix(history.Bound{File: file, Formula: formula})
		for _, op := range bads.first() {
			a.evidence = append(a.evidence, opEvidence(a.h, op))
		}
	case Pass:
		o.text = fmt.Sprintf("the service was steady %s after the heal of %s began (at most %s)", sayTime(took), g.names(), sayTime(limit))
	}
	return o
}

// until is how long after the heal the service became steady: from then on
// the operations due are good to the objective, and no later moment would do
// as well with one bad operation less.
func (a *recoveryAudit) until(g reign) time.Duration {
	type due struct {
		at  time.Duration
		bad bool
	}
	var all []due
	a.operations(g, g.heal, func(o *history.Op, grade health) { all = append(all, due{o.Intended, grade == bad}) })
	least, bads := leastOps(a.Steady), 0
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].bad {
			bads++
		}
		if bads > allowedBad(max(len(all)-i, least), a.Steady) && all[i].bad {
			if i+1 < len(all) {
				return all[i+1].at - g.heal
			}
			return g.until - g.heal
		}
	}
	return 0
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
