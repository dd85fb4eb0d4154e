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
			out = append(out, a.eachVictims(s, bound)...)
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

// eachVictims are the objectives of a share of several victims that one victim's
// own users break: where another is back sooner, its users interrupt theirs.
func (a *budgetAudit) eachVictims(s *share, bound history.Bound) []objective {
	var out []objective
	for _, one := range s.apart(a.h) {
		r := one.findRuns(a.h, a.grader, a.skip, 2*bound.Limit)
		if t, found := r.poolBeyond(bound.Limit); found {
			out = append(out, t.objective(&one, bound))
		}
	}
	return out
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
	if t, found := r.beyond(bound.Limit); found {
		return t.objective(s, bound)
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
	return "the users of " + strings.Join(s.nodes, ", ")
}

// span says from which operation to which an outage went.
func span(o outage) string {
	if o.Open {
		return fmt.Sprintf("from operation %d on until the phase ended: no good one came after", o.First)
	}
	return fmt.Sprintf("from operation %d to %d", o.First, o.Until)
}

// tooLong is an outage that certainly was longer than the limit that it is held
// to.
type tooLong struct {
	outage
	whose string // a format for the share's users, up to the verb
	took  time.Duration
	limit time.Duration
	span  string                    // from which operation to which
	of    func(op *history.Op) bool // whose operations it is made of
}

// objective is the share's, which the outage breaks.
func (t tooLong) objective(s *share, bound history.Bound) objective {
	who := s.users()
	return objective{
		name: "outage of " + who, status: Fail, fix: boundFix(bound),
		text: fmt.Sprintf(t.whose+" without service for %s (at most %s), %s", who, sayTime(t.took), sayTime(t.limit), t.span),
		covers: func(op *history.Op) bool {
			at := max(op.Intended, s.from)
			return s.has(op) && t.of(op) && at >= t.From && at <= t.Last
		},
	}
}

// beyond finds an outage that certainly was longer than the limit.
func (r *shareRuns) beyond(limit time.Duration) (tooLong, bool) {
	if t, found := r.poolBeyond(limit); found {
		return t, true
	}
	alone := func(o outage, whose string, of func(*history.Op) bool) (tooLong, bool) {
		return tooLong{o, whose, o.certain(), 2 * limit, certainSpan(o), of}, o.Bad > 0 && o.certain() > 2*limit
	}
	kind, o := r.worstType()
	if t, found := alone(o, "for operations of type "+kind.String()+" %s were", func(op *history.Op) bool { return op.Type == kind }); found {
		return t, true
	}
	session, o := r.worstSession()
	return alone(o, fmt.Sprintf("session %d", session)+" of %s was", func(op *history.Op) bool { return op.Session == session })
}

// poolBeyond finds one of all operations together.
func (r *shareRuns) poolBeyond(limit time.Duration) (tooLong, bool) {
	p := r.pool.best
	if p.length() <= limit || p.certain() <= limit && p.gap() > limit/coarse {
		if p = r.pool.spanned; p.certain() <= limit {
			return tooLong{}, false
		}
	}
	return tooLong{p, "%s were", p.length(), limit, span(p), func(*history.Op) bool { return true }}, true
}

// certainSpan says between which operations an outage certainly lasted. Of one
// session, or one type of operation, what comes after may be long in coming: the
// session may have ended, and its user have begun another.
func certainSpan(o outage) string {
	return fmt.Sprintf("from operation %d to %d, and no good one between", o.First, o.Final)
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
		return fmt.Sprintf("the phase in which %s began lasted %s; to see an outage of up to %s it takes at least %s: lengthen the break phase",
			s.fault.Kind, sayTime(breakLength(h, s.fault)), sayTime(bound.Limit), sayTime(least))
	case inPlace(h, s.fault) < bound.Limit:
		return fmt.Sprintf("%s was in place for %s, and so could cause no outage of %s, which is allowed: lengthen the break phase",
			s.fault.Kind, sayTime(inPlace(h, s.fault)), sayTime(bound.Limit))
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

// inPlace is how long a fault certainly was in effect before its heal began, or
// until the record's end.
func inPlace(h *history.History, f *history.Fault) time.Duration {
	_, from := tookEffect(f)
	if f.Heal >= 0 {
		return f.Heal - from
	}
	return h.End - from
}

// outageMeasures are a share's figures, judged or not.
func outageMeasures(s *share, r *shareRuns, bound *float64) []Measure {
	out := []Measure{outageMeasure("longest outage of the victim's share", s.users(), r.pool.best, bound)}
	alone := func(name, whose string, o outage) {
		if o.Bad > 0 {
			out = append(out, Measure{Name: name, Value: millis(o.certain()), Unit: "ms", Note: fmt.Sprintf("%s: %s, %d bad", whose, certainSpan(o), o.Bad)})
		}
	}
	session, o := r.worstSession()
	alone("longest outage of one session", fmt.Sprintf("session %d of %s", session, s.users()), o)
	kind, o := r.worstType()
	alone("longest outage of one type of operation", fmt.Sprintf("type %s, %s", kind, s.users()), o)
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
