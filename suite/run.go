package suite

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
)

// Topologies provides what jobs run on. It is used by one goroutine.
type Topologies interface {
	// Provide returns the name of a standing topology for the job, proven to
	// be as new, or an empty one: then the run brings up its own. left are
	// the jobs that come after it. The notes say what was done, for people.
	Provide(ctx context.Context, j Job, left []Job) (on string, notes []string)
	// Used tells how the run on the topology that was provided ended; of one that
	// was refused before it began nothing is told.
	Used(r *harness.Result)
	// Close removes what still stands, and returns what it could not remove.
	Close(ctx context.Context) []history.Leftover
}

// Runner runs jobs one after another.
type Runner struct {
	// Run makes one run, as harness.Runner.Run does.
	Run func(context.Context, harness.Scenario, harness.Options) (*harness.Result, error)
	// Topologies may be nil: each run brings up its own.
	Topologies Topologies
	// Begins and Ends, which may be nil, are told of each job that is run;
	// done counts those before it.
	Begins func(j Job, done, of int)
	Ends   func(e Entry, done, of int)
}

// All runs the jobs in their order until ctx ends. The run that is under way
// then ends cleanly, and those that were not run are entries with no verdict;
// so are those on a standing topology of the user's (Options.On) behind the
// first that left it dirty, or of which no result tells how it left it: what
// they met would not be the system. One that was refused before it began (an
// error that wraps harness.ErrUsage) has left it as it was.
func (r *Runner) All(ctx context.Context, jobs []Job) *Result {
	res := &Result{Schema: Schema, StartedAt: time.Now(), Entries: make([]Entry, 0, len(jobs))}
	spoiled := map[string]string{} // why, by the standing topology's name
	for i, j := range jobs {
		why := spoiled[j.Options.On]
		if ctx.Err() != nil {
			res.Interrupted, why = true, notRun
		}
		if why != "" {
			e := entry(j)
			e.Reason = why
			res.Entries = append(res.Entries, e)
			continue
		}
		if r.Begins != nil {
			r.Begins(j, i, len(jobs))
		}
		e := r.One(ctx, j, jobs[i+1:])
		res.Entries = append(res.Entries, e)
		if on := j.Options.On; on != "" && (e.Dirty || e.Run == nil && !e.unstarted) {
			spoiled[on] = fmt.Sprintf("Not run: %s may have left %s dirty: `hachaos down %s`, and bring it up again.", j.Name(), on, on)
		}
		if r.Ends != nil {
			r.Ends(e, i, len(jobs))
		}
	}
	res.Interrupted = res.Interrupted || ctx.Err() != nil
	res.Leftovers = r.Close(ctx)
	res.Spreads = Spreads(res.Entries)
	res.Took = time.Since(res.StartedAt)
	return res
}

// notRun is the reason of a job that an interrupt forestalled.
const notRun = "Not run: interrupted."

func entry(j Job) Entry {
	return Entry{Scenario: j.Scenario.Name, Repetition: j.Repetition, Of: j.Of, Seed: j.Options.Seed, Command: j.Options.Command}
}

// Close removes what the jobs shared, also if ctx has ended, and returns what
// could not be removed.
func (r *Runner) Close(ctx context.Context) []history.Leftover {
	if r.Topologies == nil {
		return nil
	}
	return r.Topologies.Close(context.WithoutCancel(ctx))
}

// One makes one run; left are the jobs that may come after it. A run without
// a result could not be carried out, or was forestalled by the end of ctx.
func (r *Runner) One(ctx context.Context, j Job, left []Job) Entry {
	e, began := entry(j), time.Now()
	opts := j.Options
	if r.Topologies != nil && opts.On == "" {
		opts.On, e.Notes = r.Topologies.Provide(ctx, j, left)
		e.Shared = opts.On
	}
	if e.Shared != "" { // it was brought up with these
		opts.Images, opts.Subnet = nil, netip.Prefix{}
	}
	if ctx.Err() != nil {
		e.Reason = notRun
		return e
	}
	res, err := r.Run(ctx, j.Scenario, opts)
	e.Dirty = errors.Is(err, harness.ErrDirty)
	e.unstarted = res == nil && errors.Is(err, harness.ErrUsage)
	if e.Shared != "" && !e.unstarted {
		known := res
		if e.Dirty {
			known = nil // the result does not say how the run left it
		}
		r.Topologies.Used(known)
	}
	e.Took = time.Since(began)
	if res == nil {
		e.Verdict, e.Reason = harness.VerdictError, fmt.Sprintf("The run could not be carried out: %v.", errors.Join(err, ctx.Err()))
		return e
	}
	e.Run, e.Dir = res, res.Dir
	e.Dirty = e.Dirty || res.Dirty
	e.Verdict, e.Reason, e.Seed, e.Command = res.Verdict, res.Reason, res.Seed, res.Command
	if err != nil {
		e.Reason += fmt.Sprintf(" The folder is not whole: %v.", err)
	}
	return e
}
