package assert_test

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// planted is a violation in a whole run, and what its evidence must name.
type planted struct {
	op, seq uint64
	says    string // in the summary; for what no single number tells
	undo    func() // takes it out again; nil if nothing could be planted
	// shown is what checkers say of it.
	shown []assert.Evidence
}

// wholePlant is a way to violate one checker.
type wholePlant struct {
	checker, class string
	kind           string
	put            func(*wholeRun) planted
	// also are the other checkers that it leaves no pass, with what they say.
	also []string
}

// set changes a value until it is undone.
func set[T any](at *T, to T) func() {
	was := *at
	*at = to
	return func() { *at = was }
}

// insert puts an observation in its place in the order of time.
func insert[T any](w *wholeRun, list *[]history.At[T], at time.Duration, v T) (seq uint64, undo func()) {
	x := seen(&w.tape, at, v)
	i, _ := slices.BinarySearchFunc(*list, at, func(x history.At[T], at time.Duration) int {
		if x.Time <= at {
			return -1
		}
		return 1
	})
	*list = slices.Insert(*list, i, x)
	return x.Seq, func() { *list = slices.Delete(*list, i, i+1) }
}

// take takes an observation out.
func take[T any](list *[]history.At[T], i int) func() {
	x := (*list)[i]
	*list = slices.Delete(*list, i, i+1)
	return func() { *list = slices.Insert(*list, i, x) }
}

// all undoes several changes, the last first.
func all(undos ...func()) func() {
	return func() {
		for _, undo := range slices.Backward(undos) {
			undo()
		}
	}
}

// pick draws an operation that fits.
func (w *wholeRun) pick(fits func(*history.Op) bool) *history.Op {
	from := w.rng.IntN(len(w.h.Ops))
	for i := range w.h.Ops {
		if o := &w.h.Ops[(from+i)%len(w.h.Ops)]; fits(o) {
			return o
		}
	}
	panic("a whole run has no such operation")
}

// settled are good operations of one attempt, of a type, due between two times.
func settled(of history.Type, from, to time.Duration) func(*history.Op) bool {
	return func(o *history.Op) bool {
		return o.Type == of && o.Outcome == history.Good && o.Attempts == 1 && o.Intended >= from && o.Intended < to
	}
}

// anOp changes one operation.
func (w *wholeRun) anOp(fits func(*history.Op) bool, change func(*history.Op)) planted {
	o := w.pick(fits)
	was := *o
	change(o)
	return planted{op: o.ID, undo: func() { *o = was }}
}

// fail has an operation come to nothing.
func (w *wholeRun) fail(o *history.Op, class string) {
	o.Outcome, o.Error, o.Node, o.Version, o.Balancer, o.Status = history.Unknown, uint16(w.h.Names.Intern(class)), 0, 0, 0, 0
	o.Owner, o.SessionID, o.Value = 0, 0, 0
}

// failAll has all operations fail that fit, and names the first of them, and
// the next good one of any.
func (w *wholeRun) failAll(fits func(*history.Op) bool) (first uint64, undo func()) {
	undos := []func(){}
	for i := range w.h.Ops {
		o := &w.h.Ops[i]
		if !fits(o) {
			continue
		}
		was := *o
		w.fail(o, history.ErrReset)
		first = cmp.Or(first, o.ID)
		undos = append(undos, func() { *o = was })
	}
	return first, all(undos...)
}

// some has a share of the operations between two times fail, in thousandths,
// the first of them very late.
func (w *wholeRun) some(perMille int, from, to time.Duration, fits func(*history.Op) bool) planted {
	n, spared := 0, 0
	first, undo := w.failAll(func(o *history.Op) bool {
		if o.Intended < from || o.Intended >= to || !fits(o) {
			return false
		}
		if n++; 1000*(n-spared) > perMille*n+1000 {
			spared++
			return false
		}
		return true
	})
	last := &w.h.Ops[first-1]
	return planted{op: first, undo: all(undo, set(&last.End, last.End+2*sec))}
}

func anyOp(*history.Op) bool { return true }

// read is a session's state after the load, with a write that it holds.
func (w *wholeRun) read() (s *history.At[history.SessionState], write uint64) {
	from := w.rng.IntN(len(w.h.Sessions))
	for i := range w.h.Sessions {
		s := &w.h.Sessions[(from+i)%len(w.h.Sessions)]
		if len(s.V.Ops) > 0 {
			return s, s.V.Ops[len(s.V.Ops)-1]
		}
	}
	panic("a whole run ends without a session")
}

// spared is the application node that no fault is aimed at.
func (w *wholeRun) spared() string {
	return map[string]string{killWhole: "j1", slowWhole: "j2"}[w.kind]
}

// answeredBy has a node answer the operations that fit, by its own word, too.
func (w *wholeRun) answeredBy(node string, fits func(*history.Op) bool) func() {
	var undos []func()
	for i := range w.h.Ops {
		if o := &w.h.Ops[i]; fits(o) {
			undos = append(undos, set(&o.Node, w.names.node[node]))
		}
	}
	for i := range w.h.Receipts {
		if r := &w.h.Receipts[i]; r.V.What == "arrive" && fits(&w.h.Ops[r.V.Op-1]) {
			undos = append(undos, set(&r.V.Node, node))
		}
	}
	return all(undos...)
}

// rowOf is the ledger's row of an operation.
func (w *wholeRun) rowOf(op uint64) int {
	return slices.IndexFunc(w.h.Ledger, func(r history.At[history.LedgerRow]) bool { return r.V.Op == op })
}

// lineOf is the balancer's line of an operation.
func (w *wholeRun) lineOf(op uint64) *history.At[history.Dispatch] {
	i := slices.IndexFunc(w.h.Dispatches, func(d history.At[history.Dispatch]) bool { return d.V.Op == op })
	return &w.h.Dispatches[i]
}

// each changes what a list holds between two times.
func each[T any](list []history.At[T], from, to time.Duration, fits func(*T) bool, change func(*T)) (first, last uint64, undo func()) {
	var undos []func()
	for i := range list {
		x := &list[i]
		if x.Time < from || x.Time >= to || !fits(&x.V) {
			continue
		}
		was := x.V
		change(&x.V)
		first, last = cmp.Or(first, x.Seq), x.Seq
		undos = append(undos, func() { x.V = was })
	}
	return first, last, all(undos...)
}

// one changes one observation that fits, drawn by the seed.
func one[T any](w *wholeRun, list []history.At[T], fits func(*history.At[T]) bool, change func(*T)) planted {
	from := w.rng.IntN(len(list))
	for i := range list {
		if x := &list[(from+i)%len(list)]; fits(x) {
			was := x.V
			change(&x.V)
			return planted{seq: x.Seq, undo: func() { x.V = was }}
		}
	}
	panic("a whole run has no such observation")
}

// between says of an observation that it is of a time.
func between[T any](from, to time.Duration) func(*history.At[T]) bool {
	return func(x *history.At[T]) bool { return x.Time >= from && x.Time < to }
}

// wholePlants are the ways in which each checker's run can be spoilt.
func wholePlants() []wholePlant {
	return slices.Concat(plantsOfSessions(), plantsOfWrites(), plantsOfUsers(), plantsOfNodes(), plantsOfBalancers(), plantsOfClients(), plantsOfTheRest(), plantsOfEnds())
}

// plantsOf are those that fit a kind of run.
func plantsOf(kind string) []wholePlant {
	return slices.DeleteFunc(wholePlants(), func(p wholePlant) bool {
		return p.kind != "" && p.kind != kind || p.kind == "" && !slices.Contains(judgedBy(kind), p.checker)
	})
}

// restarted has a supervisor start a node's process again, which is ready at
// once: no hand of the engine's was in it.
func (w *wholeRun) restarted(node string, at time.Duration) planted {
	seq, started := insert(w, &w.h.Transitions, at, history.Transition{Node: node, What: "started"})
	_, warm := insert(w, &w.h.Transitions, at+ms, history.Transition{Node: node, What: "warm"})
	_, ready := insert(w, &w.h.Transitions, at+2*ms, history.Transition{Node: node, What: "ready"})
	return planted{seq: seq, undo: all(started, warm, ready)}
}

func plantsOfSessions() []wholePlant {
	read := func(class string, change func(*wholeRun, *history.Op), also ...string) wholePlant {
		return wholePlant{checker: "session-survival", class: class, also: also, put: func(w *wholeRun) planted {
			fits := settled(history.SessionRead, 21*sec, 50*sec)
			return w.anOp(func(o *history.Op) bool { return fits(o) && o.Value > 0 && w.loggedIn(o) && w.goesOn(o) }, func(o *history.Op) { change(w, o) })
		}}
	}
	last := func(class string, change func(*history.SessionState, uint64) uint64) wholePlant {
		return wholePlant{checker: "session-survival", class: class, put: func(w *wholeRun) planted {
			s, write := w.read()
			was := s.V
			s.V.Ops = slices.Clone(s.V.Ops)
			return planted{op: change(&s.V, write), undo: func() { s.V = was }}
		}}
	}
	return []wholePlant{
		read("leaked to another user", func(w *wholeRun, o *history.Op) { o.Owner = w.h.Names.Intern("somebody else") }),
		read("half-login", func(_ *wholeRun, o *history.Op) { o.Owner = 0 }),
		read("stale read", func(_ *wholeRun, o *history.Op) { o.Value-- }),
		read("lost", func(w *wholeRun, o *history.Op) {
			o.Outcome, o.Status, o.Value, o.Error = history.Failed, 404, 0, uint16(w.h.Names.Intern(history.ErrSession))
		}),
		read("forced re-login", func(_ *wholeRun, o *history.Op) { o.Outcome, o.Status, o.Value = history.Failed, 401, 0 }),
		read("forced re-login", func(_ *wholeRun, o *history.Op) { o.Outcome, o.Status, o.Value = history.Failed, 403, 0 }),
		last("lost update", func(s *history.SessionState, write uint64) uint64 {
			s.Count, s.Ops = s.Count-1, without(s.Ops, write)
			return write
		}),
		last("applied twice", func(s *history.SessionState, write uint64) uint64 {
			s.Count, s.Ops = s.Count+1, append(s.Ops, write)
			return write
		}),
		last("never sent", func(s *history.SessionState, write uint64) uint64 {
			s.Ops = append(s.Ops, write+1<<40)
			return write + 1<<40
		}),
	}
}

// plantsOfEnds are those of the ends of sessions.
func plantsOfEnds() []wholePlant {
	replaced := wholePlant{checker: "session-survival", class: "replaced by a new session", put: func(w *wholeRun) planted {
		fits := settled(history.SessionRead, 21*sec, 50*sec)
		return w.anOp(func(o *history.Op) bool {
			return fits(o) && o.Node == o.Bound && o.Value > 0 && w.loggedIn(o) && !w.goesOn(o) && w.logsOut(o)
		}, func(o *history.Op) {
			o.Flags, o.SessionID, o.Value = o.Flags|history.New, w.h.Names.Intern("another"), 0
		})
	}}
	resurrected := wholePlant{checker: "session-survival", class: "resurrected after logout", put: func(w *wholeRun) planted {
		fits := settled(history.Logout, 0, wholeLoad)
		out := w.pick(func(o *history.Op) bool { return fits(o) && len(w.writesOf(o)) > 0 })
		writes := w.writesOf(out)
		seq, undo := insert(w, &w.h.Sessions, wholeEnd, history.SessionState{
			Session: out.Session, Via: "vip", Known: true, Found: true, ID: w.h.Names.Get(w.h.Ops[writes[0]-1].SessionID), User: w.h.Names.Get(out.User),
			Count: int64(len(writes)), Ops: writes,
		})
		return planted{op: writes[len(writes)-1], seq: seq, undo: undo}
	}}
	return []wholePlant{replaced, resurrected}
}

// writesOf are the acknowledged writes of an operation's session, up to it.
func (w *wholeRun) writesOf(of *history.Op) (writes []uint64) {
	for i := range w.h.Ops[:of.ID] {
		if o := &w.h.Ops[i]; o.Session == of.Session && o.Type == history.SessionWrite && o.Outcome == history.Good {
			writes = append(writes, o.ID)
		}
	}
	return writes
}

// logsOut says that the session's logout is acknowledged.
func (w *wholeRun) logsOut(o *history.Op) bool {
	return slices.ContainsFunc(w.h.Ops[o.ID:], func(l history.Op) bool {
		return l.Session == o.Session && l.Type == history.Logout && l.Outcome == history.Good
	})
}

// loggedIn says that the session's login was acknowledged: of another nothing
// is expected.
func (w *wholeRun) loggedIn(o *history.Op) bool {
	return slices.ContainsFunc(w.h.Ops[:o.ID], func(l history.Op) bool {
		return l.Session == o.Session && l.Type == history.Login && l.Outcome == history.Good
	})
}

// goesOn says that an answer with the counter follows in the session.
func (w *wholeRun) goesOn(o *history.Op) bool {
	for i := o.ID - 1 + uint64(len(w.users)); i < uint64(len(w.h.Ops)); i += uint64(len(w.users)) {
		next := &w.h.Ops[i]
		if next.Session == o.Session && next.Outcome == history.Good && (next.Type == history.SessionRead || next.Type == history.SessionWrite) {
			return true
		}
	}
	return false
}

func plantsOfWrites() []wholePlant {
	order := func(class string, put func(*wholeRun, *history.Op) func(), also ...string) wholePlant {
		return wholePlant{checker: "write-ledger", class: class, also: also, put: func(w *wholeRun) planted {
			o := w.pick(settled(history.Order, 0, wholeLoad))
			return planted{op: o.ID, undo: put(w, o)}
		}}
	}
	return []wholePlant{
		order("duplicate", func(w *wholeRun, o *history.Op) func() {
			row := w.h.Ledger[w.rowOf(o.ID)].V
			row.Order = w.orders + 1
			_, undo := insert(w, &w.h.Ledger, wholeEnd, row)
			return undo
		}, "event-delivery fail"),
		order("lost", func(w *wholeRun, o *history.Op) func() { return take(&w.h.Ledger, w.rowOf(o.ID)) }, "event-delivery fail"),
		order("conflict", func(_ *wholeRun, o *history.Op) func() { return set(&o.Value, 1<<40) }),
		{checker: "write-ledger", class: "phantom", also: []string{"event-delivery fail"}, put: func(w *wholeRun) planted {
			id := uint64(len(w.h.Ops)) + 17
			_, undo := insert(w, &w.h.Ledger, wholeEnd, history.LedgerRow{Order: w.orders + 1, Key: fmt.Sprint("k-", id), Op: id})
			return planted{op: id, undo: undo}
		}},
		{checker: "write-ledger", class: "applied though refused", also: []string{"event-delivery fail"}, put: func(w *wholeRun) planted {
			o := w.pick(func(o *history.Op) bool { return o.Type == history.Order && o.Outcome == history.Failed })
			_, undo := insert(w, &w.h.Ledger, wholeEnd, history.LedgerRow{Order: w.orders + 1, Key: w.h.KeyOf(o), Op: o.ID})
			return planted{op: o.ID, undo: undo}
		}},
		{checker: "event-delivery", class: "lost", put: func(w *wholeRun) planted {
			i := w.rng.IntN(len(w.h.Deliveries))
			row := slices.IndexFunc(w.h.Ledger, func(r history.At[history.LedgerRow]) bool { return r.V.Order == w.h.Deliveries[i].V.Order })
			return planted{seq: w.h.Ledger[row].Seq, undo: take(&w.h.Deliveries, i)}
		}},
		{checker: "event-delivery", class: "stuck", put: func(w *wholeRun) planted {
			d := &w.h.Deliveries[w.rng.IntN(len(w.h.Deliveries))]
			row := slices.IndexFunc(w.h.Ledger, func(r history.At[history.LedgerRow]) bool { return r.V.Order == d.V.Order })
			return planted{seq: w.h.Ledger[row].Seq, undo: set(&d.V, history.Delivery{Order: d.V.Order, Waits: true})}
		}},
		{checker: "event-delivery", class: "phantom", put: func(w *wholeRun) planted {
			seq, undo := insert(w, &w.h.Deliveries, wholeEnd, history.Delivery{Order: w.orders + 99, Times: 1})
			return planted{seq: seq, undo: undo}
		}},
		{checker: "upload-durability", class: "lost", put: func(w *wholeRun) planted {
			return one(w, w.h.Downloads, between[history.Download](0, wholeEnd+1), func(d *history.Download) { d.Found, d.Same = false, false })
		}},
		{checker: "upload-durability", class: "torn", put: func(w *wholeRun) planted {
			return one(w, w.h.Downloads, between[history.Download](0, wholeEnd+1), func(d *history.Download) { d.Same = false })
		}},
		key("placed again", history.KeyAgain, func(u *history.KeyUse) { u.Status, u.Order = 201, u.First+1 }),
		key("retry refused", history.KeyAgain, func(u *history.KeyUse) { u.Status, u.Order = 409, 0 }),
		key("other request answered", history.KeyOtherRequest, func(u *history.KeyUse) { u.Status, u.Order = 200, u.First }),
		key("another tenant's order", history.KeyOtherTenant, func(u *history.KeyUse) { u.Status, u.Order = 200, u.First }),
		key("refused to a tenant", history.KeyOtherTenant, func(u *history.KeyUse) { u.Status, u.Order = 409, 0 }),
		{checker: "overlapping-updates", class: "lost update", put: func(w *wholeRun) planted {
			return one(w, w.h.Overlaps, between[history.Overlap](0, wholeEnd), func(o *history.Overlap) { o.After-- })
		}},
		{checker: "overlapping-updates", class: "lost session", put: func(w *wholeRun) planted {
			return one(w, w.h.Overlaps, between[history.Overlap](0, wholeEnd), func(o *history.Overlap) { o.After, o.Gone = -1, true })
		}},
		{checker: "overlapping-updates", class: "counted too often", put: func(w *wholeRun) planted {
			return one(w, w.h.Overlaps, between[history.Overlap](0, wholeEnd), func(o *history.Overlap) { o.After++ })
		}},
		{checker: "staleness", class: "stale read", put: func(w *wholeRun) planted {
			fits := func(p *history.At[history.Price]) bool { return !p.V.Write && p.Time > 10*sec }
			return one(w, w.h.Prices, fits, func(p *history.Price) { p.Price -= 2 })
		}},
		{checker: "single-owner", class: "older token", put: func(w *wholeRun) planted {
			return one(w, w.h.Jobs, between[history.JobEffect](30*sec, 50*sec), func(e *history.JobEffect) { e.Token, e.Owner = 1, "j2" })
		}},
		{checker: "single-owner", class: "shared token", put: func(w *wholeRun) planted {
			return one(w, w.h.Jobs, between[history.JobEffect](30*sec, 50*sec), func(e *history.JobEffect) { e.Owner = "j2" })
		}},
		{checker: "single-owner", class: "done twice", put: func(w *wholeRun) planted {
			return one(w, w.h.Jobs, between[history.JobEffect](30*sec, 50*sec), func(e *history.JobEffect) { e.Slot-- })
		}},
		{checker: "single-owner", class: "not done", put: func(w *wholeRun) planted {
			i := 30 + w.rng.IntN(20)
			ended := w.h.Jobs[i+3].Seq
			return planted{seq: ended, undo: all(take(&w.h.Jobs, i), take(&w.h.Jobs, i), take(&w.h.Jobs, i))}
		}},
	}
}

// key plants another answer to a second use of a key.
func key(class, asked string, change func(*history.KeyUse)) wholePlant {
	return wholePlant{checker: "key-contract", class: class, put: func(w *wholeRun) planted {
		fits := func(u *history.At[history.KeyUse]) bool { return u.V.Asked == asked }
		return one(w, w.h.KeyUses, fits, change)
	}}
}

func plantsOfUsers() []wholePlant {
	elsewhere := func(w *wholeRun, from time.Duration) func(*history.Op) bool {
		onVictim := map[uint32]bool{}
		for i := range w.h.Ops {
			if o := &w.h.Ops[i]; w.h.BoundOf(o) == "j2" {
				onVictim[o.Session] = true
			}
		}
		return func(o *history.Op) bool {
			return w.h.BoundOf(o) == "j1" && !onVictim[o.Session] && o.Intended >= from && o.Intended < healedAt && o.Outcome == history.Good
		}
	}
	return []wholePlant{
		{checker: "error-budget", class: history.ErrReset, kind: killWhole, also: []string{"recovery fail"}, put: func(w *wholeRun) planted {
			return w.some(30, 50*sec, 59*sec, anyOp)
		}},
		{checker: "error-budget", class: history.ErrReset, kind: killWhole, put: func(w *wholeRun) planted {
			hit := map[uint32]bool{}
			for i := range w.h.Ops {
				if o := &w.h.Ops[i]; w.h.BoundOf(o) == "j2" && o.End >= killedAt && o.Intended < healedAt {
					hit[o.Session] = true
				}
			}
			was := len(w.h.Ops)
			first, next := uint64(0), uint64(0)
			_, undo := w.failAll(func(o *history.Op) bool {
				return hit[o.Session] && o.End >= killedAt && o.Intended < killedAt+2*sec
			})
			for i := range w.h.Ops[:was] {
				o := &w.h.Ops[i]
				switch bad := o.Outcome != history.Good; {
				case !hit[o.Session] || o.End < killedAt:
				case bad && o.Intended < killedAt+2*sec:
					first = cmp.Or(first, o.ID)
				case !bad && first > 0:
					next = cmp.Or(next, o.ID)
				}
			}
			return planted{says: fmt.Sprintf("from operation %d to %d", first, next), undo: undo}
		}},
		{checker: "recovery", class: history.ErrReset, kind: killWhole, put: func(w *wholeRun) planted {
			return w.some(100, 37*sec, 43*sec, anyOp)
		}},
		{checker: "blast-radius", class: history.ErrReset, kind: killWhole, put: func(w *wholeRun) planted {
			return w.some(100, 21*sec, 31*sec, elsewhere(w, killedAt))
		}},
		{checker: "alerts", class: "diagnosis", kind: slowWhole, also: []string{"overload-contract fail"}, put: func(w *wholeRun) planted {
			p := w.some(400, 21*sec, 39*sec, func(o *history.Op) bool { return o.Outcome == history.Good && w.h.NodeOf(o) == "j1" })
			return planted{says: "errors tell: one node", undo: p.undo}
		}},
		{checker: "distribution", class: "skew after", kind: killWhole, put: func(w *wholeRun) planted {
			undo := w.answeredBy("j1", func(o *history.Op) bool { return o.Type == history.Login && o.Sent >= 44*sec })
			return planted{says: "no new session reached j2 again", undo: undo}
		}},
		{checker: "distribution", class: "diverted", kind: killWhole, put: func(w *wholeRun) planted {
			o := w.pick(settled(history.SessionRead, 22*sec, 31*sec))
			return planted{op: o.ID, undo: w.answeredBy("j2", func(p *history.Op) bool { return p.ID == o.ID })}
		}},
	}
}

func plantsOfNodes() []wholePlant {
	log := func(w *wholeRun, what string, at time.Duration) func() {
		_, undo := insert(w, &w.h.Transitions, at, history.Transition{Node: "j1", What: what})
		return undo
	}
	return []wholePlant{
		{checker: "readiness-gating", class: "before ready", kind: killWhole, put: func(w *wholeRun) planted {
			o := w.pick(settled(history.SessionRead, bornAt+200*ms, readyAt-300*ms))
			seq, undo := insert(w, &w.h.Receipts, o.Sent+2*ms, history.Receipt{Node: "j2", What: "arrive", Op: o.ID, Attempt: 1})
			return planted{seq: seq, undo: undo}
		}},
		{checker: "readiness-gating", class: "after unready", kind: killWhole, put: func(w *wholeRun) planted {
			undo := all(log(w, "unready", 46*sec), log(w, "ready", 49*sec))
			for _, r := range w.h.Receipts {
				if r.V.Node == "j1" && r.V.What == "arrive" && r.Time-r.V.Within > 47*sec {
					return planted{seq: r.Seq, undo: undo}
				}
			}
			panic("a whole run has no such receipt")
		}},
		{checker: "readiness-gating", class: "cold answer", put: func(w *wholeRun) planted {
			return w.anOp(settled(history.SessionRead, 4*sec, wholeLoad), func(o *history.Op) { o.Flags |= history.Cold })
		}},
		{checker: "readiness-gating", class: "liveness", kind: killWhole, put: func(w *wholeRun) planted {
			undo := all(log(w, "database-down", 46*sec), log(w, "database-up", 47600*ms))
			fits := func(l *history.Readiness) bool { return l.Node == "j1" && l.Probe == "live" }
			seq, _, back := each(w.h.Readiness, 46100*ms, 46200*ms, fits, func(l *history.Readiness) { l.Up, l.Status = false, 503 })
			return planted{seq: seq, undo: all(undo, back)}
		}},
		{checker: "recovery", class: "restart", kind: killWhole, put: func(w *wholeRun) planted {
			return w.restarted("j1", 40*sec)
		}},
		{checker: "recovery", class: "exhausted", kind: killWhole, put: func(w *wholeRun) planted {
			fits := func(x *history.Truth) bool { return x.Node == "j2" }
			_, last, undo := each(w.h.Truth, 36*sec, wholeEnd, fits, func(x *history.Truth) { x.Threads += 9 })
			return planted{seq: last, undo: undo}
		}},
		{checker: "recovery", class: "not ready", kind: killWhole, put: func(w *wholeRun) planted {
			fits := func(x *history.Readiness) bool { return x.Node == "j2" && x.Probe == "ready" }
			_, last, undo := each(w.h.Readiness, wholeLoad-300*ms, wholeLoad, fits, func(x *history.Readiness) { x.Up, x.Status = false, 503 })
			return planted{seq: last, undo: undo}
		}},
		{checker: "blast-radius", class: "restart", kind: killWhole, also: []string{"recovery fail"}, put: func(w *wholeRun) planted {
			return w.restarted("j1", 25*sec)
		}},
		{checker: "overload-contract", class: "restarted", kind: slowWhole, put: func(w *wholeRun) planted {
			seq, undo := insert(w, &w.h.Engine, 25*sec, history.Engine{Node: "j1", Action: "die"})
			return planted{seq: seq, undo: undo}
		}},
		{checker: "overload-contract", class: "threads exhausted", kind: slowWhole, put: func(w *wholeRun) planted {
			return one(w, w.h.Truth, between[history.Truth](killedAt, 50*sec), func(x *history.Truth) { x.Threads = 41 })
		}},
		{checker: "overload-contract", class: "queue without bound", kind: slowWhole, put: func(w *wholeRun) planted {
			return one(w, w.h.Truth, between[history.Truth](killedAt, 50*sec), func(x *history.Truth) { x.InFlight = 1 << 40 })
		}},
		{checker: "overload-contract", class: "liveness down", kind: slowWhole, put: func(w *wholeRun) planted {
			fits := func(x *history.At[history.Readiness]) bool {
				return x.V.Probe == "live" && x.Time >= killedAt && x.Time < 50*sec
			}
			return one(w, w.h.Readiness, fits, func(x *history.Readiness) { x.Up, x.Status = false, 503 })
		}},
		{checker: "overload-contract", class: "no answer", kind: slowWhole, put: func(w *wholeRun) planted {
			return w.anOp(settled(history.SessionRead, killedAt, 50*sec), func(o *history.Op) { w.fail(o, history.ErrReset) })
		}},
		{checker: "overload-contract", class: "unclear answer", kind: slowWhole, put: func(w *wholeRun) planted {
			return w.anOp(settled(history.SessionRead, killedAt, 50*sec), func(o *history.Op) { o.Outcome, o.Status, o.Value = history.Failed, 500, 0 })
		}},
		{checker: "overload-contract", class: "late answer", kind: slowWhole, put: func(w *wholeRun) planted {
			return w.anOp(settled(history.SessionRead, killedAt, 50*sec), func(o *history.Op) { o.End = o.Sent + sec + ms })
		}},
		{checker: "timeout-order", class: "balancer gave up", put: func(w *wholeRun) planted {
			d := w.lineOf(w.pick(func(o *history.Op) bool {
				return settled(history.SessionRead, 36*sec, 39*sec)(o) && w.h.NodeOf(o) == w.spared()
			}).ID)
			return planted{seq: d.Seq, undo: all(set(&d.V.Term, "sHVN"), set(&d.V.Status, 504))}
		}},
		{checker: "timeout-order", class: "client gave up", also: []string{"overload-contract fail"}, put: func(w *wholeRun) planted {
			o := w.pick(func(o *history.Op) bool {
				return settled(history.SessionRead, 36*sec, 39*sec)(o) && w.h.NodeOf(o) == w.spared()
			})
			was, d := *o, w.lineOf(o.ID)
			w.fail(o, history.ErrTimeout)
			return planted{op: o.ID, undo: all(func() { *o = was }, set(&d.V.Total, 11*sec))}
		}},
	}
}

func plantsOfBalancers() []wholePlant {
	ofJ2 := func(lb string) func(*history.Server) bool {
		return func(v *history.Server) bool { return v.Balancer == lb && v.Server == "j2" }
	}
	gone := func(v *history.Server) { v.Up, v.Status = false, "DOWN" }
	owner := func(lb string, is bool) func(w *wholeRun, from, to time.Duration) func() {
		return func(w *wholeRun, from, to time.Duration) func() {
			_, _, undo := each(w.h.VIPs, from, to, func(v *history.VIP) bool { return v.Balancer == lb }, func(v *history.VIP) { v.Owner = is })
			return undo
		}
	}
	return []wholePlant{
		{checker: "failover-anatomy", class: "detected", kind: killWhole, put: func(w *wholeRun) planted {
			_, _, undo := each(w.h.Servers, downAt, killedAt+750*ms, ofJ2("lb1"), func(v *history.Server) { v.Up, v.Status = true, "UP" })
			i := slices.IndexFunc(w.h.Servers, func(x history.At[history.Server]) bool { return x.Time > killedAt && ofJ2("lb1")(&x.V) && !x.V.Up })
			return planted{seq: w.h.Servers[i].Seq, undo: undo}
		}},
		{checker: "failover-anatomy", class: "diverted", kind: killWhole, also: []string{"distribution fail"}, put: func(w *wholeRun) planted {
			seq, undo := insert(w, &w.h.Dispatches, 24*sec, history.Dispatch{Balancer: "lb1", Number: 1 << 40, Server: "j2", Term: "SC--", Status: 503, Connect: -1, Response: -1, Total: ms})
			return planted{seq: seq, undo: undo}
		}},
		{checker: "failover-anatomy", class: "ready", kind: killWhole, also: []string{"readiness-gating fail"}, put: func(w *wholeRun) planted {
			fits := func(x *history.Readiness) bool { return x.Node == "j2" && x.Probe == "ready" }
			_, _, undo := each(w.h.Readiness, readyAt, 36*sec, fits, func(x *history.Readiness) { x.Up, x.Status = false, 503 })
			i := slices.IndexFunc(w.h.Readiness, func(x history.At[history.Readiness]) bool { return x.Time >= 36*sec && fits(&x.V) })
			return planted{seq: w.h.Readiness[i].Seq, undo: undo}
		}},
		{checker: "failover-anatomy", class: "up again", kind: killWhole, also: []string{"distribution fail"}, put: func(w *wholeRun) planted {
			_, _, undo := each(w.h.Servers, upAt, 36*sec, ofJ2("lb1"), gone)
			i := slices.IndexFunc(w.h.Servers, func(x history.At[history.Server]) bool { return x.Time >= 36*sec && ofJ2("lb1")(&x.V) })
			return planted{seq: w.h.Servers[i].Seq, undo: undo}
		}},
		{checker: "recovery", class: "not in service", kind: killWhole, put: func(w *wholeRun) planted {
			_, last, undo := each(w.h.Servers, wholeLoad-300*ms, wholeLoad, ofJ2("lb2"), gone)
			return planted{seq: last, undo: undo}
		}},
		{checker: "blast-radius", class: "marked down", kind: killWhole, also: []string{"distribution fail", "rotation-kept fail"}, put: func(w *wholeRun) planted {
			fits := func(v *history.Server) bool { return v.Balancer == "lb1" && v.Server == "j1" }
			seq, _, undo := each(w.h.Servers, 25*sec, 25500*ms, fits, gone)
			return planted{seq: seq, undo: undo}
		}},
		{checker: "rotation-kept", class: "no server up", put: func(w *wholeRun) planted {
			fits := func(v *history.Server) bool { return v.Balancer == "lb1" }
			_, _, undo := each(w.h.Servers, 52*sec, 52300*ms, fits, gone)
			i := slices.IndexFunc(w.h.Servers, func(x history.At[history.Server]) bool { return x.Time >= 52*sec && ofJ2("lb1")(&x.V) })
			return planted{seq: w.h.Servers[i].Seq, undo: undo} // that of the last of the two
		}},
		{checker: "vip", class: "with two owners", put: func(w *wholeRun) planted {
			return planted{says: "with two owners for 900 ms", undo: owner("lb2", true)(w, 30*sec, 31*sec)}
		}},
		{checker: "vip", class: "without an owner", put: func(w *wholeRun) planted {
			return planted{says: "without an owner for 1.9 s", undo: owner("lb1", false)(w, 10*sec, 12*sec)}
		}},
		{checker: "drain", class: "new session", kind: slowWhole, put: func(w *wholeRun) planted {
			d := w.lineOf(w.pick(settled(history.Login, 42*sec, 49*sec)).ID)
			return planted{seq: d.Seq, undo: set(&d.V.Server, "j1")}
		}},
		{checker: "drain", class: "cut", kind: slowWhole, put: func(w *wholeRun) planted {
			d := w.lineOf(w.pick(func(o *history.Op) bool {
				return settled(history.SessionRead, 42*sec, 49*sec)(o) && w.h.NodeOf(o) == "j1"
			}).ID)
			return planted{seq: d.Seq, undo: all(set(&d.V.Term, "SHVN"), set(&d.V.Status, 502))}
		}},
		{checker: "connection-ceiling", class: "ceiling", put: func(w *wholeRun) planted {
			return planted{says: "2 nodes × 14 = 28", undo: set(&w.h.Meta.Values[0].Value, "14")}
		}},
		{checker: "connection-ceiling", class: "ceiling", put: func(w *wholeRun) planted {
			return one(w, w.h.Connections, between[history.Connections](0, wholeEnd), func(c *history.Connections) { c.Total = 28 })
		}},
		{checker: "connection-ceiling", class: "refused", put: func(w *wholeRun) planted {
			seq, undo := insert(w, &w.h.Refusals, 30*sec, history.Refusal{Node: "db", Text: "too many clients"})
			return planted{seq: seq, undo: undo}
		}},
	}
}

func plantsOfClients() []wholePlant {
	heard := func(w *wholeRun) int {
		fits := func(r history.At[history.Received]) bool { return r.V.ID > 10 && r.V.ID < 40 }
		from := w.rng.IntN(len(w.h.Received))
		return (from + slices.IndexFunc(append(slices.Clone(w.h.Received[from:]), w.h.Received[:from]...), fits)) % len(w.h.Received)
	}
	away := func(w *wholeRun) planted {
		i := slices.IndexFunc(w.h.Links, func(l history.At[history.Link]) bool { return l.V.State == history.LinkDown })
		for j := range w.h.Links {
			if l := &w.h.Links[j]; j > i && l.V.Client == w.h.Links[i].V.Client && l.V.State == history.LinkUp {
				return planted{seq: w.h.Links[i].Seq, undo: set(&l.V.Alive, l.V.Alive+3*sec)}
			}
		}
		panic("a whole run has no broken connection")
	}
	return []wholePlant{
		{checker: "stream-continuity", class: "lost", put: func(w *wholeRun) planted {
			i := heard(w)
			row := slices.IndexFunc(w.h.Feed, func(f history.At[history.FeedRow]) bool { return f.V.ID == w.h.Received[i].V.ID })
			return planted{seq: w.h.Feed[row].Seq, undo: take(&w.h.Received, i)}
		}},
		{checker: "stream-continuity", class: "made up", put: func(w *wholeRun) planted {
			r := &w.h.Received[heard(w)]
			return planted{seq: r.Seq, undo: set(&r.V.Token, "another")}
		}},
		{checker: "stream-continuity", class: "repeated", put: func(w *wholeRun) planted {
			r := w.h.Received[heard(w)]
			seq, undo := insert(w, &w.h.Received, r.Time+sec/2, r.V)
			return planted{seq: seq, undo: undo}
		}},
		{checker: "stream-continuity", class: "out of order", put: func(w *wholeRun) planted {
			i := heard(w)
			r := w.h.Received[i]
			back := take(&w.h.Received, i)
			seq, undo := insert(w, &w.h.Received, r.Time+sec+sec/2, r.V)
			return planted{seq: seq, undo: all(back, undo)}
		}},
		{checker: "stream-continuity", class: "not stored", put: func(w *wholeRun) planted {
			seq, undo := insert(w, &w.h.Published, 30*sec, history.Published{ID: 999, Token: "gone", Node: "j1"})
			return planted{seq: seq, undo: undo}
		}},
		{checker: "stream-continuity", class: "late", kind: killWhole, also: []string{"reconnection fail"}, put: away},
		{checker: "reconnection", class: "late", kind: killWhole, also: []string{"stream-continuity fail"}, put: away},
		{checker: "reconnection", class: "state lost", put: func(w *wholeRun) planted {
			fits := func(r *history.At[history.Resumed]) bool { return r.V.Acked > 0 || w.kind == slowWhole }
			return one(w, w.h.Resumed, fits, func(r *history.Resumed) { r.Told = r.Acked - 1 })
		}},
		{checker: "reconnection", class: "made up", put: func(w *wholeRun) planted {
			return one(w, w.h.Resumed, between[history.Resumed](0, wholeEnd), func(r *history.Resumed) { r.Told = r.Said + 1 })
		}},
		{checker: "reconnection", class: "herd", kind: killWhole, put: func(w *wholeRun) planted {
			was := slices.Clone(w.h.Links)
			first := uint64(0)
			for i := range w.h.Links {
				if l := &w.h.Links[i]; l.V.State == history.LinkTry {
					l.Time = killedAt + 300*ms + time.Duration(l.V.Client)*ms
					first = cmp.Or(first, l.Seq)
				}
			}
			byTime(w.h.Links)
			return planted{seq: first, undo: func() { w.h.Links = was }}
		}},
	}
}

func plantsOfTheRest() []wholePlant {
	crossed := func(class string, change func(*history.Crossing)) wholePlant {
		return wholePlant{checker: "version-skew", class: class, put: func(w *wholeRun) planted {
			fits := func(c *history.At[history.Crossing]) bool { return c.V.Version == "2" && c.Time > 4*sec }
			return one(w, w.h.Crossings, fits, change)
		}}
	}
	return []wholePlant{
		{checker: "leftovers", class: "container", put: func(w *wholeRun) planted {
			seq, undo := insert(w, &w.h.Leftovers, wholeEnd, history.Leftover{Kind: "container", Name: "j1"})
			return planted{seq: seq, undo: undo}
		}},
		crossed("unreadable state", func(c *history.Crossing) { c.Got = 2 }),
		crossed("unreadable state", func(c *history.Crossing) { c.Status, c.Got = 404, -1 }),
		crossed("response contract", func(c *history.Crossing) { c.Fields = c.Fields[:1] }),
		{checker: "version-skew", class: "errors of a version", kind: killWhole, also: []string{"error-budget fail", "recovery fail"}, put: func(w *wholeRun) planted {
			first, undos := uint64(0), []func(){}
			n := 0
			for i := range w.h.Ops {
				o := &w.h.Ops[i]
				if o.Intended < 46*sec || w.h.VersionOf(o) != "2" || o.Type != history.SessionRead {
					continue
				}
				if n++; n%2 > 0 {
					was := *o
					o.Outcome, o.Status, o.Value, o.Error = history.Failed, 503, 0, uint16(w.h.Names.Intern(history.ErrStatus))
					first = cmp.Or(first, o.ID)
					undos = append(undos, func() { *o = was })
				}
			}
			return planted{op: first, undo: all(undos...)}
		}},
	}
}
