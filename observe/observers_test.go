package observe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
	"github.com/stretchr/testify/require"
)

// app answers as docs/wire.md has it.
type app struct {
	ready, warm atomic.Bool
	slow        time.Duration // of /health/ready
	inFlight    atomic.Int64
}

// newApp is an app that is well, or not.
func newApp(well bool) *app {
	a := &app{}
	a.ready.Store(well)
	a.warm.Store(well)
	return a
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Hachaos-Node", "j1")
	w.Header().Set("X-Hachaos-Version", "7")
	switch r.URL.Path {
	case livePath:
	case readyPath:
		time.Sleep(a.slow)
		if !a.ready.Load() {
			w.WriteHeader(503)
			fmt.Fprint(w, `{"ready":false,"reason":"warming up"}`)
		}
	case metricsPath:
		ms := time.Now().UnixMilli()
		fmt.Fprintf(w, "hachaos_warm %d %d\nhachaos_database_reachable 1 %d\nhachaos_requests_in_flight %d\n",
			map[bool]int{true: 1}[a.warm.Load()], ms, ms-250, a.inFlight.Load())
	default:
		w.WriteHeader(404)
	}
}

func TestHealthFollowsANodeThroughItsDeath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFake()
		a := newApp(true)
		c.node("j1").serves(overHTTP(a.ServeHTTP))
		e := testEnv(t, c)
		r, err := observe(t, &health{e, c.spec.Nodes[0]}, func() {
			time.Sleep(950 * time.Millisecond)
			c.happen("j1", "die")
			time.Sleep(2 * time.Second)
			a.ready.Store(false)
			c.happen("j1", "start")
			time.Sleep(500 * time.Millisecond)
			a.ready.Store(true)
			time.Sleep(500 * time.Millisecond)
		})
		require.NoError(t, err)

		var ready, dead, cold, live int
		for _, v := range observed[history.Readiness](t, r, history.StreamReadiness) {
			switch {
			case v.Probe == "live" && v.Up:
				live++
			case v.Probe == "ready" && v.Up:
				ready++
				require.Equal(t, 200, v.Status)
			case v.Reason == "timeout":
				dead++
				require.Zero(t, v.Status)
				require.Equal(t, connectWithin, v.Took)
			default:
				cold++
				require.Equal(t, history.Readiness{Node: "j1", Probe: "ready", Status: 503, Reason: "warming up"}, v)
			}
		}
		require.Equal(t, 10+5, ready)
		require.Equal(t, 5, cold)
		require.Equal(t, 10+10, live)
		require.Equal(t, 2*20, dead, "each look while it was dead, at its own time")
		cov := coverage(t, r, history.StreamReadiness, "j1")
		require.True(t, cov.Complete)
		require.EqualValues(t, 15+5+20+40, cov.Seen)
		require.Equal(t, healthEvery, cov.LongGap)
	})
}

// A look that hangs holds up no other: what ends it is its own bound.
func TestHealthOfAFrozenNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFake()
		a := newApp(true)
		a.slow = time.Hour
		c.node("j1").serves(overHTTP(a.ServeHTTP))
		r, err := observe(t, &health{testEnv(t, c), c.spec.Nodes[0]}, func() { time.Sleep(3050 * time.Millisecond) })
		require.NoError(t, err)
		var looks int
		for _, v := range observed[history.Readiness](t, r, history.StreamReadiness) {
			if v.Probe == "ready" {
				looks++
				require.False(t, v.Up)
				require.Equal(t, "timeout", v.Reason)
				require.Equal(t, answerWithin, v.Took)
			}
		}
		require.Equal(t, 21, looks, "those that began in the first two seconds have ended")
		require.True(t, coverage(t, r, history.StreamReadiness, "j1").Complete)
		time.Sleep(time.Hour) // the handlers end
	})
}

func TestHealthReasons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFake()
		e := testEnv(t, c)
		r, err := observe(t, &health{e, c.spec.Nodes[0]}, func() { time.Sleep(50 * time.Millisecond) })
		require.NoError(t, err)
		for _, v := range observed[history.Readiness](t, r, history.StreamReadiness) {
			require.Equal(t, "refused", v.Reason)
		}
	})
}

func TestTruthTakesTheNodesOwnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFake()
		a := newApp(true)
		c.node("j1").serves(overHTTP(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(7 * time.Millisecond)
			a.ServeHTTP(w, r)
			time.Sleep(20 * time.Millisecond)
		}))
		e := testEnv(t, c)
		r, err := observe(t, &truth{e, c.spec.Nodes[0]}, func() { time.Sleep(150 * time.Millisecond) })
		require.NoError(t, err)
		require.Equal(t, []history.Truth{
			{Node: "j1", Up: true, Warm: true, Database: true}, {Node: "j1", Up: true, Warm: true, Database: true},
		}, observed[history.Truth](t, r, history.StreamTruth))
		require.InDelta(t, 7*time.Millisecond, r.events[0].At, float64(time.Millisecond))
		require.InDelta(t, 107*time.Millisecond, r.events[1].At, float64(time.Millisecond))
		require.True(t, coverage(t, r, history.StreamTruth, "j1").Complete)
	})
}

func TestTruthWithoutTheGauge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFake()
		c.node("j1").serves(overHTTP(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "jvm_up 1\n") }))
		r, err := observe(t, &truth{testEnv(t, c), c.spec.Nodes[0]}, func() { time.Sleep(250 * time.Millisecond) })
		require.NoError(t, err)
		cov := coverage(t, r, history.StreamTruth, "j1")
		require.False(t, cov.Complete)
		require.EqualValues(t, 3, cov.Missed)
		require.Contains(t, cov.Reason, "has no hachaos_warm")
	})
}

func TestTruthOfANodeThatIsStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFake()
		c.node("j1").serves(overHTTP(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }))
		r, err := observe(t, &truth{testEnv(t, c), c.spec.Nodes[0]}, func() { time.Sleep(50 * time.Millisecond) })
		require.NoError(t, err)
		require.Equal(t, []history.Truth{{Node: "j1", Up: true}}, observed[history.Truth](t, r, history.StreamTruth))
		require.Contains(t, coverage(t, r, history.StreamTruth, "j1").Reason, "j1 never told its gauges")
	})
}

const receipt = `{"hachaos":"receipt","at":%d,"node":"j1","what":"arrive","op":"12.1"}`

func TestNodeLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFake()
		e := testEnv(t, c)
		r, err := observe(t, &nodeLog{e, "j1"}, func() {
			time.Sleep(time.Second)
			c.say("j1", "Picked up JAVA_TOOL_OPTIONS", fmt.Sprintf(receipt, time.Now().UnixMicro()),
				fmt.Sprintf(`{"hachaos":"transition","at":%d,"node":"j1","what":"warm","version":"1"}`, time.Now().UnixMicro()))
			time.Sleep(time.Second)
		})
		require.NoError(t, err)
		require.Len(t, observed[history.Receipt](t, r, history.StreamReceipt), 1)
		require.Len(t, observed[history.Transition](t, r, history.StreamTransition), 1)
		require.InDelta(t, time.Second, r.events[0].At, float64(time.Millisecond))
		require.True(t, coverage(t, r, history.StreamReceipt, "j1").Complete)
		require.True(t, coverage(t, r, history.StreamTransition, "j1").Complete)
		kept, err := os.ReadFile(filepath.Join(e.dir, "j1.log"))
		require.NoError(t, err)
		require.Equal(t, c.logs["j1"].String(), string(kept))
	})
}

// What a node wrote just before the run's end is on its way still.
func TestNodeLogWaitsForTheLastLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFake()
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for range 5 {
				time.Sleep(200 * time.Millisecond)
				c.say("j1", fmt.Sprintf(receipt, time.Now().UnixMicro()))
			}
		}()
		cancel()
		began, r := time.Now(), &recorder{}
		require.NoError(t, (&nodeLog{testEnv(t, c), "j1"}).Observe(ctx, r))
		require.Len(t, observed[history.Receipt](t, r, history.StreamReceipt), 5)
		require.Equal(t, time.Second+quietEnough, time.Since(began))
	})
}

func TestALogThatNeverRestsEndsAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFake()
		ctx, cancel := context.WithCancel(t.Context())
		stop := make(chan struct{})
		go func() {
			for {
				select {
				case <-time.After(10 * time.Millisecond):
					c.say("j1", "noise")
				case <-stop:
					return
				}
			}
		}()
		cancel()
		began := time.Now()
		require.NoError(t, (&nodeLog{testEnv(t, c), "j1"}).Observe(ctx, &recorder{}))
		require.LessOrEqual(t, time.Since(began), Grace)
		close(stop)
	})
}

func TestLogsThatAreIncomplete(t *testing.T) {
	tests := []struct {
		name   string
		script func(c *fakeCluster)
		missed uint64
		reason string
		err    string
	}{
		{"a torn line", func(c *fakeCluster) { c.say("j1", `{"hachaos":"receipt","at":17`) }, 1, "j1.log: log line", ""},
		{"many torn lines", func(c *fakeCluster) {
			for i := range 20 {
				c.say("j1", fmt.Sprintf(`{"hachaos":"receipt","at":1,"node":"j1","what":"arrive","op":"x%d"}`, i))
			}
		}, 20, "and 15 more", ""},
		{
			"a stream that died", func(c *fakeCluster) { c.tear("j1", errors.New("connection reset")) }, 0,
			"log of j1: connection reset", "log of j1: connection reset",
		},
		{
			"a stream that ended too soon", func(c *fakeCluster) { c.tear("j1", errQuietEnd) }, 0,
			"log of j1: it ended before the run did", "log of j1: it ended before the run did",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newFake()
				r, err := observe(t, &nodeLog{testEnv(t, c), "j1"}, func() { tt.script(c); time.Sleep(time.Second) })
				if tt.err == "" {
					require.NoError(t, err)
				} else {
					require.ErrorContains(t, err, tt.err)
				}
				for _, stream := range []string{history.StreamReceipt, history.StreamTransition} {
					cov := coverage(t, r, stream, "j1")
					require.False(t, cov.Complete)
					require.Equal(t, tt.missed, cov.Missed)
					require.Contains(t, cov.Reason, tt.reason)
				}
			})
		})
	}
}

func TestALogThatCannotBeKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFake()
		e := testEnv(t, c)
		e.dir = filepath.Join(e.dir, "absent")
		r, err := observe(t, &plainLog{e, "db1"}, func() {})
		require.ErrorContains(t, err, "keep the log of db1")
		require.False(t, coverage(t, r, StreamLog, "db1").Complete)
	})
}

func TestEngineEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFake()
		r, err := observe(t, &engine{testEnv(t, c)}, func() {
			time.Sleep(time.Second)
			c.happen("j1", "kill")
			c.happen("j1", "die")
			time.Sleep(time.Second)
		})
		require.NoError(t, err)
		got := observed[history.Engine](t, r, history.StreamEngine)
		require.Len(t, got, 2)
		require.Equal(t, "die", got[1].Action)
		require.InDelta(t, time.Second, r.events[0].At, float64(time.Millisecond))
		require.True(t, coverage(t, r, history.StreamEngine, "").Complete)
	})
}

func TestEngineEventsThatBroke(t *testing.T) {
	for broken, want := range map[error]string{
		errors.New("connection reset"): "engine's events: connection reset",
		errQuietEnd:                    "engine's events: they ended before the run did",
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newFake()
			c.broken = broken
			r, err := observe(t, &engine{testEnv(t, c)}, func() { time.Sleep(time.Second) })
			require.ErrorContains(t, err, want)
			cov := coverage(t, r, history.StreamEngine, "")
			require.False(t, cov.Complete)
			require.Contains(t, cov.Reason, want)

			r, err = observe(t, &nodes{testEnv(t, c)}, func() { time.Sleep(time.Second) })
			require.ErrorContains(t, err, want)
			require.Contains(t, coverage(t, r, history.StreamNode, "j1").Reason, want)

			r, err = observe(t, newVIP(testEnv(t, c), streamNode{c.node("lb1")}, c.spec.VIP), func() { time.Sleep(time.Second) })
			require.ErrorContains(t, err, want)
			require.Contains(t, coverage(t, r, history.StreamVIP, "lb1").Reason, want)
		})
	}
}

func TestNodesAtTheirStartAndEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFake()
		c.node("j1").serves(overHTTP(newApp(true).ServeHTTP))
		r, err := observe(t, &nodes{testEnv(t, c)}, func() {
			time.Sleep(time.Second)
			c.happen("j1", "die")
			time.Sleep(time.Second)
			c.node("j1").serves(nil) // not yet listening
			c.happen("j1", "start")
			time.Sleep(time.Second)
			c.node("j1").serves(overHTTP(newApp(true).ServeHTTP))
			time.Sleep(time.Second)
		})
		require.NoError(t, err)
		var j1 []history.NodeInfo
		for _, n := range observed[history.NodeInfo](t, r, history.StreamNode) {
			if n.Node == "j1" {
				n.Started, n.Finished = n.Started.Round(time.Second), n.Finished.Round(time.Second)
				j1 = append(j1, n)
			}
		}
		first := history.NodeInfo{Node: "j1", Role: "application", Image: "application", Version: "7", Running: true}
		again := first
		again.Started, again.Finished = 2*time.Second, time.Second
		require.Equal(t, []history.NodeInfo{first, again, again}, j1)
		for _, n := range []string{"j1", "lb1", "db1"} {
			require.True(t, coverage(t, r, history.StreamNode, n).Complete)
		}
	})
}

// The engine that does not answer at the end leaves a gap, and it is said.
func TestNodesOfAnEngineThatIsMute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFake()
		c.node("db1").mute = true
		r, err := observe(t, &nodes{testEnv(t, c)}, func() { time.Sleep(time.Second) })
		require.NoError(t, err)
		cov := coverage(t, r, history.StreamNode, "db1")
		require.False(t, cov.Complete)
		require.EqualValues(t, 1, cov.Missed)
		require.Contains(t, cov.Reason, "inspect db1")
		require.True(t, coverage(t, r, history.StreamNode, "lb1").Complete)
	})
}

func TestHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := testEnv(t, newFake())
		file := filepath.Join(t.TempDir(), "stat")
		pressure := filepath.Join(t.TempDir(), "io")
		require.NoError(t, os.WriteFile(file, []byte("cpu 0 0 0 0 0 0 0 0\n"), 0o644))
		require.NoError(t, os.WriteFile(pressure, []byte("some avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\n"), 0o644))
		r, err := observe(t, &host{e, file, pressure}, func() {
			time.Sleep(600 * time.Millisecond) // between two looks
			require.NoError(t, os.WriteFile(pressure, []byte("some avg10=9.00 avg60=0.00 avg300=0.00 total=1100000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"), 0o644))
			require.NoError(t, os.WriteFile(file, []byte("cpu 50 0 0 40 0 0 0 10\n"), 0o644))
			time.Sleep(time.Second)
		})
		require.NoError(t, err)
		require.Equal(t, []history.Host{{Busy: 0.5, Steal: 0.1, Disk: 0.4}}, observed[history.Host](t, r, history.StreamHost))
		require.True(t, coverage(t, r, history.StreamHost, "").Complete)

		r, err = observe(t, &host{e, file + "-absent", pressure}, func() {})
		require.Error(t, err)
		require.False(t, coverage(t, r, history.StreamHost, "").Complete)
	})
}

// scripted samples as the test says.
type scripted struct {
	fail   *atomic.Bool
	opened *int
}

func (s scripted) sample(context.Context) (history.Connections, error) {
	if s.fail.Load() {
		return history.Connections{}, errors.New("gone")
	}
	return history.Connections{Total: 3, Max: 200, By: map[string]int{"j1": 3}}, nil
}
func (s scripted) close() { *s.opened-- }

func TestConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var (
			fail   atomic.Bool
			opened int
		)
		o := &connections{
			env: testEnv(t, newFake()), node: topology.NodeSpec{Name: "db1"},
			open: func(context.Context) (sampler, error) {
				if fail.Load() {
					return nil, errors.New("refused")
				}
				opened++
				return scripted{&fail, &opened}, nil
			},
		}
		r, err := observe(t, o, func() {
			time.Sleep(900 * time.Millisecond) // 2 samples
			fail.Store(true)
			time.Sleep(time.Second) // 2
			fail.Store(false)
			time.Sleep(time.Second) // 2
		})
		require.NoError(t, err)
		var known []bool
		for _, v := range observed[history.Connections](t, r, history.StreamConnections) {
			known = append(known, v.Known)
			require.Equal(t, v.Known, v.Max == 200)
		}
		require.Equal(t, []bool{true, true, false, false, true, true}, known)
		require.Zero(t, opened, "each connection is closed")
		require.True(t, coverage(t, r, history.StreamConnections, "db1").Complete)
	})
}

func TestConnectionsOfADatabaseThatIsNotDescribed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFake()
		delete(c.spec.Nodes[2].Env, databasePassword)
		e := testEnv(t, c)
		r, err := observe(t, newConnections(e, c.spec.Nodes[2]), func() {})
		require.ErrorContains(t, err, "has no HACHAOS_PASSWORD")
		require.False(t, coverage(t, r, history.StreamConnections, "db1").Complete)

		c.spec.Nodes[2].Env[databasePassword] = "p/w"
		r, err = observe(t, newConnections(e, c.spec.Nodes[2]), func() { time.Sleep(time.Second) })
		require.NoError(t, err)
		cov := coverage(t, r, history.StreamConnections, "db1")
		require.False(t, cov.Complete)
		require.Contains(t, cov.Reason, "db1 never answered: connect")
	})
}

func TestDatabaseConfig(t *testing.T) {
	c := newFake()
	cfg, err := databaseConfig(c.spec.Nodes[2], c.DialContext)
	require.NoError(t, err)
	require.Equal(t, "198.18.0.31", cfg.Host)
	require.EqualValues(t, databasePort, cfg.Port)
	require.Equal(t, "shop", cfg.Database)
	require.Equal(t, "reader", cfg.User)
	require.Equal(t, "p/w", cfg.Password)
	require.Nil(t, cfg.TLSConfig)
	require.Equal(t, applicationName, cfg.RuntimeParams["application_name"])
}

// A starved prober says so.
func TestPollerFindsItsGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		p := poller{every: 100 * time.Millisecond, within: 5 * time.Second, alone: true}
		n := 0
		gap := p.run(ctx, func(context.Context) {
			if n++; n == 3 {
				time.Sleep(1950 * time.Millisecond)
			}
		})
		require.Equal(t, 2*time.Second, gap)
		require.Equal(t, 3*time.Second, p.run(ended(t, 3*time.Second), func(ctx context.Context) { <-ctx.Done() }),
			"from the last look to the end")

		a := &account{stream: history.StreamReadiness}
		a.looked(gap, p.limit())
		require.False(t, a.coverage().Complete)
		require.Contains(t, a.coverage().Reason, "no look for 2s, more than 500ms")
	})
}

// ended is a context that ends after d.
func ended(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
