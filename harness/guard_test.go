package harness_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/topology"
)

// panics is a driver with a defect.
type panics struct{ topology.Driver }

func (panics) Start(context.Context, string, topology.Plan, topology.StartOptions) (topology.Cluster, error) {
	panic("a defect")
}

// TestAPanicLeavesTheRunToTheGuard: what exists by then is not let go of.
func TestAPanicLeavesTheRunToTheGuard(t *testing.T) {
	r, released := newRig(t), 0
	r.runner.Driver = panics{}
	r.runner.Guard = func(context.Context, harness.Guarded) (func(context.Context) error, error) {
		return func(context.Context) error { released++; return nil }, nil
	}
	require.PanicsWithValue(t, "a defect", func() { _, _ = r.runner.Run(t.Context(), short(fault.InstanceKill{}), r.opts) })
	require.Zero(t, released)
}

// TestAStartThatLeavesSomethingBehind is dirty, and the guard's to remove.
func TestAStartThatLeavesSomethingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, released := newRig(t), 0
		r.driver.Options.StartFails = fmt.Errorf("%w: %w", topology.ErrNoEngine, topology.ErrLeftBehind)
		r.runner.Guard = func(context.Context, harness.Guarded) (func(context.Context) error, error) {
			return func(context.Context) error { released++; return nil }, nil
		}
		res := r.run(t, t.Context(), short(fault.InstanceKill{}))
		require.Equal(t, harness.VerdictError, res.Verdict, res.Reason)
		require.Equal(t, harness.ExitDirty, res.ExitCode())
		require.Len(t, res.Leftovers, 1)
		require.Equal(t, "hachaos gc", res.Leftovers[0].Remove)
		require.Zero(t, released)
	})
}
