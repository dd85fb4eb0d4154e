package fault

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// Latency delays every answer of the database to each target, on the proxy
// between the two; the other nodes' ways are left alone. A question that the
// database answers in several parts is delayed once a part. There is no
// useful zero value: Delay must be given.
type Latency struct {
	// Delay is added to each answer, 10 ms to 10 s, in whole milliseconds: what
	// is less could not be told from nothing.
	Delay time.Duration `json:"delay"`
	// Jitter varies it, evenly, by so much to both sides; at least 20 ms, so
	// that it can be told from none, and at most half of Delay, so that its
	// middle can be measured. 0 is none.
	Jitter time.Duration `json:"jitter,omitempty"`
}

const (
	// leastDelay is twice the noise of a small machine, and the least jitter four
	// times: of one without effect, the measured value is off by more than it may
	// be, and one that has its effect is not lost in the noise.
	leastDelay  = 2 * latencyFloor
	leastJitter = 4 * latencyFloor
	maxDelay    = 10 * time.Second
	// latencyProbes is the least number of probes: verdicts rest on a median
	// of at least 30.
	latencyProbes = 30
	// jitterProbes is the least number of those that a jitter is measured by:
	// see spreads.
	jitterProbes = 100
	// latencyFloor is the least tolerance: the noise of a small machine.
	latencyFloor = 5 * time.Millisecond
	// proveWithin is how long all probes of a delay may take.
	proveWithin = 2 * time.Second
)

// Kind is "latency".
func (Latency) Kind() string { return "latency" }

// Validate reports a delay that cannot be made or not be measured.
func (f Latency) Validate() error {
	switch {
	case f.Delay < leastDelay || f.Delay > maxDelay || f.Delay%time.Millisecond != 0:
		return fmt.Errorf("latency: delay %v: want %v to %v, in whole milliseconds", f.Delay, leastDelay, maxDelay)
	case f.Jitter != 0 && (f.Jitter < leastJitter || f.Jitter > f.Delay/2 || f.Jitter%time.Millisecond != 0):
		return fmt.Errorf("latency: jitter %v: want %v to half of the delay %v, in whole milliseconds, or 0 for none", f.Jitter, leastJitter, f.Delay)
	}
	return nil
}

// toxicName is unique to the fault's parameters, so that several overlap.
func toxicName(f Fault) string {
	b, err := Encode(f)
	if err != nil {
		b = []byte(f.Kind())
	}
	h := fnv.New32a()
	h.Write(b)
	return fmt.Sprintf("%s%s_%08x", tablePrefix, strings.ReplaceAll(f.Kind(), "-", "_"), h.Sum32())
}

// addToxic is the body of the request that adds a toxic.
func addToxic(name, kind, stream string, attributes map[string]int64) string {
	b, err := json.Marshal(struct {
		Name       string           `json:"name"`
		Type       string           `json:"type"`
		Stream     string           `json:"stream"`
		Toxicity   float64          `json:"toxicity"`
		Attributes map[string]int64 `json:"attributes"`
	}{name, kind, stream, 1, attributes})
	if err != nil {
		return ""
	}
	return string(b)
}

// Inject adds the delay to the targets' proxies; the undo removes it.
func (f Latency) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	if err := f.Validate(); err != nil {
		return err
	}
	body := addToxic(toxicName(f), "latency", "downstream", map[string]int64{
		"latency": f.Delay.Milliseconds(), "jitter": f.Jitter.Milliseconds(),
	})
	return poison(ctx, f, nodes, log, dose{toxicName(f), body})
}

// dose is a toxic's name, and the body of the request that adds it.
type dose struct{ name, body string }

// poison adds toxics to the targets' proxies. One that is there already is an
// error, before any act: it is another fault's, and the undo would end that.
func poison(ctx context.Context, f Fault, nodes []topology.Node, log Recorder, toxics ...dose) error {
	ws, err := runningWays(ctx, f.Kind(), nodes)
	if err != nil {
		return err
	}
	if err := inTurn(f.Kind(), ws, func(w way) error { return w.free(ctx, toxics) }); err != nil {
		return err
	}
	for _, w := range ws {
		for _, t := range toxics {
			if err := log.Record(w.undo(ToxicAbsent, map[string]string{"toxic": t.name})); err != nil {
				return fmt.Errorf("%s %s: %w", f.Kind(), w.Name(), err)
			}
			if err := w.ask(ctx, "POST", w.Name()+"/toxics", t.body); err != nil {
				return fmt.Errorf("%s %s: %w", f.Kind(), w.Name(), err)
			}
		}
	}
	return nil
}

// free checks that the proxy has none of the toxics.
func (w way) free(ctx context.Context, toxics []dose) error {
	state, err := w.state(ctx)
	if err != nil {
		return err
	}
	for _, t := range state.Toxics {
		if slices.ContainsFunc(toxics, func(d dose) bool { return d.name == t.Name }) {
			return fmt.Errorf("its proxy has the toxic %s already, of the same fault", t.Name)
		}
	}
	return nil
}

// tolerance of a measured delay: 10 % of the asked one, or 5 ms.
func (f Latency) tolerance() time.Duration { return max(f.Delay/10, latencyFloor) }

// sample is how many probes it takes: at least 30, with a jitter at least 100,
// and so many that three standard errors of the median of an even spread,
// jitter/√(n+2) each, stay within the tolerance.
func (f Latency) sample() int {
	if f.Jitter == 0 {
		return latencyProbes
	}
	r := 3 * float64(f.Jitter) / float64(f.tolerance())
	return max(jitterProbes, int(math.Ceil(r*r)))
}

// parallel is how many probes run at a time.
func (f Latency) parallel(n int) int { return atATime(n, f.Delay+f.Jitter) }

// atATime is how many of n probes, each of which takes a delay and a little,
// run at a time so that all end in proveWithin.
func atATime(n int, delay time.Duration) int {
	rounds := max(1, int(proveWithin/(delay+20*time.Millisecond)))
	return max(1, (n+rounds-1)/rounds)
}

// wanted is what a look wants to see, in words and as a judgement of the added
// delay and of the added spread.
type wanted struct {
	asked         string
	delay, spread func(time.Duration) bool
}

// bite is what the fault does while it lasts.
func (f Latency) bite() wanted {
	w := wanted{fmt.Sprintf("%d ms within %d ms", f.Delay.Milliseconds(), f.tolerance().Milliseconds()), f.bites, f.spreads}
	if f.Jitter > 0 {
		w.asked += fmt.Sprintf(", with a jitter of %d ms within half and double", f.Jitter.Milliseconds())
	}
	return w
}

// end is what is left of the fault after it.
func (f Latency) end() wanted {
	w := wanted{fmt.Sprintf("less than %d ms", f.tolerance().Milliseconds()), f.over, f.settled}
	if f.Jitter > 0 {
		w.asked += fmt.Sprintf(", with a jitter of less than %d ms", f.Jitter.Milliseconds()/2)
	}
	return w
}

func (f Latency) bites(got time.Duration) bool { return (got - f.Delay).Abs() <= f.tolerance() }

func (f Latency) over(got time.Duration) bool { return got < f.tolerance() }

// spreads says whether a measured spread is that of the jitter: from half to
// double of it, as a rate's interval may be.
//
// The spread is the interquartile range of the probes that were slowed, less
// that of the plain ones. Of a delay that is even within ±J it is J itself, the
// half of 2J. In a sample of n the two quartiles lie k = n/2 - 1 order
// statistics apart, and the range between them is 2J × Beta(k, n+1-k): H. A.
// David and H. N. Nagaraja, Order Statistics, 2003, section 2.3. So, of each
// look, with n = 100 and no noise:
//
//	right, below J/2         P(Beta(49, 52) < 1/4)  = P(Bin(100, 1/4) ≥ 49)  < 1e-6
//	right, above 2J          never: all probes lie within 2J
//	none, or a tenth         never proven: all probes lie within J/5
//	ten times, Delay ≥ 10J   P(Beta(49, 52) ≤ 1/10) = P(Bin(100, 1/10) ≥ 49) < 1e-20
//	ten times, Delay = 2J    P(Bin(100, 1/2) ≥ 75) < 1e-6: a delay below 0 is 0, so
//	                         that a half of the probes lie within 2J of the least
//
// A quartile leaves out what a quarter of the probes meets, such as a machine
// that stalls. Noise of both kinds of probes widens both ranges, which is why
// the difference counts: squares would have to be subtracted to get all of J,
// which errs more where there is none. TestJitterIsMeasured draws 1,000 looks of
// each kind: with waits of 4 ms on the average, 5 ms by the proxy, and a stall in
// each twentieth probe, a right one is refused in less than 1 % and a wrong one
// proven in less than 0.5 %, down to the least jitter of 20 ms. Noise that only
// one of the two ways has can pass for a jitter, if it is J/2 or more.
func (f Latency) spreads(got time.Duration) bool {
	return f.Jitter == 0 || got >= f.Jitter/2 && got <= 2*f.Jitter
}

// settled says whether a measured spread is that of no jitter.
func (f Latency) settled(got time.Duration) bool { return f.Jitter == 0 || got < f.Jitter/2 }

// Active holds when the median of the probes through each target's proxy, less
// that of the same probes straight to the database, is the asked delay within
// 10 % or 5 ms, and so much more spread, by the interquartile range, is the
// asked jitter within half and double.
func (f Latency) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.lookBy(ctx, f.Kind(), nodes, f.bite(), f.measure)
}

// Healed holds when less than the tolerance is left of the delay, and less than
// half of the jitter.
func (f Latency) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.lookBy(ctx, f.Kind(), nodes, f.end(), f.measure)
}

// measuring makes probes that the delay should show in and the same ones that
// it should not, and gives the words for both.
type measuring = func(context.Context, way, passage) (slow, plain probes, how string, err error)

// lookBy looks how much later the answers come, and how much more they vary.
func (f Latency) lookBy(ctx context.Context, kind string, nodes []topology.Node, want wanted, measure measuring) (Proof, error) {
	p, err := proveWays(ctx, kind, nodes, want.asked, func(ctx context.Context, s *sight, w way, at passage) error {
		slow, plain, how, err := measure(ctx, w, at)
		if err != nil {
			return err
		}
		s.added(how, f.sample(), slow, plain, want.delay)
		if f.Jitter > 0 {
			s.spread(slow, plain, want.spread)
		}
		return nil
	})
	p.Unit = "ms"
	return p, err
}

// Shows implements Gradual: a probe takes the delay at least.
func (f Latency) Shows() time.Duration { return f.Delay + f.Jitter }

// patience is the longest that a probe waits.
func (f Latency) patience() time.Duration { return f.Delay + f.Jitter + 2*time.Second }

// measure makes the probes by the proxy, and the same ones past it.
func (f Latency) measure(ctx context.Context, w way, at passage) (through, straight probes, how string, err error) {
	n := f.sample()
	if straight, err = probeDatabase(ctx, w.ns, at.out, n, f.parallel(n), f.patience()); err != nil {
		return through, straight, "", err
	}
	through, err = probeDatabase(ctx, w.ns, at.in, n, f.parallel(n), f.patience())
	return through, straight, "%d probes by its proxy: %s, median %.1f ms; straight to the database: %s, median %.1f ms", err
}

// added sees by how much the median of the n probes that were slowed exceeds
// that of the plain ones. All must have been answered. how takes n, and for
// both the probes and their median.
func (s *sight) added(how string, n int, slow, plain probes, right func(time.Duration) bool) {
	more := slow.median() - plain.median()
	s.measured = fmt.Sprintf("%.1f", milliseconds(more))
	s.see(len(slow.answered) == n && len(plain.answered) == n && right(more), how,
		n, slow, milliseconds(slow.median()), plain, milliseconds(plain.median()))
}

// spread sees by how much the interquartile range of the probes that were
// slowed exceeds that of the plain ones.
func (s *sight) spread(slow, plain probes, right func(time.Duration) bool) {
	more := slow.quartiles() - plain.quartiles()
	s.measured += fmt.Sprintf(" with a jitter of %.1f", milliseconds(more))
	s.see(right(more), "between their quartiles %.1f ms, and %.1f ms: of an even jitter that is its size",
		milliseconds(slow.quartiles()), milliseconds(plain.quartiles()))
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
