package fault

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// Latency delays every answer of the database to each target, on the proxy
// between the two; the other nodes' ways are left alone. A question that the
// database answers in several parts is delayed once a part. There is no
// useful zero value: Delay must be given.
type Latency struct {
	// Delay is added to each answer, 1 ms to 10 s, in whole milliseconds.
	Delay time.Duration `json:"delay"`
	// Jitter varies it, evenly, by so much to both sides; at most half of
	// Delay, so that its middle can be measured. 0 is none.
	Jitter time.Duration `json:"jitter,omitempty"`
}

const (
	maxDelay = 10 * time.Second
	// latencyProbes is the least number of probes: verdicts rest on a median
	// of at least 30.
	latencyProbes = 30
	// latencyFloor is the least tolerance: the noise of a small machine.
	latencyFloor = 5 * time.Millisecond
	// proveWithin is how long all probes of a delay may take.
	proveWithin = 4 * time.Second
)

// Kind is "latency".
func (Latency) Kind() string { return "latency" }

// Validate reports a delay that cannot be made or not be measured.
func (f Latency) Validate() error {
	switch {
	case f.Delay < time.Millisecond || f.Delay > maxDelay || f.Delay%time.Millisecond != 0:
		return fmt.Errorf("latency: delay %v: want 1ms to %v, in whole milliseconds", f.Delay, maxDelay)
	case f.Jitter < 0 || f.Jitter > f.Delay/2 || f.Jitter%time.Millisecond != 0:
		return fmt.Errorf("latency: jitter %v: want 0 to half of the delay %v, in whole milliseconds", f.Jitter, f.Delay)
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

// poison adds toxics to the targets' proxies.
func poison(ctx context.Context, f Fault, nodes []topology.Node, log Recorder, toxics ...dose) error {
	ws, err := runningWays(ctx, f.Kind(), nodes)
	if err != nil {
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

// tolerance of a measured delay: 10 % of the asked one, or 5 ms.
func (f Latency) tolerance() time.Duration { return max(f.Delay/10, latencyFloor) }

// sample is how many probes it takes: at least 30, and so many that three
// standard errors of the median of an even spread, jitter/√(n+2) each, stay
// within the tolerance.
func (f Latency) sample() int {
	r := 3 * float64(f.Jitter) / float64(f.tolerance())
	return max(latencyProbes, int(math.Ceil(r*r)))
}

// parallel is how many probes run at a time so that all end in proveWithin.
func (f Latency) parallel(n int) int {
	rounds := max(1, int(proveWithin/(f.Delay+f.Jitter+20*time.Millisecond)))
	return max(1, (n+rounds-1)/rounds)
}

// Active holds when the median of the probes through each target's proxy, less
// that of the same probes straight to the database, is the asked delay within
// 10 % or 5 ms.
func (f Latency) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	asked := f.Delay
	return f.look(ctx, nodes, fmt.Sprintf("%d ms within %d ms", asked.Milliseconds(), f.tolerance().Milliseconds()), func(got time.Duration) bool {
		return (got - asked).Abs() <= f.tolerance()
	})
}

// Healed holds when less than the tolerance is left of it.
func (f Latency) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, fmt.Sprintf("less than %d ms", f.tolerance().Milliseconds()), func(got time.Duration) bool {
		return got < f.tolerance()
	})
}

func (f Latency) look(ctx context.Context, nodes []topology.Node, asked string, right func(time.Duration) bool) (Proof, error) {
	ws, err := ways(f.Kind(), nodes)
	if err != nil {
		return Proof{}, err
	}
	p, err := prove(ctx, asked, ws, func(ctx context.Context, w way) (sight, error) {
		s := sight{ok: true}
		state, err := w.state(ctx)
		if err != nil {
			return s, err
		}
		through, straight, err := f.measure(ctx, w, state)
		if err != nil {
			return s, err
		}
		added := through.median() - straight.median()
		s.measured = fmt.Sprintf("%.1f", float64(added.Microseconds())/1000)
		n := f.sample()
		s.see(len(through.answered) == n && len(straight.answered) == n && right(added),
			"%d probes by its proxy: %s, median %.1f ms; straight to the database: %s, median %.1f ms", n,
			through, float64(through.median().Microseconds())/1000, straight, float64(straight.median().Microseconds())/1000)
		_, there := state.toxic(toxicName(f))
		s.how = append(s.how, fmt.Sprintf("the proxy has the toxic %s: %t", toxicName(f), there))
		return s, nil
	})
	p.Unit = "ms"
	return p, err
}

// measure makes the probes by the proxy, and the same ones past it.
func (f Latency) measure(ctx context.Context, w way, state proxyState) (through, straight probes, err error) {
	in, err := w.entrance(state)
	if err != nil {
		return through, straight, err
	}
	out, err := state.exit()
	if err != nil {
		return through, straight, err
	}
	n := f.sample()
	limit := f.Delay + f.Jitter + 2*time.Second
	if straight, err = probeDatabase(ctx, w.ns, out, n, f.parallel(n), limit); err != nil {
		return through, straight, err
	}
	through, err = probeDatabase(ctx, w.ns, in, n, f.parallel(n), limit)
	return through, straight, err
}
