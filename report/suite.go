package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/tw"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/suite"
)

// WriteSuite writes a suite's result and its reports into its folder, each
// whole or not at all. It goes on after an error and returns them all.
func WriteSuite(dir string, s *suite.Result) error {
	saved := *s
	saved.Entries = append([]suite.Entry{}, s.Entries...)
	for i, e := range saved.Entries {
		if rel, err := filepath.Rel(dir, e.Dir); err == nil && e.Dir != "" {
			saved.Entries[i].Dir = filepath.ToSlash(rel)
		}
	}
	record := replace(filepath.Join(dir, suite.File), func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(&saved)
	})
	return errors.Join(record, WriteSuiteReports(dir, s))
}

// WriteSuiteReports writes a suite's reports into its folder, each whole or not at all,
// and leaves its result as it is. It goes on after an error and returns them all.
func WriteSuiteReports(dir string, s *suite.Result) error {
	return errors.Join(
		replace(filepath.Join(dir, JUnitFile), func(w io.Writer) error { return SuiteJUnit(w, s) }),
		replace(filepath.Join(dir, MarkdownFile), func(w io.Writer) error { return SuiteMarkdown(w, s) }),
		replace(filepath.Join(dir, MetricsFile), func(w io.Writer) error { return SuitePrometheus(w, s) }),
		replace(filepath.Join(dir, SuiteHTMLFile), func(w io.Writer) error { return SuiteHTML(w, s, dir) }),
	)
}

// suiteLayout says how much of a suite is shown. A number of 0 is all.
type suiteLayout struct {
	layout      // of what each run left behind; reason is of each run's, in lines
	rows   int  // of the table
	bare   bool // without the spread of figures
	named  int  // lines of the names of what passed and is not in the table
}

// suiteLayouts are tried in this order, from all to little; the last one fits
// whatever there is.
var suiteLayouts = []suiteLayout{
	{layout: layout{passes: true}},
	{layout: layout{passes: true, reason: 2, lines: 4, leftovers: 5}},
	{layout: layout{passes: true, reason: 1, lines: 3, leftovers: 5}},
	{layout: layout{reason: 3, lines: 3, leftovers: 5}, named: 5},
	{layout: layout{reason: 2, lines: 2, leftovers: 3}, named: 5},
	{layout: layout{reason: 2, lines: 2, leftovers: 3}, named: 5, bare: true},
	{layout: layout{reason: 1, lines: 1, leftovers: 1}, named: 3, bare: true, rows: 12},
	{layout: layout{reason: 1, lines: 1, leftovers: 1}, named: 2, bare: true, rows: 5},
}

// SuiteTable writes a suite's result for a terminal, on at most 40 lines of it: one row
// a run, what each verdict came to, the spread of the figures of what was run more than
// once, and what is left behind. Of what does not fit, the runs that passed go first,
// which a line names then, and a line says where all of it is.
func SuiteTable(w io.Writer, s *suite.Result, o TableOptions) error {
	if o.Width <= 0 {
		o.Width = 120
	}
	var b bytes.Buffer
	for i, l := range suiteLayouts {
		b.Reset()
		if err := drawSuite(&b, s, o, l, i > 0); err != nil {
			return err
		}
		if height(b.String(), o.Width) <= screen {
			break
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// drawSuite writes the suite as a layout wants it.
func drawSuite(w io.Writer, s *suite.Result, o TableOptions, l suiteLayout, shortened bool) error {
	p := &printer{w: w}
	if err := suiteRows(p, s, o, l); err != nil {
		return err
	}
	p.line("%s in %v, seed %d", suite.Counts(s.Entries), s.Took.Round(time.Second), s.Seed)
	for i := range s.Spreads {
		if l.bare {
			break
		}
		if err := spreadRows(p, s, &s.Spreads[i], o); err != nil {
			return err
		}
	}
	for i, e := range s.Entries {
		if e.Run != nil && (l.rows == 0 || i < l.rows) {
			leftovers(p, e.Run, o.Width, l.layout)
		}
	}
	shown := most(l.leftovers, len(s.Leftovers))
	for _, left := range s.Leftovers[:shown] {
		p.line("left behind: %s", leftoverLine(left))
	}
	if n := len(s.Leftovers) - shown; n > 0 {
		p.line("and %d more in %s; `hachaos gc` removes them", n, suite.File)
	}
	if shortened {
		p.line("shortened; all of it is in the suite's folder: %s", SuiteHTMLFile)
	}
	if o.Path != "" {
		p.line("suite: %s", o.Path)
	}
	return p.err
}

// suiteRows is the table of runs, and a line of those that are not in it.
func suiteRows(p *printer, s *suite.Result, o TableOptions, l suiteLayout) error {
	header, fixed := []string{"scenario", "repetition", "verdict", "duration", "reason"}, []int{28, 10, 14, 9}
	if o.Width < 60 {
		header = header[:4]
	}
	var rows []*suite.Entry
	var passed []string
	for i := range s.Entries {
		if e := &s.Entries[i]; l.passes || e.Verdict != harness.VerdictPass || e.Dirty {
			rows = append(rows, e)
		} else if name := Clean(e.Name()); !slices.Contains(passed, name) {
			passed = append(passed, name)
		}
	}
	t := newTable(p, o, fixed...)
	t.Header(header)
	width := lastColumn(o.Width, fixed) - cellPadding
	for _, e := range rows[:most(l.rows, len(rows))] {
		reason := strings.ReplaceAll(shorten(Clean(e.Reason), width, l.reason, ""), "\n", " ")
		row := []string{Clean(e.Scenario), repetition(e), paint(e.Word(), string(e.Verdict), o.Colour), duration(e), reason}
		if err := t.Append(row[:len(header)]); err != nil {
			return fmt.Errorf("table row of %s: %w", e.Name(), err)
		}
	}
	if len(rows) > 0 {
		if err := t.Render(); err != nil {
			return err
		}
	}
	if n := len(rows) - most(l.rows, len(rows)); n > 0 {
		p.line("and %d more that did not pass", n)
	}
	if len(passed) > 0 {
		p.line("%s", shorten("passed: "+strings.Join(passed, ", "), o.Width, l.named, "  "))
	}
	return p.err
}

func repetition(e *suite.Entry) string { return fmt.Sprintf("%d/%d", e.Repetition, max(1, e.Of)) }

func duration(e *suite.Entry) string {
	if e.Verdict == "" {
		return "-"
	}
	return fmt.Sprintf("%.0f s", e.Took.Seconds())
}

// cellPadding is what a column's width has beside its text.
const cellPadding = 2

// lastColumn is the width of the column that gets what the fixed ones leave of a
// terminal's.
func lastColumn(width int, fixed []int) int {
	for _, n := range fixed {
		width -= n
	}
	return max(24, width-len(fixed)-2)
}

// newTable is a table whose last column gets what the fixed ones leave.
func newTable(w io.Writer, o TableOptions, fixed ...int) *tablewriter.Table {
	columns := tw.NewMapper[int, int]()
	for i, n := range fixed {
		columns.Set(i, n)
	}
	columns.Set(len(fixed), lastColumn(o.Width, fixed))
	return tablewriter.NewTable(w,
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAlignment(tw.AlignLeft),
		tablewriter.WithRowAlignment(tw.AlignLeft),
		tablewriter.WithMaxWidth(o.Width),
		tablewriter.WithRowAutoWrap(tw.WrapNormal),
		tablewriter.WithColumnWidths(columns),
	)
}
