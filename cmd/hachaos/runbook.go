package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/gameday"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/report"
	"github.com/hachaos/hachaos/runbook"
	"github.com/hachaos/hachaos/scenarios"
	"github.com/hachaos/hachaos/topology"
)

func (a *app) runbookCmd() *cobra.Command {
	c := &cobra.Command{
		Use:   "runbook",
		Short: "Look at runbooks, and prove them: Markdown documents that a person can follow",
		Long: `A runbook is a Markdown document that a person can follow as it stands, with a few
conventions: see docs/runbooks.md. Those that come with hachaos are in the folder runbooks.`,
		Example: "  hachaos runbook lint runbooks/*.md",
	}
	group(c)
	c.AddCommand(a.runbookLint(), a.runbookRun(), a.runbookVerify(), a.runbookDrill(), a.runbookCampaign(), a.runbookCheck())
	return c
}

// oneRunbook wants the file of one runbook.
func oneRunbook(c *cobra.Command, files []string) error {
	if len(files) != 1 {
		return usage("%s wants one file, such as runbooks/node-lost.md: see '%s --help'", c.CommandPath(), c.CommandPath())
	}
	return nil
}

// someRunbooks wants the file of at least one.
func someRunbooks(c *cobra.Command, files []string) error {
	if len(files) == 0 {
		return usage("%s wants files, such as runbooks/*.md: see '%s --help'", c.CommandPath(), c.CommandPath())
	}
	return nil
}

func completeRunbooks(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"md"}, cobra.ShellCompDirectiveFilterFileExt
}

func (a *app) runbookLint() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "lint FILE…",
		Short: "Say what is wrong with runbooks, each thing with its line",
		Long: `lint reads runbooks and says what is wrong with them: what cannot be read (syntax), broken
references, commands that are not there, no expected result, destructive steps without a
guard, hosts and secrets written out, no rollback, no owner, no review or an overdue one.
It runs nothing, and needs no engine. docs/runbooks.md lists the rules.

Exit codes: 0 nothing was found, 1 something was, 2 usage.`,
		Example: `  hachaos runbook lint runbooks/node-lost.md
  hachaos runbook lint --json runbooks/*.md | jq -r '.[].rule' | sort | uniq -c`,
		Args: someRunbooks,
		RunE: func(_ *cobra.Command, files []string) error {
			return a.lintRunbooks(files, time.Now(), asJSON)
		},
		ValidArgsFunction: completeRunbooks,
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// foundIn is one line of `runbook lint --json`.
type foundIn struct {
	File string `json:"file"`
	runbook.Finding
}

// lintRunbooks says what is wrong with the files on the day of now.
func (a *app) lintRunbooks(files []string, now time.Time, asJSON bool) error {
	all, errs := []foundIn{}, []error{}
	for _, file := range files {
		found, err := lintRunbook(file, now)
		if err != nil {
			errs = append(errs, err)
		}
		for _, f := range found {
			all = append(all, foundIn{file, f})
		}
	}
	if err := errors.Join(errs...); err != nil {
		return usageError{err}
	}
	if len(all) > 0 {
		a.code = 1
	}
	if asJSON {
		return writeJSON(a.out, all)
	}
	for _, f := range all {
		fmt.Fprintf(a.out, "%s:%d: %s: %s\n", report.Clean(f.File), f.Line, f.Rule, report.Clean(f.Text))
	}
	if len(all) == 0 {
		fmt.Fprintf(a.err, "hachaos: nothing found in %s\n", report.Clean(strings.Join(files, ", ")))
	}
	return nil
}

// lintRunbook are the findings of one file; what cannot be read in it is one.
func lintRunbook(file string, now time.Time) ([]runbook.Finding, error) {
	text, err := readAtMost(file, runbook.MaxSize+1)
	if err != nil {
		return nil, err
	}
	book, err := runbook.Parse(file, text)
	if bad, ok := errors.AsType[runbook.Errors](err); ok {
		var found []runbook.Finding
		for _, e := range bad {
			found = append(found, runbook.Finding{Line: e.Line, Rule: "syntax", Text: e.Text})
		}
		return found, nil
	}
	if err != nil {
		return nil, err
	}
	return runbook.Lint(book, builtIn(file), now), nil
}

// ofPaper are the rules whose findings keep no document from being carried out.
// Where a person is asked and nobody answers, its run says so.
var ofPaper = []string{"title", "owner", "reviewed", "section", "said", "link", "host", "answer"}

// sound refuses a document in which lint finds more than that.
func sound(file string, d *runbook.Runbook) error {
	for _, finding := range runbook.Lint(d, builtIn(file), time.Now()) {
		if !slices.Contains(ofPaper, finding.Rule) {
			return usage("%s:%d: %s: %s ('hachaos runbook lint' has all findings)", file, finding.Line, finding.Rule, finding.Text)
		}
	}
	return nil
}

// builtIn is what a runbook in that file is held against: the built-in
// scenarios and topology, and the files around it.
func builtIn(file string) runbook.Known {
	return runbook.Known{
		Incident: func(name string, set map[string]string) error {
			s, err := scenarios.Lookup(name)
			if err != nil {
				return err
			}
			return (&harness.Runner{}).Validate(s, harness.Options{Set: set})
		},
		Places: runbook.JettyHA(),
		Nodes:  nodeNames(topology.JettyHA()),
		Inputs: runbook.JettyHAInputs(),
		Alerts: runbook.JettyHAAlerts(),
		Open: func(path string) ([]byte, error) {
			path = filepath.Join(filepath.Dir(file), filepath.FromSlash(path))
			if info, err := os.Stat(path); err != nil || info.IsDir() {
				return nil, err
			}
			return readAtMost(path, 1<<20)
		},
	}
}

// nodeNames are the names that nodes of a topology can have.
func nodeNames(d topology.Definition) []string {
	plan, err := d.Plan(topology.Options{Nodes: gameday.MostNodes})
	if err != nil {
		return nil
	}
	spec, err := plan(netip.MustParsePrefix("198.18.0.0/24"))
	if err != nil {
		return nil
	}
	var names []string
	for _, n := range spec.Nodes {
		names = append(names, n.Name)
	}
	return names
}

// readAtMost reads the beginning of a file.
func readAtMost(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return text, nil
}
