package harness_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/fake"
)

// lingering is a kill that is never seen to have healed.
type lingering struct {
	fault.InstanceKill
	err error
}

func (l lingering) Healed(context.Context, []topology.Node) (fault.Proof, error) {
	return fault.Proof{Asked: "all as before", Measured: "j1: its port is silent"}, l.err
}

// TestWhatIsNotSeenToHealIsLeftOnWhatStands: nobody removes it with the run.
func TestWhatIsNotSeenToHealIsLeftOnWhatStands(t *testing.T) {
	for name, tc := range map[string]struct {
		fault  fault.Fault
		aim    harness.Select
		stands bool
		detail string // empty: nothing is left
	}{
		"it stands, and nobody could look": {lingering{err: errors.New("no shell")}, harness.Named("j1"), true, "it was not seen to have healed: could not look: no shell"},
		"it stands, and it lingers":        {lingering{}, harness.Named("j1"), true, "it was not seen to have healed: j1: its port is silent"},
		"it stands, and it healed":         {fault.InstanceKill{}, harness.Named("j1"), true, ""},
		"it stands, and nothing was hit":   {lingering{}, harness.All(topology.Relay), true, ""},
		"it is removed with the run":       {lingering{}, harness.Named("j1"), false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				if tc.stands {
					plan, err := fake.Definition(r.driver.Options).Plan(topology.Options{})
					require.NoError(t, err)
					_, err = r.driver.Start(t.Context(), "feed", plan, topology.StartOptions{Standing: "blue"})
					require.NoError(t, err)
					r.opts.On = "blue"
				}
				s := short(tc.fault)
				s.Phases[1].Faults[0].Aim = tc.aim
				res := r.run(t, t.Context(), s)
				require.Equal(t, tc.detail != "", res.Dirty, res.Reason)
				if tc.detail == "" {
					require.Empty(t, res.Leftovers)
					return
				}
				require.Len(t, res.Leftovers, 1)
				require.Equal(t, "instance-kill on j1", res.Leftovers[0].Name)
				require.Equal(t, tc.detail, res.Leftovers[0].Detail)
				require.Equal(t, "hachaos down blue", res.Leftovers[0].Remove)
				require.Equal(t, harness.ExitDirty, res.ExitCode())
			})
		})
	}
}

// TestAnUndoThatFailedIsListedOnce although its heal is not proven either.
func TestAnUndoThatFailedIsListedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		plan, err := fake.Definition(r.driver.Options).Plan(topology.Options{})
		require.NoError(t, err)
		_, err = r.driver.Start(t.Context(), "feed", plan, topology.StartOptions{Standing: "blue"})
		require.NoError(t, err)
		r.opts.On = "blue"
		s := short(unfinished{undo: "unknown"})
		res := r.run(t, t.Context(), s)
		require.True(t, res.Dirty)
		require.Len(t, res.Leftovers, 1, "although it was tried again in the end")
		require.Contains(t, res.Leftovers[0].Detail, "no such undo")
		require.Equal(t, "hachaos down blue", res.Leftovers[0].Remove)
	})
}

// TestDirtOfALostRecord: what the record cannot say is said all the same. An
// event that is too long is lost with the seal, as on a full disk.
func TestDirtOfALostRecord(t *testing.T) {
	for name, tc := range map[string]struct {
		undo  string
		dirty bool
	}{"an undo failed": {strings.Repeat("x", history.MaxLine), true}, "all was undone": {fault.ContainerRunning, false}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.runner.Suite = r.suite
				s := short(unfinished{undo: tc.undo, lingering: lingering{err: errors.New(strings.Repeat("y", history.MaxLine))}})
				res, err := r.runner.Run(t.Context(), s, r.opts)
				r.driver.Last().Shut()
				time.Sleep(time.Hour) // virtual: what still waits has ended
				require.NotNil(t, res)
				require.Equal(t, harness.VerdictInconclusive, res.Verdict, res.Reason)
				require.False(t, res.Dirty, "the record lacks it")
				if !tc.dirty {
					require.NoError(t, err)
					return
				}
				require.ErrorIs(t, err, harness.ErrDirty)
				require.ErrorContains(t, err, "instance-kill on j")
				require.ErrorContains(t, err, "no such undo")
			})
		})
	}
}

// unfinished is a kill whose undo nobody knows.
type unfinished struct {
	lingering
	undo string
}

func (u unfinished) Inject(_ context.Context, nodes []topology.Node, log fault.Recorder) error {
	return log.Record(fault.Entry{Undo: u.undo, Node: nodes[0].Name()})
}
