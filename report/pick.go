package report

import (
	"cmp"
	"slices"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
)

// What the page holds of single operations, whatever their number: the rest
// is in the journal. A page of the most of everything is under 2 MB.
const (
	maxOps      = 9000 // operations that the page tells of at all
	maxStories  = 1500 // of those, the ones with what balancers and nodes logged
	maxSessions = 1500 // lines of the sessions' table
	maxWrites   = 1500 // lines of the writes' table
)

// picked are the operations that the page holds.
type picked struct {
	ops     map[uint64]bool
	stories map[uint64]bool // with their log lines
	whole   map[uint32]bool // sessions all of whose operations are held
	named   map[uint64]int  // by evidence: 1, or 2 by that against its session
}

// note is what makes a session worth a line
// before others.
type note struct {
	named  int // the most that picked.named has of its operations
	bad    int // operations
	victim int // 1: it was bound to a victim
	ops    int
}

// before orders by note, worst first.
func (n note) before(m note) int {
	return cmp.Or(cmp.Compare(m.named, n.named), cmp.Compare(m.bad, n.bad), cmp.Compare(m.victim, n.victim))
}

// pickNamed begins with what evidence names. What else must not be missing is
// told next, and fill takes the rest.
func pickNamed(r *harness.Result, h *history.History) *picked {
	p := &picked{ops: map[uint64]bool{}, stories: map[uint64]bool{}, whole: map[uint32]bool{}, named: map[uint64]int{}}
	for i := range r.Assertions {
		for _, e := range r.Assertions[i].Evidence {
			if o, ok := h.Op(e.Op); ok {
				p.named[e.Op] = max(p.named[e.Op], 1)
				if v := &r.Assertions[i]; v.Status == assert.Fail && v.Name == (assert.SessionSurvival{}).Name() {
					p.named[e.Op] = 2
				}
				p.tell(o)
			}
		}
	}
	return p
}

// fill takes what went wrong or was tried more than once, and then whole
// sessions, the most troubled first and the others in their order.
func (p *picked) fill(h *history.History, facts map[uint32]*sessionFacts) {
	g := gradingOf(h)
	for i := range h.Ops {
		if o := &h.Ops[i]; g.bad(o) || o.Attempts > 1 {
			p.tell(o)
		}
	}
	p.pickRetried(h)
	p.pickSessions(h, facts)
}

// tell holds an operation with all that was logged of it.
func (p *picked) tell(o *history.Op) {
	if len(p.stories) < maxStories {
		p.ops[o.ID], p.stories[o.ID] = true, true
	}
}

// pickRetried holds what a balancer sent again, or broke off.
func (p *picked) pickRetried(h *history.History) {
	for i := range h.Dispatches {
		d := &h.Dispatches[i].V
		if d.Retries == 0 && !d.Redispatched && (len(d.Term) < 2 || d.Term[:2] == "--") {
			continue
		}
		if o, ok := h.Op(d.Op); ok {
			p.tell(o)
		}
	}
}

// pickSessions fills what room is left with whole sessions. An operation that
// is held already takes room twice.
func (p *picked) pickSessions(h *history.History, facts map[uint32]*sessionFacts) {
	notes, room := sessionNotes(h, p, facts), maxOps-len(p.ops)
	for _, s := range orderOf(notes) {
		if notes[s].ops <= room && len(p.whole) < maxSessions {
			p.whole[s] = true
			room -= notes[s].ops
		}
	}
	for i := range h.Ops {
		if p.whole[h.Ops[i].Session] {
			p.ops[h.Ops[i].ID] = true
		}
	}
}

// sessionNotes are those of all sessions.
func sessionNotes(h *history.History, p *picked, facts map[uint32]*sessionFacts) map[uint32]note {
	out := make(map[uint32]note, len(facts))
	for s, f := range facts {
		out[s] = note{bad: f.bad, ops: f.ops, victim: flag(f.victim)}
	}
	for id, weight := range p.named {
		if o, ok := h.Op(id); ok && o.Session != 0 {
			n := out[o.Session]
			n.named = max(n.named, weight)
			out[o.Session] = n
		}
	}
	return out
}

// orderOf gives the numbers of the sessions, the most troubled first.
func orderOf(notes map[uint32]note) []uint32 {
	order := make([]uint32, 0, len(notes))
	for s := range notes {
		order = append(order, s)
	}
	slices.SortFunc(order, func(a, b uint32) int {
		return cmp.Or(notes[a].before(notes[b]), cmp.Compare(a, b))
	})
	return order
}
