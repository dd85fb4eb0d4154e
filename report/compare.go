package report

import (
	"cmp"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/compare"
)

// shown are the rows that a writer shows: with all, every one; else only those
// in which a group differs from the first. hidden counts the others.
func shown(c *compare.Comparison, all bool) (rows []compare.Row, hidden int) {
	if all {
		return c.Rows, 0
	}
	for _, r := range c.Rows {
		if r.Constant() && (!r.Verdict() || r.Assertion != "") {
			hidden++
			continue
		}
		rows = append(rows, r)
	}
	return rows, hidden
}

// CompareTable writes comparisons for a terminal. all also shows what is the
// same everywhere.
func CompareTable(w io.Writer, list []compare.Comparison, all bool, o TableOptions) error {
	if o.Width <= 0 {
		o.Width = 120
	}
	p := &printer{w: w}
	for i := range list {
		c := &list[i]
		if i > 0 {
			p.line("")
		}
		p.line("%s", Clean(c.Subject))
		p.line("%s", wrap(Clean(conclusion(c)), o.Width, ""))
		for _, g := range c.Groups {
			p.line("  %s", wrap(Clean(g.Name+": "+about(g)), o.Width-2, "     "))
		}
		if err := compareRows(p, c, all, o); err != nil {
			return err
		}
		for _, n := range c.Notes {
			p.line("%s", wrap("note: "+Clean(n), o.Width, "  "))
		}
	}
	p.line("%s", wrap(compare.Method, o.Width, ""))
	return p.err
}

func compareRows(p *printer, c *compare.Comparison, all bool, o TableOptions) error {
	rows, hidden := shown(c, all)
	fixed, header := []int{max(22, min(34, o.Width*2/7))}, []string{"figure"}
	for _, g := range c.Groups {
		fixed, header = append(fixed, max(14, min(22, (o.Width-70)/len(c.Groups)))), append(header, heading(g))
	}
	t := newTable(p, o, fixed...)
	t.Header(append(header, "difference to "+Clean(c.Groups[0].Name)))
	for i := range rows {
		r := &rows[i]
		cells := []string{Clean(rowName(r))}
		for g := range r.Cells {
			cells = append(cells, cellText(r, &r.Cells[g]))
		}
		if err := t.Append(append(cells, Clean(diffsText(c, r)))); err != nil {
			return fmt.Errorf("table row of %s: %w", rowName(r), err)
		}
	}
	if err := t.Render(); err != nil {
		return err
	}
	if hidden > 0 {
		p.line("%d more rows are the same in all groups", hidden)
	}
	return p.err
}

// heading is a group's column.
func heading(g compare.Summary) string { return fmt.Sprintf("%s (%d)", Clean(g.Name), g.Runs) }

// about says in a line what a group is.
func about(g compare.Summary) string {
	words := []string{g.Source, fmt.Sprintf("%s: %s", plural(g.Runs, "run"), g.Tally)}
	words = append(words, clip(g.Commands, 2)...)
	if len(g.Profiles) > 0 {
		words = append(words, "profile "+strings.Join(g.Profiles, " and "))
	}
	if len(g.Versions) > 0 {
		words = append(words, "hachaos "+strings.Join(clip(g.Versions, 3), " and "))
	}
	if !g.First.IsZero() {
		words = append(words, times(g.First.UTC(), g.Last.UTC()))
	}
	return strings.Join(slices.DeleteFunc(words, func(s string) bool { return s == "" }), "; ")
}

// times is from when to when, as short as it is clear.
func times(first, last time.Time) string {
	const minute, day = "2006-01-02 15:04", "2006-01-02"
	text := first.Format(minute)
	switch {
	case first.Format(minute) == last.Format(minute):
	case first.Format(day) == last.Format(day):
		text += " to " + last.Format("15:04")
	default:
		text += " to " + last.Format(minute)
	}
	return text + " UTC"
}

// clip keeps the first n of a list, and counts the rest.
func clip(list []string, n int) []string {
	if len(list) <= n {
		return list
	}
	return append(slices.Clone(list[:n]), fmt.Sprintf("%d more", len(list)-n))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// conclusion is the comparison in one sentence.
func conclusion(c *compare.Comparison) string {
	if c.Tested == 0 {
		least := slices.MinFunc(c.Groups, func(a, b compare.Summary) int {
			return cmp.Compare(a.Tally.Pass+a.Tally.Fail, b.Tally.Pass+b.Tally.Fail)
		})
		if n := least.Tally.Pass + least.Tally.Fail; n < compare.MinRuns {
			return fmt.Sprintf("Too few repeats to tell a difference from noise: %s has %s with a verdict, and each group needs at least %d.", least.Name, plural(n, "run"), compare.MinRuns)
		}
		untested := 0
		for i := range c.Rows {
			if slices.ContainsFunc(c.Rows[i].Diffs, func(d compare.Diff) bool { return d.Told == compare.TooFew || d.Told == compare.NoMeasure }) {
				untested++
			}
		}
		if untested > 0 {
			return fmt.Sprintf("Nothing that could be tested differs; %s could not, for want of repeats with a verdict or of a figure.", plural(untested, "row"))
		}
		return "Nothing differs."
	}
	var beyond []string
	perhaps := 0
	for i := range c.Rows {
		r := &c.Rows[i]
		for g, d := range r.Diffs {
			switch d.Told {
			case compare.Beyond:
				beyond = append(beyond, strings.TrimSpace(rowPlace(r)+of2(c, g)+" "+parenthesised(d.Effect)))
			case compare.Perhaps:
				perhaps++
			}
		}
	}
	text := fmt.Sprintf("None of %s that were tested is beyond noise", plural(c.Tested, "difference"))
	if len(beyond) > 0 {
		verb := "are"
		if len(beyond) == 1 {
			verb = "is"
		}
		text = fmt.Sprintf("%d of %s that were tested %s beyond noise: %s", len(beyond), plural(c.Tested, "difference"), verb, strings.Join(clip(beyond, 6), ", "))
	}
	if perhaps > 0 {
		text += fmt.Sprintf("; %d may be, and cannot be told from chance among so many", perhaps)
	}
	return text + "."
}

// of2 names the group that a difference is of where there are several.
func of2(c *compare.Comparison, g int) string {
	if len(c.Groups) == 2 {
		return ""
	}
	return " of " + c.Groups[g+1].Name
}

func parenthesised(s string) string {
	if s == "" {
		return ""
	}
	return "(" + s + ")"
}

// rowPlace names a row out of its table.
func rowPlace(r *compare.Row) string {
	switch {
	case r.Assertion == "" && r.Verdict():
		return "the verdict"
	case r.Verdict():
		return "the verdict of " + r.Assertion
	case r.Assertion == "":
		return r.Label
	}
	return r.Assertion + ": " + r.Label
}

// rowName names a row in its table, with the unit and the bound that hold for
// all groups.
func rowName(r *compare.Row) string {
	switch {
	case r.Verdict() && r.Assertion == "":
		return "verdict"
	case r.Verdict():
		return r.Assertion
	}
	name := rowPlace(r)
	if r.Unit != "" && !strings.HasSuffix(name, r.Unit) {
		name += ", " + r.Unit
	}
	if b := commonBound(r); b != nil {
		name += ", " + boundText(r.Cells[0].Op, *b, r.Unit)
	}
	return name
}

func boundText(op string, bound float64, unit string) string {
	return "bound " + strings.NewReplacer("<=", "≤ ", ">=", "≥ ").Replace(op) + valueText(bound, unit)
}

// cellText is the median with the range that all values lie in.
func cellText(r *compare.Row, c *compare.Cell) string {
	if r.Verdict() {
		return c.Tally.String()
	}
	n := len(c.Values)
	if n == 0 {
		return "-"
	}
	text := valueText(compare.Median(c.Values), r.Unit)
	if low, high := c.Values[0], c.Values[n-1]; low != high {
		text += fmt.Sprintf(" (%s … %s)", valueText(low, r.Unit), valueText(high, r.Unit))
	}
	if c.Bound != nil && commonBound(r) == nil {
		text += ", " + boundText(c.Op, *c.Bound, r.Unit)
	}
	return text
}

// valueText prints a value without its unit, as exactly as it is of use.
// Percentages are rounded as percent says.
func valueText(v float64, unit string) string {
	switch a := math.Abs(v); {
	case strings.HasPrefix(unit, "%"):
		return number(percent(v, unit))
	case a >= 1000:
		return number(math.Round(v))
	case a >= 100:
		return number(math.Round(v*10) / 10)
	}
	return number(v)
}

func diffsText(c *compare.Comparison, r *compare.Row) string {
	var all []string
	for g, d := range r.Diffs {
		text := diffText(r, &d)
		if len(c.Groups) > 2 {
			text = c.Groups[g+1].Name + ": " + text
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

// diffText is one difference: by how much, what is told, and the p-value.
func diffText(r *compare.Row, d *compare.Diff) string {
	text := string(d.Told)
	if d.Told == compare.Same || d.Told == compare.NoMeasure {
		return text
	}
	if d.Effect != "" && d.Told == compare.Beyond {
		text += ", " + d.Effect
	}
	if d.Shift != nil && !r.Verdict() {
		text = shiftText(r, d) + "; " + text
	}
	switch {
	case d.P == nil:
	case d.Told == compare.Perhaps:
		text += fmt.Sprintf(", %s, adjusted %s", pText(*d.P), strings.TrimPrefix(pText(*d.Adjusted), "p "))
	default:
		text += ", " + pText(*d.Adjusted)
	}
	return text
}

func shiftText(r *compare.Row, d *compare.Diff) string {
	text := valueText(*d.Shift, "")
	if *d.Shift > 0 {
		text = "+" + text
	}
	if d.Percent != nil && *d.Percent != 0 && !strings.HasPrefix(r.Unit, "%") {
		if math.Abs(*d.Percent) < 1000 {
			text += fmt.Sprintf(" (%+.1f %%)", *d.Percent)
		} else {
			text += fmt.Sprintf(" (× %.0f)", 1+*d.Percent/100)
		}
	}
	return text
}

func pText(p float64) string {
	switch {
	case p < 0.001:
		return "p < 0.001"
	case p < 0.1:
		return fmt.Sprintf("p %.3f", p)
	}
	return fmt.Sprintf("p %.2f", p)
}

// CompareMarkdown writes comparisons for a merge request.
func CompareMarkdown(w io.Writer, list []compare.Comparison, all bool) error {
	p := &printer{w: w}
	for i := range list {
		c := &list[i]
		p.line("## %s\n\n%s\n", md(c.Subject), md(conclusion(c)))
		for _, g := range c.Groups {
			p.line("- **%s**: %s", md(g.Name), md(about(g)))
		}
		head, rule := "\n| figure |", "|---|"
		for _, g := range c.Groups {
			head += " " + md(heading(g)) + " |"
			rule += "---|"
		}
		p.line("%s difference to %s |\n%s---|", head, md(c.Groups[0].Name), rule)
		rows, hidden := shown(c, all)
		for j := range rows {
			r := &rows[j]
			line := "| " + md(rowName(r)) + " |"
			for g := range r.Cells {
				line += " " + md(cellText(r, &r.Cells[g])) + " |"
			}
			p.line("%s %s |", line, md(diffsText(c, r)))
		}
		if hidden > 0 {
			p.line("\n%d more rows are the same in all groups.", hidden)
		}
		for _, n := range c.Notes {
			p.line("\nNote: %s.", md(n))
		}
		p.line("")
	}
	p.line("%s", md(compare.Method))
	if p.err != nil {
		return fmt.Errorf("markdown: %w", p.err)
	}
	return nil
}

// compareView is what the page shows of a comparison.
type compareView struct {
	Subject, Conclusion, First string
	Groups                     []compareGroup
	Rows                       []compareRow
	Hidden                     int
	Notes                      []string
}

type compareGroup struct{ Name, Heading, About string }

type compareRow struct {
	Name, Diff string
	Tone       string // bad, good, warn or empty
	Cells      []string
	Strip      template.HTML
	// Each are the values behind the strip, by group.
	Each []string
}

// ComparePage says how a page of comparisons is made. The zero value leaves out
// what is the same everywhere.
type ComparePage struct {
	// All also shows what is the same everywhere.
	All bool
	// Missing are the subjects that are not in every group: see compare.Missing.
	Missing []string
	// Back is the address of the page that it was asked from; empty is none.
	Back string
}

// CompareHTML writes comparisons as a page of its own that asks no network.
func CompareHTML(w io.Writer, list []compare.Comparison, o ComparePage) error {
	var views []compareView
	for i := range list {
		views = append(views, viewComparison(&list[i], o.All))
	}
	return plain(w, "compare.html.tmpl", map[string]any{
		"Title": "hachaos: comparison", "List": views, "Method": compare.Method, "Missing": cleanAll(o.Missing), "Back": o.Back,
	})
}

func viewComparison(c *compare.Comparison, all bool) compareView {
	v := compareView{Subject: Clean(c.Subject), Conclusion: Clean(conclusion(c)), First: Clean(c.Groups[0].Name)}
	for _, g := range c.Groups {
		v.Groups = append(v.Groups, compareGroup{Clean(g.Name), heading(g), Clean(about(g))})
	}
	rows, hidden := shown(c, all)
	v.Hidden = hidden
	for i := range rows {
		r := &rows[i]
		row := compareRow{Name: Clean(rowName(r)), Diff: Clean(diffsText(c, r)), Tone: compareTone(r)}
		var lanes []laneOf
		for g := range r.Cells {
			row.Cells = append(row.Cells, cellText(r, &r.Cells[g]))
			lanes = append(lanes, laneOf{c.Groups[g].Name, r.Cells[g].Values})
			if each := eachText(&r.Cells[g], r.Unit); each != "" {
				row.Each = append(row.Each, Clean(c.Groups[g].Name)+": "+each)
			}
		}
		row.Strip = strip(lanes, commonBound(r))
		v.Rows = append(v.Rows, row)
	}
	for _, n := range c.Notes {
		v.Notes = append(v.Notes, Clean(n))
	}
	return v
}

// maxEach bounds the values of a group that stand behind its picture.
const maxEach = 100

// eachText are a group's values, the least first; empty for none.
func eachText(c *compare.Cell, unit string) string {
	var words []string
	for _, v := range c.Values[:min(len(c.Values), maxEach)] {
		words = append(words, valueText(v, unit))
	}
	if n := len(c.Values); n > maxEach {
		words = append(words, fmt.Sprintf("and %d more", n-maxEach))
	}
	return strings.Join(words, ", ")
}

// commonBound is that of all groups; nil if they differ.
func commonBound(r *compare.Row) *float64 {
	for i := range r.Cells {
		if b := r.Cells[i].Bound; b == nil || *b != *r.Cells[0].Bound {
			return nil
		}
	}
	return r.Cells[0].Bound
}

func compareTone(r *compare.Row) string {
	for _, d := range r.Diffs {
		switch {
		case d.Told == compare.Beyond && d.Effect == "worse":
			return "bad"
		case d.Told == compare.Beyond && d.Effect == "better":
			return "good"
		case d.Told == compare.Beyond:
			return "warn"
		}
	}
	return ""
}
