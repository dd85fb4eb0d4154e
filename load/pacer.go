package load

import (
	"time"

	"github.com/hachaos/hachaos/history"
)

// grain is how coarsely Go's timers wake an idle process on Linux, where
// epoll counts in milliseconds.
const grain = time.Millisecond

// pacer wakes each hit of vegeta's attack at the intended time of its
// operation. Vegeta's own ConstantPacer begins one interval late, from a time
// that only it knows. It waits in Pace itself, and not where vegeta would,
// so that a slow rate does not hold up the end. It serves one attack.
type pacer struct {
	clock    history.RunClock
	start    time.Duration // the intended time of the first operation
	interval time.Duration
	stop     <-chan struct{}
	timer    *time.Timer
}

func newPacer(clock history.RunClock, start, interval time.Duration, stop <-chan struct{}) *pacer {
	return &pacer{clock: clock, start: start, interval: interval, stop: stop, timer: time.NewTimer(0)}
}

// Pace implements vegeta.Pacer: it returns when the hit is due, or that the
// attack is to end. Where the hits are closer than timers are exact, the last
// part of the wait is a nap of the thread.
func (p *pacer) Pace(_ time.Duration, hits uint64) (wait time.Duration, end bool) {
	due := p.start + time.Duration(hits)*p.interval
	if p.interval < 2*grain {
		p.until(due - grain)
		if left := due - p.clock.Now(); left > 0 && left <= grain {
			nap(left)
		}
	}
	p.until(due) // no wait is left after a nap, unless a test's clock stood still
	select {
	case <-p.stop: // also if the hit is due: it comes too late
		return 0, true
	default:
		return 0, false
	}
}

// until waits for a time on the run's clock, or for the stop.
func (p *pacer) until(at time.Duration) {
	left := at - p.clock.Now()
	if left <= 0 {
		return
	}
	p.timer.Reset(left)
	select {
	case <-p.timer.C:
	case <-p.stop:
	}
}

// Rate implements vegeta.Pacer: hits a second.
func (p *pacer) Rate(time.Duration) float64 { return float64(time.Second) / float64(p.interval) }
