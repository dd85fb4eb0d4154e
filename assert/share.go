package assert

import (
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// roleApplication is topology.Application: the role of the nodes that
// sessions are bound to.
const roleApplication = "application"

// roleBalancer is topology.Balancer.
const roleBalancer = "balancer"

// roleDatabase is topology.Database.
const roleDatabase = "database"

// share is the victim's share of a fault: the operations whose good ones may
// end the outage that its users saw.
//
// It holds whole sessions. A session belongs to it if an operation that was
// not complete when the fault struck, and was sent before the heal, went out
// while the session was bound to a victim; from the fault on, all its
// operations count, wherever they are served. Sessions of other nodes are
// never in it, so that their good operations cannot interrupt its outage; nor
// are sessions begun after the fault, because a user who logs in anew is sent
// to a healthy node and would interrupt it too. A session stays in it after
// it was bound to another node: were it to leave then, a session that fails
// there would be nobody's outage.
//
// Within the share a session that has recovered may interrupt the run of
// those that have not, so judges look at each session and each type of
// operation for itself as well: see shareRuns.
//
// Where the victim is no application node (a balancer, a database), no
// session can be bound to it, and the share is all traffic.
type share struct {
	fault    *history.Fault
	nodes    []string      // the victims whose users they are
	from     time.Duration // the earliest time at which the fault took effect
	all      bool
	sessions map[uint32]bool
}

// shares gives the share of each fault that was injected.
func shares(h *history.History) []share {
	var out []share
	for i := range h.Faults {
		f := &h.Faults[i]
		if f.Injected < 0 {
			continue
		}
		from, _ := tookEffect(f)
		s := share{fault: f, nodes: f.Nodes, from: from, all: !slices.ContainsFunc(f.Nodes, func(n string) bool { return serves(h, n) })}
		if !s.all {
			s.sessions = boundSessions(h, f, from)
		}
		out = append(out, s)
	}
	return out
}

// serves says whether sessions can be bound to the node. One that the run's
// first line does not know may be.
func serves(h *history.History, node string) bool {
	for _, n := range h.Meta.Nodes {
		if n.Name == node {
			return n.Role == roleApplication
		}
	}
	return true
}

func boundSessions(h *history.History, f *history.Fault, from time.Duration) map[uint32]bool {
	var victims []history.Name
	for _, n := range f.Nodes {
		if name, ok := h.Names.Find(n); ok && name != 0 {
			victims = append(victims, name)
		}
	}
	members := map[uint32]bool{}
	for i := range h.Ops {
		o := &h.Ops[i]
		if o.Session == 0 || o.Bound == 0 || !pending(o, from) {
			continue
		}
		if f.Heal >= 0 && max(o.Sent, o.Intended) >= f.Heal {
			continue
		}
		if slices.Contains(victims, o.Bound) {
			members[o.Session] = true
		}
	}
	return members
}

// apart are the shares of each victim alone, if there are several: the sessions
// that were bound to it when the fault struck.
func (s *share) apart(h *history.History) []share {
	if s.all || len(s.nodes) < 2 {
		return nil
	}
	out := make([]share, len(s.nodes))
	for i, n := range s.nodes {
		out[i] = share{fault: s.fault, nodes: []string{n}, from: s.from, sessions: map[uint32]bool{}}
	}
	before, seen := map[uint32]bool{}, map[uint32]bool{}
	inOrder(h, func(o *history.Op) {
		if !s.sessions[o.Session] || seen[o.Session] {
			return
		}
		if o.Intended < s.from {
			before[o.Session] = true
		}
		if !pending(o, s.from) {
			return
		}
		seen[o.Session] = true
		if !before[o.Session] {
			return // begun since, it was bound to whoever was there
		}
		if at := slices.Index(s.nodes, h.BoundOf(o)); at >= 0 {
			out[at].sessions[o.Session] = true
		}
	})
	return out
}

// endOf is when the operation ended: with the history, if it never did.
func endOf(h *history.History, o *history.Op) time.Duration {
	if o.End < 0 {
		return h.End
	}
	return o.End
}

// pending says whether the operation was not complete at t, or came after.
func pending(o *history.Op, t time.Duration) bool { return o.End < 0 || o.End >= t }

// has says whether the operation belongs to the share.
func (s *share) has(o *history.Op) bool {
	return pending(o, s.from) && (s.all || s.sessions[o.Session])
}

// empty says that the share can hold no operation.
func (s *share) empty() bool { return !s.all && len(s.sessions) == 0 }

// tookEffect is Fault.Took as an interval that is never reversed: the proof
// of a fault that was not proven has no time.
func tookEffect(f *history.Fault) (from, to time.Duration) {
	from, to = f.Took()
	return from, max(from, to)
}

// shareRuns are the outages of a share, from each side that one could hide
// on.
type shareRuns struct {
	pool    runs             // all operations of the share
	types   [6]runs          // by history.Type: orders may fail while reads are served
	session map[uint32]*runs // by session: one user may fail while others are served
	floor   time.Duration    // of the sessions' runs
	// early counts the operations intended within soon of the fault.
	early int
}

// findRuns walks the share's operations. Bad ones are left out if skip says so,
// and good ones do not count as early then: that they were good ends an outage,
// whoever had them late. soon is how far after the fault early counts.
//
// An outage counts from the fault at the earliest: what was asked before it, and
// is in the share, was under way when it struck.
//
// A run of the pool that is open when the share's sessions have ended is
// ended by the first good operation after it of one of its users' next
// sessions.
func (s *share) findRuns(h *history.History, g grader, skip func(*history.Op) bool, soon time.Duration) *shareRuns {
	r := &shareRuns{session: map[uint32]*runs{}, floor: s.from}
	r.pool.floor = s.from
	for i := range r.types {
		r.types[i].floor = s.from
	}
	users := map[history.Name]bool{}
	var again *history.Op // the first good one of a user since the last bad one
	inOrder(h, func(o *history.Op) {
		left := skip(o)
		if left && g.grade(o) != good {
			return
		}
		if !s.has(o) {
			if r.pool.now.Bad > 0 && again == nil && o.User != 0 && users[o.User] && g.grade(o) == good {
				again = o
			}
			return
		}
		if o.User != 0 && !s.all {
			users[o.User] = true
		}
		if again != nil && g.grade(o) == bad {
			again = nil
		}
		r.add(o, g.grade(o))
		if !left && o.Intended >= s.from && o.Intended < s.from+soon {
			r.early++
		}
	})
	r.finish(h, again)
	return r
}

func (r *shareRuns) add(o *history.Op, g health) {
	r.pool.add(o, g)
	if int(o.Type) < len(r.types) {
		r.types[o.Type].add(o, g)
	}
	if o.Session == 0 {
		return
	}
	one := r.session[o.Session]
	if one == nil {
		if g != bad {
			return // nothing to remember: a run begins with a bad one
		}
		one = &runs{floor: r.floor}
		r.session[o.Session] = one
	}
	one.add(o, g)
}

func (r *shareRuns) finish(h *history.History, again *history.Op) {
	if again != nil {
		r.pool.add(again, good)
	}
	end := func(t time.Duration) time.Duration { return phaseEnd(h, t) }
	r.pool.finish(end)
	for i := range r.types {
		r.types[i].finish(end)
	}
	for _, one := range r.session {
		one.finish(end)
	}
}
