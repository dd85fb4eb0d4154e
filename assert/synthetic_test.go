package assert_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/hachaos/hachaos/history"
)

// synthetic makes a history of n operations in which every answer is right:
// clients with sessions of 20 operations from login to logout, a node that is
// killed half-way, writes of unknown outcome that are applied at once, late
// or never, and orders that are retried. It is a function of n and seed.
type synthetic struct {
	h       *history.History
	rng     *rand.Rand
	clients []client
	session uint32
	order   int64

	// memory says that sessions live in their node alone, so that those of
	// the victim die with it: but for immortal, and with mortal beside them.
	memory           bool
	immortal, mortal uint32
	struck           []uint32 // sessions that were bound to the victim

	// Places where a violation can be planted, by index into the history.
	rows   map[uint64]int // by operation
	states map[uint32][]int
}

const (
	synthClients = 50
	sessionOps   = 20
	interval     = time.Millisecond
	steady       = "steady"
)

type client struct {
	session   uint32
	user, sid history.Name
	node      string
	count     int64
	applied   []uint64
	pending   []uint64 // writes of unknown outcome that may yet be applied
	ended     bool
	lost      bool // the server does not know it any more
	anonymous bool // begun by an answer, with no user
}

func synthesise(n int, seed uint64) *synthetic { return synthesiseWith(n, seed, nil) }

// synthesiseWith lets the caller say what kind of system it is.
func synthesiseWith(n int, seed uint64, system func(*synthetic)) *synthetic {
	s := &synthetic{
		h:       &history.History{Names: &history.Names{}, Tries: map[uint64][]history.Try{}},
		rng:     rand.New(rand.NewPCG(seed, 1)),
		clients: make([]client, synthClients),
		rows:    map[uint64]int{}, states: map[uint32][]int{},
	}
	for _, name := range []string{"j1", "j2", history.ErrReset, history.ErrSession} {
		s.h.Names.Intern(name)
	}
	end := time.Duration(n) * interval
	s.h.End = end + time.Second
	kill := end / 2
	s.h.Meta.Nodes = []history.NodeMeta{{Name: "j1", Role: "application"}, {Name: "j2", Role: "application"}}
	s.h.Phases = []history.Phase{
		{Name: steady, From: 0, To: kill, Kind: history.PhaseSteady},
		{Name: "killed", From: kill, To: s.h.End, Kind: history.PhaseBreak},
	}
	s.h.Faults = []history.Fault{{
		ID: 1, Kind: "instance-kill", Nodes: []string{"j2"}, Injected: kill, Active: kill + 10*ms, Heal: end, Healed: end,
		Proof:     &history.Proof{OK: true, From: kill, To: kill + 10*ms},
		HealProof: &history.Proof{OK: true},
	}}
	s.h.Clock = []history.ClockPair{{}, {Mono: s.h.End, Wall: int64(s.h.End)}}
	s.h.Integrity.State = history.Whole
	s.h.Ops = make([]history.Op, 0, n)
	if system != nil {
		system(s)
	}
	for i := range n {
		if i == n/2 {
			s.kill()
		}
		s.step(uint64(i)+1, time.Duration(i)*interval, kill)
	}
	for i := range s.clients {
		s.keep(&s.clients[i])
	}
	for _, stream := range []string{history.StreamLedger, history.StreamSession, history.StreamDispatch, history.StreamReceipt, history.StreamEngine, history.StreamNode} {
		s.h.Coverage = append(s.h.Coverage, history.At[history.Coverage]{Time: s.h.End + time.Hour, V: history.Coverage{Stream: stream, Complete: true}})
	}
	return s
}

// kill takes j2 away.
func (s *synthetic) kill() {
	for i := range s.clients {
		c := &s.clients[i]
		if c.session == 0 || c.ended {
			continue
		}
		hit := c.node == "j2"
		if hit {
			s.struck = append(s.struck, c.session)
		}
		c.lost = s.memory && (hit && c.session != s.immortal || !hit && c.session == s.mortal)
		if c.lost {
			c.pending = nil
		}
	}
}

func (s *synthetic) step(id uint64, at, kill time.Duration) {
	place, k := (id-1)%synthClients, (id-1)/synthClients
	c := &s.clients[place]
	op := history.Op{ID: id, Intended: at, Sent: at, End: at + 500*time.Microsecond, Outcome: history.Good, Attempts: 1, Status: 200}
	bound := c.node
	if c.session == 0 || c.ended {
		s.login(c, place, at < kill)
		op.Type = history.Login
		op.Flags |= history.New
		bound = ""
	} else {
		if c.node == "j2" && at >= kill {
			c.node = "j1"
		}
		s.act(c, &op, (k+place)%sessionOps)
	}
	op.Session, op.User, op.Bound = c.session, c.user, s.h.Names.Intern(bound)
	if op.Outcome == history.Good {
		op.Node, op.SessionID, op.Owner = s.h.Names.Intern(c.node), c.sid, c.user
		if op.Type == history.Order {
			op.SessionID, op.Owner = 0, 0
		}
		if c.anonymous {
			op.Owner = 0
		}
	}
	s.h.Ops = append(s.h.Ops, op)
}

func (s *synthetic) login(c *client, place uint64, both bool) {
	s.keep(c)
	s.session++
	*c = client{session: s.session, user: s.h.Names.Intern(fmt.Sprintf("u%d", place)), node: "j1"}
	c.sid = s.h.Names.Intern(fmt.Sprintf("s%d", s.session))
	if both && s.rng.IntN(2) == 0 {
		c.node = "j2"
	}
}

func (s *synthetic) act(c *client, op *history.Op, place uint64) {
	for i := 0; i < len(c.pending); i++ { // late writes come in
		if s.rng.IntN(4) == 0 {
			c.count++
			c.applied = append(c.applied, c.pending[i])
			c.pending = append(c.pending[:i], c.pending[i+1:]...)
			i--
		}
	}
	unknown := s.rng.IntN(100) == 0
	switch {
	case place == sessionOps-1:
		op.Type, c.ended = history.Logout, true
		if c.lost {
			s.deny(op)
		}
	case c.lost && place%3 == 0:
		op.Type, op.Value = history.SessionWrite, 1
		op.Flags |= history.New
		c.lost, c.anonymous, c.count, c.applied = false, true, 1, []uint64{op.ID}
		c.sid = s.h.Names.Intern(fmt.Sprintf("again%d", op.ID))
	case c.lost && place%3 == 1:
		op.Type = history.SessionRead
		s.deny(op)
	case place%3 == 0:
		op.Type = history.SessionWrite
		if unknown {
			s.lose(op)
			c.pending = append(c.pending, op.ID)
			return
		}
		c.count++
		c.applied = append(c.applied, op.ID)
		op.Value = c.count
	case place%3 == 1:
		op.Type, op.Value = history.SessionRead, c.count
	default:
		s.place(c, op, unknown)
	}
}

func (s *synthetic) deny(op *history.Op) {
	op.Outcome, op.Status = history.Failed, 404
	op.Error = uint16(s.h.Names.Intern(history.ErrSession))
}

func (s *synthetic) place(c *client, op *history.Op, unknown bool) {
	op.Type = history.Order
	key := fmt.Sprintf("k-%d", op.ID)
	op.Key = s.h.Names.Intern(key)
	attempt := 1
	if unknown {
		switch s.rng.IntN(3) {
		case 0: // nobody ever learns, and it is not applied
			s.lose(op)
			return
		case 1: // nobody ever learns, and it is
			s.lose(op)
		case 2:
			op.Attempts = 2
			s.h.Tries[op.ID] = []history.Try{{Outcome: history.Info, Error: history.ErrReset, Node: c.node}}
			attempt = 1 + s.rng.IntN(2)
		}
	}
	s.order++
	if op.Outcome == history.Good {
		op.Value = s.order
	}
	s.rows[op.ID] = len(s.h.Ledger)
	s.h.Ledger = append(s.h.Ledger, history.At[history.LedgerRow]{
		Seq: op.ID, Time: op.Intended, V: history.LedgerRow{Order: s.order, Key: key, Op: op.ID, Attempt: attempt, Node: c.node},
	})
}

// log adds what a balancer and the nodes logged of each order.
func (s *synthetic) log() *synthetic {
	for _, r := range s.h.Ledger {
		at, row := r.Time, r.V
		s.h.Dispatches = append(s.h.Dispatches, history.At[history.Dispatch]{Time: at, V: history.Dispatch{
			Balancer: "lb1", Op: row.Op, Attempt: row.Attempt, Key: row.Key, Server: row.Node, Status: 201,
		}})
		for _, what := range []string{"arrive", "commit"} {
			s.h.Receipts = append(s.h.Receipts, history.At[history.Receipt]{Time: at, V: history.Receipt{
				Node: row.Node, What: what, Op: row.Op, Attempt: row.Attempt, Key: row.Key, Order: row.Order,
			}})
		}
	}
	return s
}

func (s *synthetic) lose(op *history.Op) {
	op.Outcome, op.Status = history.Unknown, 0
	op.Error = uint16(s.h.Names.Intern(history.ErrReset))
}

// keep reads the session of c after the load, through the entry and from j1.
func (s *synthetic) keep(c *client) {
	if c.session == 0 {
		return
	}
	for _, via := range []string{"vip", "j1"} {
		v := history.SessionState{Session: c.session, Via: via, Known: true}
		if !c.ended && !c.lost {
			v.Found, v.ID, v.User = true, s.h.Names.Get(c.sid), s.h.Names.Get(c.user)
			v.Count, v.Ops = c.count, c.applied
			if c.anonymous {
				v.User = ""
			}
		}
		s.states[c.session] = append(s.states[c.session], len(s.h.Sessions))
		s.h.Sessions = append(s.h.Sessions, history.At[history.SessionState]{Seq: uint64(len(s.h.Sessions)), Time: s.h.End, V: v})
	}
}

// pick chooses an operation by the seed that fits, or none.
func (s *synthetic) pick(fits func(*history.Op) bool) *history.Op {
	from := s.rng.IntN(len(s.h.Ops))
	for i := range s.h.Ops {
		if op := &s.h.Ops[(from+i)%len(s.h.Ops)]; fits(op) {
			return op
		}
	}
	return nil
}

func acked(t history.Type) func(*history.Op) bool {
	return func(op *history.Op) bool { return op.Type == t && op.Outcome == history.Good }
}

// alive says that the session of op was found after the load.
func (s *synthetic) alive(op *history.Op) bool {
	i, ok := s.states[op.Session]
	return ok && s.h.Sessions[i[0]].V.Found
}

// plant is one violation of one class.
type plant struct {
	class   string
	checker string
	// put plants it and names the operation that the evidence must name; 0 if
	// the history has no room for it.
	put func(*synthetic) uint64
}

func plants() []plant {
	return []plant{
		{"duplicate", "write-ledger", func(s *synthetic) uint64 {
			op := s.pick(acked(history.Order))
			row := s.h.Ledger[s.rows[op.ID]]
			row.V.Order = s.order + 1
			s.h.Ledger = append(s.h.Ledger, row)
			return op.ID
		}},
		{"lost", "write-ledger", func(s *synthetic) uint64 {
			op := s.pick(acked(history.Order))
			i := s.rows[op.ID]
			s.h.Ledger = append(append([]history.At[history.LedgerRow]{}, s.h.Ledger[:i]...), s.h.Ledger[i+1:]...)
			return op.ID
		}},
		{"phantom", "write-ledger", func(s *synthetic) uint64 {
			id := uint64(len(s.h.Ops)) + 17
			s.h.Ledger = append(s.h.Ledger, history.At[history.LedgerRow]{V: history.LedgerRow{Order: s.order + 1, Key: fmt.Sprintf("k-%d", id), Op: id}})
			return id
		}},
		{"phantom", "write-ledger", func(s *synthetic) uint64 {
			op := s.pick(acked(history.Order))
			op.Outcome, op.Sent, op.Attempts = history.Failed, -1, 0
			return op.ID
		}},
		{"conflict", "write-ledger", func(s *synthetic) uint64 {
			op := s.pick(acked(history.Order))
			op.Value += 1 << 40
			return op.ID
		}},
		{"lost update", "session-survival", func(s *synthetic) uint64 {
			op := s.pick(func(op *history.Op) bool { return acked(history.SessionWrite)(op) && s.alive(op) })
			if op == nil {
				return 0
			}
			for _, i := range s.states[op.Session] {
				v := &s.h.Sessions[i].V
				v.Count--
				v.Ops = without(v.Ops, op.ID)
			}
			return op.ID
		}},
		{"applied twice", "session-survival", func(s *synthetic) uint64 {
			op := s.pick(func(op *history.Op) bool { return acked(history.SessionWrite)(op) && s.alive(op) })
			if op == nil {
				return 0
			}
			for _, i := range s.states[op.Session] {
				v := &s.h.Sessions[i].V
				v.Count++
				v.Ops = append(append([]uint64{}, v.Ops...), op.ID)
			}
			return op.ID
		}},
		{"never sent", "session-survival", func(s *synthetic) uint64 {
			op := s.pick(func(op *history.Op) bool {
				return acked(history.SessionRead)(op) && s.alive(op) && op.Value > 0
			})
			if op == nil {
				return 0
			}
			for _, i := range s.states[op.Session] {
				v := &s.h.Sessions[i].V
				v.Ops = append(append([]uint64{}, v.Ops...), op.ID)
			}
			return op.ID
		}},
		{"stale read", "session-survival", func(s *synthetic) uint64 {
			op := s.pick(func(op *history.Op) bool {
				return acked(history.SessionRead)(op) && op.Value > 0 && s.goesOn(op)
			})
			if op == nil {
				return 0
			}
			op.Value = -1
			return op.ID
		}},
		{"leaked to another user", "session-survival", func(s *synthetic) uint64 {
			op := s.pick(acked(history.SessionRead))
			op.Owner = s.h.Names.Intern("somebody else")
			return op.ID
		}},
		{"half-login", "session-survival", func(s *synthetic) uint64 {
			op := s.pick(acked(history.SessionRead))
			op.Owner = 0
			return op.ID
		}},
		{"lost", "session-survival", func(s *synthetic) uint64 {
			op := s.pick(acked(history.SessionRead))
			op.Outcome, op.Value, op.Status = history.Failed, 0, 404
			op.Error = uint16(s.h.Names.Intern(history.ErrSession))
			return op.ID
		}},
		{"forced re-login", "session-survival", func(s *synthetic) uint64 {
			op := s.pick(acked(history.SessionRead))
			op.Outcome, op.Value, op.Status = history.Failed, 0, 401
			return op.ID
		}},
	}
}

// goesOn says that an answer with the counter follows op in its session.
func (s *synthetic) goesOn(op *history.Op) bool {
	for i := op.ID; i < uint64(len(s.h.Ops)); i++ {
		o := &s.h.Ops[i]
		if o.Session == op.Session && o.Outcome == history.Good && (o.Type == history.SessionRead || o.Type == history.SessionWrite) {
			return true
		}
	}
	return s.alive(op)
}

func without(ids []uint64, id uint64) []uint64 {
	var out []uint64
	for _, x := range ids {
		if x != id {
			out = append(out, x)
		}
	}
	return out
}
