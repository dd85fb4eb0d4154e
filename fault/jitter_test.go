package fault

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// noise is what a busy machine adds to the times of probes: each waits, and one
// in twenty meets a stall of up to 100 ms.
type noise struct{ plain, slow time.Duration }

func (n noise) wait(r *rand.Rand, mean time.Duration) time.Duration {
	w := time.Duration(r.ExpFloat64() * float64(mean))
	if r.IntN(20) == 0 {
		w += time.Duration(r.Int64N(int64(100 * time.Millisecond)))
	}
	return w
}

// drawn are the plain probes of a look at f, and those that a latency of that
// delay and jitter slows.
func (n noise) drawn(r *rand.Rand, f Latency, delay, jitter time.Duration) (plain, slow probes) {
	for range f.sample() {
		d := delay
		if jitter > 0 {
			d += time.Duration(r.Int64N(2*int64(jitter))) - jitter
		}
		plain.answered = append(plain.answered, n.wait(r, n.plain))
		slow.answered = append(slow.answered, max(0, d)+n.wait(r, n.slow))
	}
	slices.Sort(plain.answered)
	slices.Sort(slow.answered)
	return plain, slow
}

// accepted is the share of 1,000 looks in which f's spread is seen, while
// something of that jitter is in place.
func accepted(f Latency, n noise, jitter time.Duration) float64 {
	const looks = 1000
	r := rand.New(rand.NewPCG(1, 2))
	right := 0
	for range looks {
		plain, slow := n.drawn(r, f, f.Delay, jitter)
		if f.spreads(slow.quartiles() - plain.quartiles()) {
			right++
		}
	}
	return float64(right) / looks
}

// TestJitterIsMeasured draws looks at a jitter as asked and at wrong ones, on a
// quiet machine and on busy ones, of which the proxy's own probes wait longer.
func TestJitterIsMeasured(t *testing.T) {
	ms := time.Millisecond
	for _, f := range []Latency{
		{Delay: 2 * leastJitter, Jitter: leastJitter},
		{Delay: 60 * ms, Jitter: leastJitter},
		{Delay: 100 * ms, Jitter: 50 * ms},
		{Delay: 10 * time.Second, Jitter: 5 * time.Second},
	} {
		require.NoError(t, f.Validate())
		for _, n := range []noise{{0, 0}, {ms, 2 * ms}, {4 * ms, 5 * ms}} {
			name := fmt.Sprintf("%v ± %v, waits of %v and %v", f.Delay, f.Jitter, n.plain, n.slow)
			require.GreaterOrEqual(t, accepted(f, n, f.Jitter), 0.99, "right: "+name)
			require.LessOrEqual(t, accepted(f, n, 0), 0.005, "none: "+name)
			require.LessOrEqual(t, accepted(f, n, f.Jitter/10), 0.005, "a tenth: "+name)
			require.LessOrEqual(t, accepted(f, n, 10*f.Jitter), 0.005, "ten times: "+name)
		}
	}
}

// atLeast is the probability that of n throws, each of which hits with p, so
// many hit.
func atLeast(hits, n int, p float64) float64 {
	sum := 0.0
	for k := hits; k <= n; k++ {
		all, _ := math.Lgamma(float64(n + 1))
		in, _ := math.Lgamma(float64(k + 1))
		out, _ := math.Lgamma(float64(n - k + 1))
		sum += math.Exp(all - in - out + float64(k)*math.Log(p) + float64(n-k)*math.Log(1-p))
	}
	return sum
}

// TestJitterWithoutNoise holds the comment of spreads to its figures.
func TestJitterWithoutNoise(t *testing.T) {
	n := jitterProbes
	apart := (n - 1 - n/4) - n/4
	require.Equal(t, 49, apart)
	require.InDelta(t, 1, atLeast(0, n, 0.25), 1e-9)
	require.Less(t, atLeast(apart, n, 0.25), 1e-6, "a right one is refused")
	require.Less(t, atLeast(apart, n, 0.1), 1e-20, "ten times is proven")
	require.Less(t, atLeast(n-n/4, n, 0.5), 1e-6, "ten times, cut off at 0, is proven")
}

func TestQuartiles(t *testing.T) {
	require.Zero(t, probes{}.quartiles())
	var p probes
	for i := range jitterProbes {
		p.answered = append(p.answered, time.Duration(i))
	}
	require.EqualValues(t, 49, p.quartiles())
	p.answered[99] = time.Hour
	require.EqualValues(t, 49, p.quartiles(), "one that stalled")
}

// TestLatencyLooks has a whole look judge what probes print: of the proxy's
// port they are slowed, of the database's they are not.
func TestLatencyLooks(t *testing.T) {
	f := Latency{Delay: 60 * time.Millisecond, Jitter: 20 * time.Millisecond}
	for name, tc := range map[string]struct {
		delay, jitter time.Duration
		bites, healed bool
	}{
		"as asked":              {f.Delay, f.Jitter, true, false},
		"no jitter":             {f.Delay, 0, false, false},
		"a tenth of the jitter": {f.Delay, f.Jitter / 10, false, false},
		"ten times":             {f.Delay, 10 * f.Jitter, false, false},
		"a tenth of both":       {f.Delay / 10, f.Jitter / 10, false, false},
		"the jitter alone":      {0, 4 * f.Jitter, false, false},
		"nothing":               {0, 0, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			nodes := []topology.Node{&stub{name: "j1", role: topology.Application, state: up, peers: []topology.Node{slowedProxy("j1")}, beside: func(argv []string) (topology.Output, error) {
				plain, slow := noise{}.drawn(r, f, tc.delay, tc.jitter)
				if slices.Contains(argv, "5433") {
					return printed(slow), nil
				}
				return printed(plain), nil
			}}}
			for _, look := range []struct {
				at   func(context.Context, []topology.Node) (Proof, error)
				want bool
			}{{f.Active, tc.bites}, {f.Healed, tc.healed}} {
				ctx, cancel := context.WithTimeout(t.Context(), 2*poll)
				p, err := look.at(ctx, nodes)
				cancel()
				require.NoError(t, err)
				require.Equal(t, look.want, p.OK, "%+v", p)
				require.Contains(t, p.Measured, "with a jitter of")
				require.Contains(t, p.Asked, "with a jitter of")
			}
		})
	}
}

// slowedProxy is the proxies' node, whose API tells of one proxy.
func slowedProxy(name string) *stub {
	return &stub{name: "toxi", role: topology.Proxy, port: 8474, state: up, beside: func([]string) (topology.Output, error) {
		return topology.Output{Stdout: []byte(`{"name":"` + name + `","listen":"0.0.0.0:5433","upstream":"198.18.7.10:5432","enabled":true}`)}, nil
	}}
}

// printed is what the script of the probes prints.
func printed(p probes) topology.Output {
	var out strings.Builder
	for _, d := range p.answered {
		fmt.Fprintf(&out, "ok %d\n", d.Microseconds())
	}
	return topology.Output{Stdout: []byte(out.String())}
}
