package trust

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	runs "github.com/hachaos/hachaos/suite"
)

// stage is a series of at most ten runs, which take a minute each and end as
// they are told.
type stage struct {
	Series
	dir   string
	begun int
	kept  []string // of what was kept, the scenario and the verdict
	ends  func(nth int) (harness.Result, error)
}

func newStage(t *testing.T) *stage {
	s := &stage{dir: t.TempDir()}
	s.Series = Series{
		Runner: &runs.Runner{Run: func(_ context.Context, sc harness.Scenario, _ harness.Options) (*harness.Result, error) {
			time.Sleep(time.Minute)
			s.begun++
			r, err := harness.Result{Verdict: harness.VerdictPass}, error(nil)
			if s.ends != nil {
				r, err = s.ends(s.begun)
			}
			if err != nil && !errors.Is(err, harness.ErrDirty) {
				return nil, err
			}
			r.Scenario, r.Dir = sc.Name, filepath.Join(s.dir, fmt.Sprint(s.begun))
			return &r, errors.Join(err, os.MkdirAll(r.Dir, 0o755))
		}},
		Next: func() (runs.Job, bool) {
			return runs.Job{Scenario: harness.Scenario{Name: fmt.Sprint("s", s.begun+1)}, Of: 1}, s.begun < 10
		},
		Keep: func(j runs.Job, e runs.Entry) (bool, error) {
			s.kept = append(s.kept, j.Scenario.Name+" "+string(e.Verdict))
			return e.Verdict != harness.VerdictPass, nil
		},
	}
	return s
}

func (s *stage) folders(t *testing.T) int {
	list, err := os.ReadDir(s.dir)
	require.NoError(t, err)
	return len(list)
}

func TestASeriesEndsWithItsBudgetAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.Budget = 150 * time.Second
		out, err := s.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, Ended{Ran: 3, Spent: true}, out, "the third began before the budget was spent")
		s.Budget = 0
		out, err = s.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, Ended{Ran: 7}, out, "there are ten")
		require.Equal(t, "s4 pass", s.kept[3])
		require.Zero(t, s.folders(t), "what passed is not kept")
	})
}

// TestTheRunThatAnInterruptMeets is kept only if it says something by itself.
func TestTheRunThatAnInterruptMeets(t *testing.T) {
	lost := assert.Verdict{Name: "write-ledger", Status: assert.Fail, Safety: true}
	late := assert.Verdict{Name: "error-budget", Status: assert.Fail}
	for name, tc := range map[string]struct {
		result harness.Result
		err    error
		kept   int
	}{
		"it was whole":             {result: harness.Result{Verdict: harness.VerdictPass}, kept: 2},
		"it was broken off":        {result: harness.Result{Verdict: harness.VerdictInconclusive, BrokenOff: "steady"}, kept: 1},
		"it failed for that":       {result: harness.Result{Verdict: harness.VerdictFail, BrokenOff: "steady", Assertions: []assert.Verdict{late}}, kept: 1},
		"a violation of safety":    {result: harness.Result{Verdict: harness.VerdictFail, BrokenOff: "steady", Assertions: []assert.Verdict{lost}}, kept: 2},
		"it is dirty":              {result: harness.Result{Verdict: harness.VerdictInconclusive, BrokenOff: "steady", Dirty: true}, kept: 2},
		"it says by error only so": {result: harness.Result{Verdict: harness.VerdictInconclusive, BrokenOff: "steady"}, err: harness.ErrDirty, kept: 2},
		"it has no result":         {err: errors.New("canceled"), kept: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				s.ends = func(nth int) (harness.Result, error) {
					if nth == 1 {
						return harness.Result{Verdict: harness.VerdictPass}, nil
					}
					cancel()
					return tc.result, tc.err
				}
				out, err := s.Run(ctx)
				require.NoError(t, err)
				require.True(t, out.Interrupted)
				require.Equal(t, tc.kept, out.Ran)
				require.Len(t, s.kept, tc.kept)
			})
		})
	}
}

func TestASeriesEndsWhereNothingCanBeRun(t *testing.T) {
	broken := func(int) (harness.Result, error) {
		return harness.Result{Verdict: harness.VerdictError, Reason: "no image"}, nil
	}
	for name, tc := range map[string]struct {
		change func(*stage)
		kept   int
		says   string
	}{
		"no result": {func(s *stage) {
			s.ends = func(int) (harness.Result, error) { return harness.Result{}, errors.New("no engine") }
		}, 0, "s1: The run could not be carried out: no engine"},
		"the engine is gone": {func(s *stage) {
			s.ends, s.Alive = broken, func(context.Context) error { return errors.New("no engine") }
		}, 1, "no engine"},
		"three errors in a row": {func(s *stage) {
			s.ends, s.Alive = broken, func(context.Context) error { return nil }
		}, 3, "3 runs in a row could not be carried out: no image"},
		"errors between": {func(s *stage) {
			s.ends = func(nth int) (harness.Result, error) {
				if nth%3 == 0 {
					return harness.Result{Verdict: harness.VerdictPass}, nil
				}
				return broken(nth)
			}
		}, 10, ""},
		"the record cannot be written": {func(s *stage) {
			s.Keep = func(runs.Job, runs.Entry) (bool, error) { return true, os.ErrPermission }
		}, 0, "permission denied"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t)
				tc.change(s)
				_, err := s.Run(t.Context())
				if tc.says == "" {
					require.NoError(t, err)
				} else {
					require.ErrorContains(t, err, tc.says)
				}
				require.Len(t, s.kept, tc.kept)
			})
		})
	}
}
