package load

import (
	"time"

	"github.com/hachaos/hachaos/history"
)

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
// attack is to end.
func (p *pacer) Pace(_ time.Duration, hits uint64) (wait time.Duration, end bool) {
	p.timer.Reset(p.start + time.Duration(hits)*p.interval - p.clock.Now())
	select {
	case <-p.timer.C:
	case <-p.stop:
	}
	select {
	case <-p.stop: // also if the hit is due: it comes too late
		return 0, true
	default:
		return 0, false
	}
}

// Rate implements vegeta.Pacer: hits a second.
func (p *pacer) Rate(time.Duration) float64 { return float64(time.Second) / float64(p.interval) }
