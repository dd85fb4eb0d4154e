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
	"github.com/hachaos/hachaos/topology"
)

// secondLook is a kill whose every look after the first is another's.
type secondLook struct {
	fault.InstanceKill
	looks *int
	look  func(context.Context, fault.Proof) (fault.Proof, error)
}

func (f secondLook) Active(ctx context.Context, nodes []topology.Node) (fault.Proof, error) {
	p, err := f.InstanceKill.Active(ctx, nodes)
	if *f.looks++; *f.looks > 1 {
		return f.look(ctx, p)
	}
	return p, err
}

// TestAFaultIsLookedAtAgainBeforeItsUndo: one that endures has to be there
// still; a look that could not be finished says nothing, and none delays a
// phase.
func TestAFaultIsLookedAtAgainBeforeItsUndo(t *testing.T) {
	for name, tc := range map[string]struct {
		look func(context.Context, fault.Proof) (fault.Proof, error)
		held *bool
		want harness.Verdict
	}{
		"still there": {func(_ context.Context, p fault.Proof) (fault.Proof, error) { return p, nil }, new(true), harness.VerdictPass},
		"over": {func(_ context.Context, p fault.Proof) (fault.Proof, error) {
			p.OK = false
			return p, nil
		}, new(false), harness.VerdictInconclusive},
		"over, and looked for to the last": {func(ctx context.Context, p fault.Proof) (fault.Proof, error) {
			<-ctx.Done()
			p.OK = false
			return p, nil
		}, new(false), harness.VerdictInconclusive},
		"not to be seen": {func(ctx context.Context, _ fault.Proof) (fault.Proof, error) {
			<-ctx.Done()
			return fault.Proof{}, ctx.Err()
		}, nil, harness.VerdictPass},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				looks := 0
				s := short(secondLook{looks: &looks, look: tc.look})
				s.Asserts = []assert.Checker{assert.ReadinessGating{}}
				res, err := r.runner.Run(t.Context(), s, r.opts)
				require.NoError(t, err)
				require.Equal(t, tc.want, res.Verdict, res.Reason)
				require.Equal(t, 2, looks)
				f := loadHistory(t, res).Faults[0]
				if tc.held == nil {
					require.Nil(t, f.Held)
				} else {
					require.Equal(t, *tc.held, f.Held.OK)
				}
				phase := loadHistory(t, res).Phases
				for i := range phase[1:] {
					require.Less(t, phase[i+1].From-phase[i].To, 50*time.Millisecond)
				}
				r.driver.Last().Shut()
				time.Sleep(time.Hour)
			})
		})
	}
}
