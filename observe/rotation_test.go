package observe

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRotation(t *testing.T) {
	for name, tc := range map[string]struct {
		script func(c *fakeCluster, status *atomic.Value)
		after  time.Duration // the least that it takes
		err    string
	}{
		"whole": {func(*fakeCluster, *atomic.Value) {}, 0, ""},
		"a server comes up": {func(_ *fakeCluster, s *atomic.Value) {
			s.Store("DOWN 1/2")
			time.AfterFunc(time.Second, func() { s.Store("UP") })
		}, time.Second, ""},
		"a server never does": {func(_ *fakeCluster, s *atomic.Value) { s.Store("DOWN") }, rotationWithin, "lb1 holds j1 for DOWN"},
		"one that is drained": {func(_ *fakeCluster, s *atomic.Value) { s.Store("DRAIN") }, rotationWithin, "lb1 holds j1 for DRAIN"},
		"nobody answers":      {func(c *fakeCluster, _ *atomic.Value) { c.node("lb1").serves(nil) }, rotationWithin, "connect 198.18.0.11:9999"},
		"an answer of no table": {func(c *fakeCluster, _ *atomic.Value) {
			c.node("lb1").serves(replies(func(string) string { return "no\n" }))
		}, rotationWithin, "lb1: reply holds no table"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newFake()
				var status atomic.Value
				status.Store("UP")
				c.node("lb1").serves(replies(func(string) string {
					return fmt.Sprintf("Pid: 1\nUptime_sec: 5\nCumReq: 0\nDroppedLogs: 0\n\n# pxname,svname,status,\nnodes,j1,%s,\n", status.Load())
				}))
				tc.script(c, &status)
				began := time.Now()
				err := Rotation(t.Context(), c)
				require.GreaterOrEqual(t, time.Since(began), tc.after)
				if tc.err == "" {
					require.NoError(t, err)
					return
				}
				require.ErrorContains(t, err, tc.err)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.LessOrEqual(t, time.Since(began), rotationWithin+answerWithin)
			})
		})
	}
}
