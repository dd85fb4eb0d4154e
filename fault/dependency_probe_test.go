package fault

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func TestTheLimitsOfASlowDependency(t *testing.T) {
	for delay, ok := range map[time.Duration]bool{
		0: false, 9 * wiredTick: false, 10*wiredTick - 1: false, 10 * wiredTick: true, 11 * wiredTick: true, 11*wiredTick + 1: false,
		10 * time.Second: true, 10*time.Second + wiredTick: false, -time.Second: false,
	} {
		err := DependencySlow{Delay: delay}.Validate()
		require.Equal(t, ok, err == nil, "%v: %v", delay, err)
		if err != nil {
			require.EqualError(t, err, "dependency-slow: delay "+delay.String()+": want 10ms to 10s, in whole milliseconds")
		}
	}
	require.NoError(t, DependencyDown{}.Validate())
	require.NoError(t, DatabaseCut{}.Validate())
	require.Equal(t, 5*wiredTick, DependencySlow{Delay: 50 * wiredTick}.tolerance())
	require.Equal(t, 20*wiredTick, DependencySlow{Delay: 200 * wiredTick}.tolerance())
}

// TestASlowDependencyIsMeasuredToItsTolerance: the delay is right within 10 %, and
// healed below that.
func TestASlowDependencyIsMeasuredToItsTolerance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := DependencySlow{Delay: 200 * wiredTick}
		for times, want := range map[float64][2]bool{
			1: {true, false}, 0.9: {true, false}, 1.1: {true, false}, 0.899: {false, false}, 1.101: {false, false},
			0.1: {false, false}, 0.0995: {false, true}, 0: {false, true},
		} {
			w := newWired()
			require.NoError(t, f.Inject(t.Context(), w.some("price"), &undos{}))
			w.times = times
			got := [2]bool{wiredSeen(t, f.Active, w.some("price")).OK, wiredSeen(t, f.Healed, w.some("price")).OK}
			require.Equal(t, want, got, "%v times the delay", times)
		}
	})
}

// TestASlowDependencyIsToldFromEachNode: and what is asked of it past the proxy is
// not slow.
func TestASlowDependencyIsToldFromEachNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newWired(), DependencySlow{Delay: 200 * wiredTick}
		require.NoError(t, f.Inject(t.Context(), w.some("price"), &undos{}))
		require.Equal(t, []toxic{{Name: toxicName(f), Type: "latency", Stream: "downstream", Toxicity: 1, Attributes: map[string]float64{"latency": 200}}}, w.proxies["price"].Toxics)
		p := wiredSeen(t, f.Active, w.some("price"))
		require.Equal(t, []string{
			"price: from j1 30 requests by the proxy: 30 answered, median 200.9 ms; straight to the service: 30 answered, median 0.9 ms",
			"price: from j2 30 requests by the proxy: 30 answered, median 200.9 ms; straight to the service: 30 answered, median 0.9 ms",
		}, p.How)
		w.node("j1").queue = LinkLatency{Delay: 200 * wiredTick}.netem()[5:]
		require.True(t, wiredSeen(t, f.Active, w.some("price")).OK, "what is slow both ways is no part of it")
	})
}

// TestOnlyNodesThatRunAreAsked: one that is frozen, or that the engine cannot tell
// of, asks nothing, and without any there is no proof.
func TestOnlyNodesThatRunAreAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newWired(), DependencyDown{}
		require.NoError(t, f.Inject(t.Context(), w.some("price"), &undos{}))
		w.node("j2").state.Paused = true
		p := wiredSeen(t, f.Active, w.some("price"))
		require.True(t, p.OK)
		require.Equal(t, "price: 3 closed from j1", p.Measured)
		require.Equal(t, [][]string{probeHTTP(netip.MustParseAddrPort("198.18.7.20:5435"), 3, 1, time.Second)}, w.node("j1").did, "one after another")
		require.Equal(t, []string{"price: asked 198.18.7.20:5435 from j1: 3 closed"}, p.How)
		w.node("j2").state, w.node("j1").state.Paused = up, true
		require.Equal(t, "price: 3 closed from j2", wiredSeen(t, f.Active, w.some("price")).Measured)
		w.node("j1").state, w.node("j2").state.Paused = up, true
		w.node("j1").blind = errEngine
		for _, look := range []func() Proof{
			func() Proof { return wiredSeen(t, f.Active, w.some("price")) },
			func() Proof { return wiredSeen(t, f.Healed, w.some("price")) },
		} {
			p = look()
			require.False(t, p.OK)
			require.Equal(t, "price: nobody to ask it", p.Measured)
			require.Equal(t, []string{"price: application nodes that run: 0 of 2"}, p.How)
		}
		require.True(t, runs(t.Context(), wiredNothing{w.node("db")}), "what is no container is there")
	})
}

// TestAnAskerWithoutANamespaceIsAnError: it suffers, and nothing tells whether.
func TestAnAskerWithoutANamespaceIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWired()
		price := w.node("price")
		for i, n := range price.peers {
			if n.Name() == "j2" {
				price.peers[i] = wiredAlone{Container: w.node("j2")}
			}
		}
		_, err := wiredOnce(t, DependencyDown{}.Active, w.some("price"))
		require.ErrorIs(t, err, ErrCapability)
		require.ErrorContains(t, err, "node j2")
	})
}

func TestTheCommandThatAsksByHTTP(t *testing.T) {
	require.Equal(t, []string{
		"curl", "-s", "--parallel", "--parallel-immediate", "--parallel-max", "15", "-o", "/dev/null", "-w", "%{http_code} %{time_total}\n",
		"--max-time", "2.200", "--no-keepalive", "-H", "Connection: close", "http://198.18.7.20:5435/probe?[1-30]",
	}, probeHTTP(netip.MustParseAddrPort("198.18.7.20:5435"), 30, 15, 2200*wiredTick))
}

func TestHowARequestEnds(t *testing.T) {
	limit := time.Second
	for name, tc := range map[string]parsedProbes{
		"answered":            {"200 0.003\n200 0.001\n200 0.002\n", 3, "3 answered", 2 * wiredTick, ""},
		"answered late":       {"200 5\n", 1, "1 answered", 5 * time.Second, ""},
		"an error":            {"503 0.001\n404 1.000\n", 2, "2 answered otherwise", 0, ""},
		"the time was up":     {"000 1.000\n", 1, "1 silent", 0, ""},
		"nearly up":           {"000 0.900\n", 1, "1 silent", 0, ""},
		"before it was up":    {"000 0.899\n", 1, "1 closed", 0, ""},
		"each its own":        {"200 0.001\n503 0.1\n000 0.0\n000 0.95\n", 4, "1 answered, 1 answered otherwise, 1 silent, 1 closed", wiredTick, ""},
		"one is missing":      {"200 0.001\n", 2, "", 0, "probe by HTTP: 1 of 2 probes ended"},
		"one too many":        {"200 0.001\n200 0.001\n", 1, "", 0, "probe by HTTP: 2 of 1 probes ended"},
		"no time":             {"200\n", 1, "", 0, `probe by HTTP: "200\n": want a status and seconds`},
		"no number":           {"200 soon\n", 1, "", 0, "want a status and seconds"},
		"nothing of nothing":  {"", 0, "", 0, ""},
		"nothing of anything": {"", 3, "", 0, "0 of 3"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := parseHTTP(tc.text, tc.made, limit)
			tc.hold(t, p, err)
		})
	}
}

// TestARequestThatEndsIsNoErrorOfTheLook: curl's exit status says that some of them
// had no answer, which is what is asked.
func TestARequestThatEndsIsNoErrorOfTheLook(t *testing.T) {
	to := netip.MustParseAddrPort("198.18.7.20:5435")
	n := &stub{name: "j1", beside: func([]string) (topology.Output, error) {
		return topology.Output{Code: 7, Stdout: []byte("000 0.001\n")}, nil
	}}
	p, err := askHTTP(t.Context(), n, to, 1, 1, time.Second)
	require.NoError(t, err)
	require.Equal(t, "1 closed", p.String())
	n.beside = func([]string) (topology.Output, error) { return topology.Output{}, errEngine }
	p, err = askHTTP(t.Context(), n, to, 1, 1, time.Second)
	require.ErrorIs(t, err, errEngine)
	require.EqualError(t, err, "ask 198.18.7.20:5435 from j1: "+errEngine.Error())
	require.Empty(t, p.String())
	_, err = probeDatabase(t.Context(), n, to, 1, 1, time.Second)
	require.EqualError(t, err, "ask 198.18.7.20:5435 from j1: "+errEngine.Error())
}

func TestTheCommandThatAsksADatabase(t *testing.T) {
	require.Equal(t, []string{"bash", "-c", probe, "probe", "198.18.7.20", "5433", "30", "2", "0.700"},
		probeCommand(netip.MustParseAddrPort("198.18.7.20:5433"), 30, 2, 700*wiredTick))
}

func TestProbesOfADatabaseAreCountedAndSorted(t *testing.T) {
	p, err := parseProbes("ok 9\nok 1\nok 4\nok 2\n", 4)
	require.NoError(t, err)
	require.Equal(t, []time.Duration{1000, 2000, 4000, 9000}, p.answered)
	require.Equal(t, 3*time.Microsecond, p.median(), "between the middle two")
	require.Equal(t, 2*time.Microsecond, p.quartiles())
	_, err = parseProbes("ok 1\nok 2\n", 1)
	require.EqualError(t, err, "probe of the database: 2 of 1 probes ended")
	_, err = parseProbes("ok x\n", 1)
	require.EqualError(t, err, `probe of the database: "ok x\n": want ok and microseconds`)
	require.Zero(t, probes{}.median())
	require.Zero(t, probes{}.quartiles())
	require.Empty(t, probes{}.String())
	one := probes{answered: []time.Duration{7}}
	require.EqualValues(t, 7, one.median())
	require.Zero(t, one.quartiles())
	refused := probes{ended: map[string]int{probeRefused: 2, probeSilent: 1}}
	require.True(t, refused.all(2, probeRefused))
	require.False(t, refused.all(3, probeRefused))
	require.False(t, refused.all(1, probeRefused))
	require.Equal(t, "2 refused, 1 silent", refused.String())
}
