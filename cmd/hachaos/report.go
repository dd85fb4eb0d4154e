package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/report"
	"github.com/hachaos/hachaos/suite"
)

func (a *app) reportCmd() *cobra.Command {
	var write []string
	c := &cobra.Command{
		Use:         "report DIR",
		Annotations: offline(),
		Short:       "Render the reports of a run or a suite again",
		Long: `report judges a run's folder again, or each run's of a suite, and writes the reports
in it anew: report.html (of a suite suite.html), junit.xml, summary.md and metrics.prom.
It needs no engine.

Formats of --write:
` + aboutFormats() + `
The exit code is 0 whatever the verdict is; 'hachaos check' has the verdict's.`,
		Example: `  hachaos report runs/20261120T081500Z-instance-kill-1a2b3c4d
  hachaos report runs/20261120T081500Z-instance-kill-1a2b3c4d --write github=-
  hachaos report runs/20261120T081500Z-suite-5e6f7a8b --write openmetrics=hachaos.om --write grafana=marks.jsonl`,
		Args: oneArg("the folder of a run or a suite"),
		RunE: func(c *cobra.Command, args []string) error {
			list, err := outputsOf(write, false)
			if err != nil {
				return err
			}
			if exists(filepath.Join(args[0], suite.File)) {
				return a.reportSuite(c.Context(), args[0], list)
			}
			return a.reportRun(c.Context(), args[0], list)
		},
		ValidArgsFunction: completeDirs,
	}
	addWrite(c, &write)
	return c
}

func (a *app) reportRun(ctx context.Context, dir string, list outputs) error {
	r, h, err := judge(ctx, dir)
	if err != nil {
		return err
	}
	if err := report.Write(dir, r, h); err != nil {
		return err
	}
	if err := a.writeRun(list, r, h); err != nil {
		return err
	}
	return a.tellPage(list, filepath.Join(dir, report.HTMLFile))
}

func (a *app) reportSuite(ctx context.Context, dir string, list outputs) error {
	s, err := judgeSuite(ctx, dir)
	if err != nil {
		return err
	}
	if err := report.WriteSuiteReports(dir, s); err != nil {
		return err
	}
	if err := a.writeSuite(list, s); err != nil {
		return err
	}
	return a.tellPage(list, filepath.Join(dir, report.SuiteHTMLFile))
}

// tellPage tells the page to open, if standard output has nothing else.
func (a *app) tellPage(list outputs, page string) error {
	if list.onStdout() {
		return nil
	}
	_, err := fmt.Fprintln(a.out, page)
	return err
}

// judgeSuite reads a suite's folder and judges its runs again; one whose folder
// is gone is a usage error.
func judgeSuite(ctx context.Context, dir string) (*suite.Result, error) {
	path := filepath.Join(dir, suite.File)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, usage("%v", err)
	}
	var s suite.Result
	if err := json.Unmarshal(b, &s); err != nil || s.Schema != suite.Schema {
		return nil, usage("%s is not a suite's result, or one of another version of hachaos", path)
	}
	for i := range s.Entries {
		e := &s.Entries[i]
		if e.Dir == "" {
			continue
		}
		if !filepath.IsLocal(filepath.FromSlash(e.Dir)) {
			return nil, usage("%s: the folder %q of a run is not in the suite's", path, e.Dir)
		}
		e.Dir = filepath.Join(dir, filepath.FromSlash(e.Dir))
		r, _, err := judge(ctx, e.Dir)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
		if r.Verdict != e.Verdict {
			e.Reason = r.Reason
		}
		e.Run, e.Verdict, e.Dirty = r, r.Verdict, e.Dirty || r.Dirty
	}
	s.Spreads = suite.Spreads(s.Entries)
	return &s, nil
}
