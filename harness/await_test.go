package harness_test

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
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

// gradual is a kill that is not seen to bite before its time.
type gradual struct{ fault.InstanceKill }

func (gradual) Shows() time.Duration { return 20 * time.Second }

func (f gradual) Active(ctx context.Context, nodes []topology.Node) (fault.Proof, error) {
	select {
	case <-time.After(25 * time.Second): // beyond what any other proof may take
	case <-ctx.Done():
		return fault.Proof{}, ctx.Err()
	}
	return f.InstanceKill.Active(ctx, nodes)
}

func TestAProofHasTheTimeThatItsFaultNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		s := short(gradual{})
		s.Phases[1].Await, s.Phases[2].Await = true, true
		h := loadHistory(t, r.run(t, t.Context(), s))
		require.True(t, h.Faults[0].Proof.OK, h.Faults[0].Proof.Measured)
		require.GreaterOrEqual(t, h.Faults[0].Active-h.Faults[0].Injected, 25*time.Second)
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

// TestADrainIsAimedAtWhoServesAUser: the balancers are told of the node that
// serves a user when the fault comes, which nobody has named, and the record
// names it alone.
func TestADrainIsAimedAtWhoServesAUser(t *testing.T) {
	for name, who := range map[string]harness.Select{
		"a user's node": harness.ServingUser(""),
		"all":           harness.All(topology.Application),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				s := short(fault.Drain{})
				var aimed []string
				seen := harness.Select{Name: who.Name, Pick: func(rng *rand.Rand, v harness.View) []topology.Node {
					picked := who.Pick(rng, v)
					for _, n := range picked {
						aimed = append(aimed, n.Name())
						require.Contains(t, slices.Collect(maps.Values(v.Users)), n.Name(), "nobody is served there")
					}
					return picked
				}}
				s.Phases[1].Faults[0].Aim = harness.Together(seen, harness.All(topology.Balancer))
				res := r.run(t, t.Context(), s)
				require.Equal(t, harness.VerdictPass, res.Verdict, res.Reason)
				h := loadHistory(t, res)
				require.Equal(t, aimed, h.Faults[0].Nodes, "balancers are the means")
				require.True(t, h.Faults[0].Proof.OK, "%+v", h.Faults[0].Proof)
				require.Contains(t, h.Faults[0].Proof.Asked, strings.Join(aimed, ", ")+" DRAIN at every balancer")
			})
		})
	}
}

// TestADrainOfNobodySaysWhatToDo: the balancers alone tell nothing of whom.
func TestADrainOfNobodySaysWhatToDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		s := short(fault.Drain{})
		s.Phases[1].Faults[0].Aim = harness.All(topology.Balancer)
		res := r.run(t, t.Context(), s)
		require.Equal(t, harness.VerdictInconclusive, res.Verdict)
		require.Contains(t, res.Reason, "aim at application nodes together with every balancer")
	})
}
