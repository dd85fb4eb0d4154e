package load

import (
	"math"
	"time"

	"github.com/hachaos/hachaos/history"
)

// pacer is vegeta's view of the schedule. Vegeta's own ConstantPacer begins
// one interval late, from a time that only it knows; this one wakes each hit
// at the intended time of the operation.
type pacer struct {
	clock    history.RunClock
	start    time.Duration // the intended time of the first operation
	interval time.Duration
}

// Pace implements vegeta.Pacer. It never ends the attack.
func (p pacer) Pace(_ time.Duration, hits uint64) (time.Duration, bool) {
	if hits > math.MaxInt64/uint64(p.interval) {
		return math.MaxInt64, false
	}
	return p.start + time.Duration(hits)*p.interval - p.clock.Now(), false
}

// Rate implements vegeta.Pacer: hits a second.
func (p pacer) Rate(time.Duration) float64 { return float64(time.Second) / float64(p.interval) }
