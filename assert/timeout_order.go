package assert

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// TimeoutOrder expects that whoever gives a request up is the innermost that
// can: the application before the balancer, the balancer before the client.
// The application alone knows what became of the request and can say so; an
// outer layer that gives up before it leaves the work running behind its back,
// holding its thread and its connection, and to be committed later, with
// nobody who could be told. What a layer gave up first is read from the
// answers, request by request:
//
//   - the application gave up: the node itself answered 5xx;
//   - the balancer did: its line says that its timeout of the server ran out
//     (a termination state that begins with s: HAProxy 3.0 Configuration
//     Manual, 8.5), though the node had taken the request;
//   - the client did: its patience ended, though a node had taken the request
//     and nobody had answered it.
//
// A node that is itself the victim of a fault gives nothing up, and what it
// had taken is not judged. Nor is what no node has taken, or what one took
// while it warmed up.
//
// It is not exercised if nobody ever gave up. The zero value is ready to use.
type TimeoutOrder struct{}

// Name implements Checker.
func (TimeoutOrder) Name() string { return "timeout-order" }

// About implements Checker.
func (TimeoutOrder) About() string {
	return "a request that cannot be answered is given up by the application, before the balancer or the client does (0 given up by these)"
}

// Needs implements Checker.
func (TimeoutOrder) Needs() []Need {
	return []Need{
		{Kind: NeedFault},
		{Kind: NeedClock},
		{Kind: NeedStream, Stream: history.StreamReceipt},
		{Kind: NeedStream, Stream: history.StreamDispatch},
	}
}

// Check implements Checker. Measured is the number of requests that were given
// up out of order.
func (c TimeoutOrder) Check(h *history.History) Verdict {
	o := &givenUp{h: h, taken: map[hidden]*arrival{}}
	o.receipts()
	o.lines()
	o.clients()
	v := Verdict{
		Name: c.Name(), Bound: figure(0), Op: "<=", Unit: "requests", Evidence: o.evidence,
		Measured: figure(float64(len(o.evidence))), Measures: o.measures(),
	}
	slices.SortStableFunc(v.Evidence, func(a, b Evidence) int { return cmp.Compare(a.At, b.At) })
	switch n := len(v.Evidence); {
	case n > 0:
		v.Status = Fail
		v.Summary = fmt.Sprintf("%s given up while the application was still at work: %s.", count(n, "request"), v.Evidence[0].Text)
		v.Fix = valueFix(h, "let the application's limits, of its pool, its locks and its statements, end before the balancer's timeout server, and that before the client's patience",
			ValuePoolWait, ValueStatementTime, ValueTimeouts, ValueServerTimeout)
	case o.application.n == 0:
		v.Status, v.NotExercised = Pass, true
		v.Summary = "Nobody gave a request up."
	default:
		v.Status = Pass
		v.Summary = fmt.Sprintf("The application gave up %s, after %s at the longest, and nobody did before it.", count(o.application.n, "request"), sayTime(o.application.longest))
	}
	limitEvidence(&v)
	return v
}

// givenUp is one judgement of TimeoutOrder.
type givenUp struct {
	h     *history.History
	taken map[hidden]*arrival // by operation and attempt alone

	application, balancer, client waits
	committed                     int // after somebody had given them up
	evidence                      []Evidence
}

// arrival is a request that arrived at a node.
type arrival struct {
	node      string
	committed time.Duration // -1: it was not
	ended     time.Duration // the balancer's line says; -1: there is none
}

// waits are the requests that one layer gave up, and how long it had waited.
type waits struct {
	n       int
	longest time.Duration
}

func (w *waits) add(waited time.Duration) {
	w.n++
	w.longest = max(w.longest, waited)
}

// receipts takes the nodes' word for what they took, and committed.
func (o *givenUp) receipts() {
	for i := range o.h.Receipts {
		at := &o.h.Receipts[i]
		r := &at.V
		if r.Op == 0 || o.isVictim(r.Node) || !judgedAt(o.h, at.Time) {
			continue
		}
		key := hidden{op: r.Op, attempt: r.Attempt}
		switch t := o.taken[key]; {
		case r.What == "arrive":
			o.taken[key] = &arrival{node: r.Node, committed: -1, ended: -1}
		case t != nil:
			t.committed = at.Time
		}
	}
}

// isVictim says that a fault was aimed at the node itself.
func (o *givenUp) isVictim(node string) bool {
	return slices.ContainsFunc(o.h.Faults, func(f history.Fault) bool { return slices.Contains(f.Nodes, node) })
}

// lines takes the balancers' word for how what was taken ended.
func (o *givenUp) lines() {
	for i := range o.h.Dispatches {
		at := &o.h.Dispatches[i]
		d := &at.V
		t := o.taken[hidden{op: d.Op, attempt: d.Attempt}]
		if t == nil || d.Term == "" {
			continue
		}
		t.ended = at.Time + d.Total
		switch {
		case d.Term[0] == 's':
			o.balancer.add(d.Total)
			o.violate(t, at.Seq, d.Op, d.Attempt, t.ended, "balancer gave up", fmt.Sprintf("%s gave up after %s (status %d, %s in its log)", d.Balancer, sayTime(d.Total), d.Status, d.Term))
		case d.Term[0] == '-' && d.Status >= 500:
			o.application.add(d.Total)
		}
	}
}

// clients takes the clients' word for what they waited for in vain. An answer
// that the balancer had given by then was lost on its way: nobody was late.
func (o *givenUp) clients() {
	for i := range o.h.Ops {
		op := &o.h.Ops[i]
		if op.End < 0 || o.h.ErrorOf(op) != history.ErrTimeout {
			continue
		}
		attempt := max(int(op.Attempts), len(o.h.Tries[op.ID])+1)
		t := o.taken[hidden{op: op.ID, attempt: attempt}]
		if t == nil || t.ended >= 0 && t.ended < op.End {
			continue
		}
		waited := op.End - max(op.Sent, op.Intended)
		o.client.add(waited)
		o.violate(t, 0, op.ID, attempt, op.End, "client gave up", fmt.Sprintf("the client gave up after %s", sayTime(waited)))
	}
}

// violate notes that somebody gave up at a time what the node was still at.
func (o *givenUp) violate(t *arrival, seq, op uint64, attempt int, at time.Duration, class, who string) {
	text := fmt.Sprintf("operation %d, attempt %d: %s, while %s was at work on it", op, attempt, who, t.node)
	if t.committed > at {
		o.committed++
		text += fmt.Sprintf(" and committed it %s later", sayTime(t.committed-at))
	}
	o.evidence = append(o.evidence, Evidence{Seq: seq, Op: op, At: at, Node: t.node, Class: class, Text: text})
}

func (o *givenUp) measures() []Measure {
	out := make([]Measure, 0, 4)
	for _, by := range []struct {
		who  string
		what waits
	}{{"application", o.application}, {"balancer", o.balancer}, {"client", o.client}} {
		out = append(out, Measure{Name: "given up by the " + by.who, Value: float64(by.what.n), Unit: "requests", Note: "after " + sayTime(by.what.longest) + " at the longest"})
	}
	return append(out, Measure{Name: "committed after they were given up", Value: float64(o.committed), Unit: "requests"})
}
