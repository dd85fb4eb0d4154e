package harness_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

// TestHarnessMutants breaks what the harness stands on, one thing at a time:
// the run must say so by name, and never blame the system or pass.
func TestHarnessMutants(t *testing.T) {
	for _, m := range []struct {
		name   string
		mutate func(*rig, *harness.Scenario)
		// during is called beside the run.
		during  func(ctx context.Context, r *rig, cancel context.CancelCauseFunc)
		verdict harness.Verdict
		exit    int
		reason  string // of the run or of an assertion
		left    string // in what is left behind
	}{
		{
			name:    "the fault does nothing",
			mutate:  func(r *rig, _ *harness.Scenario) { r.driver.Options.NoEffect = true },
			verdict: harness.VerdictInconclusive, exit: harness.ExitInconclusive,
			reason: "instance-kill on j1 did not bite as asked",
		},
		{
			name: "the fault does nothing, and no assertion asks",
			mutate: func(r *rig, s *harness.Scenario) {
				r.driver.Options.NoEffect = true
				s.Asserts = []assert.Checker{assert.Leftovers{}}
			},
			verdict: harness.VerdictInconclusive, exit: harness.ExitInconclusive,
			reason: "instance-kill on j1 did not bite as asked",
		},
		{
			name:    "the undo fails",
			mutate:  func(r *rig, _ *harness.Scenario) { r.driver.Options.UndoFails = true },
			verdict: harness.VerdictInconclusive, exit: harness.ExitDirty,
			reason: "Undoing the fault instance-kill on j1 failed", left: "no space left on device",
		},
		{
			name:    "a leftover refuses removal",
			mutate:  func(r *rig, _ *harness.Scenario) { r.driver.Options.Stuck = []string{"lb2"} },
			verdict: harness.VerdictFail, exit: harness.ExitDirty,
			reason: "leftovers was violated", left: "lb2",
		},
		{
			name:    "an observer died",
			mutate:  func(r *rig, _ *harness.Scenario) { r.suite.Dead = []string{"balancer lb1"} },
			verdict: harness.VerdictInconclusive, exit: harness.ExitInconclusive,
			reason: "observer balancer lb1: it panicked",
		},
		{
			name:    "an observer does not end",
			mutate:  func(r *rig, _ *harness.Scenario) { r.suite.Lame = []string{"balancer lb2"} },
			verdict: harness.VerdictInconclusive, exit: harness.ExitInconclusive,
			reason: "observer balancer lb2 did not end in time",
		},
		{
			name:    "the balancer lost lines of its log",
			mutate:  func(r *rig, _ *harness.Scenario) { r.driver.Options.LoseLogs = true },
			verdict: harness.VerdictInconclusive, exit: harness.ExitInconclusive,
			reason: "lb1 lost lines of its log",
		},
		{
			name:    "the generator starves",
			mutate:  func(_ *rig, s *harness.Scenario) { s.Load.Ceiling = 1 },
			verdict: harness.VerdictInconclusive, exit: harness.ExitInconclusive,
			reason: "the generator dropped",
		},
		{
			name:    "the system is never quiet",
			mutate:  func(r *rig, _ *harness.Scenario) { r.suite.Busy = true },
			verdict: harness.VerdictInconclusive, exit: harness.ExitInconclusive,
			reason: "the system was not quiet when it was read",
		},
		{
			name: "no target",
			mutate: func(_ *rig, s *harness.Scenario) {
				s.Phases[2].Faults[0].Aim = harness.All(topology.Relay)
			},
			verdict: harness.VerdictInconclusive, exit: harness.ExitInconclusive,
			reason: "no target",
		},
		{
			name:    "a node is never ready",
			mutate:  func(r *rig, _ *harness.Scenario) { r.driver.Options.NeverReady = "j2" },
			verdict: harness.VerdictError, exit: harness.ExitError,
			reason: "memory-ha did not become ready",
		},
		{
			name:    "the topology does not start",
			mutate:  func(r *rig, _ *harness.Scenario) { r.driver.Options.StartFails = topology.ErrImage },
			verdict: harness.VerdictError, exit: harness.ExitError,
			reason: "image does not build",
		},
		{
			name: "the guard does not start",
			mutate: func(r *rig, _ *harness.Scenario) {
				r.runner.Guard = func(context.Context, harness.Guarded) (func(context.Context) error, error) {
					return nil, errors.New("no more processes")
				}
			},
			verdict: harness.VerdictError, exit: harness.ExitError,
			reason: "guard: no more processes",
		},
		{
			name: "the engine goes in mid-run",
			during: func(_ context.Context, r *rig, _ context.CancelCauseFunc) {
				time.Sleep(3 * time.Second)
				r.driver.Last().LoseEngine()
			},
			verdict: harness.VerdictError, exit: harness.ExitDirty,
			reason: "the engine was lost", left: "what is left is not known",
		},
		{
			name: "interrupted in a steady phase",
			during: func(_ context.Context, _ *rig, cancel context.CancelCauseFunc) {
				time.Sleep(3 * time.Second)
				cancel(errors.New("the user pressed Ctrl-C"))
			},
			verdict: harness.VerdictInconclusive, exit: harness.ExitInconclusive,
			reason: "interrupted: the user pressed Ctrl-C",
		},
		{
			name: "interrupted while the node is dead",
			during: func(_ context.Context, _ *rig, cancel context.CancelCauseFunc) {
				time.Sleep(6 * time.Second)
				cancel(nil)
			},
			verdict: harness.VerdictInconclusive, exit: harness.ExitInconclusive,
			reason: "interrupted: context canceled",
		},
		{
			name: "interrupted before it is ready",
			during: func(_ context.Context, _ *rig, cancel context.CancelCauseFunc) {
				time.Sleep(100 * time.Millisecond)
				cancel(nil)
			},
			verdict: harness.VerdictInconclusive, exit: harness.ExitInconclusive,
			reason: "interrupted",
		},
		{
			name:    "nothing is asserted",
			mutate:  func(_ *rig, s *harness.Scenario) { s.Asserts = nil },
			verdict: harness.VerdictInconclusive, exit: harness.ExitInconclusive,
			reason: "no assertion",
		},
		{
			name:    "a checker that this program does not have",
			mutate:  func(_ *rig, s *harness.Scenario) { s.Asserts = append(s.Asserts, stranger{}) },
			verdict: harness.VerdictInconclusive, exit: harness.ExitInconclusive,
			reason: `checker "stranger" is not known`,
		},
	} {
		t.Run(strings.ReplaceAll(m.name, " ", "-"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, s := newRig(t), small()
				s.Phases[2].Faults[0].Aim = harness.Named("j1")
				if m.mutate != nil {
					m.mutate(r, &s)
				}
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				if m.during != nil {
					go m.during(ctx, r, cancel)
				}
				res := r.run(t, ctx, s)
				require.Equal(t, m.verdict, res.Verdict, res.Reason)
				require.Equal(t, m.exit, res.ExitCode(), res.Reason)
				require.Contains(t, everyReason(res), m.reason)
				requireLeft(t, r, res, m.left)
			})
		})
	}
}

// everyReason is all that the result says of why.
func everyReason(r *harness.Result) string {
	all := []string{r.Reason}
	for _, v := range r.Assertions {
		all = append(all, v.Reasons...)
		all = append(all, v.Summary)
	}
	return strings.Join(all, "\n")
}

// requireLeft: what is left is listed; nothing else is.
func requireLeft(t *testing.T, r *rig, res *harness.Result, want string) {
	t.Helper()
	if want == "" {
		require.Empty(t, res.Leftovers)
		require.False(t, res.Dirty)
		return
	}
	require.True(t, res.Dirty)
	require.True(t, slices.ContainsFunc(res.Leftovers, func(l history.Leftover) bool {
		return strings.Contains(l.Name+" "+l.Detail, want)
	}), "%+v", res.Leftovers)
	entries, err := fault.ReadLog(filepath.Join(r.runner.Dir, filepath.Base(res.Dir), harness.UndoFile))
	require.NoError(t, err)
	if len(entries) > 0 {
		require.Equal(t, fault.ContainerRunning, entries[0].Undo)
	}
}

// stranger is a checker that no table has.
type stranger struct{}

func (stranger) Name() string                          { return "stranger" }
func (stranger) About() string                         { return "of another program" }
func (stranger) Needs() []assert.Need                  { return nil }
func (stranger) Check(*history.History) assert.Verdict { return assert.Verdict{Status: assert.Pass} }
