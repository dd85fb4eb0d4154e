package harness_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/observe"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/fake"
)

// slowToBegin is an observer that sees something after a while only.
type slowToBegin struct {
	after time.Duration
	begun chan struct{}
}

func (*slowToBegin) Name() string             { return "slow one" }
func (s *slowToBegin) Begun() <-chan struct{} { return s.begun }

func (s *slowToBegin) Observe(ctx context.Context, _ history.Sink) error {
	select {
	case <-time.After(s.after):
		close(s.begun)
	case <-ctx.Done():
	}
	<-ctx.Done()
	return nil
}

type slowSuite struct {
	fake.Suite
	slow *slowToBegin
}

func (s slowSuite) Observers(c topology.Cluster, clock history.RunClock, dir string) []observe.Observer {
	return append(s.Suite.Observers(c, clock, dir), s.slow)
}

// TestTheLoadWaitsForItsWitnesses: what an observer has not seen yet is not
// begun with, and one that is too long about it is told.
func TestTheLoadWaitsForItsWitnesses(t *testing.T) {
	for name, tc := range map[string]struct {
		after time.Duration
		want  harness.Verdict
	}{
		"in time":  {7 * time.Second, harness.VerdictPass},
		"too late": {time.Minute, harness.VerdictInconclusive},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				slow := &slowToBegin{after: tc.after, begun: make(chan struct{})}
				r.runner.Suite = slowSuite{r.suite, slow}
				r.runner.Budgets.Observe = 20 * time.Second
				s := short(fault.InstanceKill{})
				s.Asserts = []assert.Checker{assert.ReadinessGating{}}
				res, err := r.runner.Run(t.Context(), s, r.opts)
				require.NoError(t, err)
				require.Equal(t, tc.want, res.Verdict, res.Reason)
				first := loadHistory(t, res).Phases[0].From
				if tc.want == harness.VerdictPass {
					require.GreaterOrEqual(t, first, tc.after)
				} else {
					require.Contains(t, res.Reason, "observer slow one had seen nothing when the load began")
					require.InDelta(t, 20*time.Second, first, float64(time.Second))
				}
				r.driver.Last().Shut()
				time.Sleep(time.Hour)
			})
		})
	}
}
