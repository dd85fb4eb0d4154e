package assert

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// VIP expects that the shared address has exactly one owner, whose balancer
// serves. What the balancers' own network namespaces say is held against the
// bounds of the topology:
//
//   - the address is without an owner for no longer than Bound;
//   - it is without an owner that serves for no longer than Bound: an
//     address whose balancer is dead or frozen is as good as none;
//   - it has two owners for no longer than TwoBound, but while the packets
//     between the balancers are cut (Cut): without a third party none of two
//     that do not hear each other can know that the other lives (RFC 9568,
//     6.4.2: a backup that hears no advertisement becomes the active one). That
//     ends within TwoBound of when the cut's undo had taken effect: at the
//     time that the proof of its heal names, and where it names none, when
//     that was complete. A cut that certainly made no
//     second owner is no such cut, and nothing is known of how the two part:
//     without a violation the verdict is inconclusive;
//   - it moves to another balancer no more often than Moves, if that is set: a
//     balancer that comes back and takes it again makes users pay twice.
//
// Every state is asked in samples, so that each spell has a least and a
// longest length; it breaks its bound if the least does, and keeps it if the
// longest does. One that may owe its length to the machine, which was short
// meanwhile, makes the verdict inconclusive.
//
// The gap that clients saw is measured, and ErrorBudget's to judge.
//
// The zero value is ready to use.
type VIP struct {
	// Bound names the bound (of Meta.Bounds) within which another balancer
	// takes the address and serves; "vip" by default.
	Bound string `json:"bound,omitempty"`
	// TwoBound names the bound of the time with two owners; "vip/two-owners"
	// by default.
	TwoBound string `json:"twoBound,omitempty"`
	// Cut is the kind of fault while which two owners are expected, and
	// required; empty is none.
	Cut string `json:"cut,omitempty"`
	// Moves is how often the address may certainly be at another balancer than
	// before, over the whole record; 0 is not judged.
	Moves int `json:"moves,omitempty"`
}

// Name implements Checker.
func (VIP) Name() string { return "vip" }

// About implements Checker.
func (c VIP) About() string {
	c = c.defaults()
	s := fmt.Sprintf("the shared address has one owner, that serves: none for at most the bound %s, two for at most %s", c.Bound, c.TwoBound)
	if c.Cut != "" {
		s += ", but while " + c.Cut + " lasts"
	}
	if c.Moves > 0 {
		s += fmt.Sprintf("; it moves at most %s", times(c.Moves))
	}
	return s
}

// Needs implements Checker.
func (VIP) Needs() []Need {
	return []Need{
		{Kind: NeedFault},
		{Kind: NeedClock},
		{Kind: NeedStream, Stream: history.StreamVIP},
		{Kind: NeedStream, Stream: history.StreamBalancer},
	}
}

func (c VIP) defaults() VIP {
	c.Bound = cmp.Or(c.Bound, "vip")
	c.TwoBound = cmp.Or(c.TwoBound, "vip/two-owners")
	return c
}

// Check implements Checker. Measured is the longest time without an owner
// that serves, as it certainly was, in milliseconds.
func (c VIP) Check(h *history.History) Verdict {
	c = c.defaults()
	v := Verdict{Name: c.Name(), Op: "<=", Unit: "ms", Evidence: []Evidence{}}
	o := newOwnership(h)
	if len(o.lbs) == 0 || o.end <= o.begin {
		v.Summary = "Nothing was observed of who owns the address."
		v.Reasons = append(v.Reasons, "no balancer was asked whether it owns the address while the load ran")
		return v
	}
	kinds := c.kinds(o)
	objectives := make([]objective, len(kinds))
	for i, k := range kinds {
		objectives[i] = k.objective(h)
		v.Measures = append(v.Measures, k.measures()...)
	}
	for _, first := range []bool{true, false} { // what broke its bound comes first
		for i, k := range kinds {
			if (objectives[i].status == Fail) == first {
				v.Evidence = append(v.Evidence, k.evidence()...)
			}
		}
	}
	judged, unserved := kinds[:len(kinds)-1], kinds[1]
	v.Measured = figure(millis(longestOf(unserved.of).least))
	if unserved.known {
		v.Bound = figure(millis(unserved.bound.Limit))
	}
	objectives = objectives[:len(judged)]
	moves := o.moves()
	if c.Moves > 0 {
		objectives = append(objectives, c.moved(h, &v, moves))
	}
	conclude(&v, objectives)
	limitEvidence(&v)
	v.Measures = append(v.Measures, Measure{Name: "moves", Value: float64(len(moves)), Unit: "moves"}, o.clientGap())
	if cut := kinds[len(kinds)-1]; c.Cut != "" && v.Status == Pass && longestOf(cut.of).least == 0 {
		v.NotExercised = true
		v.Summary = "What the scenario is about did not happen."
		inconclusive(&v, fmt.Sprintf("no second balancer certainly owned the address while %s lasted", c.Cut))
	}
	if v.Status == Pass && len(moves) == 0 && !slices.ContainsFunc(kinds, func(k ownerKind) bool { return longestOf(k.of).least > 0 }) {
		v.NotExercised = true
		v.Summary += " Nothing happened to the owner."
	}
	return v
}

// moved is the objective of the moves, with the evidence of those that are
// too many.
func (c VIP) moved(h *history.History, v *Verdict, moves []move) objective {
	o := objective{
		name: "moves", status: Pass, fix: valueFix(h, "keepalived.conf: nopreempt, and state BACKUP on both", ValueTakeBack),
		text: fmt.Sprintf("the address moved %s (at most %s)", times(len(moves)), times(c.Moves)),
	}
	if len(moves) <= c.Moves {
		return o
	}
	o.status = Fail
	for _, m := range moves[c.Moves:] {
		v.Evidence = append(v.Evidence, Evidence{At: m.at, Class: "move", Text: fmt.Sprintf("the address moved to %s, %s", m.to, sayMoment(m.at))})
	}
	return o
}

// ownerKind is a way in which the address has not exactly one owner.
type ownerKind struct {
	name      string
	of        []stretch
	boundName string
	bound     history.Bound
	known     bool
	machine   machine
}

// over says that the stretch certainly broke the bound, whatever the machine did,
// and starved that it did, and may owe that to the machine.
func (k ownerKind) over(s stretch) bool { return s.least > k.bound.Limit && !k.starved(s) }

func (k ownerKind) starved(s stretch) bool {
	return s.least > k.bound.Limit && k.machine.starved(s.at, s.at+s.least, k.bound.Limit)
}

// kinds are those that are judged, and last the two owners that are expected.
func (c VIP) kinds(o *ownership) []ownerKind {
	two, cut := o.outside(o.spells(func(least, most count2) (bool, bool) { return least.owners > 1, most.owners > 1 }), c.Cut)
	out := []ownerKind{
		{name: "without an owner", boundName: c.Bound, of: o.spells(func(least, most count2) (bool, bool) { return most.owners == 0, least.owners == 0 })},
		{name: "without an owner that serves", boundName: c.Bound, of: o.spells(func(least, most count2) (bool, bool) { return most.serving == 0, least.serving == 0 })},
		{name: "with two owners", boundName: c.TwoBound, of: two},
		{name: "with two owners that were cut off", of: cut},
	}
	m := machineOf(o.h)
	for i := range out {
		out[i].bound, out[i].known = findBound(o.h, out[i].boundName)
		out[i].machine = m
	}
	return out
}

func (k ownerKind) objective(h *history.History) objective {
	worst := longestOf(k.of)
	own := slices.DeleteFunc(slices.Clone(k.of), func(s stretch) bool { return !k.over(s) })
	if k.known && len(own) > 0 {
		worst = longestOf(own)
	}
	o := objective{name: k.name, fix: boundFix(k.bound)}
	o.text = fmt.Sprintf("the address was %s for %s (at most %s)", k.name, worst.say(), sayTime(k.bound.Limit))
	switch {
	case len(k.of) == 0:
		o.status, o.text = Pass, "the address was never "+k.name
	case !k.known:
		o.reason = fmt.Sprintf("the topology states no bound %q: name one of %s", k.boundName, boundNames(h))
	case len(own) > 0:
		o.status = Fail
	case slices.ContainsFunc(k.of, k.starved):
		o.reason = starvedReason(o.text)
	case slices.ContainsFunc(k.of, func(s stretch) bool { return s.most > k.bound.Limit }):
		o.reason = o.text + ", and the observers are too coarse to tell; repeat the run on a quieter machine"
	default:
		o.status = Pass
	}
	return o
}

func (k ownerKind) evidence() (out []Evidence) {
	sorted := slices.Clone(k.of)
	rank := func(s stretch) int { // what broke the bound comes before what may be the machine's
		if k.over(s) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(sorted, func(a, b stretch) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.least, a.least))
	})
	for _, s := range sorted {
		if s.least > 0 {
			out = append(out, Evidence{At: s.at, Class: k.name, Text: fmt.Sprintf("the address was %s for %s, %s", k.name, s.say(), sayMoment(s.at))})
		}
	}
	return out
}

func (k ownerKind) measures() []Measure {
	var least, most time.Duration
	for _, s := range k.of {
		least, most = least+s.least, most+s.most
	}
	worst := longestOf(k.of)
	m := Measure{Name: "longest " + k.name, Value: millis(worst.least), Unit: "ms", Note: "at the most " + sayTime(worst.most)}
	if k.known {
		m.Bound, m.Note = figure(millis(k.bound.Limit)), m.Note+"; "+k.bound.Name+": "+k.bound.Formula
	}
	return []Measure{
		m,
		{Name: "all " + k.name, Value: millis(least), Unit: "ms", Note: fmt.Sprintf("in %s, at the most %s", count(len(k.of), "spell"), sayTime(most))},
	}
}

// stretch is a time in which something about the owners held: possibly for
// most, and certainly, in one piece, for least.
type stretch struct {
	from, to    time.Duration // of what is possible
	certain     []piece       // what is certain of it, in order
	at          time.Duration // the longest certain part began
	least, most time.Duration
}

// piece is a time from one moment to another.
type piece struct{ from, to time.Duration }

// within is the part of the stretch that lies in a time which it overlaps.
func (s stretch) within(from, to time.Duration) stretch {
	part := stretch{from: max(s.from, from), to: min(s.to, to)}
	part.at, part.most = part.from, part.to-part.from
	for _, c := range s.certain {
		c = piece{max(c.from, part.from), min(c.to, part.to)}
		if c.to <= c.from {
			continue
		}
		part.certain = append(part.certain, c)
		if c.to-c.from > part.least {
			part.at, part.least = c.from, c.to-c.from
		}
	}
	return part
}

// say is the stretch's length in words.
func (s stretch) say() string {
	if s.least == s.most {
		return sayTime(s.most)
	}
	return fmt.Sprintf("%s to %s", sayTime(s.least), sayTime(s.most))
}

// longestOf is the stretch that was certainly longest, and among equals possibly.
func longestOf(of []stretch) (worst stretch) {
	for _, s := range of {
		if s.least > worst.least || s.least == worst.least && s.most > worst.most {
			worst = s
		}
	}
	return worst
}
