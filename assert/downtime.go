package assert

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/history"
)

const (
	// leastShare is how many operations of the victim's share must lie within
	// twice the bound after the fault, so that an outage shows at all.
	leastShare = 10
	// coarse is the part of the bound that the sample may leave open.
	coarse = 10
)

// findBound gives the run's bound of that name.
func findBound(h *history.History, name string) (history.Bound, bool) {
	for _, b := range h.Meta.Bounds {
		if b.Name == name {
			return b, true
		}
	}
	return history.Bound{}, false
}

// outageObjectives judges the longest outage of each fault's victims, if a
// bound is named, and measures it in any case.
func (a *budgetAudit) outageObjectives() []objective {
	bound, known := findBound(a.h, a.OutageBound)
	var out []objective
	for i := range a.shares {
		s := &a.shares[i]
		r := s.findRuns(a.h, a.grader, a.skip, 2*bound.Limit)
		var limit *float64
		if known {
			out = append(out, outageObjective(a.h, s, r, bound))
			limit = figure(millis(bound.Limit))
		}
		for _, m := range outageMeasures(s, r, limit) {
			a.outages = addMeasure(a.outages, m)
		}
	}
	switch {
	case a.OutageBound == "" || len(out) > 0:
		return out
	case !known:
		return []objective{{name: "outage", reason: fmt.Sprintf("the topology states no bound %q: name one of %s", a.OutageBound, boundNames(a.h))}}
	}
	return []objective{{name: "outage", reason: "no fault was injected, so that no outage could be bounded"}}
}

func boundNames(h *history.History) string {
	if len(h.Meta.Bounds) == 0 {
		return "none, for it states no bounds at all"
	}
	names := make([]string, 0, len(h.Meta.Bounds))
	for _, b := range h.Meta.Bounds {
		names = append(names, b.Name)
	}
	return strings.Join(names, ", ")
}

// outageObjective judges one share. It fails on what was certainly too long:
// the pool's longest outage, where the sample is fine enough to tell when it
// ended, or a stretch with bad operations at both ends and nothing good
// between, each from the fault on. Of one session or one type of operation
// alone such a stretch may last twice the bound: they are sampled more sparsely,
// and the bound is the whole service's, to which an operation that takes long
// by itself adds its own time.
func outageObjective(h *history.History, s *share, r *shareRuns, bound history.Bound) objective {
	who := s.users()
	o := objective{name: "outage of " + who, fix: boundFix(bound)}
	if out, format, found := r.beyond(bound.Limit); found {
		o.status = Fail
		o.text = fmt.Sprintf(format+" without service for %s (at most %s), %s", who, sayTime(out.length()), sayTime(bound.Limit), span(out))
		o.covers = func(op *history.Op) bool {
			at := max(op.Intended, s.from)
			return s.has(op) && at >= out.From && at <= out.Last
		}
		return o
	}
	if o.reason = outageDoubt(h, s, r, bound); o.reason != "" {
		return o
	}
	o.status = Pass
	o.text = fmt.Sprintf("%s were never without service (at most %s)", who, sayTime(bound.Limit))
	if r.pool.best.Bad > 0 {
		o.text = fmt.Sprintf("%s were without service for %s at the longest (at most %s)", who, sayTime(r.pool.best.length()), sayTime(bound.Limit))
	}
	return o
}

// users names the people of the share.
func (s *share) users() string {
	if s.all {
		return "all users"
	}
	return "the users of " + strings.Join(s.fault.Nodes, ", ")
}

// span says from which operation to which an outage went.
func span(o outage) string {
	if o.Open {
		return fmt.Sprintf("from operation %d on until the phase ended: no good one came after", o.First)
	}
	return fmt.Sprintf("from operation %d to %d", o.First, o.Until)
}

// beyond finds an outage that certainly was longer than the limit, and says
// whose: a format for the share's users, up to the verb.
func (r *shareRuns) beyond(limit time.Duration) (out outage, whose string, found bool) {
	if p := r.pool.best; p.length() > limit && (p.certain() > limit || p.gap() <= limit/coarse) {
		return p, "%s were", true
	}
	if p := r.pool.spanned; p.certain() > limit {
		return p, "%s were", true
	}
	alone := func(o outage) bool { return o.Bad > 0 && o.certain() > 2*limit }
	if t, o := r.worstType(); alone(o) {
		return o, "for operations of type " + t.String() + " %s were", true
	}
	if s, o := r.worstSession(); alone(o) {
		return o, fmt.Sprintf("session %d", s) + " of %s was", true
	}
	return outage{}, "", false
}

// worstType is the type of operation with the longest certain outage.
func (r *shareRuns) worstType() (history.Type, outage) {
	worst := 0
	for i := range r.types {
		if r.types[i].spanned.certain() > r.types[worst].spanned.certain() {
			worst = i
		}
	}
	return history.Type(worst), r.types[worst].spanned
}

// worstSession is the session with the longest certain outage; of equals the
// one with the lowest number.
func (r *shareRuns) worstSession() (uint32, outage) {
	var worst uint32
	var out outage
	for s, one := range r.session {
		longer := one.spanned.certain() - out.certain()
		if longer > 0 || longer == 0 && out.Bad > 0 && s < worst {
			worst, out = s, one.spanned
		}
	}
	return worst, out
}

// outageDoubt says why an outage that was not found too long may have been.
func outageDoubt(h *history.History, s *share, r *shareRuns, bound history.Bound) string {
	nodes := strings.Join(s.fault.Nodes, ", ")
	p := r.pool.best
	switch least := 2 * bound.Limit; {
	case s.empty():
		return fmt.Sprintf("no session was bound to %s when %s struck, so that the outage of its users could not be measured", nodes, s.fault.Kind)
	case breakLength(h, s.fault) < least:
		return fmt.Sprintf("%s was in place for %s; to see an outage of up to %s it takes at least %s: lengthen the break phase",
			s.fault.Kind, sayTime(breakLength(h, s.fault)), sayTime(bound.Limit), sayTime(least))
	case r.early < leastShare:
		return fmt.Sprintf("too few operations: %s sent %d within %s after the fault, and it takes at least %d to see an outage; raise the rate",
			s.users(), r.early, sayTime(least), leastShare)
	case p.length() > bound.Limit:
		return fmt.Sprintf("too few operations to say when the outage ended: %s sent none that counts between %s and %s (outage %s to %s, bound %s)",
			s.users(), sayMoment(p.Last), sayMoment(p.To), sayTime(p.certain()), sayTime(p.length()), sayTime(bound.Limit))
	}
	return ""
}

// breakLength is how long the phase lasts in which the fault was injected;
// for a fault outside all phases, how long it was in place.
func breakLength(h *history.History, f *history.Fault) time.Duration {
	for _, p := range h.Phases {
		if p.From <= f.Injected && f.Injected < p.To {
			return p.To - p.From
		}
	}
	if f.Heal >= 0 {
		return f.Heal - f.Injected
	}
	return h.End - f.Injected
}

// outageMeasures are a share's figures, judged or not.
func outageMeasures(s *share, r *shareRuns, bound *float64) []Measure {
	out := []Measure{outageMeasure("longest outage of the victim's share", s.users(), r.pool.best, bound)}
	if session, o := r.worstSession(); o.Bad > 0 {
		out = append(out, outageMeasure("longest outage of one session", fmt.Sprintf("session %d of %s", session, s.users()), o, nil))
	}
	if t, o := r.worstType(); o.Bad > 0 {
		out = append(out, outageMeasure("longest outage of one type of operation", fmt.Sprintf("type %s, %s", t, s.users()), o, nil))
	}
	return out
}

func outageMeasure(name, whose string, o outage, bound *float64) Measure {
	m := Measure{Name: name, Value: millis(o.length()), Unit: "ms", Bound: bound, Note: whose + ": no bad operation"}
	if o.Bad > 0 {
		m.Note = fmt.Sprintf("%s: %s, %d bad", whose, span(o), o.Bad)
	}
	return m
}

// addMeasure appends a measure under a name of its own, since measures are
// told apart by name: a second one of a name gets a number.
func addMeasure(list []Measure, m Measure) []Measure {
	name := m.Name
	taken := func(x Measure) bool { return x.Name == m.Name }
	for n := 2; slices.ContainsFunc(list, taken); n++ {
		m.Name = fmt.Sprintf("%s %d", name, n)
	}
	return append(list, m)
}
