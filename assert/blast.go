package assert

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// DefaultBlast is the percent of good operations that the users of healthy
// nodes are owed while a fault is in place.
const DefaultBlast = 99.5

// BlastRadius expects that only what a fault was aimed at suffers. While it
// is in place,
//
//   - the operations of sessions that are bound to other nodes are good to
//     the objective: no shared queue, pool or lock lets one node's failure
//     become everybody's;
//   - no other application node is restarted, and none is marked down by a
//     balancer that owns the VIP.
//
// The sessions that were on a victim do not count, wherever they are served
// now: what they suffer is ErrorBudget's to count; nor does an operation of a
// session that is bound to no node yet, for it may be sent to a victim; nor one
// that was due before such an operation of the same user had ended, for a user
// does one thing after the other; nor one that was due before one of those had
// that waited for it and was served well and within the threshold once it was
// sent: what holds a user up longer is the healthy node's own. Where the victim is no application node, or
// all of them, nobody is outside of the fault's reach, and the assertion is not
// exercised. Faults whose reigns overlap are one.
//
// The zero value of a field is its default.
type BlastRadius struct {
	// Percent is the least percent of good operations; 99.5 by default.
	// Threshold is how slow a good one may be; 500 ms by default.
	Percent   float64       `json:"percent,omitempty"`
	Threshold time.Duration `json:"threshold,omitempty"`
}

// Name implements Checker.
func (BlastRadius) Name() string { return "blast-radius" }

// About implements Checker.
func (b BlastRadius) About() string {
	b = b.defaults()
	return fmt.Sprintf("while a fault is in place, at least %s of the operations of other nodes' users are good, and no other node is restarted or marked down", sayPercent(b.Percent))
}

// Needs implements Checker.
func (b BlastRadius) Needs() []Need {
	return []Need{
		{Kind: NeedFault},
		{Kind: NeedBaseline, Slow: b.defaults().Threshold},
		{Kind: NeedGenerator},
		{Kind: NeedClock},
		{Kind: NeedStream, Stream: history.StreamServer},
		{Kind: NeedStream, Stream: history.StreamVIP},
		{Kind: NeedStream, Stream: history.StreamEngine},
		{Kind: NeedStream, Stream: history.StreamTransition},
	}
}

func (b BlastRadius) defaults() BlastRadius {
	if b.Percent <= 0 {
		b.Percent = DefaultBlast
	}
	if b.Threshold <= 0 {
		b.Threshold = DefaultThreshold
	}
	return b
}

// Check implements Checker. Measured is the least percent of good operations
// of the others' users, of all reigns.
func (b BlastRadius) Check(h *history.History) Verdict {
	b = b.defaults()
	unanswered := timedOut(h, machineOf(h))
	return judgeTwice(h, b.Threshold, func(skip func(*history.Op) bool) Verdict { return b.judge(h, skip, unanswered) })
}

func (b BlastRadius) judge(h *history.History, skip func(*history.Op) bool, unanswered heldDown) Verdict {
	v := Verdict{Name: b.Name(), Op: ">=", Unit: "% good", Bound: figure(b.Percent), Evidence: []Evidence{}}
	reigns := reignsUntil(h, func(f *history.Fault) (time.Duration, bool) {
		if f.Heal < 0 {
			return h.End, true
		}
		return f.Heal, true
	})
	var objectives []objective
	for _, g := range reigns {
		if others := outside(h, g); len(others) > 0 {
			a := &blastAudit{BlastRadius: b, h: h, skip: skip, unanswered: unanswered, reign: g, others: others, grader: newGrader(h, b.Threshold)}
			objectives = append(objectives, a.served(&v), a.standing(&v))
		}
	}
	switch {
	case len(reigns) == 0:
		v.Summary = "No fault was injected."
		v.Reasons = append(v.Reasons, "no fault was injected")
	case len(objectives) == 0:
		v.Status, v.NotExercised = Pass, true
		v.Summary = "No application node is outside of the fault's reach."
	default:
		conclude(&v, objectives)
	}
	limitEvidence(&v)
	return v
}

// outside are the application nodes that no fault of the reign was aimed at;
// none if one was aimed at what they all share.
func outside(h *history.History, g reign) []string {
	victims := map[string]bool{}
	for _, f := range g.faults {
		for _, n := range f.Nodes {
			if !serves(h, n) {
				return nil
			}
			victims[n] = true
		}
	}
	var out []string
	for _, n := range h.Meta.Nodes {
		if n.Role == roleApplication && !victims[n.Name] {
			out = append(out, n.Name)
		}
	}
	return out
}

// blastAudit judges one reign.
type blastAudit struct {
	BlastRadius
	h          *history.History
	skip       func(*history.Op) bool
	unanswered heldDown // by checks that the machine had no processor to answer
	reign      reign
	others     []string
	grader     grader
}

// served judges the operations of the others' users.
func (a *blastAudit) served(v *Verdict) objective {
	var t tally
	var bads badByKind
	victims := a.sessions()
	held := map[history.Name]time.Duration{} // by user: until when a victim held it up
	inOrder(a.h, func(o *history.Op) {
		if a.skip(o) || o.Intended >= a.reign.heal || !pending(o, a.reign.from) {
			return
		}
		reached := victims[o.Session] || !slices.Contains(a.others, a.h.BoundOf(o))
		behind := o.Intended < held[o.User]
		if o.User != 0 && (reached || behind && a.servedWell(o)) {
			held[o.User] = max(held[o.User], endOf(a.h, o))
		}
		if reached || behind {
			return
		}
		grade := a.grader.grade(o)
		if grade == void {
			return
		}
		t.add(o, grade)
		if grade == bad {
			bads.add(o)
		}
	})
	name := fmt.Sprintf("the share of the users of %s during %s", list(a.others, 8), a.reign.names())
	o := judgePercent(name, t, a.Percent)
	if t.ops > 0 && (v.Measured == nil || t.percent() < *v.Measured) {
		v.Measured = figure(t.percent())
	}
	if t.ops > 0 {
		m := tallyMeasure("good for the users of "+list(a.others, 8), &t)
		m.Bound = figure(a.Percent)
		v.Measures = addMeasure(v.Measures, m)
	}
	if o.status == Fail {
		o.fix = valueFix(a.h, "what the nodes share: a connection limit of the balancer, a pool, a lock, a queue", ValueTotalRequests, ValueStatementTime, ValueTimeouts, ValueMaxConnections)
		for _, op := range bads.first() {
			v.Evidence = append(v.Evidence, opEvidence(a.h, op))
		}
	}
	return o
}

// servedWell says whether an operation, once it was sent, was answered well
// and within the threshold.
func (a *blastAudit) servedWell(o *history.Op) bool {
	return o.Outcome == history.Good && o.End >= 0 && o.End-max(o.Sent, o.Intended) <= a.Threshold
}

// sessions are those on a victim when a fault struck.
func (a *blastAudit) sessions() map[uint32]bool {
	all := map[uint32]bool{}
	for _, s := range shares(a.h) {
		if slices.Contains(a.reign.faults, s.fault) {
			maps.Copy(all, s.sessions)
		}
	}
	return all
}

// standing judges whether the other nodes lived on, in the balancers' view
// and in fact.
func (a *blastAudit) standing(v *Verdict) objective {
	o := objective{name: "the other nodes", status: Pass, text: fmt.Sprintf("%s served on", list(a.others, 8))}
	var found []string
	see := func(e Evidence) {
		found = append(found, e.Text)
		v.Evidence = append(v.Evidence, e)
	}
	nodes := perNode(a.h)
	for _, n := range a.others {
		if s := nodes[n]; s != nil {
			for _, l := range lives(a.h, s) {
				if l.born > a.reign.from && l.bornBy < a.reign.heal {
					see(Evidence{Seq: l.seq, At: l.born, Node: n, Class: "restart", Text: n + " was restarted " + sayMoment(l.born)})
				}
			}
		}
	}
	up := map[[2]string]bool{}
	owners := owners(a.h, a.reign.from, a.reign.heal)
	unsure := ""
	for _, s := range a.h.Servers {
		key := [2]string{s.V.Balancer, s.V.Server}
		if up[key] && !s.V.Up && s.Time > a.reign.from && s.Time < a.reign.heal && slices.Contains(a.others, s.V.Server) && slices.Contains(owners, s.V.Balancer) {
			text := fmt.Sprintf("%s held %s for %s %s", s.V.Balancer, s.V.Server, s.V.Status, sayMoment(s.Time))
			if a.unanswered.has(s.V.Balancer, s.V.Server, s.Time) {
				unsure = cmp.Or(unsure, text)
			} else {
				see(Evidence{Seq: s.Seq, At: s.Time, Node: s.V.Server, Class: "marked down", Text: text})
			}
		}
		up[key] = s.V.Up
	}
	switch {
	case len(found) > 0:
		o.status, o.text = Fail, list(found, 3)
		o.fix = valueFix(a.h, "neither readiness nor liveness may depend on what a fault of another node takes away", ValueReadiness, ValueDependency, ValueLiveness)
	case unsure != "":
		o.status, o.text = Inconclusive, unsure
		o.reason = fmt.Sprintf("%s, for its check was not answered in time while %s: repeat the run on a quieter machine", unsure, shortMachine)
	}
	return o
}
