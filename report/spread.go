package report

import (
	"fmt"
	"html/template"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/suite"
)

// SuiteHTMLFile is the suite's page in its folder.
const SuiteHTMLFile = "suite.html"

// sparkWidth is that of the picture in the terminal's table.
const sparkWidth = 15

// repeatsOf are a figure's values in the runs of a scenario that count for its
// spread: see suite.Spread.
func repeatsOf(s *suite.Result, scenario, figure string) []float64 {
	var out []float64
	for _, e := range s.Entries {
		if e.Scenario != scenario || e.Run == nil || e.Verdict != harness.VerdictPass && e.Verdict != harness.VerdictFail {
			continue
		}
		if v, has := e.Run.Measures[figure]; has {
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return out
}

// spreadRows shows the figures of the whole run that were not always 0, each
// with a picture of how the runs spread from the least to the largest value;
// suite.File has the others, and those of the phases, too.
func spreadRows(p *printer, all *suite.Result, s *suite.Spread, o TableOptions) error {
	p.line("\n%s: %s", Clean(s.Scenario), s.Verdicts)
	rows := slices.DeleteFunc(s.Whole(), func(r suite.Range) bool { return r.Min == 0 && r.Max == 0 })
	if len(rows) == 0 {
		return p.err
	}
	header, fixed := []string{"figure", "min", "median", "max", "min … max", "runs"}, []int{max(20, o.Width-84), 12, 12, 12, sparkWidth + 2}
	if o.Width < 90 {
		header, fixed = slices.Delete(header, 4, 5), fixed[:4]
	}
	t := newTable(p, o, fixed...)
	t.Header(header)
	for _, r := range rows {
		row := []string{Clean(r.Name), number(r.Min), number(r.Median), number(r.Max)}
		if o.Width >= 90 {
			row = append(row, spark(repeatsOf(all, s.Scenario, r.Name), r.Min, r.Max, sparkWidth))
		}
		if err := t.Append(append(row, strconv.Itoa(r.N))); err != nil {
			return fmt.Errorf("table row of %s: %w", r.Name, err)
		}
	}
	return t.Render()
}

type suiteView struct {
	Name, Repetition, Word, Tone, Took, Reason, Command string
	// Report is the run's page, seen from the suite's folder; empty if there
	// is none.
	Report string
}

type spreadView struct {
	Scenario, Verdicts string
	Whole, Phases      []figureView
	// Still counts the figures that were always the same.
	Still int
}

type figureView struct {
	Name, Min, Median, Max string
	N                      int
	Strip                  template.HTML
}

// SuiteHTML writes a suite as a page: its runs, and how each figure of what
// was run more than once is distributed. dir is the suite's folder, which the
// links to the runs' pages start from.
func SuiteHTML(w io.Writer, s *suite.Result, dir string) error {
	var runs []suiteView
	for i := range s.Entries {
		runs = append(runs, viewEntry(&s.Entries[i], dir))
	}
	var spreads []spreadView
	for i := range s.Spreads {
		spreads = append(spreads, viewSpread(s, &s.Spreads[i]))
	}
	return plain(w, "suite.html.tmpl", map[string]any{
		"Title": "hachaos: suite " + Clean(s.ID), "Runs": runs, "Spreads": spreads,
		"Counts": suite.Counts(s.Entries), "Took": s.Took.Round(time.Second).String(), "Seed": s.Seed, "Version": Clean(s.Version),
		"Started": s.StartedAt.UTC().Format("2006-01-02 15:04:05 UTC"), "Leftovers": leftBehind(s),
	})
}

func viewEntry(e *suite.Entry, dir string) suiteView {
	v := suiteView{
		Name: Clean(e.Scenario), Repetition: repetition(e), Word: Clean(e.Word()), Took: duration(e), Reason: Clean(e.Reason), Command: Clean(e.Command),
		Tone: toneOf(e.Verdict, e.Dirty),
	}
	if rel, err := filepath.Rel(dir, e.Dir); err == nil && e.Dir != "" && filepath.IsLocal(rel) {
		v.Report = filepath.ToSlash(filepath.Join(rel, HTMLFile))
	}
	return v
}

func viewSpread(s *suite.Result, spread *suite.Spread) spreadView {
	v := spreadView{Scenario: Clean(spread.Scenario), Verdicts: spread.Verdicts}
	whole := map[string]bool{}
	for _, r := range spread.Whole() {
		whole[r.Name] = true
	}
	for _, r := range spread.Measures {
		if r.Min == r.Max {
			v.Still++
			continue
		}
		f := figureView{
			Name: Clean(r.Name), Min: number(r.Min), Median: number(r.Median), Max: number(r.Max), N: r.N,
			Strip: strip([]laneOf{{r.Name, repeatsOf(s, spread.Scenario, r.Name)}}, nil),
		}
		if whole[r.Name] {
			v.Whole = append(v.Whole, f)
		} else {
			v.Phases = append(v.Phases, f)
		}
	}
	return v
}

// leftBehind says in lines what the suite could not remove.
func leftBehind(s *suite.Result) []string {
	list := slices.Clone(s.Leftovers)
	for _, e := range s.Entries {
		if e.Run != nil {
			list = append(list, e.Run.Leftovers...)
		}
	}
	var out []string
	for _, l := range list {
		out = append(out, leftoverLine(l))
	}
	return out
}
