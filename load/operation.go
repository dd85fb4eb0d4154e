package load

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/hachaos/hachaos/history"
)

// RetryPause is the client's pause before the first retry of an order; it is
// doubled before each further one. Without it the retries would be spent in
// the millisecond in which the first attempt broke.
const RetryPause = 100 * time.Millisecond

// operate carries out operation n from its hit to its completion.
func (g *Generator) operate(n uint64) {
	i, k := g.schedule.turn(n)
	o := &operation{
		g: g, c: &g.clients[i], place: i, k: k,
		call: history.Call{ID: n, Intended: g.start + g.schedule.due(n), Sent: -1},
	}
	o.call.User = o.c.user
	o.call.Late = max(0, g.clock.Now()-o.call.Intended)
	if !g.tally.begin(g.cfg.Ceiling) {
		o.drop()
		return
	}
	patience := o.call.Intended + g.cfg.Timeout - g.clock.Now()
	way, came := o.c.turns.enter(g.ctx, k, patience)
	if !came {
		o.miss()
		return
	}
	defer func() {
		// What it took to journal the end is no delay of the system's.
		now := g.clock.Now()
		o.c.turns.leave(free{now, max(o.call.Late, now-o.call.End)})
	}()
	o.ready = way.ready(o.call.Intended)
	ctx, cancel := context.WithTimeoutCause(g.ctx, g.cfg.Timeout, errPatience)
	defer cancel()
	o.run(ctx)
}

// operation is one on its way.
type operation struct {
	g     *Generator
	c     *client
	place uint64 // the client's
	k     uint64
	kind  string
	ready time.Duration // from when on nothing but the generator kept it
	call  history.Call
}

// name decides what the operation is, from the client's session.
func (o *operation) name() (cookie string) {
	session, bound, cookie := o.c.now()
	o.kind = o.g.schedule.kind(o.place, o.k, session != 0)
	o.call.Session, o.call.Bound = session, bound
	if o.kind == history.OpOrder {
		o.call.Key = o.g.cfg.KeyPrefix + "-" + strconv.FormatUint(o.call.ID, 10)
	}
	return cookie
}

// drop completes an operation that the ceiling lost.
func (o *operation) drop() {
	o.name()
	o.invoke()
	o.call.End, o.call.Error = o.g.clock.Now(), history.ErrDropped
	o.c.turns.skip(o.k, free{o.call.End, o.call.Late})
	o.put(history.Fail, o.call)
	o.g.tally.dropped()
}

// miss completes an operation whose turn did not come within the client's
// patience.
func (o *operation) miss() {
	o.name()
	o.invoke()
	o.call.End, o.call.Error = o.g.clock.Now(), history.ErrNotSent
	if o.g.ctx.Err() != nil {
		o.call.Error = history.ErrCancelled
	}
	o.put(history.Fail, o.call)
	o.g.tally.done(history.Fail, &o.call, false)
}

// run makes the attempts of an operation whose turn has come.
func (o *operation) run(ctx context.Context) {
	cookie := o.name()
	if o.kind == history.OpLogin {
		o.call.Session, o.call.Bound, cookie = o.g.sessions.Add(1), "", ""
		o.c.begin(o.call.Session)
	}
	o.invoke()
	last, outcome := o.attempts(ctx, cookie)
	o.settle(last, outcome)
	o.put(outcome, o.call)
	o.g.tally.done(outcome, &o.call, true)
}

// attempts sends the operation, and an order again with the same key while
// its outcome is unknown. It is ok if any attempt is, and a fail only if
// every attempt certainly was not applied.
func (o *operation) attempts(ctx context.Context, cookie string) (last attempt, outcome history.Kind) {
	r := request{op: o.kind, key: o.call.Key, cookie: cookie, body: body(o.kind, o.call.ID, o.call.User)}
	id := strconv.FormatUint(o.call.ID, 10) + "."
	outcome = history.Fail
	o.call.Late = max(0, o.g.clock.Now()-o.ready)
	for try := 1; ; try++ {
		r.id = id + strconv.Itoa(try)
		last = o.g.exchange.do(ctx, r)
		o.c.learn(last.node, last.cookies)
		o.call.Attempts = try
		if o.call.Sent < 0 && last.sent >= 0 {
			o.call.Sent = last.sent
			o.call.Late += last.delay
		}
		switch last.outcome {
		case history.OK:
			return last, history.OK
		case history.Info:
			outcome = history.Info
		}
		if outcome == history.Fail || !o.again(ctx, last, try) {
			return last, outcome
		}
		o.call.Tries = append(o.call.Tries, history.Try{
			End: last.end, Outcome: last.outcome, Status: last.status, Error: last.class, Node: last.node,
		})
		_, _, r.cookie = o.c.now()
	}
}

// again waits for the pause before a retry; false if there is none.
func (o *operation) again(ctx context.Context, last attempt, try int) bool {
	cfg := o.g.cfg
	if o.kind != history.OpOrder || cfg.NoRetry || try > cfg.MaxRetries || last.class == history.ErrConflict {
		return false
	}
	pause := RetryPause << (try - 1)
	if deadline, _ := ctx.Deadline(); time.Until(deadline) <= pause {
		return false // an attempt would begin when the user has gone
	}
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// settle takes what the last attempt says into the call and the session.
func (o *operation) settle(last attempt, outcome history.Kind) {
	o.call.End = last.end
	o.call.Status, o.call.Error = last.status, last.class
	o.call.Node, o.call.Version, o.call.Balancer, o.call.Cold = last.node, last.version, last.balancer, last.cold
	o.call.Value, o.call.SessionID, o.call.Owner = last.value(), last.ID, last.User
	o.call.New, o.call.Replayed = last.New, last.Replayed

	leaves := o.kind == history.OpLogout
	if !leaves && (o.kind != history.OpLogin || outcome == history.OK) {
		return
	}
	if ref, ok := o.c.ref(); ok {
		ref.Ended = leaves && o.call.Sent >= 0
		o.g.refs.add(ref)
	}
	o.c.end()
}

// invoke journals the operation as due. What it is depends on the client's
// session, so that one whose session is busy is journalled when its turn has
// come, with its intended time kept.
func (o *operation) invoke() {
	call := o.call
	call.Sent, call.Late = 0, 0
	o.g.invoked.Add(1)
	o.put(history.Invoke, call)
}

func (o *operation) put(kind history.Kind, call history.Call) {
	at := call.End
	if kind == history.Invoke {
		at = o.g.clock.Now()
	}
	o.g.sink.Put(history.Event{At: at, Kind: kind, Name: o.kind, Op: &call})
}

// body is what an operation sends, the same for each of its attempts.
func body(op string, id uint64, user string) []byte {
	switch op {
	case history.OpLogin:
		return fmt.Appendf(nil, `{"user":%q}`, user)
	case history.OpOrder:
		return fmt.Appendf(nil, `{"item":"item-%d","quantity":%d}`, id%97, 1+id%9)
	case history.OpSessionRead:
		return nil
	}
	return []byte("{}")
}
