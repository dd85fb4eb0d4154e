package history

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	// MaxClockStep is how far the wall clock may move against the monotonic
	// one between two pairs before times from outside lose their worth.
	MaxClockStep = 5 * time.Millisecond
	// PaceInterval is the time between two pairs that Pace journals.
	PaceInterval = time.Second
	// maxDrift is how fast the wall clock may be slewed against the
	// monotonic one, in parts of a million: the Linux kernel's limit for
	// adjtimex (MAXFREQ in include/linux/timex.h).
	maxDrift = 500
	// pairSkew is how long the two readings of a pair may lie apart before
	// they are taken again.
	pairSkew = 50 * time.Microsecond
	// pairTries bounds how often they are taken.
	pairTries = 10
)

// Pair reads both clocks at the same moment: of up to ten readings it takes
// the one between whose neighbours the least time passed, as the process may
// lose its processor between the two.
func (c RunClock) Pair() ClockPair {
	var pair ClockPair
	best := time.Duration(-1)
	before := time.Now()
	for range pairTries {
		now := time.Now()
		after := time.Now()
		if took := after.Sub(before); best < 0 || took < best {
			best = took
			pair = ClockPair{Mono: now.Sub(c.start), Wall: now.UnixNano()}
		}
		if best <= pairSkew {
			break
		}
		before = after
	}
	return pair
}

// Event is the journal's event of the pair.
func (p ClockPair) Event() Event {
	// Two integers can always be marshalled.
	data, _ := json.Marshal(p)
	return Event{At: p.Mono, Kind: Clock, Data: data}
}

// start is the wall time, in nanoseconds, that the pair gives to the run's
// start.
func (p ClockPair) start() int64 { return p.Wall - int64(p.Mono) }

// Pace journals a pair at once, each second, and when ctx ends; then it
// returns. At the edges of phases its caller puts clock.Pair().Event().
func Pace(ctx context.Context, sink Sink, clock RunClock) {
	tick := time.NewTicker(PaceInterval)
	defer tick.Stop()
	for {
		sink.Put(clock.Pair().Event())
		select {
		case <-tick.C:
		case <-ctx.Done():
			sink.Put(clock.Pair().Event())
			return
		}
	}
}

// Mapper maps wall times to the run's clock while the run goes on. It takes
// pairs itself. It is safe for concurrent use.
type Mapper struct {
	clock RunClock
	mu    sync.Mutex
	pairs wallPairs
	last  time.Duration // when the newest pair was taken
}

// NewMapper begins with the pair of the run's start and one of now.
func NewMapper(clock RunClock) *Mapper {
	m := &Mapper{clock: clock}
	m.pairs = m.pairs.with(ClockPair{Wall: clock.start.UnixNano()})
	m.refresh()
	return m
}

// Map gives the time of the run at which the wall clock showed wall, and the
// half-width of its uncertainty; see History.MapWall.
func (m *Mapper) Map(wall time.Time) (at, within time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.clock.Now()-m.last >= PaceInterval {
		m.refresh()
	}
	return m.pairs.at(wall.UnixNano())
}

func (m *Mapper) refresh() {
	p := m.clock.Pair()
	m.pairs, m.last = m.pairs.with(p), p.Mono
}

// MapWall gives the time of the run at which the wall clock showed wall, in
// Unix nanoseconds, by the nearest pair. Within is the half-width of its
// uncertainty: between two pairs, what the wall clock moved against the
// monotonic one from one to the other; outside of them, 500 parts of a
// million of the distance; and always the 50 µs that a pair's readings may
// lie apart. The last result is false if the history holds no pair.
//
// A wall clock that was set back shows some times twice; their uncertainty
// then is the step.
func (h *History) MapWall(wall int64) (at, within time.Duration, ok bool) {
	if len(h.Clock) == 0 {
		return 0, 0, false
	}
	at, within = wallOrder(h.Clock).at(wall)
	return at, within, true
}

// Step is a jump of the wall clock.
type Step struct {
	// From and At are the pairs' times between which it happened.
	From, At time.Duration
	// By is how far the wall clock moved; negative is back.
	By time.Duration
}

// String says it in words.
func (s Step) String() string {
	return fmt.Sprintf("the wall clock moved by %v against the monotonic one between %v and %v", s.By, s.From, s.At)
}

// ClockSteps lists where the wall clock moved by more than limit between one
// pair and the next. MaxClockStep is the usual limit.
func (h *History) ClockSteps(limit time.Duration) []Step {
	var steps []Step
	for i := 1; i < len(h.Clock); i++ {
		p, q := h.Clock[i-1], h.Clock[i]
		by := time.Duration(q.start() - p.start())
		if by.Abs() > limit {
			steps = append(steps, Step{From: p.Mono, At: q.Mono, By: by})
		}
	}
	return steps
}

// wallPairs are pairs in the order of their wall times.
type wallPairs []ClockPair

func byWall(a, b ClockPair) int {
	return cmp.Or(cmp.Compare(a.Wall, b.Wall), cmp.Compare(a.Mono, b.Mono))
}

func wallOrder(pairs []ClockPair) wallPairs {
	if slices.IsSortedFunc(pairs, byWall) {
		return pairs
	}
	return slices.SortedFunc(slices.Values(pairs), byWall)
}

// with enters a pair.
func (w wallPairs) with(p ClockPair) wallPairs {
	i, _ := slices.BinarySearchFunc(w, p, byWall)
	return slices.Insert(w, i, p)
}

// at maps a wall time; there is at least one pair.
func (w wallPairs) at(wall int64) (at, within time.Duration) {
	i, _ := slices.BinarySearchFunc(w, wall, func(p ClockPair, wall int64) int { return cmp.Compare(p.Wall, wall) })
	switch i {
	case 0:
		return w[0].outside(wall)
	case len(w):
		return w[i-1].outside(wall)
	}
	near, far := w[i-1], w[i]
	if far.Wall-wall < wall-near.Wall {
		near, far = far, near
	}
	moved := time.Duration(near.start() - far.start()).Abs()
	return time.Duration(wall - near.start()), moved + pairSkew
}

// outside maps a wall time that no two pairs enclose.
func (p ClockPair) outside(wall int64) (at, within time.Duration) {
	distance := time.Duration(wall - p.Wall).Abs()
	return time.Duration(wall - p.start()), distance/1e6*maxDrift + pairSkew
}
