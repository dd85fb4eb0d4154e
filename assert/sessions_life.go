package assert

import (
	"time"

	"github.com/hachaos/hachaos/history"
)

// existence is what the client may believe of its session.
type existence uint8

const (
	absent   existence = iota // no acknowledged login: nothing can be expected
	alive                     // it must exist
	doubtful                  // a logout or another login is of unknown outcome
	ended                     // a logout was acknowledged
)

// life is one client session while its operations are followed.
// The counter is that of the present incarnation: a login begins one, and so
// does an answer that says the session is new.
type life struct {
	lo, hi  int32         // the counter lies between them
	acked   int32         // acknowledged writes
	refused int32         // writes that were sent and failed
	lostAt  time.Duration // the last fault to hit it had taken effect
	byVIP   int64         // the counter as users see it after the load

	begin   uint32       // index of the operation that began it
	lastAck uint32       // index of the last acknowledged write + 1
	blows   uint32       // faults that it has met
	node    history.Name // of the last answer
	place   history.Name // of the last good answer from the session itself
	lost    history.Name // the node that the last fault to hit it took from it
	sid     history.Name
	user    history.Name
	classes uint16 // a bit for each sessionClass

	state     existence
	risk      risk // of the present incarnation
	hit       risk // of any
	used      bool // it has operations
	everAlive bool
	anonymous bool // begun by an answer, not by a login: it has no owner
	below     bool // the last value seen was below what was acknowledged
	seenAgain bool // it answered, as itself, after the fault that hit it
	gone      bool // lost or replaced with its node, as documented
	readByVIP bool // found through the entry after the load
	listed    bool // its list of operations was judged
	looked    bool // a read after the load found it
	roamed    bool // one node answered it after another
	outlived  bool // it was there when a fault hit what all sessions share

	over      uint32 // index + 1 of the read after the load that was too high
	firstLost uint32 // index into findings, of its lost update
	firstSeen uint32 // index + 1 of the operation that set seenAgain
	seenState uint32 // or of the read after the load
}

// finding is the first violation of one class by one session.
type finding struct {
	life  uint32
	class sessionClass
	op    uint32 // index of the operation + 1; 0: none
	state uint32 // index into History.Sessions + 1, if it was seen after the load
	got   int64
	lo    int32
	hi    int32
	more  uint32 // further operations of the same kind

	lost history.Name // the node that a fault had taken from the session by then
}

// register follows all sessions of a history.
type register struct {
	h            *history.History
	lostWithNode bool
	owners       bool // answers name owners at all
	incomplete   bool // sessions were not all read after the load
	blows        []blow

	lives    []life
	numbers  []uint32          // the session number of each life, if not dense
	index    map[uint32]uint32 // by session number, if not dense
	owned    []history.Name    // by Name of a session id: its user
	findings []finding

	judged, unjudged, onVictim, unseen int
	roamed, outlived                   int // of the judged, see life
	unread                             int // alive, and not read through the entry
	endedAsExpected, unknownWrites     int
	missingOnNodes, strangeIDs         int

	noSession uint16 // the number of ErrSession
}

func newRegister(h *history.History, lostWithNode bool) *register {
	r := &register{h: h, lostWithNode: lostWithNode, blows: blows(h), incomplete: streamReason(h, history.StreamSession) != "", noSession: classNumber(h, history.ErrSession)}
	var top uint32
	var sid history.Name
	for i := range h.Ops {
		op := &h.Ops[i]
		top = max(top, op.Session)
		sid = max(sid, op.SessionID)
		r.owners = r.owners || op.Owner != 0
	}
	r.owned = make([]history.Name, int(sid)+1)
	if uint64(top) <= 2*uint64(len(h.Ops))+1024 {
		r.lives = make([]life, int(top)+1)
	} else {
		r.index = map[uint32]uint32{}
	}
	return r
}

// find returns the place of a session; false for one without operations in a
// record whose numbers are not dense.
func (r *register) find(session uint32) (uint32, bool) {
	if r.index == nil {
		return session, int(session) < len(r.lives)
	}
	n, ok := r.index[session]
	return n, ok
}

func (r *register) make(session uint32) uint32 {
	if n, ok := r.find(session); ok {
		return n
	}
	n := uint32(len(r.lives))
	r.lives = append(r.lives, life{})
	r.numbers = append(r.numbers, session)
	r.index[session] = n
	return n
}

func (r *register) number(n uint32) uint32 {
	if r.index == nil {
		return n
	}
	return r.numbers[n]
}

// follow walks the operations once. Those of one session do not overlap and
// come in the order of their ids.
func (r *register) follow() {
	for i := range r.h.Ops {
		op := &r.h.Ops[i]
		if op.Session == 0 {
			continue
		}
		n := r.make(op.Session)
		l := &r.lives[n]
		l.used = true
		if op.User != 0 {
			l.user = op.User
		}
		if len(r.blows) > 0 {
			r.meet(l, op)
		}
		r.step(n, l, i, op)
		l.roam(op)
		if op.Node != 0 {
			l.node = op.Node
		}
		if len(r.blows) > 0 {
			r.grazed(l, op)
		}
	}
	for n := range r.lives {
		l := &r.lives[n]
		for ; int(l.blows) < len(r.blows); l.blows++ {
			r.strike(l, r.blows[l.blows], l.node)
		}
	}
}

// roam notes whether a session that must exist is read or written on another
// node than before: only then can it be stale.
func (l *life) roam(op *history.Op) {
	if op.Outcome != history.Good || op.Node == 0 {
		return
	}
	switch op.Type {
	case history.Login:
		l.place = op.Node
	case history.SessionWrite, history.SessionRead:
		l.roamed = l.roamed || l.state == alive && l.place != 0 && l.place != op.Node
		l.place = op.Node
	}
}

// step applies one operation.
func (r *register) step(n uint32, l *life, i int, op *history.Op) {
	if op.Outcome == history.Good {
		r.checkOwner(n, l, i, op)
	}
	switch op.Type {
	case history.Login:
		r.login(n, l, i, op)
	case history.Logout:
		r.logout(n, l, i, op)
	case history.SessionWrite, history.SessionRead:
		r.use(n, l, i, op)
	}
}

func (r *register) login(n uint32, l *life, i int, op *history.Op) {
	switch {
	case op.Outcome == history.Good:
		if l.state == alive && !r.expected(l) {
			r.report(n, l, finding{class: forcedLogin, op: uint32(i) + 1})
		}
		l.incarnate(i, op)
		l.state, l.everAlive = alive, true
	case op.Outcome == history.Unknown && l.state == alive:
		l.state = doubtful
	}
}

func (r *register) logout(n uint32, l *life, i int, op *history.Op) {
	switch op.Outcome {
	case history.Good:
		if l.state == alive {
			l.outlive(i, op)
		}
		l.state = ended
	case history.Unknown:
		if l.state == alive {
			l.state = doubtful
		}
	case history.Failed:
		r.refusal(n, l, i, op)
	}
}

// use applies a read or a write of the counter.
func (r *register) use(n uint32, l *life, i int, op *history.Op) {
	write := op.Type == history.SessionWrite
	switch op.Outcome {
	case history.Unknown:
		if write && maySend(op) {
			r.unknownWrites++
			l.hi += 1 + int32(unknownTries(r.h, op))
		}
	case history.Failed:
		r.refusal(n, l, i, op)
		if write && op.Sent >= 0 {
			l.hi += int32(unknownTries(r.h, op))
			l.refused++
		}
	case history.Good:
		r.answer(n, l, i, op)
	}
}

// answer applies a good answer that carries the counter.
func (r *register) answer(n uint32, l *life, i int, op *history.Op) {
	if l.state == ended && !op.Has(history.New) {
		r.report(n, l, finding{class: resurrected, op: uint32(i) + 1, got: op.Value})
	}
	if op.Has(history.New) || l.state == alive && l.moved(op) {
		r.renew(n, l, i, op)
	}
	if l.state != alive && l.state != doubtful {
		return
	}
	l.outlive(i, op)
	own := int64(0)
	if op.Type == history.SessionWrite {
		own = 1
		l.hi += int32(unknownTries(r.h, op))
	}
	r.observe(n, l, op.Value-own, finding{op: uint32(i) + 1, got: op.Value})
	if own == 0 {
		return
	}
	l.lo, l.hi, l.acked = l.lo+1, l.hi+1, l.acked+1
	l.lastAck = uint32(i) + 1
}

// outlive notes the first good answer of a session, as itself, after the
// fault that hit it: sent when that had taken effect, or by another node than
// it took, for a fault that goes from node to node takes effect on the last of
// them long after the first.
func (l *life) outlive(i int, op *history.Op) {
	if l.risk != safe && !l.gone && !l.seenAgain && (op.Sent >= l.lostAt || op.Node != 0 && op.Node != l.lost) {
		l.seenAgain, l.firstSeen = true, uint32(i)+1
	}
}

// renew begins the incarnation that an answer says is new, or whose own
// first answer was lost, so that the id alone shows it: then it may hold the
// writes whose outcome is unknown.
func (r *register) renew(n uint32, l *life, i int, op *history.Op) {
	// What was acknowledged before the answer that began it is not in it.
	unknown, begin := l.hi-l.acked, max(l.begin, l.lastAck)
	switch l.state {
	case alive:
		r.vanish(n, l, finding{class: replaced, op: uint32(i) + 1, got: op.Value})
	case doubtful, ended:
		l.state = absent
	}
	l.incarnate(i, op)
	l.anonymous = true
	if !op.Has(history.New) {
		l.hi, l.begin = unknown, begin
	}
}

// moved says that op answered from a session of another id.
func (l *life) moved(op *history.Op) bool {
	return l.sid != 0 && op.SessionID != 0 && l.sid != op.SessionID
}

// named says that the session must name its user.
func (l *life) named() bool { return l.state == alive && !l.anonymous }

func (l *life) has(c sessionClass) bool { return l.classes&(1<<c) != 0 }

// incarnate begins a counter at 0.
func (l *life) incarnate(i int, op *history.Op) {
	l.lo, l.hi, l.acked, l.refused = 0, 0, 0, 0
	l.begin, l.lastAck, l.sid = uint32(i), 0, op.SessionID
	l.anonymous, l.below = false, false
	if l.gone {
		l.risk = safe
	}
}

// observe holds a value of the counter, without the observer's own write,
// against what is possible, and learns from it.
func (r *register) observe(n uint32, l *life, v int64, f finding) {
	f.lo, f.hi = l.lo, l.hi
	switch {
	case v < int64(l.acked):
		f.class = belowAcked
		l.below = true
		r.report(n, l, f)
	case v < int64(l.lo):
		f.class = staleRead
		l.below = false
		r.report(n, l, f)
	case v <= int64(l.hi):
		l.below = false
		l.lo = int32(v)
	default:
		f.class = appliedTwice
		if v <= int64(l.hi)+int64(l.refused) {
			f.class = refusedUpdate
		}
		l.below = false
		l.hi = int32(min(v, 1<<30))
		r.report(n, l, f)
	}
}

// refusal reads a failure: a session that must exist and is denied is lost,
// one that must be logged in and is not was logged out.
func (r *register) refusal(n uint32, l *life, i int, op *history.Op) {
	if l.state != alive {
		return
	}
	switch {
	case r.noSession != 0 && op.Error == r.noSession:
		r.vanish(n, l, finding{class: lostSession, op: uint32(i) + 1})
	case op.Status == 401 || op.Status == 403:
		if !r.expected(l) {
			r.report(n, l, finding{class: forcedLogin, op: uint32(i) + 1})
		}
	}
}

// vanish notes a session that is not there any more, unless it was bound to
// a victim and its loss is documented.
func (r *register) vanish(n uint32, l *life, f finding) {
	if r.expected(l) {
		l.gone = true
		return
	}
	r.report(n, l, f)
}

// expected says that the session's loss is documented.
func (r *register) expected(l *life) bool { return r.lostWithNode && l.risk != safe }

// checkOwner looks whether an answer came from another user's session, or
// from one that has forgotten its user.
func (r *register) checkOwner(n uint32, l *life, i int, op *history.Op) {
	counter := op.Type == history.SessionWrite || op.Type == history.SessionRead
	switch {
	case op.Owner != 0 && op.User != 0 && op.Owner != op.User:
		r.report(n, l, finding{class: leaked, op: uint32(i) + 1})
	case counter && r.owners && op.Owner == 0 && l.named() && !op.Has(history.New) && !l.moved(op):
		r.report(n, l, finding{class: halfLogin, op: uint32(i) + 1})
	}
	if op.SessionID == 0 || op.User == 0 {
		return
	}
	if owner := &r.owned[op.SessionID]; *owner == 0 {
		*owner = op.User
	} else if *owner != op.User {
		r.report(n, l, finding{class: leaked, op: uint32(i) + 1})
	}
}

// report keeps the first finding of each class of a session.
func (r *register) report(n uint32, l *life, f finding) {
	if l.has(f.class) {
		return
	}
	l.classes |= 1 << f.class
	f.life = n
	f.lost = l.lost
	r.findings = append(r.findings, f)
}
