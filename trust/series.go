package trust

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	runs "github.com/hachaos/hachaos/suite"
)

// Series makes one run after another and keeps each result as it comes, so that
// it can be broken off at any time and taken up again. Runner, Next and Keep
// are required.
type Series struct {
	Runner *runs.Runner
	// Next is the run to be made now; false if there is none any more.
	Next func() (runs.Job, bool)
	// Keep writes a result down. It says whether the run's folder shall stay.
	Keep func(runs.Job, runs.Entry) (folder bool, err error)
	// Budget ends the series between two runs; 0 does not.
	Budget time.Duration
	// Alive, which may be nil, says by an error that nothing can be run: it is
	// asked after a run that could not be carried out, and ends the series.
	Alive func(context.Context) error
}

// Ended is what became of a series.
type Ended struct {
	Ran         int // runs that gave a result
	Interrupted bool
	Spent       bool // the budget
	// Leftovers is what of a shared topology could not be removed.
	Leftovers []history.Leftover
}

// inARow is how many runs one after another may fail to be carried out, and
// withoutVerdict how many may end without a verdict: a machine that is too short for
// ten of them is too short for all.
const (
	inARow         = 3
	withoutVerdict = 10
)

// Run makes runs until there is none any more, the budget is spent, ctx ends,
// three in a row could not be carried out, or ten had no verdict. Of the run that
// the end of ctx meets, a result is kept only if it stands by itself: see stands.
func (s *Series) Run(ctx context.Context) (Ended, error) {
	var out Ended
	var failed error
	began, errors, doubts := time.Now(), 0, 0
	for ctx.Err() == nil && failed == nil {
		j, more := s.Next()
		if !more {
			break
		}
		if out.Spent = s.Budget > 0 && time.Since(began) >= s.Budget; out.Spent {
			break
		}
		var run runs.Entry
		if run, failed = s.one(ctx, j); run.Run == nil {
			break
		}
		out.Ran++
		if run.Verdict == harness.VerdictPass || run.Verdict == harness.VerdictFail {
			doubts = 0
		} else if doubts++; doubts == withoutVerdict && failed == nil {
			failed = fmt.Errorf("%d runs in a row had no verdict: %s", withoutVerdict, run.Reason)
		}
		if run.Verdict != harness.VerdictError {
			errors = 0
		} else if errors++; errors == inARow && failed == nil {
			failed = fmt.Errorf("%d runs in a row could not be carried out: %s", inARow, run.Reason)
		}
	}
	out.Interrupted = ctx.Err() != nil
	out.Leftovers = s.Runner.Close(ctx)
	return out, failed
}

// one makes a run and keeps its result. An entry without a run has none that
// is to be kept.
func (s *Series) one(ctx context.Context, j runs.Job) (runs.Entry, error) {
	run := s.Runner.One(ctx, j, []runs.Job{j})
	switch {
	case run.Run == nil && ctx.Err() != nil:
		return runs.Entry{}, nil // it was not begun
	case run.Run == nil:
		return runs.Entry{}, fmt.Errorf("%s: %s", j.Name(), run.Reason)
	case ctx.Err() != nil && !stands(run):
		return runs.Entry{}, nil // what was broken off says nothing
	}
	folder, err := s.Keep(j, run)
	if err == nil && !folder {
		err = os.RemoveAll(run.Dir)
	}
	if err == nil && run.Verdict == harness.VerdictError && ctx.Err() == nil && s.Alive != nil {
		err = s.Alive(ctx)
	}
	return run, err
}

// stands says whether a run that an interrupt met is a result all the same: it
// was whole, or left something behind, or has met a violation of safety.
func stands(e runs.Entry) bool {
	return e.Dirty || e.Run.BrokenOff == "" || e.Verdict == harness.VerdictFail && slices.ContainsFunc(e.Run.Assertions, func(v assert.Verdict) bool {
		return v.Status == assert.Fail && v.Safety
	})
}
