package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/gameday"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/report"
	"github.com/hachaos/hachaos/runbook"
)

// checksFlags are those of `runbook check`.
type checksFlags struct {
	itemsFlags
	documents []string
}

func (a *app) runbookCheck() *cobra.Command {
	var f checksFlags
	c := &cobra.Command{
		Use:         "check --checks FILE[,FILE…] RUNBOOK…",
		Annotations: brings("--status"),
		Short:       "Compare what health checks say with what is so, during the runbooks' incidents",
		Long: `check brings about the incident of each runbook under load, waits until the runbook's own checks
show its symptom, and carries out the documents of checks (kind: checks, see docs/runbooks.md). What
each check says is compared with the states that it is taken to speak of, looked at right before and
after it; nobody mends anything. Once, it is done where nothing is wrong. Where the incident did not
last, or something was wrong that was not to be, there is no result.

There is one result file an incident, named after a hash of all that it depends on. An incident whose
file is there is not brought about again. --page writes the page of what there is.

Exit codes: 0 every document told of every incident, and none complained without a reason, 1 not so,
2 usage, 3 something is still to be run, 4 error, 5 dirty.`,
		Example: `  hachaos runbook check --checks runbooks/checks/cluster-health.md runbooks/*.md
  hachaos runbook check --status --dir docs/checks --checks runbooks/checks/cluster-health.md,runbooks/checks/common-issues.md runbooks/*.md`,
		Args: func(c *cobra.Command, files []string) error {
			if err := f.check(); err != nil {
				return err
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
	f.flags(c, filepath.Join(".cache", "checks"), "incidents")
	return c
}

// checkedSchema names the version of checkedFile's JSON form, and of how the users'
// operations in it are counted: it is part of the hash.
const checkedSchema = "hachaos.checked/2"

// checkedFile is the result file of an incident.
type checkedFile struct {
	Schema string `json:"schema"`
	Item   string `json:"item"`
	Hash   string `json:"hash"`
	gameday.Checked
	// Users are those of each round.
	Users []usersCount `json:"users"`
	// Short is why the machine was too short for that; empty is that it was not.
	Short string `json:"short,omitempty"`

	Before  int           `json:"before"` // runs that could not be judged by
	At      time.Time     `json:"at"`
	Took    time.Duration `json:"took"`
	Version string        `json:"version"`
	Machine string        `json:"machine"`
}

// usersCount says how many of the users' operations went wrong that were due while a
// document was carried out.
type usersCount struct {
	Wrong int `json:"wrong"`
	Of    int `json:"of"`
}

// undecided is why a result cannot be judged by; empty if it can.
func (r *checkedFile) undecided() string {
	switch {
	case r.Dirty:
		return "it left something behind: " + r.Reason
	case r.Undecided() != "":
		return r.Undecided()
	case r.Short != "":
		return r.Short
	case len(r.Users) != len(r.Rounds):
		return "what the users saw could not be read"
	}
	return ""
}

// checkItem is an incident with what there is of it.
type checkItem struct {
	itemFile
	check  gameday.Check
	result *checkedFile // nil: none
}

// decided says whether nothing but a change, or its removal, has it run again.
func (i *checkItem) decided() bool { return i.judged() || i.result != nil && i.result.Dirty }

// judged says whether it can be judged by.
func (i *checkItem) judged() bool { return i.result != nil && i.result.undecided() == "" }

// nameNothing is the item in which nothing is wrong.
const nameNothing = "nothing-wrong"

// checkItems are one an incident; in the first, nothing is wrong.
func checkItems(files []string, f checksFlags) ([]*checkItem, error) {
	documents, texts, err := readChecks(f.documents)
	if err != nil {
		return nil, err
	}
	depends, err := newItemsDepend()
	if err != nil {
		return nil, err
	}
	var items []*checkItem
	add := func(name, file string, healthy bool) error {
		b, err := readBook(file, f.short)
		if err != nil {
			return err
		}
		hash, err := depends.hash([]gameday.Incident{b.incident()}, b.trial.Options, checkedSchema, healthy, b.trial.Book.Text, texts)
		if err != nil {
			return err
		}
		items = append(items, &checkItem{
			itemFile: itemIn(f.dir, cmp.Or(name, b.name), hash),
			check:    gameday.Check{Book: b.trial.Book, Incident: b.trial.Incident, Options: b.trial.Options, Healthy: healthy, Documents: documents},
		})
		return nil
	}
	if err := add(nameNothing, files[0], true); err != nil {
		return nil, err
	}
	for _, file := range files {
		if err := add("", file, false); err != nil {
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
		if err := sound(file, d); err != nil {
			return nil, "", err
		}
		documents, texts = append(documents, d), texts+fmt.Sprintf("%s %d\n%s", file, len(d.Text), d.Text)
	}
	return documents, texts, nil
}

// rereadChecks reads what there is of the items.
func rereadChecks(items []*checkItem) error {
	var err error
	for _, i := range items {
		if i.result, err = readItem[checkedFile](i.itemFile, checkedSchema); err != nil {
			return err
		}
	}
	return nil
}

// again is the command that measures it anew.
func (f checksFlags) again(files []string) string {
	words := []string{"hachaos", "runbook", "check", "--dir", f.dir, "--checks", strings.Join(f.documents, ",")}
	words = append(words, files...)
	for i, w := range words {
		words[i] = report.ShellWord(w)
	}
	return strings.Join(words, " ")
}

func (a *app) compareChecks(ctx context.Context, files []string, f checksFlags) error {
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
	sheet := checksSheet(items, items[0].check.Documents, f.again(files))
	return errors.Join(failed, f.writePage(sheet), a.printChecked(sheet))
}

// oneCheck brings an incident about once. What an interrupt met is kept only if it
// is dirty, and then nothing more is run.
func (a *app) oneCheck(ctx context.Context, i *checkItem, session *wiring.Session, n, of int) error {
	began := time.Now()
	i.check.Runner = *session.Runner
	c, failed := i.check.Run(ctx)
	if c == nil {
		return asUsage(fmt.Errorf("%s: %w", i.name, failed))
	}
	if ctx.Err() != nil && !c.Dirty {
		return nil
	}
	r := &checkedFile{
		Schema: checkedSchema, Item: i.name, Hash: i.hash, Checked: *c,
		At: began.UTC().Truncate(time.Second), Took: time.Since(began), Version: buildVersion(), Machine: wiring.Machine(),
	}
	if i.result != nil {
		r.Before = i.result.Before + 1
	}
	if c.Undecided() == "" && ctx.Err() == nil {
		failed = errors.Join(failed, r.count(ctx))
	}
	i.result = r
	failed = errors.Join(failed, i.keep(r))
	fmt.Fprintf(a.err, "[%d/%d] %-20s %4.0fs  %s\n", n+1, of, report.Clean(i.name), r.Took.Seconds(), report.Clean(i.said()))
	if failed == nil && c.Dirty {
		failed = fmt.Errorf("%w: %s", harness.ErrDirty, c.Reason)
	}
	if failed != nil {
		return fmt.Errorf("%s: %w", i.name, failed)
	}
	return nil
}

// count reads from the record what the users saw meanwhile.
func (r *checkedFile) count(ctx context.Context) error {
	_, h, err := judge(ctx, r.Dir)
	if err != nil {
		return err
	}
	if looks, of, throughout := h.Stolen(); throughout {
		r.Short = fmt.Sprintf("the machine was short: its hypervisor took time from it in %d of %d looks", looks, of)
	}
	for _, round := range r.Rounds {
		wrong, of := report.UsersBetween(h, round.From, round.To)
		r.Users = append(r.Users, usersCount{wrong, of})
	}
	return nil
}

// said is where an item stands, in a line.
func (i *checkItem) said() string {
	switch {
	case i.result == nil:
		return "to be run"
	case i.result.Dirty:
		return fmt.Sprintf("%s; `hachaos gc`, then remove %s to have it run again", i.result.undecided(), i.path)
	case i.result.undecided() != "":
		return "no result yet: " + i.result.undecided()
	}
	var parts []string
	for _, r := range i.result.Rounds {
		parts = append(parts, fmt.Sprintf("%s: %s", filepath.Base(r.Document), r.Sight()))
	}
	return strings.Join(parts, ", ")
}

// checksCode is the exit code of where it stands.
func checksCode(items []*checkItem) int {
	code := harness.ExitPass
	for _, i := range items {
		switch {
		case i.result != nil && i.result.Dirty:
			return harness.ExitDirty
		case !i.judged():
			code = harness.ExitInconclusive
		case code == harness.ExitPass && slices.ContainsFunc(i.result.Rounds, func(r gameday.Round) bool { return !i.result.Well(r) }):
			code = harness.ExitFail
		}
	}
	return code
}

// checksSheet is the page of what there is; again is what measures it anew.
func checksSheet(items []*checkItem, documents []*runbook.Runbook, again string) report.Sheet {
	var from provenance
	for _, i := range items {
		if i.judged() {
			from.add(i.result.Version, i.result.Machine, i.result.At)
		}
	}
	sheet := report.Sheet{
		Title: "Health checks, held against the truth",
		About: "Written by 'hachaos runbook check --page' from its result files; not to be edited by hand. " +
			"Each incident is brought about under load and nobody mends it. Meanwhile the checks are carried out, one after the other, and the states of docs/runbooks.md are looked at right before and after each of them. " +
			"An incident is seen if a check complains of what is missing. A check is blind if it says that all is well and a state is missing that it is taken to speak of. " +
			"The first row is the same with no incident, on the first runbook's topology: looks and checks take their part of the machine, so that some operations are slow there, too.",
	}
	for n, d := range documents {
		s := checksSection(items, n, d)
		s.Provenance, s.Command = from.String(), again
		sheet.Sections = append(sheet.Sections, s)
	}
	return sheet
}

// checksSection is what there is of the n-th document.
func checksSection(items []*checkItem, n int, document *runbook.Runbook) report.SheetSection {
	s := report.SheetSection{
		Title: document.Name, About: document.Front.Title + ".",
		Grid: report.Grid{Head: []string{"incident", "what was missing", "what could not be seen", "users", "told", "complaints that are right", "blind", "undecided"}},
	}
	seen, of, open, alarms := 0, 0, 0, 0
	for _, i := range items {
		if !i.judged() {
			s.Notes = append(s.Notes, i.name+": "+i.said())
			open++
			continue
		}
		r := i.result.Rounds[n]
		alarms += r.FalseAlarms()
		if i.result.Incident != "" {
			of++
			if r.Sight() == gameday.Seen {
				seen++
			}
		}
		s.Grid.Rows = append(s.Grid.Rows, checksRow(i, n))
		s.Notes = append(s.Notes, checksNotes(i, n)...)
	}
	s.Said = fmt.Sprintf("%d of %d incidents are seen, with %d false alarms.", seen, of, alarms)
	if open > 0 {
		s.Said += fmt.Sprintf(" Of %d there is no result yet.", open)
	}
	return s
}

// checksRow is an incident's row.
func checksRow(i *checkItem, n int) []string {
	r, users := i.result.Rounds[n], i.result.Users[n]
	var missing, hidden []string
	for _, t := range r.Truth {
		switch {
		case t.Missed > 0 && t.Held+t.Unseen == 0:
			missing = append(missing, t.State)
		case t.Missed > 0:
			missing = append(missing, t.State+" at times")
		case t.Unseen > 0:
			hidden = append(hidden, t.State)
		}
	}
	by := map[gameday.Worth][]string{}
	for _, s := range r.Said {
		worth := s.Worth()
		if worth == gameday.Right && s.Complaint == "" {
			continue // it says that all is well, and so it is
		}
		by[worth] = append(by[worth], s.Check)
	}
	told := string(r.Sight())
	if i.result.Incident == "" && r.Sight() == gameday.Unnoticed {
		told = "all is well, and so it is"
	}
	orNone := func(list []string) string { return cmp.Or(strings.Join(list, "; "), "-") }
	return []string{
		i.name, orNone(missing), orNone(hidden), fmt.Sprintf("%d of %d operations went wrong", users.Wrong, users.Of), told,
		orNone(by[gameday.Right]), orNone(by[gameday.Blind]), orNone(by[gameday.Undecided]),
	}
}

// checksNotes are a document's complaints, what hung and what could not be carried
// out.
func checksNotes(i *checkItem, n int) []string {
	var out []string
	if i.result.Before > 0 {
		out = append(out, fmt.Sprintf("%s: %d runs before could not be judged by, and were repeated", i.name, i.result.Before))
	}
	for _, s := range i.result.Rounds[n].Said {
		if said := cmp.Or(s.Unmade, s.Hung, s.Complaint); said != "" {
			out = append(out, fmt.Sprintf("%s: %s, after %s (%s): %s", i.name, s.Check, s.Took.Round(10*time.Millisecond), s.Worth(), said))
		}
	}
	return out
}

func (a *app) printChecked(sheet report.Sheet) error {
	for _, s := range sheet.Sections {
		if err := writeClean(a.out, s.Title+": "+s.Said+"\n"); err != nil {
			return err
		}
		if err := report.GridTable(a.out, s.Grid, a.tableOptions(), 14, 16, 14, 12, 12, 18, 18); err != nil {
			return err
		}
		if err := writeClean(a.out, strings.Join(s.Notes, "\n")+"\n"); err != nil {
			return err
		}
	}
	return nil
}
