package campaign

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/suite"
)

// Attempts is how often an item is run in one go if the runs are
// inconclusive, as hachaostest does.
const Attempts = 3

// Entry is an item with where it stands.
type Entry struct {
	Item
	Hash   string
	Record *Record // nil if it is missing
	// Earlier is the last record of the item on another state of what it
	// depends on; nil if the item is not missing, or there is none.
	Earlier *Record
}

// State is the item's.
func (e Entry) State() State { return e.Record.State() }

// Look reads where each item stands.
func Look(s Store, items []Item, hash func(Item) (string, error)) ([]Entry, error) {
	out := make([]Entry, 0, len(items))
	for _, i := range items {
		h, err := hash(i)
		if err != nil {
			return nil, err
		}
		out = append(out, Entry{Item: i, Hash: h})
	}
	if err := Reread(s, out); err != nil {
		return nil, err
	}
	return out, nil
}

// Reread sets the entries' records, and those of earlier states, to what the
// folder has now.
func Reread(s Store, entries []Entry) error {
	for n := range entries {
		e := &entries[n]
		var err error
		if e.Record, err = s.Get(e.Item, e.Hash); err != nil {
			return err
		}
		e.Earlier = nil
		if e.Record == nil {
			if e.Earlier, err = s.earlier(e.Item); err != nil {
				return err
			}
		}
	}
	return nil
}

// Campaign runs what is missing.
type Campaign struct {
	Store  Store
	Runner *suite.Runner
	// Shape tells which items can share a topology.
	Shape func(suite.Job) string
	// Machine says in words where it runs.
	Machine string
	// Budget ends the campaign between two items; 0 does not.
	Budget time.Duration
	// Afford, which may be nil, says by an error that wraps harness.ErrUsage what
	// this machine cannot carry out of a job: it is left out.
	Afford func(context.Context, suite.Job) error
	// Alive, which may be nil, says by an error that nothing can be run: it is
	// asked after a run that could not be carried out, and ends the campaign.
	Alive func(context.Context) error
	// Says, which may be nil, is told of each run.
	Says func(e Entry, run suite.Entry, done, of int)
}

// Outcome is what became of a Run.
type Outcome struct {
	Entries []Entry // of all items, as they stand now
	Ran     int     // items
	// Interrupted says that ctx ended, be it in the last item.
	Interrupted bool
	// Spent says that the budget ended it.
	Spent bool
	// Leftovers is what of a shared topology could not be removed.
	Leftovers []history.Leftover
	// Without says of the items that were left out why.
	Without []error
}

// Run runs the items that are missing, and then those that are open, every one once
// before any is repeated and those of the same shape one after another, until all are done,
// the budget is spent, or ctx ends. An inconclusive run, for want of machine,
// is repeated up to Attempts times; a result that is not as expected never is.
// A run that broke off is one without a verdict, unless Item.Stands.
func (c *Campaign) Run(ctx context.Context, entries []Entry) (*Outcome, error) {
	out := &Outcome{Entries: slices.Clone(entries)}
	began := time.Now()
	todo, jobs, without, failed := c.can(ctx, out.Entries, c.todo(out.Entries))
	out.Without = without
	for n, at := range todo {
		if ctx.Err() != nil || failed != nil {
			break
		}
		if out.Spent = c.Budget > 0 && time.Since(began) >= c.Budget; out.Spent {
			break
		}
		if failed = c.one(ctx, &out.Entries[at], jobs[n], jobs[n+1:], n, len(todo)); out.Entries[at].State() != Missing {
			out.Ran++
		}
	}
	out.Interrupted = ctx.Err() != nil
	out.Leftovers = c.Runner.Close(ctx)
	return out, failed
}

// can are those of the entries at todo that this machine can carry out, with their
// jobs, and why the others are left out.
func (c *Campaign) can(ctx context.Context, entries []Entry, todo []int) (can []int, jobs []suite.Job, without []error, failed error) {
	for _, at := range todo {
		j := suite.Job{Scenario: entries[at].scenario, Options: entries[at].Options(), Repetition: 1, Of: 1}
		if c.Afford != nil {
			err := c.Afford(ctx, j)
			if errors.Is(err, harness.ErrUsage) {
				without = append(without, fmt.Errorf("%s: %w", entries[at].Name(), err))
				continue
			}
			if err != nil {
				return nil, nil, without, fmt.Errorf("%s: %w", entries[at].Name(), err)
			}
		}
		can, jobs = append(can, at), append(jobs, j)
	}
	return can, jobs, without, nil
}

// todo are the indices of what is to be run: what has no result before what had no
// verdict, for a machine that was short a moment ago may be so still; every item once
// before any is repeated, so that what is amiss is seen early; and those of the same
// shape one after another.
func (c *Campaign) todo(entries []Entry) []int {
	var todo []int
	first, key := map[string]int{}, map[int]string{}
	for at, e := range entries {
		if s := e.State(); s == Good || s == Bad {
			continue
		}
		todo = append(todo, at)
		key[at] = c.Shape(suite.Job{Scenario: e.scenario, Options: e.Options()})
		if _, seen := first[key[at]]; !seen {
			first[key[at]] = at
		}
	}
	slices.SortStableFunc(todo, func(a, b int) int {
		x, y := entries[a], entries[b]
		return cmp.Or(later(x)-later(y), cmp.Compare(x.Repetition, y.Repetition), cmp.Compare(first[key[a]], first[key[b]]))
	})
	return todo
}

// later is 1 of an item that was run and has no verdict, else 0.
func later(e Entry) int {
	if e.State() == Open {
		return 1
	}
	return 0
}

// one runs an item until there is a verdict.
func (c *Campaign) one(ctx context.Context, e *Entry, j suite.Job, left []suite.Job, done, of int) error {
	for attempt := 1; attempt <= Attempts; attempt++ {
		run := c.Runner.One(ctx, j, left)
		switch {
		case run.Run == nil && run.Dirty:
			return fmt.Errorf("%s: %w: %s", e.Name(), harness.ErrDirty, run.Reason)
		case run.Run == nil && ctx.Err() != nil:
			return nil // it was not begun
		case run.Run == nil:
			return fmt.Errorf("%s: %s", e.Name(), run.Reason)
		}
		rec := record(e.Item, e.Hash, run.Run, e.Record)
		rec.Machine, rec.Took, rec.Shared, rec.Notes = c.Machine, run.Took, run.Shared, run.Notes
		rec.Dirty, rec.Reason = run.Dirty, run.Reason
		if rec.State() != Good {
			rec.Folder = filepath.Join("runs", filepath.Base(run.Dir))
		}
		if err := c.Store.Put(rec); err != nil {
			return err
		}
		if rec.State() == Good {
			if err := os.RemoveAll(run.Dir); err != nil {
				return err
			}
		}
		e.Record = rec
		if c.Says != nil {
			c.Says(*e, run, done, of)
		}
		if (rec.Verdict == harness.VerdictError || rec.BrokenOff != "") && ctx.Err() == nil && c.Alive != nil {
			if err := c.Alive(ctx); err != nil {
				return fmt.Errorf("%s: %w", e.Name(), err)
			}
		}
		if rec.State() != Open || ctx.Err() != nil {
			return nil
		}
	}
	return nil
}

// ExitCode is the worst of the items': dirty, bad, not done, good.
func ExitCode(entries []Entry) int {
	code := harness.ExitPass
	for _, e := range entries {
		switch {
		case e.Record != nil && e.Record.Dirty:
			return harness.ExitDirty
		case e.State() == Bad:
			code = harness.ExitFail
		case e.State() != Good && code == harness.ExitPass:
			code = harness.ExitInconclusive
		}
	}
	return code
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
