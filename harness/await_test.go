package harness_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/topology"
)

// course is a kill that takes its time, as a deployment does.
type course struct{ fault.InstanceKill }

func (course) Takes() time.Duration { return 20 * time.Second }

// Suffers: what it was told of besides is only the means.
func (course) Suffers(n topology.Node) bool { return n.Role() == topology.Application }

func (f course) Inject(ctx context.Context, nodes []topology.Node, log fault.Recorder) error {
	time.Sleep(17 * time.Second) // beyond what any other act may take
	return f.InstanceKill.Inject(ctx, nodes, log)
}

func TestAPhaseAwaitsItsFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		s := short(course{})
		s.Phases[1].Await, s.Phases[2].Await = true, true
		s.Phases[1].Faults[0].Aim = harness.Together(harness.OneApplication(), harness.All(topology.Balancer))
		s.Phases[1].Faults[0].Fault = course{}
		h := loadHistory(t, r.run(t, t.Context(), s))
		require.True(t, h.Faults[0].Proof.OK, h.Faults[0].Proof.Measured)
		broken, healed := h.Phases[1], h.Phases[2]
		require.GreaterOrEqual(t, h.Faults[0].Active-broken.From, 17*time.Second)
		require.InDelta(t, h.Faults[0].Active+2*time.Second, broken.To, float64(100*time.Millisecond), "and then as long as it says")
		require.InDelta(t, h.Faults[0].Healed+2*time.Second, healed.To, float64(100*time.Millisecond))
		require.Equal(t, broken.To, healed.From)
		require.Len(t, h.Faults[0].Nodes, 1, "balancers are the means")
	})
}

func TestTogetherFindsAllOrNothing(t *testing.T) {
	nodes := []topology.Node{named{"j1"}, named{"j2"}}
	all := harness.Together(harness.Named("j2"), harness.All(topology.Application))
	require.Equal(t, "node j2 and every application node", all.Name)
	require.Len(t, all.Pick(nil, harness.View{Nodes: nodes}), 3)
	require.Empty(t, harness.Together(harness.Named("j2"), harness.All(topology.Balancer)).Pick(nil, harness.View{Nodes: nodes}))
}

func TestAWarmUpLastsUntilTheLoadIsCalm(t *testing.T) {
	for work, want := range map[time.Duration]time.Duration{100 * time.Millisecond: 3 * time.Second, 600 * time.Millisecond: 9 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			r.driver.Options.Work = work
			h := loadHistory(t, r.run(t, t.Context(), kill()))
			require.InDelta(t, want, h.Phases[0].To, float64(10*time.Millisecond), "orders take %v", work)
			require.Equal(t, h.Phases[0].To, h.Phases[1].From)
		})
	}
}
