package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/audit"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/report"
	"github.com/hachaos/hachaos/scenarios"
	"github.com/hachaos/hachaos/suite"
	"github.com/hachaos/hachaos/topology"
)

// auditFlags are those of audit.
type auditFlags struct {
	runFlags
	from string
	out  string
}

func (a *app) auditCmd() *cobra.Command {
	var f auditFlags
	c := &cobra.Command{
		Use:         "audit [ITEM…]",
		Annotations: brings("--from"),
		Short:       "Fill in the checklists and review questions by what runs show",
		Long: `audit runs the scenarios behind each item of the checklists and review questions of
the course on high availability that hachaos was made from (document 003 of
docs/catalogue.md, §28 to §30), and fills the lists in: yes, where
every assertion that answers the item was tested in a run and held; no, where one was
violated, with the value to change; not shown, with the reason, for all else. Nothing is
yes without a run.

ITEM is a place in the lists, such as 29.3 or 30.7; without one, all of them are filled
in, by some fifty runs of about a minute each. The folder of the suite gets ` + report.AuditMarkdownFile + ` and
` + report.AuditHTMLFile + `, beside the reports of its runs.

With --from, nothing is run: the lists are filled in from the folder of a suite, or of a
campaign, which can be broken off and taken up again ('hachaos campaign run').

Exit codes: 0 all that is asked is so, 1 something is not, 2 usage, 3 something that is
asked is not shown, 4 error, 5 dirty. What nothing asks counts for none of them.`,
		Example: `  hachaos audit 30.2 30.7
  hachaos audit --profile documented
  hachaos audit --from runs/20261120T081500Z-suite-5e6f7a8b
  hachaos audit --from docs/campaign --out docs/audit`,
		RunE: func(c *cobra.Command, places []string) error { return a.audit(c.Context(), places, f) },
	}
	f.topologyFlags.add(c)
	c.Flags().StringVar(&f.from, "from", "", "fill the lists in from this folder of a suite or a campaign, and run nothing")
	c.Flags().StringVar(&f.out, "out", "", "write the pages here, with the endings .md and .html (default: audit in the suite's folder; with --from, nowhere)")
	c.Flags().Uint64Var(&f.seed, "seed", 0, "seed of all that is drawn (0: a random one, printed)")
	c.Flags().BoolVar(&f.short, "short", false, "the scenarios' short forms")
	c.Flags().StringVar(&f.dir, "dir", runsDir, "where the suite's folder goes")
	c.Flags().BoolVar(&f.json, "json", false, "print JSON on standard output, and nothing else there")
	return c
}

// audited is an audit as --json prints it.
type audited struct {
	Schema   string          `json:"schema"`
	System   string          `json:"system"`
	Sections []audit.Section `json:"sections"`
	Runs     []audit.Run     `json:"runs"`
}

const auditSchema = "hachaos.audit/1"

func (a *app) audit(ctx context.Context, places []string, f auditFlags) error {
	lists, unknown := audit.Choose(audit.Lists(), places)
	if len(unknown) > 0 {
		return usage("no item of the lists is at %s: want places such as 29.3 or 30.7, as docs/catalogue.md has them", strings.Join(unknown, ", "))
	}
	f.repeat = 1
	if f.out != "" {
		if err := writable("--out "+f.out, f.out+".md"); err != nil {
			return err
		}
	}
	var (
		from provenance
		runs []audit.Run
		err  error
	)
	if f.from != "" {
		runs, err = a.auditedFolder(ctx, &f, &from)
	} else {
		runs, err = a.auditedNow(ctx, lists, &f, &from)
	}
	if runs == nil && err != nil {
		return err
	}
	out := audited{Schema: auditSchema, System: f.system(), Sections: audit.Fill(lists, runs), Runs: behind(lists, runs)}
	a.code = worse(a.code, auditCode(out.Sections))
	if f.out != "" {
		err = errors.Join(err, a.auditPages(f, from.String(), places, out))
	}
	return errors.Join(err, a.printAudit(out, f.json))
}

// auditedNow runs what the lists rest on. What left something behind is in the
// exit code at once.
func (a *app) auditedNow(ctx context.Context, lists []audit.List, f *auditFlags, from *provenance) ([]audit.Run, error) {
	names := audit.Scenarios(lists)
	if len(names) == 0 {
		return []audit.Run{}, nil
	}
	list, err := scenarios.Choose(names, nil)
	if err != nil {
		return nil, err
	}
	m, err := a.makeSuite(ctx, list, nil, f.runFlags)
	if m == nil {
		return nil, err
	}
	if f.out == "" {
		f.out = filepath.Join(m.dir, strings.TrimSuffix(report.AuditHTMLFile, ".html"))
	}
	from.add(m.Version, wiring.Machine(), m.StartedAt)
	if code := m.ExitCode(); code == harness.ExitDirty || code == harness.ExitError {
		a.code = code
	}
	runs := audit.OfSuite(m.Result)
	if runs == nil {
		runs = []audit.Run{}
	}
	return runs, err
}

// auditedFolder reads the runs of a suite or of a campaign.
func (a *app) auditedFolder(ctx context.Context, f *auditFlags, from *provenance) ([]audit.Run, error) {
	if len(f.set) > 0 || len(f.images) > 0 || f.nodes != 0 || f.short || f.seed != 0 || f.subnet != "" || f.dir != runsDir {
		return nil, usage("--from runs nothing: --set, --image, --nodes, --short, --seed, --subnet and --dir are of no use with it")
	}
	if exists(filepath.Join(f.from, suite.File)) {
		s, err := judgeSuite(ctx, f.from)
		if err != nil {
			return nil, err
		}
		if err := f.ofSuite(s); err != nil {
			return nil, err
		}
		from.add(s.Version, "a machine that the suite does not name", s.StartedAt)
		return append([]audit.Run{}, audit.OfSuite(s)...), nil
	}
	if !exists(filepath.Join(f.from, "items")) {
		return nil, usage("%s is the folder of neither a suite nor a campaign", f.from)
	}
	entries, err := a.entries(nil, campaignFlags{dir: f.from, profile: f.profile})
	if err != nil {
		return nil, err
	}
	runs := append([]audit.Run{}, audit.OfCampaign(entries)...)
	for _, e := range entries {
		if audit.Counts(e) {
			from.add(e.Record.Version, e.Record.Machine, e.Record.StartedAt)
		}
	}
	return runs, nil
}

// ofSuite takes over what the suite's runs were made on, which must be one system.
func (f *auditFlags) ofSuite(s *suite.Result) error {
	profile := ""
	for _, e := range s.Entries {
		if e.Run == nil {
			continue
		}
		if profile != "" && e.Run.Profile != profile {
			return usage("%s has runs on the profiles %s and %s: an audit is of one system", f.from, profile, e.Run.Profile)
		}
		before := f.system()
		f.of(e.Command)
		if profile != "" && f.system() != before {
			return usage("%s has runs of systems that differ, as %q does: an audit is of one", f.from, e.Command)
		}
		profile = e.Run.Profile
	}
	if f.profile != "" && f.profile != profile {
		return usage("--profile %s: the runs of %s are on %s", f.profile, f.from, profile)
	}
	f.profile = profile
	return nil
}

// of takes over what a run's command says of the system that it was made on.
func (f *auditFlags) of(command string) {
	f.set, f.images, f.nodes, f.short = nil, nil, 0, false
	words := strings.Fields(command)
	for i, word := range words {
		switch {
		case word == "--short":
			f.short = true
		case i+1 == len(words):
		case word == "--set":
			f.set = append(f.set, words[i+1])
		case word == "--image":
			f.images = append(f.images, words[i+1])
		case word == "--nodes":
			f.nodes, _ = strconv.Atoi(words[i+1]) // 0 is what it is by default
		}
	}
}

// behind are the runs that the lists rest on.
func behind(lists []audit.List, runs []audit.Run) []audit.Run {
	asked := audit.Scenarios(lists)
	return slices.DeleteFunc(slices.Clone(runs), func(r audit.Run) bool { return !slices.Contains(asked, r.Scenario) })
}

// system says in words what is audited.
func (f *auditFlags) system() string {
	def := topology.All()[0]
	profile := f.profile
	if profile == "" {
		profile = def.Profiles[0]
	}
	text := fmt.Sprintf("%s, profile %s", def.Name, profile)
	if f.nodes != 0 {
		text += fmt.Sprintf(", %d nodes", f.nodes)
	}
	for _, s := range slices.Concat(f.set, f.images) {
		text += ", " + s
	}
	if f.short {
		text += ", short forms"
	}
	return text
}

// auditCode is the exit code of the answers. What nothing asks does not count.
func auditCode(sections []audit.Section) int {
	code := harness.ExitPass
	for _, s := range sections {
		for _, f := range s.Findings {
			switch {
			case f.Answer == audit.No:
				return harness.ExitFail
			case f.Answer == audit.NotShown && len(f.Evidence) > 0:
				code = harness.ExitInconclusive
			}
		}
	}
	return code
}

// worse is the first of two exit codes, unless it says nothing bad.
func worse(first, second int) int {
	if first != harness.ExitPass {
		return first
	}
	return second
}

func (a *app) auditPages(f auditFlags, from string, places []string, out audited) error {
	words := append([]string{"hachaos", "audit"}, places...)
	if f.from != "" {
		words = append(words, "--from", report.ShellWord(f.from))
	}
	if f.from == "" {
		words = append(words, strings.Fields(a.command("", f.runFlags))[2:]...)
	} else if f.profile != "" {
		words = append(words, "--profile", f.profile)
	}
	page := report.AuditSheet(out.System, from, strings.Join(words, " "), out.Sections, out.Runs)
	for ending, write := range map[string]func(io.Writer, report.Sheet) error{".md": report.SheetMarkdown, ".html": report.SheetHTML} {
		path := f.out + ending
		if err := report.Replace(path, func(w io.Writer) error { return write(w, page) }); err != nil {
			return err
		}
		fmt.Fprintln(a.err, "hachaos: wrote", path)
	}
	return nil
}

// printAudit prints the answers for people, or as JSON.
func (a *app) printAudit(out audited, asJSON bool) error {
	if asJSON {
		return writeJSON(a.out, out)
	}
	if err := report.GridTable(a.out, report.AuditGrid(out.Sections), a.tableOptions(), 9, 14, 36); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.out, "%s: %s\n", report.Clean(out.System), audit.Totals(out.Sections))
	return err
}
