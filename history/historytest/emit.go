package historytest

import (
	"container/heap"
	"time"

	"github.com/hachaos/hachaos/history"
)

// op is a completion, or another event, that waits for its time.
type op struct {
	e     history.Event
	c     history.Call
	later []history.Event // observations that follow it
	turn  uint64          // keeps the order where times are equal
	// commits is the order that the last attempt wrote; 0 is none.
	commits int64
}

// queue puts events in the order of their times and hands them on. It is
// its own heap.Interface over what waits.
type queue struct {
	yield   func(history.Event) bool
	stopped bool
	seq     uint64
	turn    uint64
	waiting []*op
	free    []*op
}

// emit hands an event on.
func (q *queue) emit(e history.Event) {
	if q.stopped {
		return
	}
	q.seq++
	e.Seq = q.seq
	q.stopped = !q.yield(e)
}

// get gives an empty op.
func (q *queue) get() *op {
	if n := len(q.free); n > 0 {
		o := q.free[n-1]
		q.free = q.free[:n-1]
		*o = op{later: o.later[:0]}
		return o
	}
	return &op{}
}

// push lets an op wait until its event's time.
func (q *queue) push(o *op) {
	q.turn++
	o.turn = q.turn
	heap.Push(q, o)
}

// at lets an event wait.
func (q *queue) at(e history.Event) {
	o := q.get()
	o.e = e
	q.push(o)
}

// until hands on what is due by t.
func (q *queue) until(t time.Duration) {
	for len(q.waiting) > 0 && q.waiting[0].e.At <= t && !q.stopped {
		o := heap.Pop(q).(*op)
		if o.c.ID != 0 {
			o.e.Op = &o.c
		}
		q.emit(o.e)
		for _, e := range o.later {
			q.emit(e)
		}
		q.free = append(q.free, o)
	}
}

func (q *queue) Len() int { return len(q.waiting) }
func (q *queue) Less(i, j int) bool {
	a, b := q.waiting[i], q.waiting[j]
	return a.e.At < b.e.At || a.e.At == b.e.At && a.turn < b.turn
}
func (q *queue) Swap(i, j int) { q.waiting[i], q.waiting[j] = q.waiting[j], q.waiting[i] }
func (q *queue) Push(x any)    { q.waiting = append(q.waiting, x.(*op)) }
func (q *queue) Pop() any {
	n := len(q.waiting) - 1
	o := q.waiting[n]
	q.waiting = q.waiting[:n]
	return o
}

// logs adds what the node and the balancer log of an attempt; status 0 is
// one whose answer was lost.
func (m *model) logs(o *op, node string, attempt, status int) {
	c := &o.c
	if m.cfg.Receipts {
		r := history.Receipt{Span: history.Span{Within: time.Millisecond}, Node: node, What: "arrive", Op: c.ID, Attempt: attempt, Key: c.Key}
		o.later = append(o.later, history.Observe(c.Sent+time.Millisecond/10, r))
		if o.commits != 0 {
			r.What, r.Order = "commit", o.commits
			o.later = append(o.later, history.Observe(c.Sent+time.Millisecond/2, r))
		}
	}
	if !m.cfg.Dispatches {
		return
	}
	m.requests++
	took := c.End - c.Sent
	d := history.Dispatch{
		Span: history.Span{Within: time.Millisecond}, Balancer: "lb1", Number: m.requests, Op: c.ID, Attempt: attempt, Key: c.Key,
		Server: node, Status: status, Term: "--NI", Response: took, Total: took, Bytes: 210,
	}
	if status == 0 {
		d.Status, d.Term, d.Response = 502, "SHNI", -1
	}
	o.later = append(o.later, history.Observe(c.Sent+time.Millisecond/20, d))
}

// life is how long a session lasts.
func (m *model) life() time.Duration {
	return m.interval * time.Duration(m.cfg.Sessions*m.cfg.SessionOps)
}

// script lets the phases, the fault and the clock wait for their times.
func (m *model) script() {
	phases := []struct {
		name, kind string
		to         int // tenths of the load
	}{
		{"warm-up", history.PhaseWarmUp, 1},
		{"steady", history.PhaseSteady, 4},
		{"break", history.PhaseBreak, 7},
		{"recover", history.PhaseRecover, 8},
		{"steady again", history.PhaseSteady, 10},
	}
	from := time.Duration(0)
	for _, p := range phases {
		to := m.end * time.Duration(p.to) / 10
		m.out.at(history.Event{At: from, Kind: history.PhaseBegin, Name: p.name, Data: data(history.PhaseMeta{Kind: p.kind, For: to - from})})
		m.out.at(history.Event{At: to, Kind: history.PhaseEnd, Name: p.name})
		from = to
	}
	for t := time.Duration(0); t <= m.end; t += time.Second {
		m.out.at(history.ClockPair{Mono: t, Wall: 1_700_000_000_000_000_000 + int64(t)}.Event())
	}
	if !m.cfg.Kill {
		return
	}
	step := func(at time.Duration, kind history.Kind, p any) {
		e := history.Event{At: at, Kind: kind, Name: "instance-kill", Nodes: []string{m.victim()}, Fault: 1}
		if p != nil {
			e.Data = data(p)
		}
		m.out.at(e)
	}
	step(m.down, history.FaultInject, nil)
	step(m.down+time.Millisecond, history.FaultActive, history.Proof{OK: true, Asked: "down", Measured: "down", From: m.down, To: m.down + time.Millisecond})
	step(m.up, history.FaultHeal, nil)
	step(m.up+time.Second, history.FaultHealed, history.Proof{OK: true, Asked: "up", Measured: "up"})
}

// after is what is read when the load has ended: the ledger, the sessions,
// and the observers' accounts.
func (m *model) after() {
	at := m.end + time.Minute
	for i, r := range m.rows {
		if r.op != 0 { // not planted as lost
			m.out.emit(history.Observe(at, history.LedgerRow{Order: int64(i) + 1, Key: r.key, Op: r.op, Attempt: r.attempt, Node: r.node, Version: "1"}))
		}
	}
	for i := range m.slots {
		c := &m.slots[i]
		if !c.live {
			continue
		}
		s := history.SessionState{Session: c.session, Known: true, Found: true, ID: c.sid, User: c.owner, Count: c.count, Ops: c.ops}
		for _, s.Via = range append([]string{"vip"}, m.cfg.Nodes...) {
			m.out.emit(history.Observe(at, s))
		}
	}
	for _, s := range []string{history.StreamLedger, history.StreamSession, history.StreamReceipt, history.StreamDispatch, history.StreamEngine, history.StreamNode} {
		m.out.emit(history.Observe(at, history.Coverage{Stream: s, Complete: true}))
	}
}
