package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/campaign"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/report"
	"github.com/hachaos/hachaos/suite"
	"github.com/hachaos/hachaos/trust"
)

// soakFlags are those of `trust soak`.
type soakFlags struct {
	trustFlags
	budget   time.Duration
	seed     uint64
	verdicts int
	status   bool
}

func (a *app) trustSoak() *cobra.Command {
	var f soakFlags
	c := &cobra.Command{
		Use:         "soak",
		Annotations: brings("--status"),
		Short:       "Run healthy systems and harmless faults over and over, and count false alarms",
		Long: `soak runs scenarios in which nothing happens that a user could notice, one after
another, and appends each verdict to soak.jsonl in the folder, with its seed. It ends at
the budget, at the number of verdicts, or at an interrupt, and goes on where it was when
it is called again. It then prints the count so far, by verdict, and the share of false
alarms that is not exceeded with 95 % confidence (the exact bound of Clopper and
Pearson). Whoever has found the cause of one that did not pass writes it into the line,
as "explained".

Exit codes, of all lines of the file that are not explained: 0 all passed, 1 one failed,
2 usage, 3 one had no verdict, or there is none yet, 4 error, 5 one was dirty.`,
		Example: "  hachaos trust soak --budget 14m\n  hachaos trust soak --verdicts 200 --dir docs/trust\n  hachaos trust soak --status --dir docs/trust",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if f.verdicts < 0 {
				return usage("--verdicts %d: want 0 or more", f.verdicts)
			}
			if err := budgetOf(f.budget); err != nil {
				return err
			}
			var failed error
			if !f.status {
				failed = a.soak(c.Context(), f)
			}
			return a.endSeries(failed, func() error { return a.printSoak(f.trustFlags) })
		},
	}
	f.add(c)
	f.addForms(c)
	c.Flags().DurationVar(&f.budget, "budget", 0, "stop between two runs once this long has passed, such as 14m (0: never)")
	c.Flags().IntVar(&f.verdicts, "verdicts", 0, "stop once the file has that many verdicts (0: never)")
	c.Flags().Uint64Var(&f.seed, "seed", 0, "seed that the runs' seeds follow from (0: a random one); each is printed")
	c.Flags().BoolVar(&f.status, "status", false, "print the count so far, and run nothing")
	return c
}

// endSeries prints where things stand, after whatever happened before. What
// failed decides the exit code.
func (a *app) endSeries(failed error, status func() error) error {
	if failed != nil && !errors.Is(failed, harness.ErrDirty) {
		return failed
	}
	return errors.Join(failed, status())
}

func (a *app) soak(ctx context.Context, f soakFlags) error {
	base := f.seed
	if base == 0 {
		base = 1 + rand.Uint64N(1<<53-1)
	}
	fmt.Fprintf(a.err, "soak with seed %d\n", base)
	return a.carryOutSeries(ctx, f.dir, f.budget, func(session *wiring.Session, store campaign.Store, says func([]string, string)) (*trust.Series, error) {
		runner := &suite.Runner{Run: a.rendered(session), Topologies: a.keeper(session, store.Runs())}
		return soakSeries(f.file(soakFile), base, f.verdicts, runner, says)
	})
}

// soakSeries is the series of harmless runs whose records go to the file at
// path; it ends when that has so many verdicts (0: never).
func soakSeries(path string, base uint64, verdicts int, runner *suite.Runner, says func([]string, string)) (*trust.Series, error) {
	all, err := trust.ReadFile[trust.Alarm](path)
	if err != nil {
		return nil, err
	}
	return &trust.Series{
		Runner: runner,
		Next: func() (suite.Job, bool) {
			return trust.NextHarmless(all, base), verdicts == 0 || trust.SumUp(all).Given() < verdicts
		},
		Keep: func(_ suite.Job, run suite.Entry) (bool, error) {
			alarm := trust.AlarmOf(run.Run, wiring.Machine())
			if run.Dirty && !alarm.Dirty { // the result does not say so
				alarm.Dirty, alarm.Reason = true, run.Reason
			}
			passed := alarm.Verdict == harness.VerdictPass && !alarm.Dirty
			if !passed {
				alarm.Folder = filepath.Join("runs", filepath.Base(run.Dir))
			}
			if err := alarm.Append(path); err != nil {
				return true, err
			}
			all = append(all, alarm)
			says(run.Notes, lineOf(run, alarm.Reason))
			return !passed, nil
		},
	}, nil
}

func (a *app) printSoak(f trustFlags) error {
	all, err := trust.ReadFile[trust.Alarm](f.file(soakFile))
	if err != nil {
		return err
	}
	a.code = trust.ExitCode(all)
	sum := trust.SumUp(all)
	if f.asJSON {
		return writeJSON(a.out, map[string]any{
			"runs": sum.Runs, "passed": sum.Passed, "false": sum.False, "doubts": sum.Doubts, "unexplained": sum.Unexplained,
			"verdicts": sum.Given(), "upperBound": trust.UpperBound(sum.False, sum.Given()),
		})
	}
	grid, notes := soakGrid(all)
	if f.markdown {
		return report.SheetMarkdown(a.out, report.Sheet{Title: "Soak", Sections: []report.SheetSection{soakSection(all)}})
	}
	if err := report.GridTable(a.out, grid, a.tableOptions(), 28, 8, 8, 14); err != nil {
		return err
	}
	for _, n := range notes {
		fmt.Fprintln(a.out, report.Clean(n))
	}
	_, err = fmt.Fprintln(a.out, sum)
	return err
}

// soakByVersion counts by the version of hachaos, in the order of their first runs; of
// one alone there is nothing to be said.
func soakByVersion(all []trust.Alarm) []string {
	var order []string
	of := map[string][]trust.Alarm{}
	for _, alarm := range all {
		if of[alarm.Version] == nil {
			order = append(order, alarm.Version)
		}
		of[alarm.Version] = append(of[alarm.Version], alarm)
	}
	if len(order) < 2 {
		return nil
	}
	var out []string
	for _, version := range order {
		sum := trust.SumUp(of[version])
		out = append(out, fmt.Sprintf("hachaos %s: runs: %d; passed: %d; false alarms: %d; without a verdict: %d", version, sum.Runs, sum.Passed, sum.False, sum.Doubts))
	}
	return out
}

// soakGrid counts by scenario, and tells of each run that did not pass.
func soakGrid(all []trust.Alarm) (report.Grid, []string) {
	g := report.Grid{Head: []string{"scenario", "runs", "passed", "false alarms", "no verdict"}}
	for _, s := range trust.Harmless() {
		var own []trust.Alarm
		for _, alarm := range all {
			if alarm.Scenario == s.Name {
				own = append(own, alarm)
			}
		}
		sum := trust.SumUp(own)
		g.Rows = append(g.Rows, []string{s.Name, strconv.Itoa(sum.Runs), strconv.Itoa(sum.Passed), strconv.Itoa(sum.False), strconv.Itoa(sum.Doubts)})
	}
	notes := soakByVersion(all)
	for _, alarm := range all {
		if alarm.Verdict == harness.VerdictPass && !alarm.Dirty {
			continue
		}
		word := string(alarm.Verdict)
		if alarm.Dirty {
			word += ", dirty"
		}
		why := "not explained yet"
		if alarm.Explained != "" {
			why = "explained: " + alarm.Explained
		}
		notes = append(notes, fmt.Sprintf("%s, seed %d, hachaos %s, %s: %s: %s %s", alarm.Scenario, alarm.Seed, alarm.Version,
			alarm.At.UTC().Format("2006-01-02 15:04 UTC"), word, trust.Stable(alarm.Reason), why))
	}
	return g, notes
}
