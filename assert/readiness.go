package assert

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// ReadinessGating expects that nodes get requests only while they are ready.
// What is ready does not rest on the health endpoint alone: a node is not
// ready while its endpoint answers no, its log says unready or stopping, or
// its gauges say that it is not warm or does not reach its database. Times
// are intervals, and only what is a violation for every time in them counts:
//
//   - a request got to a restarted node before it became ready;
//   - a request got to a node later than SettleBound after it became
//     unready by its own word;
//   - an answer came from a node that itself says it was not warm;
//   - a request was handed, later than SilentBound, to a node that had
//     stopped answering, and was not answered: a frozen process whose port
//     accepts;
//   - liveness said no while only the database was away: it would have the
//     node restarted for a fault of another.
//
// What comes after a bound because the machine was short until then is no
// violation, and makes the verdict inconclusive.
//
// A request got to a node if the node's own receipt says so, or the
// balancer's log says that a connection to it stood. A mere attempt to reach
// a node that is dead, refused or unanswered and then sent elsewhere, is not
// judged here: how long a balancer may try is the time that it takes to
// detect a death, which FailoverAnatomy judges, and what it cost users is
// ErrorBudget's.
//
// The zero value is ready to use.
type ReadinessGating struct {
	// SettleBound names the bound (of Meta.Bounds) from unready to the last
	// request; "unready" by default.
	SettleBound string `json:"settleBound,omitempty"`
	// SilentBound names the bound within which a balancer notices a node that
	// accepts and does not answer; "detected/frozen" by default. If the run
	// has no such bound, silent nodes are not judged.
	SilentBound string `json:"silentBound,omitempty"`
}

// Name implements Checker.
func (ReadinessGating) Name() string { return "readiness-gating" }

// About implements Checker.
func (r ReadinessGating) About() string {
	r = r.defaults()
	return fmt.Sprintf("a restarted node gets no request before it is ready, an unready one none after the bound %s, and no answer comes from a node that is not warm (0 violations)", r.SettleBound)
}

// Needs implements Checker.
func (ReadinessGating) Needs() []Need {
	return []Need{
		{Kind: NeedFault},
		{Kind: NeedClock},
		{Kind: NeedStream, Stream: history.StreamReadiness},
		{Kind: NeedStream, Stream: history.StreamTruth},
		{Kind: NeedStream, Stream: history.StreamTransition},
		{Kind: NeedStream, Stream: history.StreamReceipt},
		{Kind: NeedStream, Stream: history.StreamDispatch, Beside: true},
		{Kind: NeedStream, Stream: history.StreamEngine},
	}
}

func (r ReadinessGating) defaults() ReadinessGating {
	r.SettleBound = cmp.Or(r.SettleBound, "unready")
	r.SilentBound = cmp.Or(r.SilentBound, "detected/frozen")
	return r
}

// Check implements Checker. Measured is the number of requests (and looks at
// liveness) that violate it.
func (r ReadinessGating) Check(h *history.History) Verdict {
	r = r.defaults()
	g := newGate(h, r)
	g.requests()
	g.answers()
	g.liveness()
	v := Verdict{Name: r.Name(), Bound: figure(0), Op: "<=", Unit: "violations", Evidence: []Evidence{}}
	v.Measures = g.measures()
	v.Notes = g.notes()
	g.conclude(&v)
	return v
}

// conclude gives the status and says what was seen.
func (g *gate) conclude(v *Verdict) {
	n := len(g.broken)
	v.Measured = figure(float64(n))
	switch {
	case n > 0:
		g.fail(v)
	case !g.told():
		v.Measured = nil
		v.Summary = "Nothing was observed of when nodes were ready."
		v.Reasons = append(v.Reasons, "no node's readiness, gauges or log was observed")
	case g.undecided() != "":
		v.Summary = "No request got to a node that was certainly not ready, but not all could be judged."
		v.Reasons = append(v.Reasons, g.undecided())
	case !g.exercised():
		v.Status, v.NotExercised = Pass, true
		v.Summary = "No node was restarted or turned unready while requests could have got to it."
	default:
		v.Status = Pass
		v.Summary = "No request got to a node that was not ready."
	}
}

func (g *gate) fail(v *Verdict) {
	v.Status = Fail
	slices.SortStableFunc(g.broken, func(a, b breach) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.At, b.At), cmp.Compare(a.Op, b.Op))
	})
	for _, b := range g.broken[:min(len(g.broken), MaxEvidence)] {
		v.Evidence = append(v.Evidence, b.Evidence)
	}
	v.More = len(g.broken) - len(v.Evidence)
	worst := g.broken[0]
	v.Summary = fmt.Sprintf("%s: %s.", count(len(g.broken), "violation"), worst.Text)
	v.Fix = g.fix(worst.rank)
}

// fix is by what was worst.
func (g *gate) fix(rank int) string {
	switch {
	case rank == rankUnready && g.settleKnown:
		return boundFix(g.settle)
	case rank == rankSilent && g.silentKnown:
		return boundFix(g.silent)
	case rank == rankLiveness:
		return valueFix(g.h, "liveness must not look at what the node depends on", ValueLiveness)
	}
	return valueFix(g.h, "the readiness endpoint must say no until the node is warm, and the balancer must check it", ValueReadiness, ValueHealthCheck)
}

// gate judges one history.
type gate struct {
	h                        *history.History
	settle, silent           history.Bound
	settleKnown, silentKnown bool

	nodes  map[string]*condition
	names  []string
	broken []breach
	seen   map[request]bool

	machine machine
	starved string // a breach of a bound that may be the machine's; empty if none
}

// request is one attempt; of a request that bears no operation, the
// balancer's number of it.
type request struct {
	op      uint64
	attempt int
	lb      string
	number  uint64
}

// breach is a violation.
type breach struct {
	Evidence
	rank int
}

// Ranks of violations, worst first.
const (
	rankRestarted = iota
	rankUnready
	rankCold
	rankSilent
	rankLiveness
	ranks
)

func newGate(h *history.History, r ReadinessGating) *gate {
	g := &gate{h: h, seen: map[request]bool{}, machine: machineOf(h)}
	g.settle, g.settleKnown = findBound(h, r.SettleBound)
	g.silent, g.silentKnown = findBound(h, r.SilentBound)
	g.nodes, g.names = conditions(h)
	return g
}

// told says whether anything was observed of any node.
func (g *gate) told() bool {
	for _, c := range g.nodes {
		if c.told {
			return true
		}
	}
	return false
}

// undecided is why no violation found does not mean that there was none.
func (g *gate) undecided() string {
	if r := cmp.Or(g.concealed(), g.starved); r != "" {
		return r
	}
	if g.settleKnown {
		return ""
	}
	for _, n := range g.names {
		for _, l := range g.nodes[n].unready {
			if len(l) > 0 {
				return fmt.Sprintf("%s turned unready %s (%s), and the topology states no bound for how long it may be served then: name one of %s",
					n, sayMoment(l[0].from), l[0].says, boundNames(g.h))
			}
		}
	}
	return ""
}

// concealed is why a request that a balancer took with it may have got to a
// node that was not ready: one was under way while there was such a node.
func (g *gate) concealed() string {
	for _, a := range hiddenRequests(g.h) {
		for _, n := range g.names {
			if g.nodes[n].refuses(a.from, a.to, g.settle.Limit, g.silent.Limit) {
				return fmt.Sprintf("operation %d, attempt %d was under way when its balancer ended, which left no line of it, and %s was not ready then", a.op, a.attempt, n)
			}
		}
	}
	return ""
}

// refuses says whether the node might have been got to wrongly at some time
// of the interval.
func (c *condition) refuses(from, to, settle, silent time.Duration) bool {
	for _, l := range c.lives {
		if from < l.readyFrom && to >= l.born {
			return true
		}
	}
	overlaps := func(l spells, grace time.Duration) bool {
		return slices.ContainsFunc(l, func(s spell) bool { return from < s.to && to > s.from+grace })
	}
	return overlaps(c.silent, silent) || slices.ContainsFunc(c.unready, func(l spells) bool { return overlaps(l, settle) })
}
