package assert_test

import (
	"fmt"
	"math/bits"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// world is one way in which a session can be, given what its client was told:
// the oracle keeps all that are possible, and none is left of a session that is
// not right. Writes are bits.
type world struct {
	phase            phase
	loose            bool // a logout or another login is of unknown outcome
	applied, pending uint32
}

type phase uint8

const (
	nothing phase = iota // nothing can be expected of it
	alive
	over
)

// worlds are all that are possible after each operation.
type worlds map[world]bool

// each gives every world in which some of the pending writes have come in.
func (w worlds) each(visit func(world)) {
	for x := range w {
		for late := x.pending; ; late = (late - 1) & x.pending {
			y := x
			y.applied, y.pending = x.applied|late, x.pending&^late
			visit(y)
			if late == 0 {
				break
			}
		}
	}
}

// after is what is possible once an operation has ended as the record has it.
// Whether a session still is of which nobody knows that it was ended, its
// refusals do not tell.
func (w worlds) after(h *history.History, i int) worlds {
	out := worlds{}
	o := h.Ops[i]
	own := uint32(1) << i
	fresh := o.Has(history.New)
	denied := o.Outcome == history.Failed && (h.ErrorOf(&o) == history.ErrSession || o.Status == 401 || o.Status == 403)
	w.each(func(x world) {
		sure := x.phase == alive && !x.loose
		switch {
		case o.Outcome == history.Good && o.Owner != 0 && o.Owner != o.User:
			return // another's
		case o.Type == history.Login && o.Outcome == history.Good:
			if !sure { // else he had to log in again
				out[world{phase: alive}] = true
			}
			return
		case o.Type == history.Login && o.Outcome == history.Unknown, o.Type == history.Logout && o.Outcome == history.Unknown:
			x.loose = x.phase == alive
		case o.Type == history.Login:
		case denied && sure:
			return // it is there, and is refused
		case o.Type == history.Logout && o.Outcome == history.Good:
			x = world{phase: over}
		case o.Type == history.Logout:
		case o.Outcome == history.Unknown && o.Type == history.SessionWrite && o.Sent >= 0:
			x.pending |= own
		case o.Outcome == history.Good && fresh:
			if sure {
				return // replaced
			}
			x = world{}
		case o.Outcome == history.Good && x.phase == over:
			return // resurrected
		case o.Outcome == history.Good && x.phase == alive:
			if o.Type == history.SessionWrite {
				x.applied |= own
			}
			if sure && o.Owner == 0 || o.Value != int64(bits.OnesCount32(x.applied)) {
				return // half a login, or a counter that cannot be
			}
		}
		out[x] = true
	})
	return out
}

// read is whether anything is possible once the session was read after the
// load. Its counter and its list are held against the worlds each by itself.
func (w worlds) read(s history.SessionState, sid string) bool {
	counts, lists := false, false
	var listed uint32
	for _, id := range s.Ops {
		listed |= 1 << (id - 1)
	}
	w.each(func(x world) {
		sure := x.phase == alive && !x.loose
		switch {
		case !s.Found, s.ID != sid && sid != "":
			if sure {
				return // lost, or replaced
			}
		case s.User != "u1" && s.User != "", s.User == "" && sure, x.phase == over:
			return // another's, nobody's, or resurrected
		case x.phase == alive:
			counts = counts || s.Count == int64(bits.OnesCount32(x.applied))
			lists = lists || listed == x.applied && len(s.Ops) == bits.OnesCount32(listed)
			return
		}
		counts, lists = true, true
	})
	return counts && lists
}

// randomLife is one session of a store that is right, with logouts and logins
// of any outcome, and then spoilt now and then.
func randomLife(seed uint64) *history.History {
	rng := random(seed, 130)
	h := &history.History{Names: &history.Names{}}
	user, stranger := h.Names.Intern("u1"), h.Names.Intern("u2")
	noSession, reset := uint16(h.Names.Intern(history.ErrSession)), uint16(h.Names.Intern(history.ErrReset))
	exists, named, count := false, false, int64(0)
	var list, late []uint64
	number := 0
	begin := func(byLogin bool) {
		number++
		exists, named, count, list, late = true, byLogin, 0, nil, nil
	}
	wrong := oneOf(rng, 1000, 25, 8)
	steps := 3 + rng.IntN(8)
	leaving := 0 // steps until a logout of unknown outcome takes effect
	for i := range steps {
		if leaving > 0 {
			if leaving--; leaving == 0 {
				exists = false
			}
		}
		if len(late) > 0 && exists && chance(rng, 2) {
			count, list, late = count+1, append(list, late[0]), late[1:]
		}
		o := history.Op{ID: uint64(i) + 1, Session: 1, User: user, Intended: time.Duration(i) * 10 * ms, Attempts: 1, Outcome: history.Good, Status: 200}
		o.Sent, o.End = o.Intended, o.Intended+ms
		unknown := chance(rng, 6)
		switch n := rng.IntN(12); {
		case i == 0 || !exists && n < 6:
			o.Type = history.Login
			if unknown {
				break
			}
			begin(true)
			o.Flags = history.New
			leaving = 0
		case n == 6:
			o.Type = history.Logout
			if unknown && exists {
				leaving = 1 + rng.IntN(6)
			} else if !unknown {
				exists = false
			}
		case n < 9:
			o.Type = history.SessionWrite
			switch {
			case unknown && exists:
				late = append(late, o.ID)
			case unknown:
			case chance(rng, 8):
				o.Outcome, o.Status = history.Failed, 500
			case !exists && chance(rng, 2):
				o.Outcome, o.Status, o.Error = history.Failed, 404, noSession
			default:
				if !exists {
					begin(false)
					o.Flags = history.New
				}
				count++
				list = append(list, o.ID)
				o.Value = count
			}
		default:
			o.Type, o.Value = history.SessionRead, count
			if !exists {
				o.Outcome, o.Status, o.Error, o.Value = history.Failed, 404, noSession, 0
			}
		}
		if unknown {
			o.Outcome, o.Status, o.Error, o.Value, o.Flags = history.Unknown, 0, reset, 0, 0
		}
		if o.Outcome == history.Good && exists {
			o.SessionID = h.Names.Intern(fmt.Sprintf("s%d", number))
			if named {
				o.Owner = user
			}
		}
		if chance(rng, wrong) {
			spoilLife(&o, rng.IntN(6), noSession, stranger)
		}
		h.Ops = append(h.Ops, o)
	}
	s := history.SessionState{Session: 1, Via: "vip", Known: true}
	if exists {
		s.Found, s.ID, s.User, s.Count, s.Ops = true, fmt.Sprintf("s%d", number), "u1", count, slices.Clone(list)
		if !named {
			s.User = ""
		}
	}
	if chance(rng, wrong) {
		switch rng.IntN(5) {
		case 0:
			s.Found = false
		case 1:
			if exists {
				s.ID = "another"
			}
		case 2:
			s.User = "u2"
		case 3:
			s.Count++
		case 4:
			s.Count, s.Ops = max(0, s.Count-1), s.Ops[:max(0, len(s.Ops)-1)]
		}
	}
	if !chance(rng, 8) {
		h.Sessions = append(h.Sessions, history.At[history.SessionState]{Seq: 100, Time: sec, V: s})
	}
	h.Coverage = covered(history.StreamSession)
	return h
}

// spoilLife makes an answer wrong in one of six ways, if it can be.
func spoilLife(o *history.Op, how int, noSession uint16, stranger history.Name) {
	counter := o.Type == history.SessionRead || o.Type == history.SessionWrite
	if o.Outcome != history.Good || !counter {
		return
	}
	switch how {
	case 0:
		o.Value++
	case 1:
		o.Value = max(0, o.Value-1)
	case 2:
		o.Owner = stranger
	case 3:
		o.Owner = 0
	case 4:
		o.Outcome, o.Status, o.Error, o.Value, o.Owner, o.SessionID = history.Failed, 404, noSession, 0, 0, 0
	case 5:
		o.Outcome, o.Status, o.Value, o.Owner, o.SessionID = history.Failed, 401, 0, 0, 0
	}
}

// naiveLife follows all worlds; none is left of a session that was violated.
func naiveLife(h *history.History) assert.Status {
	now, judged, sid := worlds{{}: true}, false, "" // the last id that the client was told
	for i, o := range h.Ops {
		if o.Outcome == history.Good && o.SessionID != 0 {
			sid = h.SessionIDOf(&o)
		}
		judged = judged || o.Type == history.Login && o.Outcome == history.Good
		now = now.after(h, i)
	}
	mustBe := false
	for x := range now {
		mustBe = x.phase == alive && !x.loose
	}
	possible := len(now) > 0
	for _, s := range h.Sessions {
		possible = possible && now.read(s.V, sid)
	}
	switch {
	case !possible:
		return assert.Fail
	case !judged, mustBe && len(h.Sessions) == 0:
		return assert.Inconclusive
	}
	return assert.Pass
}

// A session that an answer began anew belongs to nobody: what is read of it
// after the load is compared with nothing.
func TestSessionLivesAgreeWithAllWorlds(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 2_000) {
		h := randomLife(seed)
		want := naiveLife(h)
		v := assert.SessionSurvival{}.Check(h)
		require.Equal(t, want, v.Status, "seed %d: %s %v %+v\n%s", seed, v.Summary, v.Reasons, v.Evidence, told(h))
		var words []string
		for _, e := range v.Evidence {
			words = append(words, e.Class)
		}
		all.add(want, words...)
	}
	all.require(t, 50, "pass", "fail", "inconclusive")
	all.require(t, 2, "leaked to another user", "lost", "half-login", "forced re-login", "stale read", "applied twice", "replaced by a new session")
}

// told writes a session's operations down.
func told(h *history.History) (out string) {
	for _, o := range h.Ops {
		out += fmt.Sprintf("op %d %s %s value %d status %d owner %q id %q new %v\n", o.ID, o.Type, o.Outcome, o.Value, o.Status, h.OwnerOf(&o), h.SessionIDOf(&o), o.Has(history.New))
	}
	for _, s := range h.Sessions {
		out += fmt.Sprintf("%+v\n", s.V)
	}
	return out
}

// fate is what becomes of a session through the loss of a node.
type fate struct {
	victim bool // it was bound to the node
	kept   bool
	gone   bool // and it was seen to be; else nobody asked again
}

// randomLoss is a kill of j2 and a few sessions, each with its own fate. An
// answer tells of a node before the fault, and of the other one after it.
func randomLoss(seed uint64) (h *history.History, fates []fate) {
	rng := random(seed, 131)
	h = &history.History{Names: &history.Names{}, End: 10 * sec}
	h.Meta.Nodes = []history.NodeMeta{{Name: "j1", Role: "application"}, {Name: "j2", Role: "application"}}
	h.Faults = []history.Fault{{ID: 1, Kind: "instance-kill", Nodes: []string{"j2"}, Injected: 5 * sec, Active: 5100 * ms, Proof: &history.Proof{OK: true, From: 5 * sec, To: 5020 * ms}}}
	noSession := uint16(h.Names.Intern(history.ErrSession))
	add := func(session int, at time.Duration, o history.Op, node, bound string) {
		o.ID, o.Session, o.Intended, o.Sent, o.End, o.Attempts = uint64(len(h.Ops))+1, uint32(session), at, at, at+ms, 1
		o.User = h.Names.Intern(fmt.Sprint("u", session))
		o.Node, o.Bound = h.Names.Intern(node), h.Names.Intern(bound)
		if o.Outcome == history.Good {
			o.Owner = o.User
			o.SessionID = h.Names.Intern(fmt.Sprintf("s%d-%v", session, o.Has(history.New) && o.Type != history.Login))
		}
		h.Ops = append(h.Ops, o)
	}
	n := 1 + rng.IntN(5)
	mood := rng.IntN(3) // most are as a shared store has them, or as memory has
	for s := 1; s <= n; s++ {
		f := fate{victim: chance(rng, 2)}
		f.kept = mood == 0 || mood == 1 && !f.victim
		if chance(rng, 6) {
			f.kept = !f.kept
		}
		f.gone = !f.kept && !chance(rng, 4)
		fates = append(fates, f)
	}
	at := func(s, step int) time.Duration { return time.Duration(step)*sec + time.Duration(s)*10*ms }
	on := func(f fate) string { return map[bool]string{true: "j2", false: "j1"}[f.victim] }
	for s := 1; s <= n; s++ {
		add(s, at(s, 1), history.Op{Type: history.Login, Outcome: history.Good, Flags: history.New}, on(fates[s-1]), "")
	}
	for s := 1; s <= n; s++ {
		add(s, at(s, 2), history.Op{Type: history.SessionWrite, Outcome: history.Good, Value: 1}, on(fates[s-1]), on(fates[s-1]))
	}
	for s := 1; s <= n; s++ {
		f := fates[s-1]
		switch {
		case f.kept:
			add(s, at(s, 6), history.Op{Type: history.SessionRead, Outcome: history.Good, Value: 1}, "j1", on(f))
			h.Sessions = append(h.Sessions, history.At[history.SessionState]{Seq: uint64(s), Time: 9 * sec, V: history.SessionState{
				Session: uint32(s), Via: "vip", Known: true, Found: true, ID: fmt.Sprintf("s%d-false", s), User: fmt.Sprint("u", s), Count: 1, Ops: []uint64{uint64(n + s)},
			}})
		case f.gone && chance(rng, 2):
			add(s, at(s, 6), history.Op{Type: history.SessionRead, Outcome: history.Failed, Status: 404, Error: noSession}, "j1", on(f))
		case f.gone:
			add(s, at(s, 6), history.Op{Type: history.SessionWrite, Outcome: history.Good, Value: 1, Flags: history.New}, "j1", on(f))
		}
	}
	h.Coverage = covered(history.StreamSession)
	return h, fates
}

func TestLostSessionsAgreeWithTheirFates(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 1_000) {
		h, fates := randomLoss(seed)
		for _, dies := range []bool{false, true} {
			violated, victims, unseen, unread := 0, 0, 0, 0
			for _, f := range fates {
				if f.victim {
					victims++
				}
				switch {
				case f.kept && f.victim && dies, f.gone && !(f.victim && dies):
					violated++
				case !f.kept && !f.gone:
					unread++ // nobody knows what became of it
					if f.victim {
						unseen++
					}
				}
			}
			want := assert.Pass
			switch {
			case violated > 0:
				want = assert.Fail
			case unread > 0 || victims > 0 && unseen == victims:
				want = assert.Inconclusive
			}
			c := assert.SessionSurvival{}
			if dies {
				c.Expect = assert.ExpectLostWithNode
			}
			v := c.Check(h)
			require.Equal(t, want, v.Status, "seed %d, they die %v: %s %v %+v", seed, dies, v.Summary, v.Reasons, fates)
			require.EqualValues(t, violated, *v.Measured, "seed %d, they die %v: %s %+v", seed, dies, v.Summary, fates)
			require.EqualValues(t, victims, measure(t, v, "on a victim"), "seed %d: %+v", seed, fates)
			all.add(want, fmt.Sprintf("%v %v", dies, want))
		}
	}
	all.require(t, 30, "false pass", "false fail", "false inconclusive", "true pass", "true fail", "true inconclusive")
}
