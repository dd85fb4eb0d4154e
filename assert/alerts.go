package assert

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/history"
)

// What a person on call would conclude from the errors of each node.
const (
	// TellsNothing: no node's users see more errors than the budget bears.
	TellsNothing = "nothing"
	// TellsNode: the users of one node do, and those of the others do not.
	TellsNode = "one node"
	// TellsAll: those of all nodes do, so that it is what they share: the
	// database, or a service that all depend on.
	TellsAll = "all nodes"
	// TellsSome is neither.
	TellsSome = "some nodes"
)

// Alerts asks what monitoring would have made of a fault, by the record of
// the users' operations alone: when a burn-rate alert would have paged had
// the fault gone on, and whether the share of errors of each node tells one
// node that is unhealthy from all being healthy with an unhealthy database
// (seed 003 §30, questions 10 and 11). An operation belongs to the node that
// answered it, and to the one that its session was bound to where no node
// did.
//
// A node's users see too many errors if their share is above 14.4 × what an
// objective of 99.9 % allows, the rate of the fastest page of The Site
// Reliability Workbook (Google, 2018), chapter 5, table 5-8, and at least a
// quarter of the worst node's. One of which fewer than leastOfNode operations
// are known may or may not: where that would change what the errors tell, the
// verdict is inconclusive. The zero value expects TellsNothing.
type Alerts struct {
	// Tells is what the errors must tell: one of the Tells… constants.
	Tells string `json:"tells,omitempty"`
	// PageWithin is how soon the page must come, had the fault gone on; 0 is
	// reported and not judged. See PageAfter.
	PageWithin time.Duration `json:"pageWithin,omitempty"`
	// Threshold is how slow a good answer may be; 500 ms by default.
	Threshold time.Duration `json:"threshold,omitempty"`
}

const (
	// leastOfNode is how many operations a node is judged on.
	leastOfNode = 30
	// collateral is the share of the worst node's errors below which another
	// node's are its neighbour's doing.
	collateral = 0.25
)

// Name implements Checker.
func (Alerts) Name() string { return "alerts" }

// About implements Checker.
func (a Alerts) About() string {
	s := fmt.Sprintf("the errors of each node while a fault bites tell: %s", a.tells())
	if a.PageWithin > 0 {
		s += fmt.Sprintf("; had it gone on, a burn-rate alert would page within %s", sayTime(a.PageWithin))
	}
	return s
}

func (a Alerts) tells() string {
	if a.Tells == "" {
		return TellsNothing
	}
	return a.Tells
}

// Needs implements Checker.
func (a Alerts) Needs() []Need {
	return []Need{{Kind: NeedFault}, {Kind: NeedBaseline, Slow: cmp.Or(a.Threshold, DefaultThreshold)}, {Kind: NeedGenerator}, {Kind: NeedClock}}
}

// Check implements Checker. Measured is the share of bad operations while the
// faults bit, in percent.
func (a Alerts) Check(h *history.History) Verdict {
	return judgeTwice(h, a.Threshold, func(skip func(*history.Op) bool) Verdict { return a.judge(h, skip) })
}

func (a Alerts) judge(h *history.History, skip func(*history.Op) bool) Verdict {
	v := Verdict{Name: a.Name(), Op: "<=", Unit: "% bad", Evidence: []Evidence{}}
	switch a.tells() {
	case TellsNothing, TellsNode, TellsAll, TellsSome:
	default:
		v.Reasons = append(v.Reasons, fmt.Sprintf("tells %q: want one of %q, %q, %q, %q", a.Tells, TellsNothing, TellsNode, TellsAll, TellsSome))
		return v
	}
	all, by := a.count(h, skip)
	if all.ops == 0 {
		v.Summary = "No fault bit while there was load."
		v.Reasons = append(v.Reasons, "no operation was sent while a fault bit")
		return v
	}
	v.Measured = figure(100 - all.percent())
	judged := a.diagnose(h, &v, by)
	page := a.page(&v, all)
	conclude(&v, append(judged, page...))
	limitEvidence(&v)
	return v
}

// biting is when the faults bit, from the first one's effect to its heal.
func biting(h *history.History) (from, to time.Duration) {
	from = -1
	for i := range h.Faults {
		f := &h.Faults[i]
		if f.Injected < 0 {
			continue
		}
		at, _ := tookEffect(f)
		if from < 0 || at < from {
			from = at
		}
		if f.Heal >= 0 {
			to = max(to, f.Heal)
		} else {
			to = h.End
		}
	}
	return from, to
}

// count tallies the operations that were due while the faults bit: all of
// them, and by node.
func (a Alerts) count(h *history.History, skip func(*history.Op) bool) (all tally, by map[string]*tally) {
	by = map[string]*tally{}
	for _, n := range h.Meta.Nodes {
		if n.Role == roleApplication {
			by[n.Name] = &tally{}
		}
	}
	from, to := biting(h)
	if from < 0 {
		return all, by
	}
	g := newGrader(h, a.Threshold)
	for i := range opsWithin(h, from, to) {
		o := &h.Ops[i]
		how := g.grade(o)
		if how == void || skip(o) {
			continue
		}
		all.add(o, how)
		node := h.NodeOf(o)
		if node == "" {
			node = h.BoundOf(o)
		}
		if t := by[node]; t != nil {
			t.add(o, how)
		}
	}
	return all, by
}

// toldBy is what the errors tell if the users of so many of the nodes see too
// many.
func toldBy(bad, of int) string {
	switch {
	case bad == 0:
		return TellsNothing
	case bad == 1 && of > 1:
		return TellsNode
	case bad == of:
		return TellsAll
	}
	return TellsSome
}

// diagnose says what the nodes' errors tell, and judges it.
func (a Alerts) diagnose(h *history.History, v *Verdict, by map[string]*tally) []objective {
	limit := pages()[0].factor * (100 - serviceObjective)
	o := objective{name: "diagnosis"}
	var names, bad, thin []string
	worst := 0.0
	for n, t := range by {
		names = append(names, n)
		if t.ops >= leastOfNode {
			worst = max(worst, 100-t.percent())
		}
	}
	slices.Sort(names)
	for _, n := range names {
		t := by[n]
		if t.ops < leastOfNode {
			thin = append(thin, fmt.Sprintf("%s %d", n, t.ops))
			continue
		}
		share := 100 - t.percent()
		v.Measures = append(v.Measures, Measure{Name: "errors of " + n, Value: share, Unit: "%", Bound: figure(limit), Note: tallyNote(*t)})
		if share > limit && share >= collateral*worst {
			bad = append(bad, fmt.Sprintf("%s %s", n, sayPercent(share)))
		}
	}
	told := toldBy(len(bad), len(names))
	sure := told == toldBy(len(bad)+len(thin), len(names)) // whatever the thin ones count for
	o.text = "the errors tell: " + told
	if len(bad) > 0 {
		o.text += " (" + strings.Join(bad, ", ") + ")"
	}
	switch {
	case len(names) == len(thin) || len(thin) > 0 && (!sure || told != a.tells()):
		o.reason = fmt.Sprintf("too few operations while the fault bit (at least %d of each node): %s; lengthen the phase", leastOfNode, strings.Join(thin, ", "))
	case told == a.tells():
		o.status = Pass
	default:
		o.status = Fail
		o.text += ", and not: " + a.tells()
		o.fix = a.fix(h, told)
		v.Evidence = append(v.Evidence, Evidence{Class: "diagnosis", Text: o.text})
	}
	return []objective{o}
}

// fix is by whose errors were told: where it is more nodes than were hit, they
// share what broke; where one or none, what a balancer sends elsewhere hides
// or shows it.
func (a Alerts) fix(h *history.History, told string) string {
	if told == TellsAll || told == TellsSome {
		return valueFix(h, "what the nodes share took them all: bound the wait for it, and do without it where that can be", ValuePoolWait, ValueStatementTime, ValueTimeouts, ValueDependency)
	}
	return valueFix(h, "what a balancer sends to another node is no error of the first", ValueRetries, ValueRedispatch, ValueHealthCheck)
}

// PageAfter is how long after a fault the fastest page comes if so many percent
// of all operations are bad from then on, and none was before: (1 − objective) /
// share of errors × factor × long window (The Site Reliability Workbook, Google,
// 2018, chapter 5, "5: Multiple Burn Rate Alerts"). The short window is over its
// factor before. It is 0 if the share is too small for the page ever to come.
func PageAfter(percentBad float64) time.Duration {
	p := pages()[0]
	limit := p.factor * (100 - serviceObjective)
	if percentBad <= limit {
		return 0
	}
	return time.Duration(limit / percentBad * float64(p.long))
}

// page says when the fastest page would have come had the fault gone on. Few
// operations tell no share: none is judged on fewer than a node is.
func (a Alerts) page(v *Verdict, all tally) []objective {
	p := pages()[0]
	share := 100 - all.percent()
	if a.PageWithin > 0 && all.ops < leastOfNode {
		return []objective{{name: "page", reason: fmt.Sprintf("too few operations while the fault bit: %d, and at least %d tell a share; lengthen the phase", all.ops, leastOfNode)}}
	}
	after := PageAfter(share)
	if after == 0 {
		v.Notes = append(v.Notes, fmt.Sprintf("%s of the operations were bad while the fault bit: too few for the %s/%s page, however long it had gone on",
			sayPercent(share), sayWindow(p.long), sayWindow(p.short)))
		if a.PageWithin > 0 {
			o := objective{name: "page", status: Fail, text: "no page would have come, however long it had gone on", fix: p.fix()}
			v.Evidence = append(v.Evidence, Evidence{Class: "page", Text: o.text})
			return []objective{o}
		}
		return nil
	}
	m := Measure{
		Name: "time to page", Value: after.Seconds(), Unit: "s",
		Note: fmt.Sprintf("had the fault gone on: (1 − %s %%) / %s × %s × %s", trimZeros(serviceObjective, 3), sayPercent(share), trimZeros(p.factor, 1), sayWindow(p.long)),
	}
	o := objective{name: "page", status: Pass, text: fmt.Sprintf("had it gone on, a page would have come after %s", sayTime(after))}
	if a.PageWithin > 0 {
		m.Bound = figure(a.PageWithin.Seconds())
		if after > a.PageWithin {
			o.status, o.fix = Fail, p.fix()
			v.Evidence = append(v.Evidence, Evidence{Class: "page", Text: o.text})
		}
	}
	v.Measures = append(v.Measures, m)
	return []objective{o}
}
