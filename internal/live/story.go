// Package live shows a run to people while it goes on: a block of a few lines
// on a terminal, redrawn in place below what scrolls, and plain lines
// elsewhere. No meaning is in a colour alone, and nothing that a verdict rests
// on passes through it.
package live

import (
	"slices"
	"time"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/load"
)

// Plan is what is known of a run before it begins. The zero value knows
// nothing.
type Plan struct {
	Title string
	// Phases are their names, in order.
	Phases []string
}

// window is how many seconds of the load are kept.
const window = 60

// second is one of the load's; known says whether a tick told of it.
type second struct {
	number    int64 // of the run's clock
	sent, bad uint64
	all       uint64 // operations that ended in it, or were dropped
	known     bool
}

// Story is what ticks have told of a run so far. The zero value is of a run of
// which nothing is known. It is not safe for concurrent use.
type Story struct {
	plan  Plan
	told  bool // there was a tick
	now   harness.Tick
	began time.Duration // the present phase, as far as was seen
	names []string      // of the phases so far
	// seconds follow each other without a gap, the latest last.
	seconds []second
	// Since when, as far as was seen.
	unready, faults map[string]time.Duration
	owned           time.Duration // by the present owners
	before          string        // the last other that owned the shared address alone
}

// Begin forgets everything: a new run begins.
func (s *Story) Begin(p Plan) { *s = Story{plan: p} }

// See goes on with a tick. One that is earlier than the last is of another run,
// of the same plan.
func (s *Story) See(t harness.Tick) {
	if s.told && t.At < s.now.At {
		s.Begin(s.plan)
	}
	if !s.told || t.Number != s.now.Number {
		s.began = t.At
	}
	s.name(t)
	s.count(t)
	var unready []string
	for _, n := range t.Nodes {
		if !n.Ready {
			unready = append(unready, n.Name)
		}
	}
	s.unready = since(s.unready, unready, t.At)
	s.faults = since(s.faults, t.Faults, t.At)
	if !slices.Equal(s.now.Owners, t.Owners) {
		if len(s.now.Owners) == 1 {
			s.before = s.now.Owners[0]
		}
		s.owned = t.At
	}
	s.now, s.told = t, true
}

// since keeps the times of what is still there, and begins those of the new.
func since(old map[string]time.Duration, names []string, now time.Duration) map[string]time.Duration {
	kept := map[string]time.Duration{}
	for _, n := range names {
		kept[n] = now
		if at, ok := old[n]; ok {
			kept[n] = at
		}
	}
	return kept
}

// name learns the present phase's name.
func (s *Story) name(t harness.Tick) {
	if t.Number < 1 {
		return
	}
	for len(s.names) < t.Number {
		s.names = append(s.names, "")
	}
	s.names[t.Number-1] = t.Phase
}

// phases are the names of all, with the present one's index. The plan's are
// used if they are those of this run; else those that come next are missing.
func (s *Story) phases() (names []string, present int) {
	present = s.now.Number - 1
	if p := s.plan.Phases; len(p) == s.now.Of && present >= 0 && present < len(p) && p[present] == s.now.Phase {
		return p, present
	}
	return s.names[:max(0, min(present+1, len(s.names)))], present
}

// count learns the last whole second of the load. The first tick that tells of
// one counts: a later one may have read the clock just before the next began,
// and the load just after.
func (s *Story) count(t harness.Tick) {
	number := int64(t.At/time.Second) - 1
	if number < 0 {
		return
	}
	if n := len(s.seconds); n > 0 {
		next := s.seconds[n-1].number + 1
		if number < next {
			return
		}
		for next = max(next, number-window); next < number; next++ {
			s.seconds = append(s.seconds, second{number: next})
		}
	}
	c := t.Load.LastSecond
	s.seconds = append(s.seconds, second{number, c.Sent, bad(c), c.OK + c.Failed + c.Info + c.Dropped, true})
	s.seconds = slices.Clone(s.seconds[max(0, len(s.seconds)-window):])
}

// bad counts the operations that an error budget calls bad, and those that
// the generator lost.
func bad(c load.Counts) uint64 { return c.Slow + c.Failed + c.Info + c.Dropped }
