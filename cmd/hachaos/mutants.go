package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/campaign"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/report"
	"github.com/hachaos/hachaos/scenarios"
	"github.com/hachaos/hachaos/suite"
	"github.com/hachaos/hachaos/zoo"
)

// zooFlags are those of all the mutants' commands.
type zooFlags struct {
	zoo string // a folder of the user's mutants; empty is the built-in zoo
	dir string
}

func (f *zooFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.zoo, "zoo", "", "a folder of mutants of your own (*.yaml; default: those that come with hachaos)")
}

func (f *zooFlags) addDir(c *cobra.Command) {
	c.Flags().StringVar(&f.dir, "dir", filepath.Join(".cache", "zoo"), "the folder of the results")
}

// mutants reads the zoo and chooses from it.
func (f *zooFlags) mutants(names []string) ([]zoo.Half, error) {
	all, err := zoo.BuiltIn()
	if f.zoo != "" {
		if all, err = zoo.Read(os.DirFS(f.zoo)); err != nil {
			err = fmt.Errorf("zoo %s: %w", f.zoo, err)
		}
	}
	if err != nil {
		return nil, usageError{err}
	}
	// NAME-mended is one half alone; any other name is of both.
	var both, mended, bare []string
	for _, n := range names {
		name, half := strings.CutSuffix(n, "-"+zoo.Mended)
		bare = append(bare, name)
		if half {
			mended = append(mended, n)
		} else {
			both = append(both, n)
		}
	}
	chosen, err := zoo.Choose(all, bare)
	if err != nil {
		return nil, usageError{err}
	}
	whole := map[string]bool{}
	if len(both) > 0 || len(names) == 0 {
		list, err := zoo.Choose(all, both)
		if err != nil {
			return nil, usageError{err}
		}
		for _, m := range list {
			whole[m.Name] = true
		}
	}
	halves, err := zoo.Halves(chosen, scenarios.Lookup)
	if err != nil {
		return nil, usageError{err}
	}
	halves = slices.DeleteFunc(halves, func(h zoo.Half) bool { return !whole[h.Mutant.Name] && h.Case.Name != zoo.Mended })
	for _, n := range mended {
		if !slices.ContainsFunc(halves, func(h zoo.Half) bool { ok, err := path.Match(n, h.Name); return ok && err == nil }) {
			return nil, usage("%s: there is no such mended half: `hachaos mutants list --json` says which mutants are a pair", n)
		}
	}
	for i := range halves {
		halves[i].Folder = f.zoo
	}
	return halves, nil
}

func (a *app) mutantsCmd() *cobra.Command {
	c := &cobra.Command{
		Use:   "mutants",
		Short: "Try systems with a planted defect: does hachaos catch it, and say why",
		Long: `A mutant is a system with one planted defect, such as a balancer that sends writes
twice, and says which assertion of which scenario must fire on it, and with which
words; all others must stay quiet. Running one is also the best way to learn to read
a report. A pair has a mended half beside, on which the scenario must pass.

A folder of *.yaml files is a zoo of your own: see CONTRIBUTING.md.`,
		Example: "  hachaos mutants list\n  hachaos mutants run no-redispatch\n  hachaos mutants run --zoo ./mutants my-mutant",
	}
	group(c)
	c.AddCommand(a.mutantsList(), a.mutantsRun(), a.mutantsCampaign(), a.mutantsMatrix())
	return c
}

func (a *app) mutantsList() *cobra.Command {
	var (
		f      zooFlags
		asJSON bool
	)
	c := &cobra.Command{
		Use:     "list [MUTANT|AREA…]",
		Short:   "List the mutants, with what must catch each",
		Example: "  hachaos mutants list\n  hachaos mutants list writes 'jetty-*'",
		RunE: func(_ *cobra.Command, names []string) error {
			halves, err := f.mutants(names)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(a.out, listedMutants(halves))
			}
			w := tabwriter.NewWriter(a.out, 0, 0, 3, ' ', 0)
			for _, m := range listedMutants(halves) {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", m.Name, m.Area, m.Scenario, m.Fails, m.Title)
			}
			return w.Flush()
		},
	}
	f.add(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// listedMutant is one line of `mutants list --json`.
type listedMutant struct {
	Name     string   `json:"name"`
	Area     string   `json:"area"`
	Title    string   `json:"title"`
	Stands   string   `json:"stands"`
	Bug      string   `json:"bug,omitempty"`
	Pair     bool     `json:"pair"` // it has a mended half
	Scenario string   `json:"scenario"`
	Fails    string   `json:"fails"`
	Says     string   `json:"says"`
	Quiet    []string `json:"quiet"`
}

func listedMutants(halves []zoo.Half) []listedMutant {
	out := []listedMutant{}
	for _, h := range halves {
		m := h.Mutant
		if !slices.ContainsFunc(out, func(l listedMutant) bool { return l.Name == m.Name }) { // of two halves
			out = append(out, listedMutant{m.Name, m.Area, m.Title, strings.TrimSpace(m.Stands), m.Bug, m.Fixed != nil, m.Scenario, m.Fails, m.Says, h.Quiet()})
		}
	}
	return out
}

func (a *app) mutantsRun() *cobra.Command {
	var (
		f   zooFlags
		run runFlags
	)
	c := &cobra.Command{
		Use:         "run MUTANT|AREA…",
		Annotations: brings(),
		Short:       "Run mutants now, and say of each whether it was caught as it must be",
		Long: `run brings each mutant's system up, runs the scenario that must catch it in its short
form, and keeps the run's folder with its report. NAME-mended runs the mended half of a
pair alone.

Exit codes: 0 each was caught as it must be (and each mended half passed), 1 one was not,
2 usage, 3 one had no verdict, 4 error, 5 one was dirty.`,
		Example: "  hachaos mutants run no-redispatch\n  hachaos mutants run writes",
		RunE: func(c *cobra.Command, names []string) error {
			if len(names) == 0 {
				return usage("hachaos mutants run wants names: `hachaos mutants list` shows them, and `hachaos mutants campaign` runs all")
			}
			return a.runMutants(c.Context(), names, f, run)
		},
	}
	f.add(c)
	c.Flags().Uint64Var(&run.seed, "seed", 0, "seed of all that is drawn (0: a random one, printed)")
	c.Flags().StringVar(&run.dir, "dir", runsDir, "where the runs' folders go")
	return c
}

func (a *app) runMutants(ctx context.Context, names []string, f zooFlags, run runFlags) error {
	halves, err := f.mutants(names)
	if err != nil {
		return err
	}
	session, err := wiring.Open(ctx, run.dir, buildVersion())
	if err != nil {
		return err
	}
	defer session.Close()
	unlike := map[int]int{} // by exit code
	for n, h := range halves {
		p := a.progress()
		p.next(h.Name, h.Scenario)
		session.Runner.Progress, session.Runner.Hurry = p, a.hurry
		opts := h.Options()
		opts.Seed = run.seed
		r, err := h.Runner(*session.Runner).Run(ctx, h.Scenario, opts)
		p.close()
		if r == nil {
			a.code = worst(unlike)
			return asUsage(err)
		}
		r.Dirty = r.Dirty || errors.Is(err, harness.ErrDirty)
		a.finish(r, run)
		if err != nil {
			fmt.Fprintln(a.err, "hachaos:", err)
		}
		code, text := caught(h, r)
		unlike[code]++
		fmt.Fprintf(a.out, "%s: %s\n", h.Name, report.Clean(text))
		if ctx.Err() != nil && n+1 < len(halves) {
			unlike[harness.ExitInconclusive]++
			fmt.Fprintf(a.err, "hachaos: interrupted, with %d still to be run\n", len(halves)-n-1)
			break
		}
	}
	a.code = worst(unlike)
	return nil
}

// caught says in words whether the run ended as the half must, and what exit
// code that is.
func caught(h zoo.Half, r *harness.Result) (int, string) {
	err := h.Case.Holds(r)
	switch {
	case r.Dirty:
		return harness.ExitDirty, "it left something behind"
	case err != nil && (r.Verdict == harness.VerdictPass || r.Verdict == harness.VerdictFail):
		return 1, "not as it must be: " + err.Error()
	case err != nil:
		return r.ExitCode(), "no verdict: " + r.Reason
	case h.Case.Name == zoo.Mended:
		return 0, "passes, as it must"
	}
	return 0, fmt.Sprintf("caught, as it must be: %s says %q", h.Mutant.Fails, h.Mutant.Says)
}

// worst is the exit code of several: dirty, error, 1, inconclusive, 0.
func worst(codes map[int]int) int {
	for _, c := range []int{5, 4, 1, 3} {
		if codes[c] > 0 {
			return c
		}
	}
	return 0
}

func (a *app) mutantsCampaign() *cobra.Command {
	var (
		f      zooFlags
		budget time.Duration
	)
	c := &cobra.Command{
		Use:         "campaign [MUTANT|AREA…]",
		Annotations: brings(),
		Short:       "Run all mutants three times, resumably",
		Long: `campaign runs each half of each mutant three times. Each run has a result file, named
after a hash of all that it depends on, and is not made again; see 'hachaos campaign'.

Exit codes: 0 each was caught as it must be three times, 1 one was not, 2 usage, 3 something is
still to be run, 4 error, 5 one was dirty.`,
		Example: "  hachaos mutants campaign --budget 20m\n  hachaos mutants campaign sessions",
		RunE: func(c *cobra.Command, names []string) error {
			if err := budgetOf(budget); err != nil {
				return err
			}
			return a.campaignOfMutants(c.Context(), names, f, budget)
		},
	}
	f.add(c)
	f.addDir(c)
	c.Flags().DurationVar(&budget, "budget", 0, "stop between two runs once this long has passed, such as 20m (0: never)")
	return c
}

func (a *app) mutantsMatrix() *cobra.Command {
	var (
		f        zooFlags
		markdown bool
	)
	c := &cobra.Command{
		Use:   "matrix [MUTANT|AREA…]",
		Short: "Show which assertion fired on which mutant, from the result files",
		Long: `matrix has a row for each mutant and mended half, and a column for each assertion, from
the files that 'hachaos mutants campaign' has written to --dir. It runs nothing.

Exit codes: 0 each was caught as it must be three times, 1 one was not, 2 usage, 3 something is
still to be run, 4 error, 5 one was dirty.`,
		Example: "  hachaos mutants matrix --dir docs/trust/zoo\n  hachaos mutants matrix --markdown",
		RunE: func(_ *cobra.Command, names []string) error {
			entries, halves, err := zooEntries(names, f)
			if err != nil {
				return err
			}
			a.code = campaign.ExitCode(entries)
			if markdown {
				return report.ZooMarkdown(a.out, zooRows(entries, halves))
			}
			return report.ZooTable(a.out, zooRows(entries, halves), a.tableOptions())
		},
	}
	f.add(c)
	f.addDir(c)
	c.Flags().BoolVar(&markdown, "markdown", false, "print a page in Markdown")
	return c
}

// zooEntries are the items of the mutants that names choose, as they stand,
// and the halves by their names.
func zooEntries(names []string, f zooFlags) ([]campaign.Entry, map[string]zoo.Half, error) {
	halves, err := f.mutants(names)
	if err != nil {
		return nil, nil, err
	}
	depends, err := dependencies(runtime.Version())
	if err != nil {
		return nil, nil, err
	}
	byName, list := map[string]zoo.Half{}, []harness.Scenario{}
	for _, h := range halves {
		byName[h.Name] = h
		list = append(list, h.Scenario)
	}
	entries, err := campaign.Look(campaign.Store{Dir: f.dir}, campaign.CaseItems(list, zoo.InARow), func(i campaign.Item) (string, error) {
		return i.Hash(byName[i.Scenario].Runner(harness.Runner{}), depends)
	})
	return entries, byName, err
}

func (a *app) campaignOfMutants(ctx context.Context, names []string, f zooFlags, budget time.Duration) error {
	entries, halves, err := zooEntries(names, f)
	if err != nil {
		return err // before anything is made
	}
	return a.carryOut(ctx, f.dir, entries, budget, func(session *wiring.Session, c *campaign.Campaign) {
		c.Shape = func(j suite.Job) string { return j.Scenario.Name }
		c.Runner = &suite.Runner{Run: func(ctx context.Context, s harness.Scenario, o harness.Options) (*harness.Result, error) {
			h := halves[s.Name]
			o.Command = h.Command()
			return rendered(ctx, h.Runner(*session.Runner), s, o)
		}}
	})
}

// zooRows are the entries by their halves, in the entries' order.
func zooRows(entries []campaign.Entry, halves map[string]zoo.Half) []report.ZooRow {
	var rows []report.ZooRow
	for _, e := range entries {
		if n := len(rows); n == 0 || rows[n-1].Name != e.Scenario {
			h := halves[e.Scenario]
			row := report.ZooRow{
				Name: h.Name, Area: h.Mutant.Area, Title: h.Mutant.Title, Bug: h.Mutant.Bug, Scenario: h.Mutant.Scenario,
				Also: h.Case.Also, Quiet: h.Quiet(),
			}
			if len(h.Case.Fails) > 0 {
				row.Fails = h.Case.Fails[0]
			}
			rows = append(rows, row)
		}
		last := &rows[len(rows)-1]
		last.Entries = append(last.Entries, e)
	}
	return rows
}
