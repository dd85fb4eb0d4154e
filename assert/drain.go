package assert

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// Drain expects that a node is taken out of rotation without a user noticing:
//
//   - what it works on when the balancers are told to spare it, and what it
//     gets after that, completes;
//   - once the last balancer has taken the order, a drained node gets no new
//     session, and one in maintenance no request at all;
//   - it is empty within the grace period: its last request has ended.
//
// A drained node still serves the sessions that a cookie binds to it (HAProxy
// 3.0 Configuration Manual, "cookie"; Management Guide, "set server … state
// drain"): their requests are counted and are no violation. They are what
// takes the time to empty.
//
// It is about the faults of the kinds drain and maintenance. Times are
// intervals, and only what is a violation for every time in them counts. A
// request that a balancer took with it at its own end, and that has no line,
// makes the result inconclusive if it was under way meanwhile.
//
// The zero value is ready to use.
type Drain struct {
	// Grace is how long the node may take to be empty, from the order; 0 is
	// not judged. The order must stand alone for that long.
	Grace time.Duration `json:"grace,omitempty"`
}

// Kinds of faults that Drain is about.
const (
	kindDrain       = "drain"
	kindMaintenance = "maintenance"
)

// Name implements Checker.
func (Drain) Name() string { return "drain" }

// About implements Checker.
func (d Drain) About() string {
	s := "what a drained node works on completes, and it gets no new session, in maintenance no request, after the order (0 violations)"
	if d.Grace > 0 {
		s += fmt.Sprintf("; it is empty within %s", sayTime(d.Grace))
	}
	return s
}

// Needs implements Checker.
func (Drain) Needs() []Need {
	return []Need{
		{Kind: NeedFault},
		{Kind: NeedClock},
		{Kind: NeedStream, Stream: history.StreamReceipt},
		{Kind: NeedStream, Stream: history.StreamDispatch, Beside: true},
	}
}

// Check implements Checker. Measured is the number of violations.
func (d Drain) Check(h *history.History) Verdict {
	v := Verdict{Name: d.Name(), Bound: figure(0), Op: "<=", Unit: "violations", Evidence: []Evidence{}}
	var orders []*drainage
	for i := range h.Faults {
		if f := &h.Faults[i]; f.Kind == kindDrain || f.Kind == kindMaintenance {
			for _, n := range f.Nodes {
				o := &drainage{h: h, fault: f, node: n}
				o.from, o.to = tookEffect(f)
				o.until = until(h, f, n)
				o.look()
				orders = append(orders, o)
			}
		}
	}
	d.conclude(&v, orders)
	return v
}

// until is when the order was taken back; the record's end if it never was.
// To take one order about a node back takes them all: a balancer has one
// state of a server.
func until(h *history.History, of *history.Fault, node string) time.Duration {
	end := h.End
	for _, f := range h.Faults {
		if (f.Kind == kindDrain || f.Kind == kindMaintenance) && f.Heal > of.Injected && slices.Contains(f.Nodes, node) {
			end = min(end, f.Heal)
		}
	}
	return end
}

func (d Drain) conclude(v *Verdict, orders []*drainage) {
	objectives := make([]objective, 0, 2*len(orders))
	n, exercised := 0, false
	late := time.Duration(0) // the longest that a node took that was not empty in time
	for _, o := range orders {
		v.Evidence = append(v.Evidence, o.violations()...)
		v.Measures = append(v.Measures, o.measures()...)
		n += len(o.cut) + len(o.wrong)
		exercised = exercised || o.inFlight > 0 && o.elsewhere > 0
		objectives = append(objectives, o.objective())
		if d.Grace > 0 && o.fault.Kind == kindDrain {
			emptied := o.emptied(d.Grace)
			if emptied.status == Fail {
				v.Evidence = append(v.Evidence, o.notEmpty())
				late = max(late, o.empty-o.from)
			}
			objectives = append(objectives, emptied)
		}
	}
	v.Measured = figure(float64(n))
	if n == 0 && late > 0 { // the time decides
		v.Measured, v.Bound, v.Unit = figure(millis(late)), figure(millis(d.Grace)), "ms"
	}
	conclude(v, objectives)
	limitEvidence(v)
	switch {
	case len(orders) == 0:
		v.Measured = nil
		v.Reasons = append(v.Reasons, "no node was drained, nor put into maintenance")
	case v.Status == Pass && !exercised:
		v.NotExercised = true
		v.Summary += " Nothing was under way at the node, or no session began anywhere, so that there was nothing to spoil."
	}
}

// drainage is one order about one node.
type drainage struct {
	h        *history.History
	fault    *history.Fault
	node     string
	from, to time.Duration // between the first balancer's order and the last's
	until    time.Duration // it was taken back

	cut, wrong []Evidence
	inFlight   int           // under way when the order came
	bound      int           // requests after it of sessions that were bound
	elsewhere  int           // sessions that began at other nodes meanwhile
	empty      time.Duration // the last request at the node ended; from if none
	last       hit           // that request
}

// alone is until when nothing but the order emptied the node: when it was taken
// back, or another fault, such as maintenance after a drain, was aimed there.
func (o *drainage) alone() time.Duration {
	end := o.until
	for i := range o.h.Faults {
		if f := &o.h.Faults[i]; f != o.fault && f.Injected > o.fault.Injected && slices.Contains(f.Nodes, o.node) {
			end = min(end, f.Injected)
		}
	}
	return end
}

// settled is when the order certainly held at every balancer, in the terms of
// the balancers' logs.
func (o *drainage) settled() time.Duration { return o.to + history.MaxClockStep }

func (o *drainage) look() {
	o.empty = o.from
	seen := map[hidden]bool{} // by operation and attempt alone
	for i := range o.h.Dispatches {
		o.line(&o.h.Dispatches[i], seen)
	}
	for i := range o.h.Receipts {
		o.receipt(&o.h.Receipts[i], seen)
	}
}

// line takes a line of a balancer's log: of a request that was handed to a
// server at some time from lo to hi, and ended.
func (o *drainage) line(at *history.At[history.Dispatch], seen map[hidden]bool) {
	x, ok := handedOver(at)
	d := &at.V
	end := at.Time + d.Total + d.Within
	if !ok || end < o.from || x.lo >= o.until {
		return
	}
	newcomer := isNew(d.Term)
	if x.node != o.node {
		if newcomer && x.lo > o.settled() {
			o.elsewhere++
		}
		return
	}
	if end > o.empty {
		o.empty, o.last = end, x
	}
	if x.hi <= o.to {
		o.inFlight++
	}
	if x.lo > o.settled() {
		switch {
		case o.fault.Kind == kindMaintenance:
			o.violate(x, "request in maintenance", fmt.Sprintf("was sent to %s %s after every balancer had put it into maintenance", o.node, sayTime(x.lo-o.to)))
		case newcomer:
			o.violate(x, "new session", fmt.Sprintf("began a session at %s %s after every balancer was told to drain it", o.node, sayTime(x.lo-o.to)))
		default:
			o.bound++
		}
	}
	if broken(d) {
		seen[hidden{op: d.Op, attempt: d.Attempt}] = true
		o.cut = append(o.cut, Evidence{
			Seq: at.Seq, Op: d.Op, At: x.lo, Node: o.node, Class: "cut",
			Text: fmt.Sprintf("%s, at work at %s, did not complete: status %d, %s in the log of %s", x.request, o.node, d.Status, d.Term, d.Balancer),
		})
	}
}

// isNew says that the balancer chose the server, since no valid cookie did:
// the third character of HAProxy's termination state (Configuration Manual,
// 8.5) is N where the client had no cookie, I where it was of no server.
func isNew(term string) bool { return len(term) > 2 && (term[2] == 'N' || term[2] == 'I') }

// broken says that the request did not complete, and not because the client
// left.
func broken(d *history.Dispatch) bool {
	if d.Status >= 500 {
		return true
	}
	return len(d.Term) > 1 && d.Term[0] != '-' && d.Term[0] != 'C' && d.Term[0] != 'c'
}

func (o *drainage) violate(x hit, class, text string) {
	o.wrong = append(o.wrong, Evidence{Seq: x.seq, Op: x.op, At: x.lo, Node: o.node, Class: class, Text: x.request.String() + " " + text})
}

// receipt takes a node's word that a request arrived: one whose attempt came
// to no answer was cut, whether a balancer wrote a line of it or not.
func (o *drainage) receipt(at *history.At[history.Receipt], seen map[hidden]bool) {
	r := &at.V
	if r.Node != o.node || r.What != "arrive" || r.Op == 0 || at.Time >= o.until {
		return
	}
	op, ok := o.h.Op(r.Op)
	if !ok || seen[hidden{op: r.Op, attempt: r.Attempt}] {
		return
	}
	end, lost := came(o.h, op, r.Attempt)
	if !lost || end < o.from {
		return
	}
	seen[hidden{op: r.Op, attempt: r.Attempt}] = true
	o.cut = append(o.cut, Evidence{
		Seq: at.Seq, Op: r.Op, At: at.Time, Node: o.node, Class: "cut",
		Text: fmt.Sprintf("operation %d, attempt %d arrived at %s, and its client got no answer", r.Op, r.Attempt, o.node),
	})
}

// came is what an attempt came to: when it ended, and whether without an
// answer of the application, though the client waited for one.
func came(h *history.History, op *history.Op, attempt int) (end time.Duration, lost bool) {
	if tries := h.Tries[op.ID]; attempt >= 1 && attempt <= len(tries) {
		t := tries[attempt-1]
		return t.End, t.Status == 0 && t.Error != history.ErrTimeout
	}
	end = op.End
	if end < 0 {
		end = h.End
	}
	e := h.ErrorOf(op)
	return end, op.Outcome != history.Good && op.Status == 0 && e != history.ErrTimeout && e != history.ErrCancelled
}

// violations are all of them, in the order of time: the first is what began
// it.
func (o *drainage) violations() []Evidence {
	all := slices.Concat(o.wrong, o.cut)
	slices.SortStableFunc(all, func(a, b Evidence) int { return cmp.Compare(a.At, b.At) })
	return all
}

// objective judges the order.
func (o *drainage) objective() objective {
	n := len(o.cut) + len(o.wrong)
	out := objective{name: o.fault.Kind, status: Pass, text: fmt.Sprintf("%s of %s: %d under way completed, and no %s after it",
		o.fault.Kind, o.node, o.inFlight, map[string]string{kindDrain: "session began there", kindMaintenance: "request was sent there"}[o.fault.Kind])}
	if n > 0 {
		out.status = Fail
		out.text = fmt.Sprintf("%s of %s: %s", o.fault.Kind, o.node, count(n, "violation"))
		out.text += ": " + o.violations()[0].Text
		out.fix = o.fix()
		return out
	}
	for _, a := range hiddenRequests(o.h) {
		if a.to >= o.from && a.from < o.until {
			out.status = Inconclusive
			out.reason = fmt.Sprintf("operation %d, attempt %d was under way when its balancer ended, which left no line of it: it may have been at %s", a.op, a.attempt, o.node)
		}
	}
	return out
}

// fix is by what came first.
func (o *drainage) fix() string {
	if o.violations()[0].Class == "cut" {
		return valueFix(o.h, "drain at every balancer, and wait until the node is empty, before it is stopped", ValueLameDuck, ValueStopTimeout)
	}
	return valueFix(o.h, "drain at every balancer, and keep the order across a reload", ValueServerState, ValueAffinity)
}

// notEmpty is the request that was the last to end.
func (o *drainage) notEmpty() Evidence {
	return Evidence{
		Seq: o.last.seq, Op: o.last.op, At: o.last.lo, Node: o.node, Class: "not empty",
		Text: fmt.Sprintf("%s, the last at %s, ended %s after every balancer was told to drain it", o.last.request, o.node, sayTime(o.empty-o.settled())),
	}
}

// emptied judges how long it took until the last request had ended.
func (o *drainage) emptied(grace time.Duration) objective {
	least, most, alone := o.empty-o.settled(), o.empty-o.from, o.alone()-o.from
	out := objective{name: "empty", text: fmt.Sprintf("%s was empty %s after the order (at most %s)", o.node, sayTime(most), sayTime(grace))}
	switch {
	case least > grace && machineOf(o.h).starved(o.settled(), o.empty, grace):
		out.reason = starvedReason(out.text)
	case least > grace:
		out.status = Fail
		out.fix = valueFix(o.h, "shorten the sessions or the requests, lengthen the grace period, or follow the drain by maintenance", ValueAffinity)
	case alone < grace:
		out.reason = fmt.Sprintf("the drain of %s was taken back, or something else was done to the node, %s after the order: whether it was empty within %s by itself cannot be told; lengthen the phase",
			o.node, sayTime(alone), sayTime(grace))
	case most <= grace:
		out.status = Pass
	default:
		out.reason = out.text + ", give or take: the order was not given at one moment"
	}
	return out
}

func (o *drainage) measures() []Measure {
	of := " at " + o.node + ", " + o.fault.Kind
	return []Measure{
		{Name: "under way" + of, Value: float64(o.inFlight), Unit: "requests"},
		{Name: "cut" + of, Value: float64(len(o.cut)), Unit: "requests", Bound: figure(0)},
		{Name: "wrongly sent" + of, Value: float64(len(o.wrong)), Unit: "requests", Bound: figure(0)},
		{Name: "of bound sessions" + of, Value: float64(o.bound), Unit: "requests", Note: "a drained node still serves them"},
		{Name: "sessions begun elsewhere" + of, Value: float64(o.elsewhere), Unit: "sessions"},
		{Name: "time to empty" + of, Value: millis(o.empty - o.from), Unit: "ms"},
	}
}

// String names the request in evidence.
func (r request) String() string {
	if r.op == 0 {
		return fmt.Sprintf("request %d of %s", r.number, r.lb)
	}
	return fmt.Sprintf("operation %d, attempt %d", r.op, r.attempt)
}
