package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
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
// suite's own.
func (a *app) runSuite(ctx context.Context, list []harness.Scenario, f runFlags) error {
	base := f.seed
	if base == 0 {
		base = 1 + rand.Uint64N(1<<53-1)
	}
	jobs, err := a.plan(list, f, base)
	if err != nil {
		return err
	}
	id, began := newID(), time.Now()
	dir := filepath.Join(f.dir, fmt.Sprintf("%s-suite-%s", began.UTC().Format("20060102T150405Z"), id))
	session, err := wiring.Open(ctx, dir, buildVersion())
	if err != nil {
		return err
	}
	defer session.Close()
	for _, j := range jobs {
		if err := session.Runner.Afford(ctx, j.Scenario, j.Options); err != nil {
			return asUsage(err)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("suite's folder: %w", err)
	}
	steps, err := os.Create(filepath.Join(dir, "steps.log"))
	if err != nil {
		return fmt.Errorf("suite's folder: %w", err)
	}
	defer steps.Close()
	lines := newSuiteLines(a.err, steps)
	defer lines.close()
	session.Runner.Progress, session.Runner.Hurry = lines, a.hurry
	keeper := a.keeper(session, dir)
	keeper.Start.Images, keeper.Start.Subnet = jobs[0].Options.Images, jobs[0].Options.Subnet
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
	a.code = res.ExitCode()
	return errors.Join(report.WriteSuite(dir, res), a.printSuite(res, dir, f.json))
}

// rendered makes a run and writes its reports.
func (a *app) rendered(session *wiring.Session) func(context.Context, harness.Scenario, harness.Options) (*harness.Result, error) {
	return func(ctx context.Context, s harness.Scenario, o harness.Options) (*harness.Result, error) {
		r, err := session.Runner.Run(ctx, s, o)
		if r != nil {
			err = errors.Join(err, render(r))
		}
		return r, err
	}
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

// render writes a run's reports into its folder.
func render(r *harness.Result) error {
	h, err := history.Load(r.Dir)
	if err != nil {
		return fmt.Errorf("read the run back: %w", err)
	}
	return report.Write(r.Dir, r, h)
}

// printSuite prints the list of results as JSON, or the table for people.
func (a *app) printSuite(res *suite.Result, dir string, asJSON bool) error {
	if asJSON {
		list := []*harness.Result{}
		for i := range res.Entries {
			list = append(list, res.Entries[i].Result())
		}
		return writeJSON(a.out, list)
	}
	o := a.tableOptions()
	o.Path = filepath.Join(dir, suite.File)
	return report.SuiteTable(a.out, res, o)
}

// suiteLines shows a suite: a line for each run that ended, and, on a
// terminal, the one under way. What a run says step by step goes to a file.
type suiteLines struct {
	*progress
	steps io.Writer

	mu  sync.Mutex
	job string
}

func newSuiteLines(w, steps io.Writer) *suiteLines {
	return &suiteLines{progress: newProgress(w), steps: steps}
}

// Step implements harness.Progress.
func (l *suiteLines) Step(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.steps, "%s %s: %s\n", time.Now().UTC().Format(time.RFC3339), l.job, text)
}

// Tick implements harness.Progress.
func (l *suiteLines) Tick(t harness.Tick) {
	if l.live {
		l.progress.Tick(t)
	}
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
