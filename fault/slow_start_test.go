package fault

import (
	"context"
	"fmt"
	"math"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// starting is a node that starts: after boot its port is open, and after
// warmUp more it is warm. next is what runs in its place from its own start on.
type starting struct {
	started, noted time.Time // noted is zero for just before
	boot, warmUp   time.Duration
	told           string // WARMUP_MS, as it says
	kind           string // of the release; empty is slow-start
	next           *starting
}

// now is the process that runs.
func (n starting) now() starting {
	if n.next != nil && !time.Now().Before(n.next.started) {
		return n.next.now()
	}
	return n
}

func (n starting) stub() *stub {
	return &stub{name: "j1", role: topology.Application, port: 8080, state: up, dialed: n.dial, exec: n.exec}
}

func (n starting) exec([]string) (topology.Output, error) {
	n = n.now()
	noted, kind := n.noted, n.kind
	if noted.IsZero() {
		noted = n.started.Add(-time.Millisecond)
	}
	if kind == "" {
		kind = "slow-start"
	}
	return text("%s\n%s\n%s\n", kind, epochOf(noted), epochOf(n.started))
}

func (n starting) dial(string) (net.Conn, error) {
	n = n.now()
	if time.Since(n.started) < n.boot {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	return answering(n.answer), nil
}

func (n starting) answer(path string) string {
	warm, status, body := 0, "200 OK", ""
	if time.Since(n.started) >= n.boot+n.warmUp {
		warm = 1
	}
	seconds := func(t time.Time) float64 { return float64(t.UnixMilli()) / 1e3 }
	switch path {
	case "/metrics":
		body = fmt.Sprintf("hachaos_warm %d 1\nhachaos_clock_seconds %.3f\nhachaos_start_time_seconds %.3f\n", warm, seconds(time.Now()), seconds(n.started.Add(n.boot)))
	case "/health/settings":
		body = fmt.Sprintf(`{"WARMUP_MS":%q}`, n.told)
	case "/health/ready":
		if warm == 0 {
			status = "503 Service Unavailable"
		}
	}
	return fmt.Sprintf("HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
}

// TestASlowStartIsProvenByItsTime: not by what a node says of itself, nor by
// what else may take long.
func TestASlowStartIsProvenByItsTime(t *testing.T) {
	const half = 500 * time.Millisecond
	now := func(ago time.Duration) time.Time { return time.Now().Add(-ago) }
	for name, tc := range map[string]struct {
		node     func() starting
		ok       bool
		measured string
	}{
		"seen from before": {func() starting { return starting{started: now(0), boot: half, warmUp: 3 * time.Second} }, true, "warm 2.98s to 3.02s after the port opened, WARMUP_MS=3000"},
		"seen midway":      {func() starting { return starting{started: now(2 * time.Second), boot: half, warmUp: 3 * time.Second} }, true, "warm 2.98s to 3s after the port opened"},
		"a long boot":      {func() starting { return starting{started: now(0), boot: 3 * time.Second, warmUp: half} }, false, "warm 480ms to 520ms after the port opened"},
		"a sixth less":     {func() starting { return starting{started: now(0), boot: half, warmUp: 2400 * time.Millisecond} }, false, "warm 2.38s to 2.42s"},
		"a sixth more":     {func() starting { return starting{started: now(0), boot: half, warmUp: 3600 * time.Millisecond} }, false, "warm 3.58s to 3.62s"},
		"seen too late":    {func() starting { return starting{started: now(time.Minute), boot: half, warmUp: 3 * time.Second} }, false, "warm when it was first looked at"},
		"told otherwise": {func() starting {
			return starting{started: now(0), boot: half, warmUp: 3 * time.Second, told: "1500"}
		}, false, "WARMUP_MS=1500"},
		"another's start": {func() starting {
			return starting{started: now(0), boot: half, warmUp: 3 * time.Second, kind: "config-drift"}
		}, false, "version"},
		"a start before the act": {func() starting {
			return starting{started: now(0), noted: now(-time.Second), boot: half, warmUp: 3 * time.Second}
		}, false, "version"},
		"two quick starts": {func() starting {
			again := starting{started: now(-2 * time.Second), boot: half, warmUp: time.Second, told: "3000"}
			return starting{started: now(0), boot: half, warmUp: 3 * time.Second, next: &again}
		}, false, "warm 980ms to 1.02s"},
		"two starts, the port always open": {func() starting {
			again := starting{started: now(-2 * time.Second), warmUp: 1500 * time.Millisecond, told: "3000"}
			return starting{started: now(0), boot: half, warmUp: 3 * time.Second, next: &again}
		}, false, "warm 1.4"},
		"never up":   {func() starting { return starting{started: now(0), boot: time.Hour} }, false, "no answer"},
		"never warm": {func() starting { return starting{started: now(0), boot: half, warmUp: time.Hour} }, false, "not warm "},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := tc.node()
				if n.told == "" {
					n.told = "3000"
				}
				ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
				defer cancel()
				p, err := SlowStart{Delay: 3 * time.Second}.Active(ctx, []topology.Node{n.stub()})
				require.NoError(t, err)
				require.Equal(t, tc.ok, p.OK, "%+v", p)
				require.Contains(t, p.Measured, tc.measured, "%+v", p)
				require.Equal(t, "warm 3s after the port opened, within 500ms", p.Asked)
				if tc.ok {
					require.WithinDuration(t, n.started, p.To, 0, "it took effect with the start")
				}
			})
		})
	}
}

// pair are two such nodes.
func pair(first, second starting) []topology.Node {
	other := second.stub()
	other.name = "j2"
	return []topology.Node{first.stub(), other}
}

func TestASlowStartOfEachIsProven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := starting{started: time.Now(), warmUp: 3 * time.Second, told: "3000"}
		second := first
		second.boot = 2 * time.Second // the first is warm long before
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		p, err := SlowStart{Delay: 3 * time.Second}.Active(ctx, pair(first, second))
		require.NoError(t, err)
		require.True(t, p.OK, "%+v", p)
		require.Contains(t, p.Measured, "; j2: warm ")
	})
	synctest.Test(t, func(t *testing.T) {
		first := starting{started: time.Now(), warmUp: 3 * time.Second, told: "3000"}
		second := first
		second.warmUp = time.Second
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		p, err := SlowStart{Delay: 3 * time.Second}.Active(ctx, pair(first, second))
		require.NoError(t, err)
		require.False(t, p.OK, "one of two: %+v", p)
	})
}

// TestAnAnswerThatTellsNoStartTellsNothing: a process is known by its start.
func TestAnAnswerThatTellsNoStartTellsNothing(t *testing.T) {
	at := time.Unix(1732082400, 0)
	for name, gauges := range map[string]map[string]float64{
		"nothing":         {},
		"no gauge":        {gaugeStarted: 10, clockGauge: 11},
		"no start":        {gaugeWarm: 1, clockGauge: 11},
		"no clock":        {gaugeWarm: 1, gaugeStarted: 10},
		"no number":       {gaugeWarm: 1, gaugeStarted: math.NaN(), clockGauge: math.NaN()},
		"in its future":   {gaugeWarm: 1, gaugeStarted: 12, clockGauge: 11},
		"before all time": {gaugeWarm: 1, gaugeStarted: -1, clockGauge: 11},
	} {
		t.Run(name, func(t *testing.T) {
			var w startSeen
			w.told(gauges, at, at.Add(time.Second))
			require.Equal(t, startSeen{}, w)
		})
	}
}

func TestASlowStartIsValidated(t *testing.T) {
	for name, tc := range map[string]struct {
		delay time.Duration
		err   string
	}{
		"the default": {0, ""},
		"the least":   {time.Second, ""},
		"the most":    {5 * time.Minute, ""},
		"too short":   {999 * time.Millisecond, "slow-start: delay 999ms: want 1s to 5m0s"},
		"too long":    {5*time.Minute + time.Millisecond, "want 1s to 5m0s"},
		"too fine":    {time.Second + time.Microsecond, "whole milliseconds"},
		"negative":    {-time.Second, "slow-start: delay -1s"},
	} {
		t.Run(name, func(t *testing.T) {
			err := SlowStart{Delay: tc.delay}.Validate()
			if tc.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.err)
		})
	}
}

// A fault that was accepted must not run out of time for its proof by what it asks.
func TestADelaySaysHowLongItsProofTakes(t *testing.T) {
	const d = 10 * time.Second
	for _, f := range []Gradual{
		Latency{Delay: d},
		DependencySlow{Delay: d},
		DatabaseSlowInside{Delay: d},
		LinkLatency{Delay: d},
		CrashLoop{Life: d, Rest: d},
	} {
		require.NoError(t, f.Validate(), f.Kind())
		require.GreaterOrEqual(t, f.Shows(), d, f.Kind())
	}
	require.Equal(t, 2*d, LinkLatency{Delay: d}.Shows(), "to connect and to ask")
	require.Equal(t, 12*time.Second, Latency{Delay: d, Jitter: 2 * time.Second}.Shows())
	require.Equal(t, 3*d, CrashLoop{Life: d, Rest: d}.Shows(), "a half longer each")
	require.Equal(t, (DefaultLife+DefaultRest)*3/2, CrashLoop{}.Shows())
}

func TestASlowStartSaysHowLongItTakes(t *testing.T) {
	require.Equal(t, 11*time.Second, SlowStart{}.Shows(), "10 s and a tenth")
	require.Equal(t, 2500*time.Millisecond, SlowStart{Delay: 2 * time.Second}.Shows(), "and half a second")
	require.Equal(t, stopWithin, SlowStart{}.Takes())
}

// TestASlowStartIsARestart: of the nodes' processes, with another setting, after
// the undo of each was recorded.
func TestASlowStartIsARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := starting{started: time.Now(), told: "1500"}
		first, second := one.stub(), one.stub()
		second.name = "j2"
		log := &undos{}
		require.NoError(t, SlowStart{}.Inject(t.Context(), []topology.Node{first, second}, log))
		require.Equal(t, []Entry{{Undo: Unreleased, Node: "j1"}, {Undo: Unreleased, Node: "j2"}}, log.all)
		for _, n := range []*stub{first, second} {
			require.Equal(t, [][]string{replaceWith("slow-start", map[string]string{"WARMUP_MS": "10000"})}, n.did)
		}
	})
}

func TestASlowStartIsOfApplicationNodes(t *testing.T) {
	one := starting{started: time.Now(), told: "1500"}
	nodes := []topology.Node{one.stub(), &stub{name: "lb1", role: topology.Balancer, state: up}}
	log := &undos{}
	require.ErrorIs(t, SlowStart{}.Inject(t.Context(), nodes, log), ErrCapability)
	require.Empty(t, log.all)
	_, err := SlowStart{}.Active(t.Context(), nodes)
	require.ErrorContains(t, err, "slow-start: balancer lb1 has no part in it")
	_, err = SlowStart{}.Healed(t.Context(), nodes)
	require.ErrorIs(t, err, ErrCapability)
}

func TestASlowStartIsHealed(t *testing.T) {
	for name, tc := range map[string]struct {
		node starting
		ok   bool
	}{
		"as it was":          {starting{kind: "-", told: "1500"}, true},
		"a note left":        {starting{told: "1500"}, false},
		"a setting left":     {starting{kind: "-", told: "10000"}, false},
		"not ready yet":      {starting{kind: "-", told: "1500", warmUp: time.Hour}, false},
		"not even an answer": {starting{kind: "-", told: "1500", boot: time.Hour}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tc.node.started = time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				p, err := SlowStart{}.Healed(ctx, []topology.Node{tc.node.stub()})
				require.NoError(t, err)
				require.Equal(t, tc.ok, p.OK, "%+v", p)
				require.NotEmpty(t, p.Measured)
			})
		})
	}
}
