package load

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

// small is a workload that is quick to check by hand.
func small() Config {
	return Config{Rate: 20, Sessions: 10, SessionOps: 6, KeyPrefix: "t"}
}

// drive runs cfg on h for d of virtual time, then stops it. It returns the
// completed operations.
func drive(t *testing.T, cfg Config, a *app, d time.Duration) ([]done, *Generator) {
	t.Helper()
	net := serve(t, a)
	rec := &journal{}
	g, err := New(cfg, Target{URL: "http://app", Dial: net.DialContext}, history.StartClock(), rec)
	require.NoError(t, err)
	time.AfterFunc(d, g.Stop)
	require.NoError(t, g.Run(t.Context()))
	return rec.ops(t), g
}

func TestHealthySystemIsAllOK(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp()
		ops, g := drive(t, small(), a, 10*time.Second+time.Millisecond)
		require.Len(t, ops, 200)
		for i, op := range ops {
			require.Equal(t, history.OK, op.Outcome, "%+v", op)
			require.Equal(t, time.Duration(i+1)*50*time.Millisecond, op.Intended)
			require.Equal(t, op.Intended, op.Sent)
			require.Zero(t, op.Late)
			require.Equal(t, 1, op.Attempts)
		}
		require.Len(t, a.seen(), 200)
		s := g.Snapshot()
		require.Equal(t, Counts{Sent: 200, OK: 200}, s.Counts)
		require.Equal(t, Counts{Sent: 20, OK: 20}, s.LastSecond)
		require.Zero(t, s.Outstanding)
	})
}
