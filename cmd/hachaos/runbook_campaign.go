package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/campaign"
	"github.com/hachaos/hachaos/gameday"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/report"
)

func (a *app) runbookCampaign() *cobra.Command {
	var f itemsFlags
	c := &cobra.Command{
		Use:         "campaign FILE…",
		Annotations: brings("--status"),
		Short:       "Verify runbooks three times each, and their mutants, resumably",
		Long: `campaign verifies each runbook with all its controls, three times, and then carries out each of
its mutants during its incident: a step dropped, two swapped, a command aimed at the wrong node, a
wrong value. A mutant that is not refused is one that the proof cannot tell from the runbook.

There is one result file an item, named after a hash of all that it depends on: the runbook, the
incident's scenario and topology, and the programs. An item whose file is there is not run again; one
without a verdict is. --page writes the page of what there is.

Exit codes: 0 all runbooks passed three times and nine of ten mutants are refused, 1 not so, 2 usage,
3 something is still to be run, 4 error, 5 dirty.`,
		Example: `  hachaos runbook campaign --dir docs/runbooks --budget 20m runbooks/*.md
  hachaos runbook campaign --dir docs/runbooks --status --page docs/runbooks-proven.md runbooks/*.md`,
		Args: func(c *cobra.Command, files []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return someRunbooks(c, files)
		},
		RunE:              func(c *cobra.Command, files []string) error { return a.proveRunbooks(c.Context(), files, f) },
		ValidArgsFunction: completeRunbooks,
	}
	f.flags(c, filepath.Join(".cache", "runbooks"), "items")
	return c
}

// proofSchema names the version of proof's JSON form.
const proofSchema = "hachaos.proof/1"

// proof is the result file of an item: one verification of a runbook, or one of
// its mutants.
type proof struct {
	Schema  string `json:"schema"`
	Runbook string `json:"runbook"`
	Item    string `json:"item"`
	Mutant  bool   `json:"mutant"`
	Hash    string `json:"hash"`

	Verdict  harness.Verdict `json:"verdict"`
	Reason   string          `json:"reason"`
	Notes    []string        `json:"notes,omitempty"`
	Dirty    bool            `json:"dirty,omitempty"`
	Restored time.Duration   `json:"restored"` // after the symptom; negative: not
	Controls int             `json:"controls"`
	Before   int             `json:"before"` // runs that gave no verdict
	At       time.Time       `json:"at"`
	Took     time.Duration   `json:"took"`
	Version  string          `json:"version"`
	Machine  string          `json:"machine"`
}

func (i *proofItem) decided() bool { return i.proof.decided() }

// decided says whether the item has a verdict, which nothing but a change replaces.
func (p *proof) decided() bool {
	return p != nil && (p.Dirty || p.Verdict == harness.VerdictPass || p.Verdict == harness.VerdictFail)
}

// good says whether it is as it should be: a runbook passes, a mutant is refused.
func (p *proof) good() bool {
	want := harness.VerdictPass
	if p != nil && p.Mutant {
		want = harness.VerdictFail
	}
	return p != nil && !p.Dirty && p.Verdict == want
}

// proofItem is an item with what there is of it.
type proofItem struct {
	itemFile
	file   string
	trial  gameday.Trial
	mutant *gameday.Variant // nil is a verification
	proof  *proof           // nil: none
}

// proofItems are those of the files: each verification comes before the mutants, and
// the first of every runbook before any second.
func proofItems(files []string, f itemsFlags) ([]*proofItem, error) {
	depends, err := newItemsDepend()
	if err != nil {
		return nil, err
	}
	turns := make([][]*proofItem, campaign.InARow+1)
	for _, file := range files {
		b, err := readBook(file, f.short)
		if err != nil {
			return nil, err
		}
		incidents := append([]gameday.Incident{b.incident()}, otherIncidents(file, b.trial.Book)...)
		hash, err := depends.hash(incidents, b.trial.Options, proofSchema, b.trial.Book.Text)
		if err != nil {
			return nil, err
		}
		add := func(turn int, item string, mutant *gameday.Variant) {
			turns[turn] = append(turns[turn], &proofItem{
				itemFile: itemIn(filepath.Join(f.dir, b.name), item, hash), file: file, trial: b.trial, mutant: mutant,
			})
		}
		for n := range campaign.InARow {
			add(n, fmt.Sprintf("verified %d", n+1), nil)
		}
		for _, m := range gameday.Mutants(b.trial.Book) {
			add(campaign.InARow, m.Name, &m)
		}
	}
	// What is seen early is worth most: one proof of each, the mutants, then the rest.
	order := append([][]*proofItem{turns[0], turns[campaign.InARow]}, turns[1:campaign.InARow]...)
	items := slices.Concat(order...)
	return items, rereadProofs(items)
}

// rereadProofs reads what there is of the items.
func rereadProofs(items []*proofItem) error {
	var err error
	for _, i := range items {
		if i.proof, err = readItem[proof](i.itemFile, proofSchema); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) proveRunbooks(ctx context.Context, files []string, f itemsFlags) error {
	items, err := proofItems(files, f)
	if err != nil {
		return err
	}
	var failed error
	if !f.status {
		failed = a.runProofs(ctx, items, f)
	}
	a.code = proofsCode(items)
	return errors.Join(failed, f.writePage(proofsSheet(items)), a.printProofs(items))
}

// runProofs runs what has no verdict yet.
func (a *app) runProofs(ctx context.Context, items []*proofItem, f itemsFlags) error {
	return runItems(ctx, a, f.dir, f.budget, items, rereadProofs, func(n int, session *wiring.Session) error {
		i := items[n]
		if err := a.oneProof(ctx, i, session, n, len(items)); err != nil {
			return asUsage(fmt.Errorf("%s, %s: %w", i.file, i.name, err))
		}
		return nil
	})
}

// oneProof runs an item once. What an interrupt met is kept only if it is dirty.
func (a *app) oneProof(ctx context.Context, i *proofItem, session *wiring.Session, n, of int) error {
	began := time.Now()
	i.trial.Runner = *session.Runner
	var (
		r   *gameday.Result
		err error
	)
	if i.mutant != nil {
		r, err = gameday.Try(ctx, i.trial, *i.mutant)
	} else {
		r, err = gameday.Verify(ctx, i.trial, gameday.Controls(), otherIncidents(i.file, i.trial.Book), nil)
	}
	if r != nil && r.Proof != nil {
		a.keepTranscripts(r)
	}
	if err != nil {
		return err
	}
	if ctx.Err() != nil && !r.Dirty() {
		return nil
	}
	p := &proof{
		Schema: proofSchema, Runbook: i.trial.Book.Name, Item: i.name, Mutant: i.mutant != nil, Hash: i.hash,
		Verdict: r.Verdict, Reason: r.Reason, Notes: r.Notes, Dirty: r.Dirty(), Restored: r.Proof.Restored, Controls: len(r.Controls),
		At: began.UTC().Truncate(time.Second), Took: time.Since(began), Version: buildVersion(), Machine: wiring.Machine(),
	}
	if i.proof != nil {
		p.Before = i.proof.Before + 1
	}
	i.proof = p
	err = i.keep(p)
	fmt.Fprintf(a.err, "[%d/%d] %-44s %-12s %4.0fs  %s\n", n+1, of, report.Clean(filepath.Base(i.file)+", "+i.name), p.Verdict, p.Took.Seconds(), report.Clean(p.Reason))
	return err
}

// refusedShare is what part of the mutants must be refused.
const refusedShare = 0.9

// proofsCode is the exit code of where it stands.
func proofsCode(items []*proofItem) int {
	mutants, refused, failed, undecided := 0, 0, false, false
	for _, i := range items {
		switch {
		case i.proof != nil && i.proof.Dirty:
			return harness.ExitDirty
		case !i.proof.decided():
			undecided = true
		case i.proof.Mutant:
			mutants++
			if i.proof.good() {
				refused++
			}
		case !i.proof.good():
			failed = true
		}
	}
	switch {
	case failed:
		return harness.ExitFail
	case undecided:
		return harness.ExitInconclusive
	case float64(refused) < refusedShare*float64(mutants):
		return harness.ExitFail
	}
	return harness.ExitPass
}

// proofsOf counts the items of one runbook.
type proofsOf struct {
	file, incident          string
	passed, of              int
	refused, decided, wrong int
	repeated                int // runs that gave no verdict
	restored                []time.Duration
	notes                   []string
}

func countProofs(items []*proofItem) []*proofsOf {
	var out []*proofsOf
	at := map[string]*proofsOf{}
	for _, i := range items {
		c := at[i.file]
		if c == nil {
			c = &proofsOf{file: i.file, incident: i.trial.Book.Front.Incident}
			at[i.file] = c
			out = append(out, c)
		}
		c.count(i)
	}
	slices.SortFunc(out, func(a, b *proofsOf) int { return strings.Compare(a.file, b.file) })
	return out
}

func (c *proofsOf) count(i *proofItem) {
	p := i.proof
	if p != nil && p.Before > 0 {
		c.repeated += p.Before
	}
	if p != nil && p.Dirty {
		c.notes = append(c.notes, fmt.Sprintf("%s: it left something behind: %s; remove %s to have it run again", i.name, p.Reason, i.path))
		p = &proof{Mutant: p.Mutant, Verdict: harness.VerdictError}
	}
	if i.mutant != nil {
		c.wrong++
		if p.decided() {
			c.decided++
		}
		if p.good() {
			c.refused++
		} else if p.decided() {
			c.notes = append(c.notes, fmt.Sprintf("%s: not refused: %s", i.name, p.Reason))
		}
	} else {
		c.of++
		if p.good() {
			c.passed++
			c.restored = append(c.restored, p.Restored)
		}
		if p.decided() {
			for _, n := range p.Notes {
				if !slices.Contains(c.notes, n) {
					c.notes = append(c.notes, n)
				}
			}
		}
		if p.decided() && !p.good() {
			c.notes = append(c.notes, fmt.Sprintf("%s: %s: %s", i.name, p.Verdict, p.Reason))
		}
	}
	if p != nil && !p.decided() && p.Reason != "" {
		c.notes = append(c.notes, fmt.Sprintf("%s: no verdict yet: %s", i.name, p.Reason))
	}
}

// restoredIn is the longest time to the restored states.
func (c *proofsOf) restoredIn() string {
	if len(c.restored) == 0 {
		return "-"
	}
	return slices.Max(c.restored).Round(100 * time.Millisecond).String()
}

func proofsGrid(counts []*proofsOf) report.Grid {
	g := report.Grid{Head: []string{"runbook", "incident", "passes in a row", "restored within", "mutants refused"}}
	for _, c := range counts {
		passed := fmt.Sprintf("%d of %d", c.passed, c.of)
		if c.repeated > 0 {
			passed += fmt.Sprintf("; %d runs without a verdict were repeated", c.repeated)
		}
		mutants := fmt.Sprintf("%d of %d", c.refused, c.decided)
		if c.decided < c.wrong {
			mutants += fmt.Sprintf(", %d to be run", c.wrong-c.decided)
		}
		g.Rows = append(g.Rows, []string{filepath.Base(c.file), c.incident, passed, c.restoredIn(), mutants})
	}
	return g
}

// proofsSaid says in a sentence where it stands.
func proofsSaid(counts []*proofsOf) string {
	passed, of, refused, decided, wrong := 0, 0, 0, 0, 0
	for _, c := range counts {
		passed, of, refused, decided, wrong = passed+c.passed, of+c.of, refused+c.refused, decided+c.decided, wrong+c.wrong
	}
	return fmt.Sprintf("%d of %d verifications passed; %d of %d mutants that were run are refused, %d are still to be run.", passed, of, refused, decided, wrong-decided)
}

// proofsSheet is the page of what there is.
func proofsSheet(items []*proofItem) report.Sheet {
	var from provenance
	counts := countProofs(items)
	s := report.SheetSection{
		Title: "The runbooks and their mutants",
		About: "A runbook passes if, during its incident and under load, it restores what it promises in its time with no session and no write lost, and its controls hold. " +
			"Its mutants have one mistake each: a step dropped, two swapped, a command aimed at the wrong node, a wrong value; one that is refused does not pass in the runbook's place.",
		Said: proofsSaid(counts), Command: "make runbooks", Grid: proofsGrid(counts),
	}
	for _, i := range items {
		if i.proof != nil {
			from.add(i.proof.Version, i.proof.Machine, i.proof.At)
		}
	}
	s.Provenance = from.String()
	for _, c := range counts {
		for _, n := range c.notes {
			s.Notes = append(s.Notes, strings.TrimSuffix(filepath.Base(c.file), ".md")+": "+n)
		}
	}
	return report.Sheet{
		Title:    "The runbooks, proven",
		About:    "Written by 'hachaos runbook campaign --page' from its result files; not to be edited by hand.",
		Sections: []report.SheetSection{s},
	}
}

func (a *app) printProofs(items []*proofItem) error {
	counts := countProofs(items)
	if err := report.GridTable(a.out, proofsGrid(counts), a.tableOptions(), 24, 20, 16, 16); err != nil {
		return err
	}
	var b strings.Builder
	for _, c := range counts {
		for _, n := range c.notes {
			fmt.Fprintf(&b, "%s: %s\n", filepath.Base(c.file), n)
		}
	}
	b.WriteString(proofsSaid(counts) + "\n")
	return writeClean(a.out, b.String())
}
