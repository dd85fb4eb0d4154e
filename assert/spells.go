package assert

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"github.com/hachaos/hachaos/history"
)

// databaseLag is how long a node may go on saying that it does not reach its
// database after it could: docs/wire.md has it say whether it did within the
// last second, by looks that themselves may take nearly as long.
const databaseLag = 1250 * time.Millisecond

// silentLooks is how many looks in a row a node must leave unanswered before
// it counts as silent.
const silentLooks = 3

// spell is a time in which a node certainly was not ready, by one source.
// From is the latest at which it can have begun, To the earliest at which it
// can have ended: in between it holds whatever the clocks' uncertainty.
type spell struct {
	from, to time.Duration
	says     string // who says so, for evidence
	seq      uint64 // the line that began it
}

// covers says whether the interval lies in the spell's part that begins
// after grace.
func (s spell) covers(lo, hi, grace time.Duration) bool { return lo > s.from+grace && hi < s.to }

// spells are disjoint and in the order of time.
type spells []spell

// find gives the spell that covers the interval.
func (l spells) find(lo, hi, grace time.Duration) (spell, bool) {
	i := sort.Search(len(l), func(i int) bool { return l[i].to > hi })
	if i < len(l) && l[i].covers(lo, hi, grace) {
		return l[i], true
	}
	return spell{}, false
}

// look is one sample, or one statement, about a node: of its state at some
// time between lo and hi.
type look struct {
	lo, hi time.Duration
	bad    bool
	seq    uint64
}

// chain makes spells of samples in the order of their beginnings. A spell
// reaches from the end of its first bad sample to the beginning of its last
// one: that nothing changed between two samples that agree is the one thing
// that sampling must assume. A good sample that began before a bad one, and
// ended after it, may be the later of the two. Chains of fewer than least bad
// samples are left out.
func chain(looks []look, says string, least int) spells {
	var out spells
	var now spell
	n := 0
	lastGood := time.Duration(-1 << 62)
	end := func() {
		if n >= least && now.to > now.from {
			out = append(out, now)
		}
		n = 0
	}
	for _, l := range looks {
		if !l.bad {
			end()
			lastGood = max(lastGood, l.hi)
			continue
		}
		if n == 0 {
			now = spell{from: max(l.hi, lastGood), says: says, seq: l.seq}
		}
		n++
		now.to = l.lo
	}
	end()
	return out
}

// stated makes spells of statements, which hold until the next: from the end
// of the first bad one to the beginning of the good one after it, less lag,
// or to the record's end.
func stated(looks []look, says string, lag, end time.Duration) spells {
	var out spells
	open := false
	var now spell
	for _, l := range looks {
		switch {
		case l.bad && !open:
			now, open = spell{from: l.hi, says: says, seq: l.seq}, true
		case !l.bad && open:
			now.to, open = l.lo-lag, false
			if now.to > now.from {
				out = append(out, now)
			}
		}
	}
	if open && end > now.from {
		now.to = end
		out = append(out, now)
	}
	return out
}

// condition is all that a record says about when a node was ready.
type condition struct {
	node  string
	lives []incarnation
	// unready are spells by the node's own word (its log, its readiness
	// endpoint) and by the truth (its gauges), one list a source.
	unready []spells
	// away are the spells without the database.
	away []spells
	// silent are the spells in which it answered nobody.
	silent spells
	// served are the first requests after it became ready, one a life; -1 is
	// none.
	served []time.Duration
	// told says that anything at all was observed of it.
	told bool
}

// conditions are those of the application nodes, by name, and their names in
// order.
func conditions(h *history.History) (map[string]*condition, []string) {
	by := map[string]*condition{}
	of := perNode(h)
	for node, s := range of {
		if !serves(h, node) {
			continue
		}
		c := &condition{node: node, lives: lives(h, s), told: len(s.ready)+len(s.truth)+len(s.log) > 0}
		own := stated(s.transitions([]string{"unready", "stopping"}, []string{"ready", "started"}), "its log", 0, h.End)
		down := stated(s.transitions([]string{"database-down"}, []string{"database-up", "started"}), "its log, of the database", databaseLag, h.End)
		without := func(is func(history.Truth) bool) spells {
			return shorten(chain(s.truths(is), "its gauges, of the database", 1), databaseLag)
		}
		gone := without(func(t history.Truth) bool { return !t.Database })
		c.unready = []spells{own, s.polled(), chain(s.truths(func(t history.Truth) bool { return !t.Warm }), "its gauges: not warm", 1), down, gone}
		// A node that answers no gauges, as while it starts or stops, says nothing
		// of the database.
		c.away = []spells{down, without(func(t history.Truth) bool { return t.Warm && !t.Database })}
		c.silent = s.silence()
		c.served = slices.Repeat([]time.Duration{-1}, len(c.lives))
		by[node] = c
	}
	names := make([]string, 0, len(by))
	for n := range by {
		names = append(names, n)
	}
	slices.Sort(names)
	return by, names
}

// shorten takes lag off the end of each spell.
func shorten(l spells, lag time.Duration) spells {
	var out spells
	for _, s := range l {
		if s.to -= lag; s.to > s.from {
			out = append(out, s)
		}
	}
	return out
}

// sightings are the observations of one node, in the order of time.
type sightings struct {
	ready, live []history.At[history.Readiness]
	truth       []history.At[history.Truth]
	log         []history.At[history.Transition]
	engine      []history.At[history.Engine]
}

func perNode(h *history.History) map[string]*sightings {
	by := map[string]*sightings{}
	at := func(node string) *sightings {
		s := by[node]
		if s == nil {
			s = &sightings{}
			by[node] = s
		}
		return s
	}
	for _, o := range h.Readiness {
		if s := at(o.V.Node); o.V.Probe == "live" {
			s.live = append(s.live, o)
		} else {
			s.ready = append(s.ready, o)
		}
	}
	for _, o := range h.Truth {
		at(o.V.Node).truth = append(at(o.V.Node).truth, o)
	}
	for _, o := range h.Transitions {
		at(o.V.Node).log = append(at(o.V.Node).log, o)
	}
	for _, o := range h.Engine {
		at(o.V.Node).engine = append(at(o.V.Node).engine, o)
	}
	return by
}

// transitions are the log's lines of the given words.
func (s *sightings) transitions(bad, good []string) []look {
	var out []look
	for _, o := range s.log {
		b := slices.Contains(bad, o.V.What)
		if b || slices.Contains(good, o.V.What) {
			out = append(out, look{o.Time - o.V.Within, o.Time + o.V.Within, b, o.Seq})
		}
	}
	return out
}

// truths are the gauges' samples. A node that did not answer said nothing,
// and ends a chain.
func (s *sightings) truths(bad func(history.Truth) bool) []look {
	out := make([]look, 0, len(s.truth))
	for _, o := range s.truth {
		out = append(out, look{o.Time, o.Time, o.V.Up && bad(o.V), o.Seq})
	}
	return out
}

// polled are the spells in which the readiness endpoint answered, and said
// no.
func (s *sightings) polled() spells {
	out := make([]look, 0, len(s.ready))
	for _, o := range s.ready {
		out = append(out, look{o.Time, o.Time + o.V.Took, !o.V.Up && o.V.Status != 0, o.Seq})
	}
	return chain(out, "its readiness endpoint", 1)
}

// silence are the spells in which the node answered neither a look at its
// readiness nor one at its gauges.
func (s *sightings) silence() spells {
	looks := make([]look, 0, len(s.ready)+len(s.truth))
	for _, o := range s.ready {
		looks = append(looks, look{o.Time, o.Time + o.V.Took, o.V.Status == 0, o.Seq})
	}
	for _, o := range s.truth {
		if o.V.Up {
			looks = append(looks, look{o.Time, o.Time, false, o.Seq})
		}
	}
	slices.SortStableFunc(looks, func(a, b look) int { return cmp.Compare(a.lo, b.lo) })
	return chain(looks, "it answered nobody", silentLooks)
}
