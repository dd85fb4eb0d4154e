package observe

import (
	"sync"
	"time"

	"github.com/hachaos/hachaos/history"
)

// How far what a foreign clock says may be off. Nothing is heard before it
// happened, but for the reading of the clocks. It may be heard late, so that
// only the least delay of all counts, and more is allowed.
const (
	maxAhead = 250 * time.Millisecond
	maxDelay = time.Second
	// catchUp is how long after a reading has begun things may be heard that
	// happened before that: they are late for no fault of the clock.
	catchUp = 2 * time.Second
	// Of a clock that tells often, each stretch of the run is judged by itself:
	// one that is set back in the middle of a run was right before.
	stretch = 3 * time.Second
	often   = 20 // in a stretch
)

// foreign is a clock that is not hachaos's: of the engine, or of a component.
// It is held against the times at which hachaos hears of what it dates. It is
// safe for concurrent use.
type foreign struct {
	whose string
	clock history.RunClock
	began time.Duration // hachaos began to listen

	mu    sync.Mutex
	heard bool          // of anything
	live  bool          // of something as it happened, if the clock is right
	least time.Duration // the least delay; negative: it was heard of before it happened

	since time.Duration // the stretch began
	n     int           // heard of in it
	low   time.Duration // the least delay in it
	worst time.Duration // of the stretches before, the one with the greatest least delay
}

// foreign listens to a clock from now on.
func (e env) foreign(whose string) *foreign {
	return &foreign{whose: whose, clock: e.clock, began: e.clock.Now()}
}

// dates takes what is heard of just now, and which by that clock happened at
// a time of the run, give or take within.
func (f *foreign) dates(at, within time.Duration) {
	now := f.clock.Now()
	delay := now - at + within
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.heard || delay < f.least {
		f.least = delay
	}
	f.heard = true
	f.stretches(now, delay)
	f.live = f.live || at >= f.began || now-f.began > catchUp
}

// stretches takes a delay into the stretch that it belongs to. What is caught
// up with at first belongs to none.
func (f *foreign) stretches(now, delay time.Duration) {
	if now-f.began <= catchUp {
		return
	}
	if f.since == 0 || now-f.since > stretch {
		f.close()
		f.since, f.n, f.low = now, 0, delay
	}
	f.n++
	f.low = min(f.low, delay)
}

// close judges the stretch that is over.
func (f *foreign) close() {
	if f.n >= often {
		f.worst = max(f.worst, f.low)
	}
}

// judge makes the accounts of what the clock dates incomplete if it is off.
func (f *foreign) judge(accounts ...*account) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.close()
	behind := f.worst
	if f.live {
		behind = max(behind, f.least)
	}
	for _, a := range accounts {
		switch {
		case f.least < -maxAhead:
			a.lack("the clock of %s is at least %v ahead of hachaos's: its times cannot be trusted", f.whose, (-f.least).Truncate(100*time.Millisecond))
		case behind > maxDelay:
			a.lack("the clock of %s is up to %v behind hachaos's, or what it says comes as late: its times cannot be trusted",
				f.whose, behind.Round(10*time.Millisecond))
		}
	}
}
