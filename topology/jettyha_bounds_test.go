package topology_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// The expected limits are worked out by hand from the values that describe
// prints, each with the allowance of 250 ms.
func TestJettyHABounds(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		profile, bound string
		want           time.Duration
	}{
		{"tuned", topology.BoundDetectRefused, (250 + 2*100 + 250) * ms},
		// A check under way costs timeout check, more than inter and a lost SYN.
		{"tuned", topology.BoundDetectVanished, (400 + 2*(100+100) + 250) * ms},
		{"tuned", topology.BoundDetectFrozen, (250 + 2*100 + 3*400 + 250) * ms},
		{"tuned", topology.BoundDivert, (100 + 250) * ms},
		{"tuned", topology.BoundOutageRefused, 250 * ms},
		{"tuned", topology.BoundOutageVanished, (100 + 250) * ms},
		{"tuned", topology.BoundOutageFrozen, (250 + 2*100 + 3*400 + 3000 + 250) * ms},
		{"tuned", topology.BoundUnready, (250 + 2*100 + 3*300 + 250) * ms},
		{"tuned", topology.BoundReady, (250 + 100 + 2*300 + 250) * ms},
		{"tuned", topology.BoundVIP, 600*ms + 51562500 + 250*ms}, // skew (256−190)/256 × 200 ms
		{"tuned", topology.BoundVIPRefused, 500*ms + 51562500 + 250*ms},
		{"tuned", topology.BoundVIPFrozen, 250*ms + 500*ms + 400*ms + 51562500 + 250*ms},
		{"tuned", topology.BoundVIPRemoved, 51562500 + 250*ms},
		{"tuned", topology.BoundVIPTwo, 200*ms + 250*ms},
		{"tuned", topology.BoundOutageVIP, 600*ms + 51562500 + 250*ms + 1000*ms},
		{"tuned", topology.BoundOutageVIPRefused, 500*ms + 51562500 + 250*ms + 1000*ms},
		{"tuned", topology.BoundOutageVIPFrozen, 250*ms + 500*ms + 400*ms + 51562500 + 250*ms + 1000*ms},
		{"tuned", topology.BoundOutageVIPRemoved, 51562500 + 250*ms + 1000*ms},
		{"tuned", topology.BoundOutageVIPTwo, 200*ms + 250*ms + 1000*ms},
		{"documented", topology.BoundOutageVIP, 2 * (3000*ms + 609375*time.Microsecond + 250*ms)},
		{"tuned", topology.BoundRecovered, (5000 + 1500 + 250) * ms},
		// The database's end and start, its pause, and reconnected: socketTimeout,
		// a look under way, and rising.
		{"tuned", topology.BoundOutageDatabase, (3000 + 2000 + (2000 + 1000 + 250 + 100 + 2*300) + 250) * ms},

		// What hangs at the end of a node's detection, until timeout server.
		{"tuned", topology.BoundOutageSilent, (250 + 2*100 + 3*300 + 3000 + 250) * ms},
		{"documented", topology.BoundOutageSilent, (2000 + 2*2000 + 3*300 + 50000 + 250) * ms},
		{"tuned", topology.BoundStale, (2000 + 250) * ms},
		{"documented", topology.BoundStale, (2000 + 250) * ms},
		// Two waits for the pool, and an order's work.
		{"tuned", topology.BoundAnsweredPool, (2*250 + 250 + 250) * ms},
		{"documented", topology.BoundAnsweredPool, (50000 + 250 + 250) * ms}, // timeout server
		{"documented", topology.BoundDetectRefused, (2000 + 2*2000 + 250) * ms},
		{"documented", topology.BoundDetectVanished, (2000 + 2*2000 + 3*2000 + 250) * ms},
		{"documented", topology.BoundDetectFrozen, (2000 + 2*2000 + 3*2000 + 250) * ms},
		{"documented", topology.BoundDivert, (4*5000 + 250) * ms},
		{"documented", topology.BoundOutageRefused, (6000 + 3*1000 + 250) * ms},
		{"documented", topology.BoundOutageVanished, (12000 + 4*5000 + 250) * ms},
		{"documented", topology.BoundOutageFrozen, (12000 + 50000 + 250) * ms},
		{"documented", topology.BoundUnready, (2000 + 2*2000 + 3*300 + 250) * ms},
		{"documented", topology.BoundReady, (2000 + 2000 + 2*300 + 250) * ms},
		{"documented", topology.BoundVIP, 3000*ms + 609375*time.Microsecond + 250*ms}, // skew (256−100)/256 × 1 s
		{"documented", topology.BoundRecovered, (10000 + 5000 + 1500 + 250) * ms},
	}
	for _, tt := range tests {
		t.Run(tt.profile+" "+tt.bound, func(t *testing.T) {
			b, ok := plan(t, topology.Options{Profile: tt.profile}).Bound(tt.bound)
			require.True(t, ok)
			require.Equal(t, tt.want, b.Limit, b.Formula)
			require.Contains(t, b.Formula, "allowance 250ms")
			require.NotEmpty(t, b.Source)
			require.NotEmpty(t, b.File)
		})
	}
}

func TestJettyHADefectsDoNotMoveTheBounds(t *testing.T) {
	sound := plan(t, topology.Options{}).Bounds
	for _, set := range []map[string]string{
		{"redispatch": "off"}, {"check": "liar"}, {"readiness": "constant"}, {"weight.j1": "1"}, {"price-life": "30s"},
	} {
		require.Equal(t, sound, plan(t, topology.Options{Set: set}).Bounds, "%v", set)
	}
}

func TestJettyHAWarmupMovesTheBoundOnRecovery(t *testing.T) {
	b, ok := plan(t, topology.Options{Set: map[string]string{"warmup": "3s"}}).Bound(topology.BoundRecovered)
	require.True(t, ok)
	require.Equal(t, 8250*time.Millisecond, b.Limit)
}

func TestJettyHAValuesHaveReasonsAndFiles(t *testing.T) {
	for _, profile := range topology.JettyHA().Profiles {
		seen := map[string]bool{}
		for _, v := range plan(t, topology.Options{Profile: profile}).Values {
			require.False(t, seen[v.Name], "%s is there twice", v.Name)
			seen[v.Name] = true
			require.NotEmpty(t, v.Value, v.Name)
			require.NotEmpty(t, v.Reason, v.Name)
			require.FileExists(t, "../"+v.File, v.Name)
		}
		require.True(t, seen["allowance"])
	}
}
