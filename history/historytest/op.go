package historytest

import (
	"fmt"
	"time"

	"github.com/hachaos/hachaos/history"
)

// Op is an operation that is being described. It becomes part of the history
// by OK, Fail, Info or Open, which return its number.
type Op struct {
	b    *Builder
	name string
	c    history.Call
	own  map[string]bool // what was said, and is no default
}

// Op begins an operation that was due at a time; it gets the next number.
//
// Unless told otherwise it is of session 1 + (number − 1) mod sessions, whose
// user is u<session>; it is sent when due and takes 10 ms in one attempt; an
// order has the key k-<number>. If an answer came (OK, or a status), it is
// by node j1 (or the node that the session is bound to) at version 1, through
// lb1, from session s<session> and its owner.
func (b *Builder) Op(name string, due time.Duration) *Op {
	id := b.next
	b.next++
	session := uint32(1 + (id-1)%uint64(max(1, b.meta.Load.Sessions)))
	o := &Op{b: b, name: name, own: map[string]bool{}, c: history.Call{ID: id, Intended: due, Sent: due, Attempts: 1}}
	if name == history.OpOrder {
		o.c.Key = fmt.Sprintf("k-%d", id)
	}
	return o.In(session)
}

// With changes the call directly; what it sets, no default overwrites, but a
// field that shall stay empty in an answer must be emptied after OK's
// defaults: see Bare.
func (o *Op) With(change func(*history.Call)) *Op {
	change(&o.c)
	return o
}

// Bare leaves every default of the answer out.
func (o *Op) Bare() *Op { o.own["answer"] = true; return o }

// In puts it into a session, and makes u<session> its user; 0 is none.
func (o *Op) In(session uint32) *Op {
	o.c.Session, o.c.User = session, ""
	if session > 0 {
		o.c.User = fmt.Sprintf("u%d", session)
	}
	return o
}

// Key sets the idempotency key.
func (o *Op) Key(k string) *Op { o.c.Key = k; return o }

// Sent is when it was really sent.
func (o *Op) Sent(at time.Duration) *Op { o.c.Sent = at; return o }

// Late is the generator's own delay.
func (o *Op) Late(d time.Duration) *Op { o.c.Late = d; return o }

// NotSent says that nothing reached the wire.
func (o *Op) NotSent() *Op { o.c.Sent, o.c.Attempts = -1, 0; return o }

// End is when it completed.
func (o *Op) End(at time.Duration) *Op { o.c.End, o.own["end"] = at, true; return o }

// On is the node that answered.
func (o *Op) On(node string) *Op { o.c.Node = node; return o }

// Bound is the node that the session was bound to.
func (o *Op) Bound(node string) *Op { o.c.Bound = node; return o }

// Via is the balancer that answered.
func (o *Op) Via(balancer string) *Op { o.c.Balancer = balancer; return o }

// Version is the deployed version that answered.
func (o *Op) Version(v string) *Op { o.c.Version = v; return o }

// Status is the answer's HTTP status.
func (o *Op) Status(code int) *Op { o.c.Status = code; return o }

// Value is the counter that was read, or the order's id.
func (o *Op) Value(v int64) *Op { o.c.Value = v; return o }

// SessionID is the server's id of the session that answered.
func (o *Op) SessionID(id string) *Op { o.c.SessionID = id; return o }

// Owner is the user that the answer named.
func (o *Op) Owner(user string) *Op { o.c.Owner = user; return o }

// New says that the answer began a new session.
func (o *Op) New() *Op { o.c.New = true; return o }

// Replayed says that the answer repeats an earlier attempt's.
func (o *Op) Replayed() *Op { o.c.Replayed = true; return o }

// Cold says that the node itself said it was not warm.
func (o *Op) Cold() *Op { o.c.Cold = true; return o }

// Try adds an attempt before the last.
func (o *Op) Try(t history.Try) *Op {
	o.c.Tries = append(o.c.Tries, t)
	o.c.Attempts = len(o.c.Tries) + 1
	return o
}

// OK completes it as the client expects.
func (o *Op) OK() uint64 {
	if o.c.Status == 0 && !o.own["answer"] {
		o.c.Status = 200
	}
	return o.complete(history.OK)
}

// Fail completes it as certainly not applied, with a class of error.
func (o *Op) Fail(class string) uint64 { o.c.Error = class; return o.complete(history.Fail) }

// Info completes it with nobody knowing, with a class of error.
func (o *Op) Info(class string) uint64 { o.c.Error = class; return o.complete(history.Info) }

// Open leaves it without a completion.
func (o *Op) Open() uint64 {
	o.b.ops[o.c.ID] = &o.c
	o.invoke()
	return o.c.ID
}

func (o *Op) invoke() {
	c := o.c
	o.b.Event(history.Event{At: c.Intended, Kind: history.Invoke, Name: o.name, Op: &history.Call{
		ID: c.ID, Session: c.Session, User: c.User, Key: c.Key, Intended: c.Intended, Bound: c.Bound,
	}})
}

func (o *Op) complete(kind history.Kind) uint64 {
	if !o.own["end"] {
		o.c.End = max(o.c.Sent, o.c.Intended) + 10*time.Millisecond
	}
	if o.c.Status > 0 && !o.own["answer"] {
		o.answer()
	}
	o.Open()
	o.b.Event(history.Event{At: o.c.End, Kind: kind, Name: o.name, Op: &o.c})
	return o.c.ID
}

// answer fills in what any answer names.
func (o *Op) answer() {
	c := &o.c
	set := func(field *string, v string) {
		if *field == "" {
			*field = v
		}
	}
	if set(&c.Node, c.Bound); c.Node == "" {
		c.Node = "j1"
	}
	set(&c.Version, "1")
	set(&c.Balancer, "lb1")
	if c.Session > 0 {
		set(&c.SessionID, fmt.Sprintf("s%d", c.Session))
		set(&c.Owner, c.User)
	}
}
