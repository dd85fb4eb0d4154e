package assert_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// drainGrace is how long a drained node may take to be empty in these tests.
const drainGrace = 700 * ms

// drainCase is a history in which j1 is drained, or put into maintenance, or
// one after the other, while operations of one attempt go to both nodes.
type drainCase struct {
	*history.History
	tape
	rng   *rand.Rand
	clean bool // nothing goes wrong
}

func randomDrain(seed uint64) *history.History {
	c := &drainCase{History: &history.History{Names: &history.Names{}, End: 3 * sec}, rng: random(seed, 40)}
	c.clean = chance(c.rng, 2)
	first, heal := time.Duration(500+c.rng.IntN(200))*ms, 2*sec+time.Duration(c.rng.IntN(400))*ms
	switch c.rng.IntN(8) {
	case 0:
		c.order("maintenance", first, 50*ms, heal)
	case 1:
		c.order("drain", first, 50*ms, heal)
		c.order("maintenance", first+800*ms, 30*ms, heal-100*ms)
	case 2: // another kind of fault: nothing to judge
		c.order("instance-kill", first, 50*ms, heal)
	default:
		c.order("drain", first, time.Duration(20+c.rng.IntN(60))*ms, heal)
	}
	for range 12 + c.rng.IntN(10) {
		c.op(time.Duration(c.rng.IntN(2800)) * ms)
	}
	byTime(c.Dispatches)
	byTime(c.Receipts)
	c.Coverage = covered(history.StreamReceipt, history.StreamDispatch)
	if chance(c.rng, 4) {
		from := time.Duration(c.rng.IntN(2500)) * ms
		c.Coverage[1].V.Unknown = []history.Window{{From: from, To: from + 50*ms}}
	}
	return c.History
}

// order tells the balancers of j1, one after the other.
func (c *drainCase) order(kind string, at, within, heal time.Duration) {
	c.Faults = append(c.Faults, history.Fault{
		ID: len(c.Faults) + 1, Kind: kind, Nodes: []string{"j1"}, Injected: at, Active: at + within, Heal: heal, Healed: heal + 5*ms,
		Proof: &history.Proof{OK: true, From: at, To: at + within},
	})
}

// op is an operation that was sent at a time, with what balancer and node
// wrote of it.
func (c *drainCase) op(sent time.Duration) {
	f := c.Faults[0]
	ordered := sent > f.Injected && sent < f.Heal
	began := chance(c.rng, 2)
	node, term := aNode(c.rng), "--VN"
	if began {
		term = oneOf(c.rng, "--NI", "--II")
	}
	if ordered && (began || f.Kind == "maintenance" || len(c.Faults) > 1) && (c.clean || !chance(c.rng, 8)) {
		node = "j2"
	}
	took := time.Duration(1+c.rng.IntN(40)) * ms
	if chance(c.rng, 4) {
		took += 200 * ms
	}
	op := history.Op{
		ID: uint64(len(c.Ops)) + 1, Type: history.Order, Intended: sent, Sent: sent, End: sent + took,
		Outcome: history.Good, Status: 201, Attempts: 1, Node: c.Names.Intern(node),
	}
	wait, connect := time.Duration(c.rng.IntN(4))*ms, time.Duration(c.rng.IntN(3))*ms
	d := history.Dispatch{
		Span: history.Span{Within: ms}, Balancer: "lb1", Op: op.ID, Attempt: 1, Server: node, Status: 201, Term: term,
		Wait: wait, Connect: connect, Response: took - wait - connect, Total: took,
	}
	fail := func(class string, outcome history.Outcome) {
		op.Outcome, op.Status, op.Node, op.Error = outcome, 0, 0, uint16(c.Names.Intern(class))
	}
	line, arrives := true, true
	switch what := c.rng.IntN(40); {
	case what == 0: // the client left
		fail(history.ErrTimeout, history.Unknown)
		d.Status, d.Term, d.Response = 0, "CH"+term[2:], -1
	case what == 1 && chance(c.rng, 2): // its balancer left no line
		fail(history.ErrReset, history.Unknown)
		line, arrives = false, false
	case what == 2: // it never got to a server
		d.Connect, d.Response, d.Status, d.Term = -1, -1, 503, "SC"+term[2:]
		op.Outcome, op.Status, op.Error, arrives = history.Failed, 503, uint16(c.Names.Intern(history.ErrStatus)), false
	case !c.clean && what == 3:
		fail(history.ErrEOF, history.Unknown)
		d.Status, d.Term, d.Response = 502, "SH"+term[2:], -1
	case !c.clean && what == 4:
		fail(history.ErrEOF, history.Unknown)
		line = false
	case !c.clean && what == 5: // an error of the node itself
		op.Outcome, op.Status, d.Status = history.Failed, 500, 500
	}
	c.Ops = append(c.Ops, op)
	if line {
		c.Dispatches = append(c.Dispatches, seen(&c.tape, sent, d))
	}
	if arrives {
		r := history.Receipt{Span: history.Span{Within: ms}, Node: node, What: "arrive", Op: op.ID, Attempt: 1}
		c.Receipts = append(c.Receipts, seen(&c.tape, sent+wait+connect, r))
	}
}

// naiveDrain judges each order about j1 by trying every millisecond at which a
// request can have been handed over. The last result says that something lay on
// an edge, where it is not certain which side it was on.
func naiveDrain(h *history.History, grace time.Duration) (r ruling, edge bool) {
	var orders []history.Fault
	for _, f := range h.Faults {
		if f.Kind == "drain" || f.Kind == "maintenance" {
			orders = append(orders, f)
		}
	}
	if len(orders) == 0 {
		return r, false
	}
	failed, unsure, exercised := false, false, false
	for _, f := range orders {
		from, to, until := f.Injected, f.Active, h.End
		for _, other := range orders {
			if other.Heal > f.Injected {
				until = min(until, other.Heal)
			}
		}
		first := len(r.Found)
		underWay, elsewhere := false, false
		empty, last := from, uint64(0)
		wrote := map[uint64]bool{} // operations whose line tells that they were cut
		for _, x := range h.Dispatches {
			d := x.V
			lo, hi := x.Time+d.Wait-d.Within, x.Time+d.Wait+d.Connect+d.Within
			ended := x.Time + d.Total + d.Within
			if d.Connect < 0 || lo >= until || ended < from {
				continue
			}
			edge = edge || hi >= until || ended-2*d.Within < to && ended >= from && d.Status != 201
			began := d.Term[2] == 'N' || d.Term[2] == 'I'
			certain := true // that it was handed over after every balancer knew
			for t := lo; t <= hi; t += ms {
				certain = certain && t > to+history.MaxClockStep && t < until
			}
			if d.Server != "j1" {
				elsewhere = elsewhere || certain && began
				continue
			}
			underWay = underWay || hi <= to
			if ended > empty {
				empty, last = ended, x.Seq
			}
			switch {
			case certain && f.Kind == "maintenance":
				r.Found = append(r.Found, mark("request in maintenance", x.Seq))
			case certain && began:
				r.Found = append(r.Found, mark("new session", x.Seq))
			}
			if d.Status >= 500 || d.Term[0] != '-' && d.Term[0] != 'C' {
				r.Found = append(r.Found, mark("cut", x.Seq))
				wrote[d.Op] = true
			}
		}
		for _, x := range h.Receipts {
			op := h.Ops[x.V.Op-1]
			answered := op.Status != 0 || h.ErrorOf(&op) == history.ErrTimeout
			if x.V.Node == "j1" && x.Time < until && op.End >= from && !answered && !wrote[op.ID] {
				r.Found = append(r.Found, mark("cut", x.Seq))
				edge = edge || op.End < to
			}
		}
		wrong := len(r.Found) > first
		failed = failed || wrong
		if !wrong && concealedIn(h, from, until) {
			unsure = true
		}
		if grace > 0 && f.Kind == "drain" {
			alone := until
			for _, other := range h.Faults {
				if other.Injected > f.Injected {
					alone = min(alone, other.Injected)
				}
			}
			switch least, most := empty-to-history.MaxClockStep, empty-from; {
			case least > grace:
				failed = true
				r.Found = append(r.Found, mark("not empty", last))
			case most > grace, alone < from+grace:
				unsure = true
			}
		}
		exercised = exercised || underWay && elsewhere
	}
	switch {
	case failed:
		r.Status = assert.Fail
	case !unsure:
		r.Status, r.Idle = assert.Pass, !exercised
	}
	return r.sorted(), edge
}

// concealedIn says whether a request of which no balancer tells, and which one
// may have taken with it at its end, was under way between two times.
func concealedIn(h *history.History, from, until time.Duration) bool {
	for _, op := range h.Ops {
		told := false
		for _, d := range h.Dispatches {
			told = told || d.V.Op == op.ID
		}
		for _, w := range h.Coverage[1].V.Unknown {
			if !told && op.Sent <= w.To && op.End >= w.From && op.Sent < until && op.End >= from {
				return true
			}
		}
	}
	return false
}

// Histories in which something lies on the very edge of an order are left out.
func TestDrainAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 1_500) {
		h := randomDrain(seed)
		for _, grace := range []time.Duration{0, drainGrace} {
			want, edge := naiveDrain(h, grace)
			if edge {
				all.add(want.Status, "edge")
				continue
			}
			v := assert.Drain{Grace: grace}.Check(h)
			require.Equal(t, want, ruled(t, v), "seed %d, grace %v: %s %v", seed, grace, v.Summary, v.Reasons)
			all.add(want.Status, classes(want.Found)...)
		}
	}
	all.require(t, 100, "pass", "fail", "inconclusive")
	all.require(t, 20, "cut", "new session", "request in maintenance", "not empty")
	require.Less(t, all.counts["edge"]*4, all.of, "of the histories")
}
