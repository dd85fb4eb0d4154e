package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/hachaos/hachaos/clean"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/report"
	"github.com/hachaos/hachaos/suite"
	"github.com/hachaos/hachaos/topology/docker"
)

// runSuite runs several scenarios, or one several times, in a folder of the
// suite's own, and prints what came of them. Those in named were asked for by
// their names.
func (a *app) runSuite(ctx context.Context, list []harness.Scenario, named []string, f runFlags) error {
	m, err := a.makeSuite(ctx, list, named, f)
	if m == nil {
		return err
	}
	a.code = m.ExitCode()
	err = errors.Join(err, a.printSuite(a.people(f.outputs), m.Result, m.dir, f.json))
	a.leftOut(m.without) // once more, beside the verdict, which is not on these
	a.unwritten(a.writeSuite(f.outputs, m.Result))
	return err
}

// madeSuite is a suite that was run, and its folder, which has its reports.
type madeSuite struct {
	*suite.Result
	dir string
	// without is why scenarios were left out.
	without []error
}

// makeSuite runs a suite and writes its folder. If there is none, nothing was
// run; an error besides one is of its reports.
func (a *app) makeSuite(ctx context.Context, list []harness.Scenario, named []string, f runFlags) (*madeSuite, error) {
	base := f.seed
	if base == 0 {
		base = 1 + rand.Uint64N(1<<53-1)
	}
	jobs, err := a.plan(list, f, base)
	if err != nil {
		return nil, err
	}
	id, began := newID(), time.Now()
	dir := filepath.Join(f.dir, fmt.Sprintf("%s-suite-%s", began.UTC().Format("20060102T150405Z"), id))
	session, err := wiring.Open(ctx, dir, buildVersion())
	if err != nil {
		return nil, a.noSuite(err, f, jobs, base, id, began)
	}
	defer session.Close()
	afford := func(j suite.Job) error { return session.Runner.Afford(ctx, j.Scenario, j.Options) }
	jobs, without, err := affordable(jobs, named, afford)
	if err != nil {
		return nil, a.noSuite(asUsage(err), f, jobs, base, id, began)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, a.noSuite(fmt.Errorf("suite's folder: %w", err), f, jobs, base, id, began)
	}
	steps, err := os.Create(filepath.Join(dir, "steps.log"))
	if err != nil {
		return nil, a.noSuite(fmt.Errorf("suite's folder: %w", err), f, jobs, base, id, began)
	}
	defer steps.Close()
	lines := newSuiteLines(a.progress(), steps)
	defer lines.close()
	session.Runner.Progress, session.Runner.Hurry = lines, a.hurry
	keeper := a.keeper(session, dir)
	keeper.Start.Images, keeper.Start.Subnet = jobs[0].Options.Images, jobs[0].Options.Subnet
	a.leftOut(without)
	fmt.Fprintf(a.err, "%d runs, seed %d, in %s\n", len(jobs), base, dir)
	runner := suite.Runner{
		Run:    a.rendered(session),
		Begins: lines.begins, Ends: lines.ends, Topologies: keeper,
	}
	if f.on != "" {
		runner.Topologies = nil // the user's is used as it is
	}
	res := runner.All(ctx, jobs)
	lines.close()
	res.ID, res.Version, res.Seed = id, buildVersion(), base
	return &madeSuite{res, dir, without}, report.WriteSuite(dir, res)
}

// affordable are the jobs that this machine's kernel can carry out, and why the
// others are left out. One that was asked for by its name is an error instead, as
// is a list of which nothing remains; the jobs are all of them then.
func affordable(jobs []suite.Job, named []string, afford func(suite.Job) error) (can []suite.Job, without []error, err error) {
	asked := map[string]error{}
	for _, j := range jobs {
		name := j.Scenario.Name
		err, known := asked[name]
		if !known {
			err = afford(j)
			asked[name] = err
		}
		switch {
		case err == nil:
			can = append(can, j)
		case !errors.Is(err, harness.ErrUsage) || slices.Contains(named, name):
			return jobs, nil, err
		case !known:
			without = append(without, err)
		}
	}
	if len(can) == 0 {
		return jobs, nil, errors.Join(without...)
	}
	return can, without, nil
}

// leftOut says what a suite does without.
func (a *app) leftOut(without []error) {
	for _, err := range without {
		_ = writeClean(a.err, fmt.Sprintf("hachaos: left out: %v\n", err))
	}
}

// noSuite ends a suite of which no run could be carried out.
func (a *app) noSuite(err error, f runFlags, jobs []suite.Job, base uint64, id string, began time.Time) error {
	var entries []suite.Entry
	for _, j := range jobs {
		entries = append(entries, suite.Entry{
			Scenario: j.Scenario.Name, Repetition: j.Repetition, Of: j.Of, Seed: j.Options.Seed, Command: j.Options.Command,
		})
	}
	return a.notCarriedOut(err, f, entries, func(e []suite.Entry) error {
		return a.writeSuite(f.outputs, &suite.Result{Schema: suite.Schema, ID: id, Version: buildVersion(), Seed: base, StartedAt: began, Entries: e})
	})
}

// rendered makes a run and writes its reports.
func (a *app) rendered(session *wiring.Session) func(context.Context, harness.Scenario, harness.Options) (*harness.Result, error) {
	return func(ctx context.Context, s harness.Scenario, o harness.Options) (*harness.Result, error) {
		return rendered(ctx, session.Runner, s, o)
	}
}

// rendered makes a run and writes its reports.
func rendered(ctx context.Context, r *harness.Runner, s harness.Scenario, o harness.Options) (*harness.Result, error) {
	if p, ok := r.Progress.(interface{ announce(harness.Scenario) }); ok {
		p.announce(s)
	}
	res, err := r.Run(ctx, s, o)
	if res != nil {
		_, failed := render(res)
		err = errors.Join(err, failed)
	}
	return res, err
}

// keeper lends the runs of a suite a topology, which a reaper removes should
// this process die.
func (a *app) keeper(session *wiring.Session, dir string) *suite.Keeper {
	return &suite.Keeper{
		Driver: session.Driver, Probes: clean.Probes(), Hurry: a.hurry,
		Shape: func(j suite.Job) harness.Shape {
			shape, err := session.Runner.Shape(j.Scenario, j.Options)
			if err != nil { // it was planned before
				return harness.Shape{}
			}
			return shape
		},
		Guard: func(ctx context.Context, id string) (func(context.Context) error, error) {
			r, err := session.Driver.StartReaper(ctx, docker.ReaperOptions{RunID: id, Log: filepath.Join(dir, "reaper.log")})
			if err != nil {
				return nil, fmt.Errorf("reaper: %w", err)
			}
			return r.Release, nil
		},
	}
}

// plan validates every job before anything starts.
func (a *app) plan(list []harness.Scenario, f runFlags, base uint64) ([]suite.Job, error) {
	opts, err := f.options()
	if err != nil {
		return nil, err
	}
	opts.On, opts.Short, opts.Seed = f.on, f.short, base
	var r harness.Runner
	keys, errs := map[string]string{}, []error{}
	for _, s := range list {
		shape, err := r.Shape(s, opts)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.Name, err))
		}
		keys[s.Name] = shape.Key()
	}
	if err := errors.Join(errs...); err != nil {
		return nil, usageError{err}
	}
	options := func(s harness.Scenario) harness.Options {
		o := opts
		o.Command = a.command(s.Name, f)
		return o
	}
	return suite.Plan(list, options, base, f.repeat, func(j suite.Job) string { return keys[j.Scenario.Name] }), nil
}

// render writes a run's reports into its folder, and returns its record: nil
// if that cannot be read.
func render(r *harness.Result) (*history.History, error) {
	h, err := history.Load(r.Dir)
	if err != nil {
		return nil, fmt.Errorf("read the run back: %w", err)
	}
	return h, report.Write(r.Dir, r, h)
}

// printSuite prints the list of results as JSON, or the table for people.
func (a *app) printSuite(w io.Writer, res *suite.Result, dir string, asJSON bool) error {
	if asJSON {
		list := []*harness.Result{}
		for i := range res.Entries {
			list = append(list, res.Entries[i].Result())
		}
		return writeJSON(w, list)
	}
	o := tableOptions(w)
	o.Path = filepath.Join(dir, suite.File)
	return report.SuiteTable(w, res, o)
}

// suiteLines shows a suite: a line for each run that ended, and, on a
// terminal, how the one under way goes. What a run says step by step goes to
// a file.
type suiteLines struct {
	*progress
	steps io.Writer

	mu  sync.Mutex
	job string
}

func newSuiteLines(p *progress, steps io.Writer) *suiteLines {
	return &suiteLines{progress: p, steps: steps}
}

// Step implements harness.Progress.
func (l *suiteLines) Step(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.steps, "%s %s: %s\n", time.Now().UTC().Format(time.RFC3339), l.job, text)
}

// Tick implements harness.Progress.
func (l *suiteLines) Tick(t harness.Tick) {
	if l.screen.Live() {
		l.progress.Tick(t)
	}
}

// announce says which run comes next.
func (l *suiteLines) announce(s harness.Scenario) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next(l.job, s)
}

func (l *suiteLines) begins(j suite.Job, done, of int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.job = fmt.Sprintf("[%d/%d] %s", done+1, of, j.Name())
}

func (l *suiteLines) ends(e suite.Entry, done, of int) {
	width := len(fmt.Sprint(of))
	l.says(e.Notes, fmt.Sprintf("[%*d/%d] %-28s %-14s %4.0fs  %s", width, done+1, of, e.Name(), e.Word(), e.Took.Seconds(), report.Clean(e.Reason)))
}

// says prints a line under the notes of what was done before.
func (l *suiteLines) says(notes []string, line string) {
	for _, n := range notes {
		l.progress.Step("  " + report.Clean(n))
	}
	l.progress.Step(line)
}
