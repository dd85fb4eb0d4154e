package load

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/hachaos/hachaos/history"
)

// Counts are numbers of operations. Failed includes those that were not sent
// because their session was busy, but not the dropped ones.
type Counts struct {
	Sent    uint64 // their turn came, and they were handed to the HTTP client
	OK      uint64
	Slow    uint64 // of these, that ended later than half a second after they were due
	Failed  uint64 // certainly not applied
	Info    uint64 // nobody knows
	Dropped uint64 // lost by the generator itself: its ceiling, or no socket left
	Late    uint64 // later than Config.Late by the generator's own doing
}

// slow is what people do not wait for.
const slow = 500 * time.Millisecond

// Calm says whether there were operations, and all of them went well and fast.
func (c Counts) Calm() bool { return c.OK > 0 && c.Slow+c.Failed+c.Info+c.Dropped == 0 }

// Quantiles are of a distribution; all 0 if it is empty.
type Quantiles struct{ P50, P99, P999, Max time.Duration }

// Stats is how a load goes, for people; verdicts come from the journal.
type Stats struct {
	Counts
	// LastSecond covers the last whole second of the run's clock.
	LastSecond Counts
	// Outstanding operations were due and have not completed.
	Outstanding int
	// Latency is from the intended send to the end, of all operations that
	// completed and were not dropped.
	Latency Quantiles
	// Lateness is the generator's own, of all operations whose turn came.
	Lateness Quantiles
}

// tally keeps the Stats. It is safe for concurrent use.
type tally struct {
	clock history.RunClock
	late  time.Duration // see Config.Late

	mu          sync.Mutex
	outstanding int
	total       Counts
	second      int64 // the one that current counts
	current     Counts
	previous    Counts // of the second before
	latency     *hdrhistogram.Histogram
	lateness    *hdrhistogram.Histogram
}

// newTally can tell latencies of up to twice the timeout; longer ones count
// as that.
func newTally(clock history.RunClock, c Config) *tally {
	most := max(int64(2*c.Timeout/time.Microsecond), 60_000_000)
	return &tally{
		clock: clock, late: c.Late,
		latency:  hdrhistogram.New(1, most, 3),
		lateness: hdrhistogram.New(1, most, 3),
	}
}

// add changes the counts of the run and of this second. The caller holds mu.
func (t *tally) add(change func(*Counts)) {
	t.roll()
	change(&t.total)
	change(&t.current)
}

// roll begins a new second if it is time to. The caller holds mu.
func (t *tally) roll() {
	now := int64(t.clock.Now() / time.Second)
	switch now - t.second {
	case 0:
		return
	case 1:
		t.previous = t.current
	default:
		t.previous = Counts{}
	}
	t.second, t.current = now, Counts{}
}

// begin counts an operation as outstanding; false if there are already as
// many as the ceiling.
func (t *tally) begin(ceiling int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.outstanding >= ceiling {
		return false
	}
	t.outstanding++
	return true
}

// dropped counts an operation that begin refused.
func (t *tally) dropped() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(func(c *Counts) { c.Dropped++ })
}

// done counts an operation that begin let in. turn says whether its turn came.
func (t *tally) done(outcome history.Kind, call *history.Call, turn bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.outstanding--
	if call.Error == history.ErrDropped { // for want of a socket
		t.add(func(c *Counts) { c.Dropped++ })
		return
	}
	record(t.latency, call.End-call.Intended)
	if turn {
		record(t.lateness, call.Late)
	}
	t.add(func(c *Counts) {
		switch outcome {
		case history.OK:
			c.OK++
			if call.End-call.Intended > slow {
				c.Slow++
			}
		case history.Fail:
			c.Failed++
		default:
			c.Info++
		}
		if turn {
			c.Sent++
		}
		if call.Late > t.late {
			c.Late++
		}
	})
}

func (t *tally) snapshot() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.roll()
	return Stats{
		Counts: t.total, LastSecond: t.previous, Outstanding: t.outstanding,
		Latency: quantiles(t.latency), Lateness: quantiles(t.lateness),
	}
}

func record(h *hdrhistogram.Histogram, d time.Duration) {
	v := min(max(0, int64(d/time.Microsecond)), h.HighestTrackableValue())
	_ = h.RecordValue(v) // it refuses only what is out of range
}

func quantiles(h *hdrhistogram.Histogram) Quantiles {
	at := func(q float64) time.Duration {
		return time.Duration(h.ValueAtQuantile(q)) * time.Microsecond
	}
	return Quantiles{P50: at(50), P99: at(99), P999: at(99.9), Max: time.Duration(h.Max()) * time.Microsecond}
}
