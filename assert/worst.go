package assert

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/hachaos/hachaos/history"
)

// evidence names what decided: the first objective that failed, else the
// whole judged run, and the worst operations in it, those of the kind that
// most of the bad ones are of first: one slow answer of a busy moment is not
// what a thousand refusals are about.
func (a *budgetAudit) evidence(v *Verdict, objectives []objective) {
	covers := func(o *history.Op) bool { return judgedAt(a.h, o.Intended) }
	if failed := pick(objectives, Fail); len(failed) > 0 {
		covers = failed[0].covers
	}
	var found badByKind
	for i := range a.h.Ops {
		if o := &a.h.Ops[i]; !a.skip(o) && a.grader.grade(o) == bad && covers(o) {
			found.add(o)
		}
	}
	for _, o := range found.first() {
		v.Evidence = append(v.Evidence, opEvidence(a.h, o))
	}
	v.More = found.seen - len(v.Evidence)
}

// badByKind keeps the worst of the bad operations, by kind. The zero value is none.
type badByKind struct {
	kinds map[badKind]*worst
	seen  int
}

// badKind is what was bad about an operation.
type badKind struct {
	slow   bool
	error  uint16
	status uint16
}

func (b *badByKind) add(o *history.Op) {
	if b.kinds == nil {
		b.kinds = map[badKind]*worst{}
	}
	k := badKind{o.Outcome == history.Good, o.Error, o.Status}
	w := b.kinds[k]
	if w == nil {
		w = &worst{}
		b.kinds[k] = w
	}
	w.add(o)
	b.seen++
}

// first are the first MaxEvidence operations, the kind of most operations
// first; of two kinds with as many the one with the worse operation.
func (b *badByKind) first() []*history.Op {
	kinds := slices.SortedFunc(maps.Values(b.kinds), func(x, y *worst) int {
		if x.seen == y.seen && worse(x.ops[0], y.ops[0]) {
			return -1
		}
		return cmp.Or(cmp.Compare(y.seen, x.seen), 1)
	})
	var ops []*history.Op
	for _, w := range kinds {
		ops = append(ops, w.ops[:min(len(w.ops), MaxEvidence-len(ops))]...)
	}
	return ops
}

// worst keeps the MaxEvidence worst operations of a kind, worst first: those
// that never completed, then by latency, then by number.
type worst struct {
	ops  []*history.Op
	seen int
}

func (w *worst) add(o *history.Op) {
	w.seen++
	if len(w.ops) == MaxEvidence && !worse(o, w.ops[MaxEvidence-1]) {
		return
	}
	at, _ := slices.BinarySearchFunc(w.ops, o, func(have, o *history.Op) int {
		if worse(o, have) {
			return 1
		}
		return -1
	})
	w.ops = slices.Insert(w.ops, at, o)
	w.ops = w.ops[:min(len(w.ops), MaxEvidence)]
}

func worse(a, b *history.Op) bool {
	la, completedA := a.Latency()
	lb, completedB := b.Latency()
	if completedA != completedB {
		return !completedA
	}
	return cmp.Or(cmp.Compare(lb, la), cmp.Compare(a.ID, b.ID)) < 0
}

// opEvidence describes a bad operation.
func opEvidence(h *history.History, o *history.Op) Evidence {
	e := Evidence{Op: o.ID, At: o.Intended, Node: h.NodeOf(o), Class: h.ErrorOf(o)}
	how := "never completed"
	if l, ok := o.Latency(); ok {
		how = "after " + sayTime(l)
		if o.Outcome == history.Good {
			e.Class = "slow"
		}
	}
	if e.Class == "" {
		e.Class = o.Outcome.String()
	}
	e.Text = fmt.Sprintf("%s: %s", o.Type, e.Class)
	if o.Status != 0 {
		e.Text += fmt.Sprintf(" %d", o.Status)
	}
	e.Text += ", " + how
	if b := h.BalancerOf(o); b != "" {
		e.Text += ", by " + b
	}
	if n := h.BoundOf(o); n != "" {
		e.Text += ", session bound to " + n
	}
	if o.Attempts > 1 {
		e.Text += fmt.Sprintf(", %d attempts", o.Attempts)
	}
	return e
}

// measures are all figures of the audit.
func (a *budgetAudit) measures() []Measure {
	var out []Measure
	for i, p := range a.h.Phases {
		if !p.Judged() || a.phases[i].ops == 0 {
			continue
		}
		m := tallyMeasure("good in phase "+p.Name, &a.phases[i])
		if p.Kind == history.PhaseSteady {
			m.Bound = figure(a.Steady)
		}
		out = addMeasure(out, m)
	}
	if a.all.ops == 0 {
		return out
	}
	whole := tallyMeasure(GoodInJudgedRun, &a.all)
	if len(a.expects) == 0 {
		whole.Bound = figure(a.Overall)
	}
	out = append(out, whole)
	if len(a.expects) > 0 && a.held.ops > 0 {
		held := tallyMeasure("good but for what is expected", &a.held)
		held.Bound = figure(a.Overall)
		out = append(out, held)
	}
	out = append(out,
		Measure{Name: "operations", Value: float64(a.all.ops)},
		Measure{Name: "bad operations", Value: float64(a.all.bad)},
		Measure{Name: "attempts", Value: float64(a.all.attempts), Note: "requests sent, with the client's own retries"},
		outageMeasure("longest outage of all traffic", "all users", a.longest.best, nil))
	out = append(out, a.outages...)
	return append(out, burnMeasures(a.bads, a.rate(), a.since())...)
}

func tallyMeasure(name string, t *tally) Measure {
	return Measure{Name: name, Value: t.percent(), Unit: "%", Note: tallyNote(*t)}
}

// rate is the operations a second of the judged run.
func (a *budgetAudit) rate() float64 {
	judged := judgedTime(a.h)
	if judged == 0 {
		return 0
	}
	return float64(a.all.ops) / judged.Seconds()
}
