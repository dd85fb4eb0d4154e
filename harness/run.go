package harness

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/observe"
	"github.com/hachaos/hachaos/topology"
)

// run is one run under way.
//
//	start ─▶ ready ─▶ load: phases, faults ─▶ heal ─▶ quiet ─▶ read ─▶ remove ─▶ seal
//	  │        │             │                  ▲
//	  └────────┴─────────────┴── broken off ────┘
type run struct {
	*Runner
	*resolved
	dir      string
	budgets  Budgets
	progress Progress
	suite    Suite

	journal *history.Writer
	undo    *fault.Log
	clock   history.RunClock
	cluster topology.Cluster // nil until it started
	gen     *load.Generator  // nil until there is a load
	watch   *watch
	faults  injections

	release func(context.Context) error // of the guard; nil if there is none

	mu      sync.Mutex
	aborted bool
}

// carryOut does everything between the opening of the record and its seal.
// Whatever breaks is in the journal.
func (r *run) carryOut(ctx context.Context) {
	defer r.lift()
	if err := r.guard(ctx); err != nil {
		r.clock = history.StartClock()
		r.journal.Put(r.runEvent())
		r.abort(ctx, err)
		return
	}
	err := r.start(ctx)
	r.journal.Put(r.runEvent())
	if err != nil {
		r.abort(ctx, err)
		r.remove(ctx)
		return
	}
	r.step("%s is up: %s", r.spec.Name, r.cluster.Entry().URL)
	pace := r.inBackground(func(ctx context.Context) { history.Pace(ctx, r.journal, r.clock) })
	observers := r.observe()
	if err := r.loaded(ctx); err != nil {
		r.abort(ctx, err)
	}
	r.healAll(ctx)
	r.read(ctx)
	r.endObservers(ctx, observers)
	pace()
	r.remove(ctx)
}

// guard hands the run to what outlives this process.
func (r *run) guard(ctx context.Context) error {
	if r.Guard == nil {
		return nil
	}
	path, err := filepath.Abs(filepath.Join(r.dir, UndoFile))
	if err != nil {
		return fmt.Errorf("guard: %w", err)
	}
	r.release, err = r.Guard(ctx, Guarded{ID: r.id, UndoLog: path, Standing: r.opts.On})
	if err != nil {
		return fmt.Errorf("guard: %w", err)
	}
	return nil
}

// lift lets the guard go: whatever could be done has been done.
func (r *run) lift() {
	if r.release == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), r.budgets.Hurried)
	defer cancel()
	if err := r.release(ctx); err != nil {
		r.step("guard: %v", err)
	}
}

// start brings the cluster up, or attaches to the one that stands. The run's
// clock begins when it has.
func (r *run) start(ctx context.Context) error {
	r.step("%s, seed %d: starting %s", r.Name, r.seed, r.spec.Name)
	bounded, cancel := context.WithTimeout(ctx, r.budgets.Start)
	defer cancel()
	c, err := r.bringUp(bounded)
	r.clock = history.StartClock()
	if err != nil {
		return fmt.Errorf("start %s: %w", r.spec.Name, err)
	}
	r.cluster = c
	if name := c.Spec().Name; name != r.spec.Name {
		return fmt.Errorf("--on %s: it is a %s, and %s runs on %s", r.opts.On, name, r.Name, r.spec.Name)
	}
	r.spec = c.Spec()
	r.Scenario = r.Fitted(r.spec)
	return saveConfigs(r.dir, r.spec)
}

func (r *run) bringUp(ctx context.Context) (topology.Cluster, error) {
	if r.opts.On != "" {
		return r.Driver.Attach(ctx, r.opts.On)
	}
	return r.Driver.Start(ctx, r.id, r.plan, topology.StartOptions{
		Subnet: r.opts.Subnet, Images: r.opts.Images, Progress: r.progress.Step,
	})
}

// runEvent is the journal's first line.
func (r *run) runEvent() history.Event {
	return history.Event{Kind: history.Run, Data: data(r.meta(r.Version, r.clock.Start(), r.cluster))}
}

// loaded awaits readiness and runs the phases under load.
func (r *run) loaded(ctx context.Context) error {
	ready, cancel := context.WithTimeout(ctx, r.budgets.Ready)
	err := r.cluster.Ready(ready)
	cancel()
	if err != nil {
		return fmt.Errorf("%s did not become ready: %w", r.spec.Name, err)
	}
	r.step("ready: %d operations a second for %v", r.Load.Rate, r.length())
	r.gen, err = load.New(r.Load, load.Target{URL: r.cluster.Entry().URL, Dial: topology.Dial(r.cluster)}, r.clock, r.journal)
	if err != nil {
		return err
	}
	// The load is given up at once only if the caller will not wait for the
	// outstanding operations.
	loadCtx, giveUp := context.WithCancelCause(context.WithoutCancel(ctx))
	defer giveUp(nil)
	done := make(chan error, 1)
	go func() { done <- r.gen.Run(loadCtx) }()
	stopTicks := r.inBackground(r.tick)
	err = r.runPhases(ctx, done)
	stopTicks()
	return errors.Join(err, r.stopLoad(ctx, done, giveUp))
}

// stopLoad ends the load and waits for the outstanding operations, unless
// the user will not.
func (r *run) stopLoad(ctx context.Context, done <-chan error, giveUp context.CancelCauseFunc) error {
	r.gen.Stop()
	patience := time.NewTimer(r.Load.Resolved().Timeout + r.budgets.Hurried)
	defer patience.Stop()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		giveUp(errInterrupted)
	case <-r.Hurry:
		giveUp(errInterrupted)
	case <-patience.C:
		giveUp(errors.New("the load did not end in time"))
	}
	<-done
	return nil
}

// read waits until the system is quiet and reads what it holds.
func (r *run) read(ctx context.Context) {
	if r.gen == nil {
		return
	}
	sink := observe.Stamp(r.journal, r.clock)
	c := r.cluster
	for _, step := range []struct {
		budget time.Duration
		do     func(context.Context) error
	}{
		{r.budgets.Quiesce, r.quiesce},
		{r.budgets.Read, func(ctx context.Context) error { return r.suite.Ledger(ctx, c, sink) }},
		{r.budgets.Read, func(ctx context.Context) error { return r.suite.Sessions(ctx, c, r.gen.Refs(), sink) }},
	} {
		if err := r.within(ctx, step.budget, skip, step.do); err != nil {
			r.step("%v", err)
		}
	}
}

// quiesce waits for quiet. What is read without it proves nothing.
func (r *run) quiesce(ctx context.Context) error {
	err := r.suite.Quiesce(ctx, r.cluster)
	if err != nil {
		r.uncovered(fmt.Sprintf("the system was not quiet when it was read: %v", err), history.StreamLedger, history.StreamSession)
	}
	return err
}

// remove removes the cluster, or lets go of it, and journals what is left. A
// driver that could not start one has removed what it created.
func (r *run) remove(ctx context.Context) {
	if r.cluster == nil {
		r.observed(history.StreamCoverage, history.Coverage{Stream: history.StreamLeftover, Complete: true})
		return
	}
	if err := r.within(ctx, r.budgets.Teardown, must, r.cluster.Close); err != nil {
		r.step("remove: %v", err)
		r.engineGone(ctx, err)
	}
	r.leftovers(ctx)
}

// leftovers journals what is still there.
func (r *run) leftovers(ctx context.Context) {
	var left []topology.Leftover
	err := r.within(ctx, r.budgets.Teardown, must, func(ctx context.Context) (err error) {
		left, err = r.cluster.Leftovers(ctx)
		return err
	})
	if err != nil {
		left = append(left, topology.Leftover{
			Kind: "run", Name: r.id, Detail: fmt.Sprintf("what is left is not known: %v", err), Remove: "hachaos gc",
		})
	}
	for _, l := range left {
		r.observed(history.StreamLeftover, history.Leftover(l))
		r.step("left behind: %s %s; remove it with: %s", l.Kind, l.Name, l.Remove)
	}
	c := history.Coverage{Stream: history.StreamLeftover, Complete: err == nil, Seen: uint64(len(left))}
	if err != nil {
		c.Reason = err.Error()
	}
	r.observed(history.StreamCoverage, c)
}

// seal ends the record. Everything in the folder but the journal itself and
// the result is under its seal.
func (r *run) seal() error {
	err := r.undo.Close()
	files, walk := r.files()
	if err = errors.Join(err, walk); err == nil {
		err = r.journal.Seal(r.dir, files)
	}
	return errors.Join(err, r.journal.Close())
}

// files are the folder's files but the journal, relative and with slashes.
func (r *run) files() ([]string, error) {
	var files []string
	err := filepath.WalkDir(r.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(r.dir, path)
		if rel != JournalFile && rel != ResultFile {
			files = append(files, filepath.ToSlash(rel))
		}
		return err
	})
	return files, err
}
