package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/campaign"
	"github.com/hachaos/hachaos/gameday"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/report"
	"github.com/hachaos/hachaos/runbook"
)

// checksFlags are those of `runbook check`.
type checksFlags struct {
	documents []string
	dir, page string
	budget    time.Duration
	status    bool
	short     bool
}

func (a *app) runbookCheck() *cobra.Command {
	var f checksFlags
	c := &cobra.Command{
		Use:   "check --checks FILE[,FILE…] RUNBOOK…",
		Short: "Compare what health checks say with what is so, during the runbooks' incidents",
		Long: `check brings about the incident of each runbook under load, waits until the runbook's own checks
show its symptom, and carries out the documents of checks (kind: checks, see docs/runbooks.md). What
each check says is compared with the states that it is taken to speak of, looked at right before and
after it; nobody mends anything. Once, it is done where nothing is wrong.

There is one result file an incident, named after a hash of all that it depends on. An incident whose
file is there is not brought about again. --page writes the page of what there is.

Exit codes: 0 every document told of every incident, and none complained without a reason, 1 not so,
2 usage, 3 something is still to be run, 4 error, 5 dirty.`,
		Example: `  hachaos runbook check --checks runbooks/checks/cluster-health.md runbooks/*.md
  hachaos runbook check --status --dir docs/checks --checks runbooks/checks/cluster-health.md,runbooks/checks/common-issues.md runbooks/*.md`,
		Args: func(c *cobra.Command, files []string) error {
			if f.budget < 0 {
				return usage("--budget %v: want 0 or more", f.budget)
			}
			if len(f.documents) == 0 {
				return usage("--checks: name the documents of checks, such as runbooks/checks/cluster-health.md")
			}
			return someRunbooks(c, files)
		},
		RunE:              func(c *cobra.Command, files []string) error { return a.compareChecks(c.Context(), files, f) },
		ValidArgsFunction: completeRunbooks,
	}
	c.Flags().StringSliceVar(&f.documents, "checks", nil, "the documents of checks")
	c.Flags().StringVar(&f.dir, "dir", filepath.Join(".cache", "checks"), "the folder of the results")
	c.Flags().DurationVar(&f.budget, "budget", 0, "stop between two incidents once this long has passed, such as 20m (0: never)")
	c.Flags().BoolVar(&f.status, "status", false, "say where it stands, and run nothing")
	c.Flags().StringVar(&f.page, "page", "", "also write the page of what there is to this file")
	c.Flags().BoolVar(&f.short, "short", true, "the short form of the phases before the incident")
	return c
}

// checkedSchema names the version of checkedFile's JSON form.
const checkedSchema = "hachaos.checked/1"

// checkedFile is the result file of an incident.
type checkedFile struct {
	Schema string `json:"schema"`
	Hash   string `json:"hash"`
	gameday.Checked
	// Wrong of Users operations went wrong that were due while the checks were made.
	Users int `json:"users"`
	Wrong int `json:"wrong"`

	Before  int           `json:"before"` // runs that could not be judged by
	At      time.Time     `json:"at"`
	Took    time.Duration `json:"took"`
	Version string        `json:"version"`
	Machine string        `json:"machine"`
}

// checkItem is an incident with what there is of it.
type checkItem struct {
	name   string
	check  gameday.Check
	hash   string
	path   string
	result *checkedFile // nil: none
}

func (i *checkItem) decided() bool { return i.result != nil && (i.result.Dirty || i.result.Decided()) }

// nameNothing is the item in which nothing is wrong.
const nameNothing = "nothing-wrong"

// checkItems are one an incident; in the first, nothing is wrong.
func checkItems(files []string, f checksFlags) ([]*checkItem, error) {
	documents, texts, err := readChecks(f.documents)
	if err != nil {
		return nil, err
	}
	depends, err := dependencies(runtime.Version())
	if err != nil {
		return nil, err
	}
	programs, err := gameday.Fingerprint()
	if err != nil {
		return nil, err
	}
	var items []*checkItem
	add := func(name, file string, control gameday.Control) error {
		book, incident, opts, err := incidentOf(file, topologyFlags{}, 0, f.short)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		of, err := proofDepends([]gameday.Incident{{Scenario: incident, Set: opts.Set}}, opts, depends)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%v\n%s\n%s\n%s", programs, of, f.short, control, text, texts))
		hash := hex.EncodeToString(sum[:])[:16]
		items = append(items, &checkItem{
			name: name, hash: hash, path: filepath.Join(f.dir, campaign.Slug(name)+"."+hash+".json"),
			check: gameday.Check{Trial: gameday.Trial{Book: book, Incident: incident, Options: opts, Control: control}, Documents: documents},
		})
		return nil
	}
	if err := add(nameNothing, files[0], gameday.OnHealthy); err != nil {
		return nil, err
	}
	for _, file := range files {
		if err := add(strings.TrimSuffix(filepath.Base(file), ".md"), file, ""); err != nil {
			return nil, err
		}
	}
	return items, rereadChecks(items)
}

// readChecks reads documents of checks that can be carried out, with their texts.
func readChecks(files []string) (documents []*runbook.Runbook, texts string, err error) {
	for _, file := range files {
		d, err := readRunbook(file)
		if err != nil {
			return nil, "", err
		}
		if !d.Front.Checks {
			return nil, "", usage("%s is a runbook: --checks wants documents of checks, whose front matter says kind: checks", file)
		}
		for _, finding := range runbook.Lint(d, builtIn(file), time.Now()) {
			if finding.Rule == "check" || finding.Rule == "state" {
				return nil, "", usage("%s:%d: %s", file, finding.Line, finding.Text)
			}
		}
		for _, p := range gameday.Whole(d) {
			for _, b := range p.Blocks {
				if e, ok := b.(*runbook.Expect); ok && !gameday.CanLook(e.State) {
					return nil, "", usage("%s:%d: there is no state %s: docs/runbooks.md has them", file, e.Line, e.State)
				}
			}
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, "", err
		}
		documents, texts = append(documents, d), texts+fmt.Sprintf("%s %d\n%s", file, len(text), text)
	}
	return documents, texts, nil
}

// rereadChecks reads what there is of the items.
func rereadChecks(items []*checkItem) error {
	for _, i := range items {
		result, err := readItem[checkedFile](i.path, checkedSchema)
		if err != nil {
			return err
		}
		i.result = result
	}
	return nil
}

func (a *app) compareChecks(ctx context.Context, files []string, f checksFlags) error {
	if f.page != "" {
		if err := writable("--page "+f.page, f.page); err != nil {
			return err
		}
	}
	items, err := checkItems(files, f)
	if err != nil {
		return err
	}
	var failed error
	if !f.status {
		failed = runItems(ctx, a, f.dir, f.budget, items, rereadChecks, func(n int, session *wiring.Session) error {
			return a.oneCheck(ctx, items[n], session, n, len(items))
		})
	}
	a.code = checksCode(items)
	sheet := checksSheet(items, f.documents)
	if f.page != "" {
		failed = errors.Join(failed, report.Replace(f.page, func(w io.Writer) error { return report.SheetMarkdown(w, sheet) }))
	}
	return errors.Join(failed, a.printChecked(sheet))
}

// oneCheck brings an incident about once. What an interrupt met is kept only if it
// is dirty.
func (a *app) oneCheck(ctx context.Context, i *checkItem, session *wiring.Session, n, of int) error {
	began := time.Now()
	i.check.Runner = *session.Runner
	c, err := i.check.Run(ctx)
	if err != nil && c == nil {
		return asUsage(fmt.Errorf("%s: %w", i.name, err))
	}
	if ctx.Err() != nil && !c.Dirty {
		return nil
	}
	r := &checkedFile{
		Schema: checkedSchema, Hash: i.hash, Checked: *c,
		At: began.UTC().Truncate(time.Second), Took: time.Since(began), Version: buildVersion(), Machine: machine(),
	}
	if i.result != nil {
		r.Before = i.result.Before + 1
	}
	if c.Decided() {
		_, h, err := judge(ctx, c.Dir)
		if err != nil {
			return fmt.Errorf("%s: %w", i.name, err)
		}
		r.Wrong, r.Users = report.UsersBetween(h, c.From, c.To)
	}
	i.result = r
	fmt.Fprintf(a.err, "[%d/%d] %-20s %4.0fs  %s\n", n+1, of, report.Clean(i.name), r.Took.Seconds(), report.Clean(i.said()))
	return errors.Join(err, keepItem(i.path, r))
}

// said is where an item stands, in a line.
func (i *checkItem) said() string {
	r := i.result
	switch {
	case r == nil:
		return "to be run"
	case r.Dirty:
		return "it left something behind: " + r.Reason
	case r.BrokenOff != "":
		return "broken off: " + r.BrokenOff
	case r.NoSymptom != "":
		return "no symptom: " + r.NoSymptom
	case !r.Decided():
		return "it could not be judged by: " + r.Reason
	}
	blind := 0
	for _, s := range r.Said {
		if s.Worth() == gameday.Blind {
			blind++
		}
	}
	return fmt.Sprintf("%d checks; %d say that all is well where it is not", len(r.Said), blind)
}

// well says whether a document said what it should.
func (i *checkItem) well(document string) bool {
	if i.check.Control == gameday.OnHealthy {
		return i.result.Sight(document) == gameday.Unnoticed
	}
	return i.result.Sight(document) == gameday.Seen
}

// checksCode is the exit code of where it stands.
func checksCode(items []*checkItem) int {
	code := harness.ExitPass
	for _, i := range items {
		switch {
		case i.result != nil && i.result.Dirty:
			return harness.ExitDirty
		case !i.decided():
			code = harness.ExitInconclusive
		case code == harness.ExitPass && slices.ContainsFunc(i.check.Documents, func(d *runbook.Runbook) bool { return !i.well(d.Name) }):
			code = harness.ExitFail
		}
	}
	return code
}

// checksSheet is the page of what there is.
func checksSheet(items []*checkItem, files []string) report.Sheet {
	var from provenance
	for _, i := range items {
		if i.decided() {
			from.add(i.result.Version, i.result.Machine, i.result.At)
		}
	}
	sheet := report.Sheet{
		Title: "Health checks, held against the truth",
		About: "Written by 'hachaos runbook check --page' from its result files; not to be edited by hand. " +
			"While each incident lasted, under load, the checks were carried out, and the states of docs/runbooks.md were looked at right before and after each of them. " +
			"An incident is seen if a check complains of what is missing. A check is blind if it says that all is well and a state is missing that it is taken to speak of.",
	}
	for _, file := range files {
		sheet.Sections = append(sheet.Sections, checksSection(items, file, from.String()))
	}
	return sheet
}

// checksSection is what there is of one document.
func checksSection(items []*checkItem, document, from string) report.SheetSection {
	s := report.SheetSection{
		Title: document, Provenance: from, Command: "make checks",
		Grid: report.Grid{Head: []string{"incident", "what was missing", "users", "told", "complaints that are right", "blind"}},
	}
	seen, of, alarms := 0, 0, 0
	for _, i := range items {
		if i.check.Documents != nil && s.About == "" {
			for _, d := range i.check.Documents {
				if d.Name == document {
					s.About = d.Front.Title + "."
				}
			}
		}
		if !i.decided() || i.result.Dirty {
			s.Notes = append(s.Notes, i.name+": "+i.said())
			continue
		}
		if i.check.Control != gameday.OnHealthy {
			of++
			if i.well(document) {
				seen++
			}
		} else if !i.well(document) {
			alarms++
		}
		s.Grid.Rows = append(s.Grid.Rows, checksRow(i, document))
		s.Notes = append(s.Notes, checksNotes(i, document)...)
	}
	s.Said = fmt.Sprintf("%d of %d incidents are seen", seen, of)
	if alarms > 0 {
		s.Said += ", and it complains where nothing is wrong"
	}
	s.Said += "."
	return s
}

// checksRow is an incident's row.
func checksRow(i *checkItem, document string) []string {
	var missing, right, blind []string
	for _, t := range i.result.Truth {
		switch {
		case t.Missed > 0 && t.Held == 0:
			missing = append(missing, t.State)
		case t.Missed > 0:
			missing = append(missing, t.State+" at times")
		}
	}
	for _, s := range i.result.Said {
		switch {
		case s.Document != document:
		case s.Worth() == gameday.Blind:
			blind = append(blind, s.Check)
		case s.Worth() == gameday.Right && s.Complaint != "":
			right = append(right, s.Check)
		}
	}
	orNone := func(list []string) string { return cmp.Or(strings.Join(list, "; "), "-") }
	told := string(i.result.Sight(document))
	if i.check.Control == gameday.OnHealthy && told == string(gameday.Unnoticed) {
		told = "all is well, which is so"
	}
	return []string{i.name, orNone(missing), fmt.Sprintf("%d of %d operations went wrong", i.result.Wrong, i.result.Users), told, orNone(right), orNone(blind)}
}

// checksNotes are a document's complaints, and how long it took where that was long.
func checksNotes(i *checkItem, document string) []string {
	var out []string
	for _, s := range i.result.Said {
		if s.Document == document && s.Complaint != "" {
			out = append(out, fmt.Sprintf("%s: %s, after %s (%s): %s", i.name, s.Check, s.Took.Round(10*time.Millisecond), s.Worth(), strings.Join(strings.Fields(s.Complaint), " ")))
		}
	}
	return out
}

func (a *app) printChecked(sheet report.Sheet) error {
	for _, s := range sheet.Sections {
		if err := writeClean(a.out, s.Title+": "+s.Said+"\n"); err != nil {
			return err
		}
		if err := report.GridTable(a.out, s.Grid, a.tableOptions(), 20, 20, 18, 14, 20); err != nil {
			return err
		}
		if err := writeClean(a.out, strings.Join(s.Notes, "\n")+"\n"); err != nil {
			return err
		}
	}
	return nil
}
