package fault

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// wiredTick is a millisecond.
const wiredTick = time.Millisecond

func TestTheLimitsOfADelay(t *testing.T) {
	for name, tc := range map[string]struct {
		f    Latency
		says string // empty: valid
	}{
		"the least":                     {Latency{Delay: 10 * wiredTick}, ""},
		"a little less":                 {Latency{Delay: 10*wiredTick - 1}, "delay"},
		"the most":                      {Latency{Delay: 10 * time.Second}, ""},
		"a little more":                 {Latency{Delay: 10*time.Second + wiredTick}, "want 10ms to 10s, in whole milliseconds"},
		"half a millisecond":            {Latency{Delay: 60*wiredTick + wiredTick/2}, "delay 60.5ms"},
		"the least jitter":              {Latency{Delay: 40 * wiredTick, Jitter: 20 * wiredTick}, ""},
		"a little less jitter":          {Latency{Delay: 60 * wiredTick, Jitter: 20*wiredTick - 1}, "jitter"},
		"half of the delay":             {Latency{Delay: 100 * wiredTick, Jitter: 50 * wiredTick}, ""},
		"more than half":                {Latency{Delay: 100 * wiredTick, Jitter: 51 * wiredTick}, "half of the delay 100ms"},
		"a jitter of a nanosecond":      {Latency{Delay: 100 * wiredTick, Jitter: 1}, "jitter 1ns"},
		"a jitter of less than none":    {Latency{Delay: 100 * wiredTick, Jitter: -1}, "jitter -1ns"},
		"half a millisecond of jitter":  {Latency{Delay: 100 * wiredTick, Jitter: 30*wiredTick + wiredTick/2}, "in whole milliseconds, or 0 for none"},
		"no delay, but a jitter":        {Latency{Jitter: 20 * wiredTick}, "delay 0s"},
		"a delay of less than nothing":  {Latency{Delay: -60 * wiredTick}, "delay -60ms"},
		"whole milliseconds of a delay": {Latency{Delay: 11 * wiredTick}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, f := range []Fault{tc.f, LinkLatency(tc.f)} {
				err := f.Validate()
				if tc.says == "" {
					require.NoError(t, err)
					continue
				}
				require.ErrorContains(t, err, tc.says)
				require.ErrorContains(t, err, f.Kind()+": ")
			}
		})
	}
}

func TestADelayIsMeasuredWithinItsTolerance(t *testing.T) {
	for _, tc := range []struct {
		delay, tolerance time.Duration
	}{
		{10 * wiredTick, 5 * wiredTick}, {50 * wiredTick, 5 * wiredTick}, {60 * wiredTick, 6 * wiredTick}, {10 * time.Second, time.Second},
	} {
		f := Latency{Delay: tc.delay}
		require.Equal(t, tc.tolerance, f.tolerance())
		for got, want := range map[time.Duration]bool{
			tc.delay: true, tc.delay - tc.tolerance: true, tc.delay + tc.tolerance: true,
			tc.delay - tc.tolerance - 1: false, tc.delay + tc.tolerance + 1: false, -tc.delay: false, 10 * tc.delay: false,
		} {
			require.Equal(t, want, f.bites(got), "%v of %v", got, tc.delay)
		}
		require.True(t, f.over(tc.tolerance-1))
		require.False(t, f.over(tc.tolerance))
		require.True(t, f.over(-tc.delay), "faster than straight")
	}
}

func TestAJitterIsMeasuredWithinHalfAndDouble(t *testing.T) {
	f := Latency{Delay: 100 * wiredTick, Jitter: 40 * wiredTick}
	for got, want := range map[time.Duration]bool{
		20*wiredTick - 1: false, 20 * wiredTick: true, 40 * wiredTick: true, 80 * wiredTick: true, 80*wiredTick + 1: false, 0: false,
	} {
		require.Equal(t, want, f.spreads(got), "%v", got)
	}
	require.True(t, f.settled(20*wiredTick-1))
	require.False(t, f.settled(20*wiredTick))
	none := Latency{Delay: 100 * wiredTick}
	for _, got := range []time.Duration{-time.Second, 0, time.Second} {
		require.True(t, none.spreads(got), "there is none to be seen")
		require.True(t, none.settled(got), "there is none to be seen")
	}
}

func TestProbesOfALongDelayAreMadeAtATime(t *testing.T) {
	for _, tc := range []struct {
		n     int
		delay time.Duration
		want  int
	}{
		{30, 20 * wiredTick, 1}, // 50 rounds of 40 ms
		{50, 20 * wiredTick, 1},
		{51, 20 * wiredTick, 2},
		{100, 20 * wiredTick, 2},
		{101, 20 * wiredTick, 3},
		{30, 980 * wiredTick, 15}, // 2 rounds of 1 s
		{30, 981 * wiredTick, 30},
		{30, 2 * time.Second, 30},
		{1, 10 * time.Second, 1},
	} {
		require.Equal(t, tc.want, atATime(tc.n, tc.delay), "%d of %v", tc.n, tc.delay)
	}
	require.Equal(t, 2, Latency{Delay: 50 * wiredTick, Jitter: 20 * wiredTick}.parallel(44), "22 rounds of 90 ms, and not of 70 or 50")
	require.Equal(t, 3, Latency{Delay: 50 * wiredTick, Jitter: 20 * wiredTick}.parallel(45))
}

func TestHowLongALatencyTakesToShow(t *testing.T) {
	f := Latency{Delay: 60 * wiredTick, Jitter: 20 * wiredTick}
	require.Equal(t, 80*wiredTick, f.Shows())
	require.Equal(t, 2080*wiredTick, f.patience())
	require.Equal(t, 160*wiredTick, LinkLatency(f).Shows())
	require.Equal(t, 200*wiredTick, DependencySlow{Delay: 200 * wiredTick}.Shows())
	require.Equal(t, topology.Netem, LinkLatency(f).Demands())
	require.Contains(t, LinkLatency(f).Instead(), "the fault latency")
}

func TestTheRequestThatAddsAToxic(t *testing.T) {
	require.JSONEq(t, `{"name":"hachaos_x","type":"latency","stream":"downstream","toxicity":1,"attributes":{"latency":60,"jitter":20}}`,
		addToxic("hachaos_x", "latency", "downstream", map[string]int64{"latency": 60, "jitter": 20}))
	require.Regexp(t, `^hachaos_dependency_slow_[0-9a-f]{8}$`, toxicName(DependencySlow{Delay: time.Second}))
}

// TestALatencyIsOfTheAnswers: of what the database sends, and of nothing that it is
// sent.
func TestALatencyIsOfTheAnswers(t *testing.T) {
	w := newWired()
	f := Latency{Delay: 60 * wiredTick, Jitter: 20 * wiredTick}
	require.NoError(t, f.Inject(t.Context(), w.some("j1"), &undos{}))
	require.Equal(t, []toxic{{
		Name: toxicName(f), Type: "latency", Stream: "downstream", Toxicity: 1,
		Attributes: map[string]float64{"latency": 60, "jitter": 20},
	}}, w.proxies["j1"].Toxics)
	require.Empty(t, w.proxies["j2"].Toxics, "another node's way")
}

// TestALatencyOfAnotherWayIsNoProof: neither that of another node's way, nor one of
// the database itself, which both kinds of probes meet.
func TestALatencyOfAnotherWayIsNoProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := Latency{Delay: 60 * wiredTick}
		w := newWired()
		require.NoError(t, f.Inject(t.Context(), w.some("j2"), &undos{}))
		p := wiredSeen(t, f.Active, w.some("j1"))
		require.False(t, p.OK, "%+v", p)
		require.Equal(t, "j1: 0.0", p.Measured)

		w = newWired()
		w.node("j1").queue = LinkLatency(f).netem()[5:]
		p = wiredSeen(t, f.Active, w.some("j1"))
		require.False(t, p.OK, "both ways of it are slow: %+v", p)
		p = wiredSeen(t, LinkLatency(f).Active, w.some("j1"))
		require.True(t, p.OK, "%+v", p)

		w = newWired()
		require.NoError(t, f.Inject(t.Context(), w.some("j1"), &undos{}))
		p = wiredSeen(t, LinkLatency(f).Active, w.some("j1"))
		require.False(t, p.OK, "its packets are not delayed: %+v", p)
		w.node("toxi").queue = LinkLatency(f).netem()[5:]
		p = wiredSeen(t, LinkLatency(f).Active, w.some("j1"))
		require.False(t, p.OK, "those of the proxies' node are: %+v", p)
		require.Equal(t, "j1: -60.0", p.Measured)
	})
}

// TestAProbeWithoutAnAnswerIsNoProof: a median of the others would be one of those
// that were lucky.
func TestAProbeWithoutAnAnswerIsNoProof(t *testing.T) {
	at := func(d time.Duration, n int) probes {
		p := probes{ended: map[string]int{}}
		for range n {
			p.answered = append(p.answered, d)
		}
		return p
	}
	right := Latency{Delay: 60 * wiredTick}.bites
	for name, tc := range map[string]struct {
		slow, plain int
		want        bool
	}{
		"all": {30, 30, true}, "one is missing by the proxy": {29, 30, false}, "and one straight": {30, 29, false}, "one too many": {31, 30, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := sight{ok: true}
			s.added("%d probes: %s, median %.1f ms; straight: %s, median %.1f ms", 30, at(61*wiredTick, tc.slow), at(wiredTick, tc.plain), right)
			require.Equal(t, tc.want, s.ok)
			require.Equal(t, "60.0", s.measured)
		})
	}
	s := sight{ok: true}
	s.added("%d probes: %s, median %.1f ms; straight: %s, median %.1f ms", 30, at(61*wiredTick, 30), at(wiredTick, 30), right)
	require.Equal(t, []string{"30 probes: 30 answered, median 61.0 ms; straight: 30 answered, median 1.0 ms"}, s.how)
}

// TestASpreadIsWhatTheSlowOnesHaveMore: by their quartiles.
func TestASpreadIsWhatTheSlowOnesHaveMore(t *testing.T) {
	slow, plain := probes{}, probes{}
	for i := range 4 {
		slow.answered = append(slow.answered, time.Duration(i)*20*wiredTick)
		plain.answered = append(plain.answered, time.Duration(i)*5*wiredTick)
	}
	for _, want := range []bool{true, false} {
		s := sight{ok: true, measured: "60.0"}
		s.spread(slow, plain, func(got time.Duration) bool { return (got == 15*wiredTick) == want })
		require.Equal(t, want, s.ok)
		require.Equal(t, "60.0 with a jitter of 15.0", s.measured)
		require.Equal(t, []string{"between their quartiles 20.0 ms, and 5.0 ms: of an even jitter that is its size"}, s.how)
	}
}

func TestMillisecondsHaveThreeDecimals(t *testing.T) {
	require.InDelta(t, 1.5, milliseconds(1500*time.Microsecond), 1e-12)
	require.InDelta(t, 1000, milliseconds(time.Second), 1e-12)
	require.Zero(t, milliseconds(999*time.Nanosecond))
}

// TestALookThatCannotMeasureKeepsTheUnit: and is an error that names the node.
func TestALookThatCannotMeasureKeepsTheUnit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := Latency{Delay: 60 * wiredTick}
		w := newWired()
		w.proxies["j1"].Upstream = "nowhere"
		p, err := wiredOnce(t, f.Active, w.some("j1"))
		require.ErrorContains(t, err, `j1: proxy j1 leads to "nowhere"`)
		require.Equal(t, "ms", p.Unit)
		require.False(t, p.OK)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = f.lookBy(ctx, "latency", w.some("j1"), f.bite(), func(context.Context, way, passage) (slow, plain probes, how string, err error) {
			return slow, plain, "", errors.New("unasked")
		})
		require.Error(t, err)
	})
}

// TestALinkThatIsSlowOrNarrowAlreadyIsRefused: the two share the one place that a
// device has, and each is refused where the other is, and none where nothing is.
func TestALinkThatIsSlowOrNarrowAlreadyIsRefused(t *testing.T) {
	for name, tc := range map[string]struct{ first, second Fault }{
		"slow, then narrow": {LinkLatency{Delay: 60 * wiredTick}, Bandwidth{KBit: 4000}},
		"narrow, then slow": {Bandwidth{KBit: 4000}, LinkLatency{Delay: 60 * wiredTick}},
	} {
		t.Run(name, func(t *testing.T) {
			w, log := newWired(), &undos{}
			require.NoError(t, tc.first.Inject(t.Context(), w.some("j1"), log))
			err := tc.second.Inject(t.Context(), w.some("j1"), log)
			require.ErrorContains(t, err, tc.second.Kind()+" j1: what it sends is limited or delayed already")
			require.Len(t, log.all, 1)
			require.NoError(t, tc.second.Inject(t.Context(), w.some("j2"), log))
		})
	}
}

// TestTheCommandThatDelaysALink has both figures, or the one that there is.
func TestTheCommandThatDelaysALink(t *testing.T) {
	w := newWired()
	require.NoError(t, LinkLatency{Delay: 60 * wiredTick, Jitter: 20 * wiredTick}.Inject(t.Context(), w.some("j1"), &undos{}))
	require.Equal(t, []string{"root", "netem", "limit", "100000", "delay", "60ms", "20ms"}, append([]string{"root"}, w.node("j1").queue...))
	require.Len(t, LinkLatency{Delay: 60 * wiredTick}.netem(), 11)
}
