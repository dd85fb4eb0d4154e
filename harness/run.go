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
	began    time.Time // when Run was called: the folder's name tells it
	dir      string
	budgets  Budgets
	progress Progress
	suite    Suite

	journal *history.Writer
	undo    *fault.Log
	clock   history.RunClock
	cluster topology.Cluster // nil until it started
	gen     *load.Generator  // nil until there is a load
	company *companions      // nil until there is a load
	watch   *watch
	faults  injections
	before  map[int64]bool // orders that a standing topology had before

	release func(context.Context) error // of the guard; nil if there is none

	dirty dirt // what could not be healed or removed

	mu      sync.Mutex
	aborted bool
}

// carryOut does everything between the opening of the record and its seal.
// Whatever breaks is in the journal.
func (r *run) carryOut(ctx context.Context) {
	// Not deferred: a panic, such as in a selection of somebody's own, leaves
	// what exists to the guard.
	r.toTheEnd(ctx)
	r.lift()
}

// toTheEnd is carryOut under the guard.
func (r *run) toTheEnd(ctx context.Context) {
	err := r.start(ctx)
	r.clock = history.StartClock()
	r.journal.Put(r.runEvent())
	if err != nil {
		r.abort(ctx, err)
		r.saveLogs(ctx)
		if r.cluster == nil {
			r.unstarted(err)
		} else {
			r.remove(ctx)
		}
		return
	}
	pace := r.inBackground(func(ctx context.Context) { history.Pace(ctx, r.journal, r.clock) })
	observers := r.observe()
	r.begun(ctx, observers)
	if err := r.loaded(ctx); err != nil {
		r.abort(ctx, err)
	}
	r.healAll(ctx)
	r.read(ctx)
	r.endObservers(ctx, observers)
	pace()
	r.remove(ctx)
}

// start brings the cluster up, or attaches to the one that stands, under a
// guard, and awaits its readiness. The run's clock begins when that is done:
// what the system did before users came is not judged.
func (r *run) start(ctx context.Context) error {
	r.step("%s, seed %d: starting %s", r.Name, r.seed, r.spec.Name)
	bounded, cancel := context.WithTimeout(ctx, r.budgets.Start)
	defer cancel()
	c, err := r.bringUp(bounded)
	if err != nil {
		return fmt.Errorf("start %s: %w", r.spec.Name, err)
	}
	r.cluster = c
	if name := c.Spec().Name; name != r.spec.Name {
		return fmt.Errorf("--on %s: it is a %s, and %s runs on %s", r.opts.On, name, r.Name, r.spec.Name)
	}
	r.spec = c.Spec()
	r.Scenario = r.Fitted(r.spec)
	if err := saveConfigs(r.dir, r.spec); err != nil {
		return err
	}
	return r.ready(ctx)
}

func (r *run) ready(ctx context.Context) error {
	r.step("%s is up: awaiting %s", r.spec.Name, r.cluster.Entry().URL)
	bounded, cancel := context.WithTimeout(ctx, r.budgets.Ready)
	defer cancel()
	if err := r.cluster.Ready(bounded); err != nil {
		return fmt.Errorf("%s did not become ready: %w", r.spec.Name, err)
	}
	// A system whose balancers never use every server is loaded as it is.
	if err := observe.Rotation(ctx, r.cluster); err != nil {
		r.step("%v", err)
	}
	return r.rememberLedger(ctx)
}

// bringUp has the guard in place before there is anything to guard.
func (r *run) bringUp(ctx context.Context) (topology.Cluster, error) {
	if r.opts.On == "" {
		if err := r.guard(ctx, r.id); err != nil {
			return nil, err
		}
		return r.Driver.Start(ctx, r.id, r.plan, topology.StartOptions{
			Subnet: r.opts.Subnet, Images: r.opts.Images, Progress: r.progress.Step,
		})
	}
	c, err := r.Driver.Attach(ctx, r.opts.On)
	if err != nil {
		return nil, err
	}
	r.cluster = c // to be let go of, also if nobody guards it
	return c, r.guard(ctx, c.ID())
}

// guard hands what bears the label over to what outlives this process.
func (r *run) guard(ctx context.Context, label string) error {
	if r.Guard == nil {
		return nil
	}
	path, err := filepath.Abs(filepath.Join(r.dir, UndoFile))
	if err != nil {
		return fmt.Errorf("guard: %w", err)
	}
	release, err := r.Guard(ctx, Guarded{ID: label, UndoLog: path, Standing: r.opts.On})
	if err != nil {
		return fmt.Errorf("guard: %w", err)
	}
	r.release = release
	return nil
}

// lift lets the guard go if there is nothing left for it. A run that could
// not heal or remove everything leaves that to the guard, which sets about it
// when this process ends.
func (r *run) lift() {
	if r.release == nil || r.dirty.any() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), r.budgets.Hurried)
	defer cancel()
	if err := r.release(ctx); err != nil {
		r.step("guard: %v", err)
	}
}

// runEvent is the journal's first line.
func (r *run) runEvent() history.Event {
	m := r.meta(r.Version, r.began, r.cluster)
	m.Machine = r.Machine
	return history.Event{Kind: history.Run, Data: data(m)}
}

// loaded runs the phases under load.
func (r *run) loaded(ctx context.Context) error {
	r.step("ready: %d operations a second for %v", r.Load.Rate, r.length())
	var err error
	target := load.Target{URL: r.cluster.Entry().URL, Dial: topology.Dial(r.cluster)}
	r.gen, err = load.New(r.Load, target, r.clock, r.journal)
	if err != nil {
		return err
	}
	// The load is given up at once only if the caller will not wait for the
	// outstanding operations.
	loadCtx, giveUp := context.WithCancelCause(context.WithoutCancel(ctx))
	defer giveUp(nil)
	done := ended(func() error { return r.gen.Run(loadCtx) })
	r.company = r.accompany(target)
	stopTicks := r.inBackground(r.tick)
	err = r.runPhases(ctx, done)
	stopTicks()
	err = errors.Join(err, r.stopLoad(ctx, done, giveUp))
	r.endCompanions(ctx, r.company)
	return err
}

// ended runs f in the background. What it returns gives f's error once, and is
// closed then: whoever waits for the end sees it, also where another has taken
// the error.
func ended(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() {
		defer close(done)
		done <- f()
	}()
	return done
}

// stopLoad ends the load and waits for the outstanding operations, unless
// the user will not: then the run was broken off, for they are part of it.
func (r *run) stopLoad(ctx context.Context, done <-chan error, giveUp context.CancelCauseFunc) error {
	r.gen.Stop()
	patience := time.NewTimer(r.Load.Resolved().Timeout + r.budgets.Hurried)
	defer patience.Stop()
	var broken error
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		broken = errInterrupted
		giveUp(broken)
	case <-r.Hurry:
		broken = errInterrupted
		giveUp(broken)
	case <-patience.C:
		giveUp(errors.New("the load did not end in time"))
	}
	<-done
	return broken
}

// read waits until the system is quiet and reads what it holds.
func (r *run) read(ctx context.Context) {
	if r.gen == nil {
		return
	}
	sink := observe.Stamp(&earlier{to: r.journal, known: r.before}, r.clock)
	c := r.cluster
	for _, step := range []struct {
		budget time.Duration
		do     func(context.Context) error
	}{
		{r.budgets.Quiesce, r.quiesce},
		{r.budgets.Read, func(ctx context.Context) error { return r.suite.Ledger(ctx, c, sink) }},
		{r.budgets.Read, func(ctx context.Context) error { return r.suite.Sessions(ctx, c, r.gen.Refs(), sink) }},
		{r.budgets.Read, r.aftermath},
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

// unstarted journals what a driver that could not start a cluster left: by its
// contract nothing, unless it says so. That is the guard's to remove.
func (r *run) unstarted(err error) {
	c := history.Coverage{Stream: history.StreamLeftover, Complete: !errors.Is(err, topology.ErrLeftBehind)}
	if !c.Complete {
		r.dirty.add("what the start created: %v", err)
		c.Seen, c.Reason = 1, err.Error()
		r.observed(history.StreamLeftover, history.Leftover{
			Kind: "run", Name: r.id, Detail: fmt.Sprintf("the start failed, and what it created could not be removed: %v", err), Remove: "hachaos gc",
		})
	}
	r.observed(history.StreamCoverage, c)
}

// remove removes the cluster, or lets go of it, and journals what is left.
func (r *run) remove(ctx context.Context) {
	if err := r.within(ctx, r.budgets.Teardown, must, r.cluster.Close); err != nil {
		r.dirty.add("the topology: %v", err)
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
		r.dirty.add("%s %s (%s): remove it with: %s", l.Kind, l.Name, l.Detail, l.Remove)
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
