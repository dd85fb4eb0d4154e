package harness_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

// slowly is a kill that takes long to be seen to heal, and whose looks are
// counted.
type slowly struct {
	fault.InstanceKill
	now, most, looks *atomic.Int32
}

func (s slowly) Healed(ctx context.Context, nodes []topology.Node) (fault.Proof, error) {
	s.looks.Add(1)
	s.most.Store(max(s.most.Load(), s.now.Add(1)))
	defer s.now.Add(-1)
	time.Sleep(5 * time.Second)
	return s.InstanceKill.Healed(ctx, nodes)
}

// TestTwoPhasesHealOneFault: one after the other, and it is undone once.
func TestTwoPhasesHealOneFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		f := slowly{now: &atomic.Int32{}, most: &atomic.Int32{}, looks: &atomic.Int32{}}
		s := short(f)
		s.Phases[2].For = 10 * time.Millisecond // the undo is under way when the next phase begins
		s.Phases = append(s.Phases, harness.Phase{Name: "healed again", Kind: history.PhaseRecover, For: 2 * time.Second, Heal: []string{"f"}})
		res := r.run(t, t.Context(), s)
		require.Equal(t, harness.VerdictPass, res.Verdict, res.Reason)
		require.EqualValues(t, 1, f.most.Load())
		require.EqualValues(t, 1, f.looks.Load())
	})
}

// endless is an act of minutes, such as a deployment.
type endless struct{ fault.InstanceKill }

func (endless) Takes() time.Duration { return 10 * time.Minute }

func (endless) Inject(ctx context.Context, _ []topology.Node, _ fault.Recorder) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// TestALostEngineEndsTheActsUnderWay: nobody waits for minutes for what
// cannot come about any more.
func TestALostEngineEndsTheActsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.runner.Suite = r.suite
		s := short(endless{})
		s.Phases[2].Heal = nil
		s.Phases[2].Faults = []harness.Injection{{Label: "g", Fault: fault.InstanceKill{}, Aim: harness.Named("j1")}}
		go func() {
			time.Sleep(3 * time.Second)
			r.driver.Last().LoseEngine()
		}()
		began := time.Now()
		res, err := r.runner.Run(t.Context(), s, r.opts)
		took := time.Since(began)
		r.driver.Last().Shut()
		time.Sleep(time.Hour) // virtual: what still waits has ended
		require.NoError(t, err)
		require.Equal(t, harness.VerdictError, res.Verdict, res.Reason)
		require.Less(t, took, 5*time.Minute)
		t.Log(took)
	})
}
