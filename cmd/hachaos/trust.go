package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/campaign"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/report"
	"github.com/hachaos/hachaos/suite"
	"github.com/hachaos/hachaos/trust"
)

// trustFlags are those of all the commands about trust.
type trustFlags struct {
	dir              string
	asJSON, markdown bool
}

func (f *trustFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.dir, "dir", filepath.Join(".cache", "trust"), "the folder of the results")
}

func (f *trustFlags) addForms(c *cobra.Command) {
	c.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&f.markdown, "markdown", false, "print a table in Markdown")
	c.PreRunE = func(*cobra.Command, []string) error {
		if f.asJSON && f.markdown {
			return errBothForms
		}
		return nil
	}
}

func (f *trustFlags) file(name string) string { return filepath.Join(f.dir, name) }

// The result files, in the folder.
const (
	harnessFile     = "harness.jsonl"
	soakFile        = "soak.jsonl"
	calibrationFile = "calibration.jsonl"
	pictureFile     = "calibration.svg"
	oraclesFile     = "oracles.txt"
	mutationFile    = "mutation.txt"
	zooFolder       = "zoo"
)

func (a *app) trustCmd() *cobra.Command {
	c := &cobra.Command{
		Use:   "trust",
		Short: "Show that the verdicts are right: break hachaos itself, look for false alarms, calibrate",
		Long: `A tool that says "pass" must have shown that it can say anything else, and that it
says so when it should. These commands try it, keep what came of it in one folder, and
make a page of that. 'hachaos mutants' belongs to them: it plants defects in the system.

The results of hachaos's own repository are in docs/trust: from a clone, say
--dir docs/trust to see them, or to add to them.`,
		Example: "  hachaos trust harness\n  hachaos trust soak --status --dir docs/trust\n  hachaos trust page --dir docs/trust",
	}
	group(c)
	c.AddCommand(a.trustHarness(), a.trustSoak(), a.trustCalibrate(), a.trustPage(), a.trustVirtual())
	return c
}

// exclusively takes the folder of the results for this process alone, and
// makes it if it is missing.
func exclusively(dir string) (store campaign.Store, unlock func() error, err error) {
	store = campaign.Store{Dir: dir}
	unlock, err = store.Lock()
	return store, unlock, err
}

// seriesOf is a series over an open engine, whose lines go to says.
type seriesOf func(session *wiring.Session, store campaign.Store, says func(notes []string, line string)) (*trust.Series, error)

// carryOutSeries makes the runs of a series, with the budget and the folder.
func (a *app) carryOutSeries(ctx context.Context, dir string, budget time.Duration, of seriesOf) error {
	session, err := wiring.Open(ctx, campaign.Store{Dir: dir}.Runs(), buildVersion())
	if err != nil {
		return err // before anything is made
	}
	defer session.Close()
	store, unlock, err := exclusively(dir)
	if err != nil {
		return err
	}
	defer unlock()
	lines := newSuiteLines(a.progress(), io.Discard)
	defer lines.close()
	session.Runner.Progress, session.Runner.Hurry = lines, a.hurry
	s, err := of(session, store, lines.says)
	if err != nil {
		return err
	}
	s.Budget, s.Alive = budget, alive(store)
	return a.runSeries(ctx, s)
}

// runSeries makes the runs, and says why it ended early. What could not be
// removed makes the exit code dirty.
func (a *app) runSeries(ctx context.Context, s *trust.Series) error {
	out, err := s.Run(ctx)
	switch {
	case out.Interrupted:
		fmt.Fprintln(a.err, "hachaos: interrupted: call it again to go on")
	case out.Spent:
		fmt.Fprintf(a.err, "hachaos: the budget of %v is spent: call it again to go on\n", s.Budget)
	}
	for _, text := range leftBehind(out.Leftovers) {
		fmt.Fprintln(a.err, text)
	}
	if len(out.Leftovers) > 0 {
		err = errors.Join(err, fmt.Errorf("%w: a shared topology", harness.ErrDirty))
	}
	return err
}

// lineOf is what is said of a run.
func lineOf(run suite.Entry, more string) string {
	return fmt.Sprintf("%-28s seed %-16d %-14s %4.0fs  %s", run.Scenario, run.Seed, run.Word(), run.Took.Seconds(), report.Clean(more))
}

// provenance says in words what measured something, on what, and when last.
type provenance struct {
	versions, machines []string
	last               time.Time
}

func (p *provenance) add(version, machine string, at time.Time) {
	p.versions, p.machines = append(p.versions, version), append(p.machines, machine)
	if at.After(p.last) {
		p.last = at
	}
}

// String is empty if nothing was measured.
func (p *provenance) String() string {
	if len(p.versions) == 0 {
		return ""
	}
	each := func(list []string, separator string) string {
		list = slices.Sorted(slices.Values(list))
		return strings.Join(slices.Compact(list), separator)
	}
	return fmt.Sprintf("hachaos %s; %s; last on %s", each(p.versions, ", "), each(p.machines, "; "), p.last.UTC().Format("2006-01-02 15:04 UTC"))
}
