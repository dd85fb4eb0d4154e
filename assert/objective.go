package assert

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// tally counts the operations of a phase, or of the judged run.
type tally struct {
	ops, bad int
	slow     int // ok, but slower than the threshold
	attempts int
	retried  int // good, but only after more than one attempt
}

func (t *tally) percent() float64 { return 100 * float64(t.ops-t.bad) / float64(t.ops) }

func (t *tally) add(o *history.Op, g health) {
	t.ops++
	t.attempts += int(o.Attempts)
	if g == bad {
		t.bad++
		if o.Outcome == history.Good {
			t.slow++
		}
	} else if o.Attempts > 1 {
		t.retried++
	}
}

// budgetAudit is one judgement of an error budget.
type budgetAudit struct {
	ErrorBudget
	h      *history.History
	skip   func(*history.Op) bool
	grader grader
	shares []share

	expects []expected
	phases  []tally // by phase
	all     tally   // of the judged phases
	held    tally   // of them, what Overall is held to
	longest runs    // of all judged traffic
	outages []Measure
	bads    []time.Duration
	voided  int
}

// count walks the operations once. One that lies in no phase is not judged;
// one that a fault struck counts in the phase of the fault.
func (a *budgetAudit) count() {
	a.phases, a.expects = make([]tally, len(a.h.Phases)), a.expectations()
	cursor := 0
	inOrder(a.h, func(o *history.Op) {
		p := a.phaseOf(o, &cursor)
		if p < 0 {
			return
		}
		g := a.grader.grade(o)
		if a.skip(o) {
			if g == good && a.h.Phases[p].Judged() {
				a.longest.add(o, g) // service was there
			}
			return
		}
		if g == void {
			a.voided++
			return
		}
		a.phases[p].add(o, g)
		if !a.h.Phases[p].Judged() {
			return
		}
		a.all.add(o, g)
		if !a.isExpected(o) {
			a.held.add(o, g)
		}
		a.longest.add(o, g)
		if g == bad {
			a.bads = append(a.bads, knownBad(a.h, o))
		}
	})
	a.longest.finish(func(t time.Duration) time.Duration { return phaseEnd(a.h, t) })
}

// phaseOf is the index of the phase that the operation counts in, or -1; for
// the cursor see phaseAt.
func (a *budgetAudit) phaseOf(o *history.Op, cursor *int) int {
	p := history.PhaseIndex(a.h.Phases, o.Intended, cursor)
	if at, was := struck(a.h, o, a.Threshold); p >= 0 && was {
		other := p
		return history.PhaseIndex(a.h.Phases, at, &other)
	}
	return p
}

// percentObjectives are the judged run's, and each steady phase's.
func (a *budgetAudit) percentObjectives() []objective {
	run := judgePercent(a.heldTo(), a.held, a.Overall)
	run.fix = a.fix()
	run.covers = func(op *history.Op) bool { return judgedAt(a.h, op.Intended) && !a.isExpected(op) }
	out := []objective{run}
	cursor := 0
	for i, p := range a.h.Phases {
		if p.Kind != history.PhaseSteady {
			continue
		}
		o := judgePercent("phase "+p.Name, a.phases[i], a.Steady)
		o.fix = a.fix()
		o.covers = func(op *history.Op) bool { return a.phaseOf(op, &cursor) == i }
		out = append(out, o)
	}
	if len(out) == 1 {
		out = append(out, objective{name: "steady phases", reason: "there is no steady phase"})
	}
	return out
}

// fix of too many bad operations is what ends an outage; without a bound of
// that, what becomes of a request that failed.
func (a *budgetAudit) fix() string {
	const words = "the evidence names the worst operations with the node and the balancer that answered"
	if bound, known := findBound(a.h, a.OutageBound); known && bound.File != "" {
		return boundFix(bound) + "; " + words
	}
	return valueFix(a.h, words, ValueRetries, ValueRedispatch, ValueHealthCheck)
}

// judgedTime is how long the judged phases last.
func judgedTime(h *history.History) (t time.Duration) {
	for _, p := range h.Phases {
		if p.Judged() {
			t += max(0, p.To-p.From)
		}
	}
	return t
}

func judgedAt(h *history.History, t time.Duration) bool {
	return slices.ContainsFunc(h.Phases, func(p history.Phase) bool { return p.Judged() && p.From <= t && t < p.To })
}

// leastOps is how many operations an objective takes: with fewer, a single
// bad one would decide.
func leastOps(percent float64) int {
	if percent >= 100 {
		return 1
	}
	return int(math.Ceil(100/(100-percent) - 1e-6))
}

// allowedBad is how many of n operations may be bad.
func allowedBad(n int, percent float64) int {
	return int(math.Floor(float64(n)*(100-percent)/100 + 1e-6))
}

// judgePercent holds a tally to an objective. On fewer operations than it
// takes it fails only if it would fail even had all the missing ones been
// good.
func judgePercent(name string, t tally, percent float64) objective {
	o := objective{name: name}
	least := leastOps(percent)
	if t.ops > 0 {
		o.text = fmt.Sprintf("%s of %s in %s were good (at least %s)", sayPercent(t.percent()), count(t.ops, "operation"), name, sayPercent(percent))
	}
	switch {
	case t.bad > allowedBad(max(t.ops, least), percent):
		o.status = Fail
	case t.ops < least:
		o.reason = fmt.Sprintf("too few operations in %s: %d, and %s takes at least %d (with fewer, one alone decides); lengthen the phase or raise the rate",
			name, t.ops, sayPercent(percent), least)
	default:
		o.status = Pass
	}
	return o
}

func tallyNote(t tally) string {
	s := fmt.Sprintf("%d bad of %s in %s", t.bad, count(t.ops, "operation"), count(t.attempts, "attempt"))
	if t.slow > 0 {
		s += fmt.Sprintf("; %d of the bad ones were ok and slow", t.slow)
	}
	if t.retried > 0 {
		s += fmt.Sprintf("; %d good ones took more than one attempt", t.retried)
	}
	return s
}

// since is when the first fault took effect, and 0 if there was none.
func (a *budgetAudit) since() (t time.Duration) {
	for i, s := range a.shares {
		if i == 0 || s.from < t {
			t = s.from
		}
	}
	return t
}
