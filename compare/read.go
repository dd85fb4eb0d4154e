package compare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/campaign"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/suite"
)

// ErrNoRuns is a folder that holds no run.
var ErrNoRuns = errors.New("holds no run: want the folder of a run, of a suite or of a campaign, or one with such folders in it")

// Reader reads the runs that folders hold.
type Reader struct {
	// Judge judges a run's folder. All runs are judged by the same program,
	// so that a difference between commits is one of the system.
	Judge func(dir string) (*harness.Result, error)
	// Profile is that of a campaign's item that names none.
	Profile string
	// LeaveOut is told of a folder within the one that was asked for whose run cannot
	// be read, which then counts as none; nil makes it an error of them all.
	LeaveOut func(dir string, why error)
}

// Read reads the runs of a folder: a run's own, those of a suite, the records
// of a campaign, or those of the folders in it. An error that wraps ErrNoRuns
// tells that there is none.
func (r Reader) Read(dir string) ([]Run, error) {
	if _, err := os.Stat(dir); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%s does not exist, and %w", dir, ErrNoRuns)
		}
		return nil, err
	}
	runs, err := r.known(dir)
	if err != nil || len(runs) > 0 {
		return runs, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		more, err := r.known(filepath.Join(dir, e.Name()))
		if err = r.leave(filepath.Join(dir, e.Name()), err); err != nil {
			return nil, err
		}
		runs = append(runs, more...)
	}
	if len(runs) == 0 {
		return nil, fmt.Errorf("%s %w", dir, ErrNoRuns)
	}
	return runs, nil
}

// leave is nil if the error may be left out, or is none. An interrupt says nothing of
// the run that it met.
func (r Reader) leave(dir string, err error) error {
	if err == nil || r.LeaveOut == nil || errors.Is(err, context.Canceled) {
		return err
	}
	r.LeaveOut(dir, err)
	return nil
}

// known reads a folder that is a run, a suite or a campaign; nothing if it is
// none.
func (r Reader) known(dir string) ([]Run, error) {
	switch {
	case is(dir, harness.JournalFile):
		run, err := r.run(dir)
		if err != nil {
			return nil, err
		}
		return []Run{run}, nil
	case is(dir, suite.File):
		return r.suite(dir)
	case is(dir, "items"):
		return r.campaign(dir, "items/*/*.json")
	}
	return r.campaign(dir, "*.json")
}

func is(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

func (r Reader) run(dir string) (Run, error) {
	res, err := r.Judge(dir)
	if err != nil {
		return Run{}, err
	}
	run := Of(res)
	run.Source = filepath.Clean(dir)
	return run, nil
}

// suite reads the runs of a suite. One whose folder is gone, or is left out, counts
// by its verdict alone.
func (r Reader) suite(dir string) ([]Run, error) {
	path := filepath.Join(dir, suite.File)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var s suite.Result
	if err := json.Unmarshal(b, &s); err != nil || s.Schema != suite.Schema {
		return nil, fmt.Errorf("%s is no suite's result: want schema %s: %w", path, suite.Schema, errors.Join(ErrNoRuns, err))
	}
	var out []Run
	for _, e := range s.Entries {
		if own := filepath.Join(dir, filepath.FromSlash(e.Dir)); e.Dir != "" && filepath.IsLocal(filepath.FromSlash(e.Dir)) && is(own, harness.JournalFile) {
			run, err := r.run(own)
			if err == nil {
				out = append(out, run)
				continue
			}
			if err = r.leave(own, err); err != nil {
				return nil, err
			}
		}
		out = append(out, Run{Subject: e.Scenario, Command: withoutSeed(e.Command), Version: s.Version, StartedAt: s.StartedAt, Verdict: e.Verdict})
	}
	return out, nil
}

// campaign reads the records in a folder that match the pattern; other files are left
// alone.
func (r Reader) campaign(dir, pattern string) ([]Run, error) {
	names, err := fs.Glob(os.DirFS(dir), pattern)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	var out []Run
	for _, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name))
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was replaced meanwhile
		}
		if err != nil {
			return nil, err
		}
		var rec campaign.Record
		if err := json.Unmarshal(b, &rec); err != nil || rec.Schema != campaign.Schema {
			continue
		}
		out = append(out, r.record(path, &rec)...)
	}
	return out, nil
}

// record is the run that a record tells of, and those before it that gave no
// verdict. Of the assertions an old record knows only which failed, and that all
// held if the run passed.
func (r Reader) record(path string, rec *campaign.Record) []Run {
	run := Run{
		Subject: rec.Scenario, Source: filepath.Clean(path), Command: withoutSeed(rec.Command), Profile: rec.Profile, Version: rec.Version,
		StartedAt: rec.StartedAt, Verdict: rec.Verdict, Figures: rec.Decided(),
	}
	if rec.BrokenOff != "" {
		run.Verdict, run.Figures = harness.VerdictInconclusive, nil
	}
	if rec.Case != campaign.AsItStands {
		run.Subject += ", " + rec.Case
	}
	if run.Profile == "" {
		run.Profile = r.Profile
	}
	for _, name := range named(rec) {
		a := Assertion{Name: name, Known: rec.Verdict == harness.VerdictPass, Status: assert.Pass}
		if slices.Contains(rec.Failed, name) {
			a.Known, a.Status = true, assert.Fail
		}
		for _, s := range rec.Assertions {
			if s.Name == name {
				a.Known, a.Status = true, s.Status
			}
		}
		run.Assertions = append(run.Assertions, a)
	}
	out := []Run{run}
	for _, b := range rec.Before {
		before := run
		before.Source, before.StartedAt, before.Verdict, before.Assertions, before.Figures = "", b.StartedAt, b.Verdict, nil, nil
		out = append(out, before)
	}
	return out
}

// named are the assertions that a record tells of: those that failed, and
// those whose figures it has, sorted.
func named(rec *campaign.Record) []string {
	out := slices.Clone(rec.Failed)
	for figure := range rec.Measures {
		first, rest, dotted := strings.Cut(figure, ".")
		if _, load := goodWay[first]; !dotted && load {
			continue // a figure of the load
		}
		if _, load := goodWay[rest]; dotted && load {
			continue // one of a phase, or one that its assertion has others beside
		}
		out = with(out, first)
	}
	slices.Sort(out)
	return out
}

// Attributes are what By can split runs by.
var Attributes = []string{"command", "profile", "version"}

// By splits runs into groups by one of Attributes, in the order in which they
// come. A run that does not tell goes into the group "unknown".
func By(runs []Run, attribute string) ([]Group, error) {
	of := map[string]func(*Run) string{
		"command": func(r *Run) string { return r.Command },
		"profile": func(r *Run) string { return r.Profile },
		"version": func(r *Run) string { return r.Version },
	}[attribute]
	if of == nil {
		return nil, fmt.Errorf("%q is nothing that runs can be split by: want %s", attribute, strings.Join(Attributes, ", "))
	}
	var out []Group
	for i := range runs {
		name := of(&runs[i])
		if name == "" {
			name = "unknown"
		}
		at := slices.IndexFunc(out, func(g Group) bool { return g.Name == name })
		if at < 0 {
			at, out = len(out), append(out, Group{Name: name})
		}
		out[at].Runs = append(out[at].Runs, runs[i])
	}
	return out, nil
}
