package assert

import (
	"cmp"
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// incarnation is a node from one start of its process to the next.
type incarnation struct {
	// born is the earliest moment of the start: before it, the process did
	// not exist. bornBy is its latest.
	born, bornBy time.Duration
	// ready is an interval too: the earliest and the latest moment at which
	// the node can have become ready, by all sources together. Up to
	// readyFrom at least one of them certainly said no. readyBy is -1 if it
	// never became ready.
	readyFrom, readyBy time.Duration
	// mute is the beginning of the last look that nobody answered before the
	// first that said yes; born if there is none. That the node was not ready
	// then is good enough to time it by, but not to accuse it.
	mute time.Duration
	end  time.Duration
	says string // the source that readyFrom rests on
	// seq and readySeq are the lines of the start and of ready.
	seq, readySeq uint64
	again         bool // it had ended before
	logged        bool // its log begins with "started"
}

// before says whether the whole interval lies in the life, and before the
// node became ready.
func (l incarnation) before(lo, hi time.Duration) bool { return lo >= l.born && hi < l.readyFrom }

// lives finds the starts of a node: the engine's start events and its log's
// "started", of which one that follows an engine's start belongs to it, and so
// does one that came at most beforeStart before it.
func lives(h *history.History, s *sightings) []incarnation {
	var out []incarnation
	byEngine := false // the last start is one that the engine told of
	for _, m := range starts(s) {
		if n := len(out); n > 0 {
			last := &out[n-1]
			if m.logged && !last.logged {
				last.logged = true
				continue
			}
			if !m.logged && !byEngine && m.lo-last.born <= beforeStart {
				byEngine = true
				continue
			}
		}
		byEngine = !m.logged
		out = append(out, incarnation{born: m.lo, bornBy: m.hi, seq: m.seq, logged: m.logged})
	}
	for i := range out {
		l := &out[i]
		l.end = h.End
		if i+1 < len(out) {
			l.end = out[i+1].born
		}
		l.again = i > 0 || died(s, l.born) || answered(s, l.born)
		s.awaken(l)
	}
	return out
}

type start struct {
	look
	logged bool
}

func starts(s *sightings) []start {
	var out []start
	for _, o := range s.engine {
		if o.V.Action == "start" {
			out = append(out, start{look{o.Time - o.V.Within, o.Time + o.V.Within, false, o.Seq}, false})
		}
	}
	for _, o := range s.log {
		if o.V.What == "started" {
			out = append(out, start{look{o.Time - o.V.Within, o.Time + o.V.Within, false, o.Seq}, true})
		}
	}
	slices.SortStableFunc(out, func(a, b start) int { return cmp.Compare(a.lo, b.lo) })
	return out
}

// died says whether the engine saw the node end before t.
func died(s *sightings, t time.Duration) bool {
	return slices.ContainsFunc(s.engine, func(o history.At[history.Engine]) bool { return o.V.Action == "die" && o.Time < t })
}

// answered says whether the node was seen to live before t: what starts then
// is started again, even where the container, and so the engine, knows
// nothing of it.
func answered(s *sightings, t time.Duration) bool {
	return slices.ContainsFunc(s.ready, func(o history.At[history.Readiness]) bool { return o.V.Status != 0 && o.Time < t }) ||
		slices.ContainsFunc(s.truth, func(o history.At[history.Truth]) bool { return o.V.Up && o.Time < t })
}

// awaken finds when the node of this life became ready: not before each of
// its sources let it be.
func (s *sightings) awaken(l *incarnation) {
	l.readyFrom, l.readyBy, l.mute, l.says = l.born, -1, l.born, "its start"
	never, told := false, false
	take := func(from, by time.Duration, says string, seq uint64) {
		told = true
		if from > l.readyFrom {
			l.readyFrom, l.says = from, says
		}
		if by < 0 {
			never = true
			return
		}
		if by > l.readyBy {
			l.readyBy, l.readySeq = by, seq
		}
	}
	for _, what := range []string{"ready", "warm"} {
		s.awakenByLog(l, what, take)
	}
	first(s.polls(l, true), l.born, func(from, _ time.Duration, _ uint64) { l.mute = from })
	first(s.polls(l, false), l.born, func(from, by time.Duration, seq uint64) { take(from, by, "its readiness endpoint", seq) })
	first(s.warmths(l), l.born, func(from, by time.Duration, seq uint64) { take(from, by, "its gauges", seq) })
	if never || !told {
		l.readyBy = -1
	}
}

// awakenByLog takes the log's word. A node that began to log in this life,
// and never wrote the word, has not become so; one that never writes it in
// any life does not use it.
func (s *sightings) awakenByLog(l *incarnation, what string, take func(from, by time.Duration, says string, seq uint64)) {
	known := false
	for _, o := range s.log {
		if o.V.What != what {
			continue
		}
		known = true
		if o.Time >= l.born && o.Time < l.end {
			take(o.Time-o.V.Within, o.Time+o.V.Within, "its log", o.Seq)
			return
		}
	}
	if known && l.logged {
		take(l.end, -1, "its log, which never says "+what, 0)
	}
}

// inLife are the observations of a life. Those before it are of a process
// that was gone.
func inLife[T any](list []history.At[T], l *incarnation) []history.At[T] {
	from, _ := slices.BinarySearchFunc(list, l.born, func(o history.At[T], t time.Duration) int { return cmp.Compare(o.Time, t) })
	to, _ := slices.BinarySearchFunc(list, l.end, func(o history.At[T], t time.Duration) int { return cmp.Compare(o.Time, t) })
	return list[from:max(from, to)]
}

// polls are the looks at the readiness endpoint in a life: those that were
// answered, or all. One that was not says little: where nobody answers, no
// request arrives either.
func (s *sightings) polls(l *incarnation, all bool) []look {
	var out []look
	for _, o := range inLife(s.ready, l) {
		if all || o.V.Status != 0 || o.V.Up {
			out = append(out, look{o.Time, o.Time + o.V.Took, !o.V.Up, o.Seq})
		}
	}
	return out
}

// warmths are the samples of the gauge in a life.
func (s *sightings) warmths(l *incarnation) []look {
	var out []look
	for _, o := range inLife(s.truth, l) {
		if o.V.Up {
			out = append(out, look{o.Time, o.Time, !o.V.Warm, o.Seq})
		}
	}
	return out
}

// first tells when samples turned good: after the beginning of the last bad
// one before the first good one, or after the start if there is none, and by
// the end of that good one; by is -1 if they never did. Without samples it
// tells nothing.
func first(looks []look, born time.Duration, tell func(from, by time.Duration, seq uint64)) {
	if len(looks) == 0 {
		return
	}
	switch i := slices.IndexFunc(looks, func(l look) bool { return !l.bad }); {
	case i < 0:
		tell(looks[len(looks)-1].lo, -1, 0)
	case i == 0:
		tell(born, looks[0].hi, looks[0].seq)
	default:
		tell(looks[i-1].lo, looks[i].hi, looks[i].seq)
	}
}
