package harness

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/observe"
	"github.com/hachaos/hachaos/topology"
)

// Runner runs scenarios. Driver is required; the zero value of any other
// field is its default. It is safe for concurrent use.
type Runner struct {
	// Driver brings topologies up.
	Driver topology.Driver
	// Lookup finds a topology by name; nil is topology.Lookup.
	Lookup func(name string) (topology.Definition, error)
	// Suite looks at the system; nil is Observed.
	Suite Suite
	// Checkers are those of the scenarios that hachaos does not have itself.
	Checkers assert.Table
	// Dir is where the runs' folders go; empty is "runs".
	Dir string
	// Version is hachaos's own.
	Version string
	// Machine says in words where runs are made, for their records.
	Machine string
	// Guard makes sure that the run is healed and removed should this
	// process die; nil does not.
	Guard func(ctx context.Context, g Guarded) (release func(context.Context) error, err error)
	// Progress shows the run to people; nil shows nothing.
	Progress Progress
	// Hurry is closed when the user will wait no longer; nil never is.
	Hurry <-chan struct{}
	// Budgets bound what could hang; zero fields are their defaults.
	Budgets Budgets
}

// Guarded is what a guard has to know of a run.
type Guarded struct {
	// ID is the value of the run's label.
	ID string
	// UndoLog is the path of the undo log, which a healer carries out first.
	UndoLog string
	// Standing is the name of the topology that is used and must not be
	// removed; empty if it ends with the run.
	Standing string
}

// Budgets bound the steps of a run that wait for something else. They are
// guards against hanging: none of them decides a verdict by itself.
type Budgets struct {
	Start    time.Duration // bring the topology up, images included
	Ready    time.Duration // until the topology serves
	Act      time.Duration // inject one fault
	Prove    time.Duration // observe that it bites
	Undo     time.Duration // undo one entry
	Heal     time.Duration // observe that it healed
	Quiesce  time.Duration // until no request is in flight
	Read     time.Duration // read the ledger, read the sessions
	Observe  time.Duration // an observer's end
	Teardown time.Duration // remove everything
	// Hurried is what is left for a step once Hurry is closed.
	Hurried time.Duration
}

// DefaultBudgets are generous for two slow cores.
func DefaultBudgets() Budgets {
	return Budgets{
		Start: 15 * time.Minute, Ready: 90 * time.Second,
		Act: 15 * time.Second, Prove: 10 * time.Second, Undo: fault.UndoBudget, Heal: 30 * time.Second,
		Quiesce: 30 * time.Second, Read: 60 * time.Second, Observe: observe.Grace + 5*time.Second, Teardown: 60 * time.Second,
		Hurried: 5 * time.Second,
	}
}

// filled puts the defaults in for what is zero.
func (b Budgets) filled() Budgets {
	d := DefaultBudgets()
	for _, f := range []struct{ v, d *time.Duration }{
		{&b.Start, &d.Start},
		{&b.Ready, &d.Ready},
		{&b.Act, &d.Act},
		{&b.Prove, &d.Prove},
		{&b.Undo, &d.Undo},
		{&b.Heal, &d.Heal},
		{&b.Quiesce, &d.Quiesce},
		{&b.Read, &d.Read},
		{&b.Observe, &d.Observe},
		{&b.Teardown, &d.Teardown},
		{&b.Hurried, &d.Hurried},
	} {
		if *f.v <= 0 {
			*f.v = *f.d
		}
	}
	return b
}

// Run runs s and returns its result, which is in the run's folder too. What
// cannot be run is an error that wraps ErrUsage, and nothing was started.
// Whatever happens after the start comes with a result, and with an error
// only if the folder could not be written or judged; the error wraps ErrDirty
// if the record that was lost is that of a dirty run. If ctx ends, the run
// stops the load, heals, removes, keeps what it has, and is inconclusive.
func (r *Runner) Run(ctx context.Context, s Scenario, opts Options) (*Result, error) {
	standing, err := r.standing(ctx, opts.On)
	if err != nil {
		return nil, err
	}
	p, err := resolve(s, opts, r.lookup(), standing)
	if err != nil {
		return nil, err
	}
	if err := r.afford(ctx, p); err != nil {
		return nil, err
	}
	began := time.Now()
	dir, err := newDir(r.dir(), p, r.Version, began)
	if err != nil {
		return nil, err
	}
	run := &run{Runner: r, resolved: p, began: began, dir: dir, budgets: r.Budgets.filled(), progress: r.progress(), suite: r.suite(), watch: newWatch()}
	run.faults.lost = make(chan error, 1)
	if err := run.open(); err != nil {
		return nil, err
	}
	run.carryOut(ctx)
	lost := run.seal()
	if lost != nil {
		run.step("the record could not be sealed: %v", lost)
	}
	res, err := r.finish(dir)
	return res, errors.Join(err, run.dirty.untold(lost))
}

// finish judges a folder and writes the result last.
func (r *Runner) finish(dir string) (*Result, error) {
	res, _, err := JudgeWith(dir, r.Checkers)
	if err != nil {
		return nil, fmt.Errorf("judge %s: %w", dir, err)
	}
	b, err := Encode(res)
	if err != nil {
		return res, err
	}
	if err := renameio.WriteFile(filepath.Join(dir, ResultFile), b, 0o644); err != nil {
		return res, fmt.Errorf("write result: %w", err)
	}
	return res, nil
}

func (r *Runner) lookup() func(string) (topology.Definition, error) {
	if r.Lookup != nil {
		return r.Lookup
	}
	return topology.Lookup
}

func (r *Runner) dir() string {
	if r.Dir != "" {
		return r.Dir
	}
	return "runs"
}

func (r *Runner) suite() Suite {
	if r.Suite != nil {
		return r.Suite
	}
	return Observed{}
}

func (r *Runner) progress() Progress {
	if r.Progress != nil {
		return r.Progress
	}
	return silent{}
}

// silent shows nothing.
type silent struct{}

func (silent) Step(string) {}
func (silent) Tick(Tick)   {}

// errInterrupted is the cause of a run that its caller ended.
var errInterrupted = errors.New(interrupted)

// open makes the journal and the undo log, so that the folder is a run's
// from the first moment on.
func (r *run) open() error {
	var err error
	if r.journal, err = history.Create(filepath.Join(r.dir, JournalFile)); err != nil {
		return err
	}
	if r.undo, err = fault.OpenLog(filepath.Join(r.dir, UndoFile)); err != nil {
		return errors.Join(err, r.journal.Close())
	}
	return nil
}
