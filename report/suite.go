package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/tw"

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

// SuiteTable writes a suite's result for a terminal: one row a run, what each
// verdict came to, the spread of the figures of what was run more than once,
// and what is left behind.
func SuiteTable(w io.Writer, s *suite.Result, o TableOptions) error {
	if o.Width <= 0 {
		o.Width = 120
	}
	p := &printer{w: w}
	if err := suiteRows(p, s, o); err != nil {
		return err
	}
	p.line("%s in %v, seed %d", suite.Counts(s.Entries), s.Took.Round(time.Second), s.Seed)
	for i := range s.Spreads {
		if err := spreadRows(p, s, &s.Spreads[i], o); err != nil {
			return err
		}
	}
	for _, e := range s.Entries {
		if e.Run != nil {
			leftovers(p, e.Run, o.Width, layout{})
		}
	}
	for _, l := range s.Leftovers {
		p.line("left behind: %s", leftoverLine(l))
	}
	if o.Path != "" {
		p.line("suite: %s", o.Path)
	}
	return p.err
}

func suiteRows(p *printer, s *suite.Result, o TableOptions) error {
	header := []string{"scenario", "repetition", "verdict", "duration", "reason"}
	if o.Width < 60 {
		header = header[:4]
	}
	t := newTable(p, o, 28, 10, 14, 9)
	t.Header(header)
	for i := range s.Entries {
		e := &s.Entries[i]
		row := []string{Clean(e.Scenario), repetition(e), paint(e.Word(), string(e.Verdict), o.Colour), duration(e), Clean(e.Reason)}
		if err := t.Append(row[:len(header)]); err != nil {
			return fmt.Errorf("table row of %s: %w", e.Name(), err)
		}
	}
	return t.Render()
}

func repetition(e *suite.Entry) string { return fmt.Sprintf("%d/%d", e.Repetition, max(1, e.Of)) }

func duration(e *suite.Entry) string {
	if e.Verdict == "" {
		return "-"
	}
	return fmt.Sprintf("%.0f s", e.Took.Seconds())
}

// newTable is a table whose last column gets what the fixed ones leave.
func newTable(w io.Writer, o TableOptions, fixed ...int) *tablewriter.Table {
	columns, left := tw.NewMapper[int, int](), o.Width-len(fixed)-2
	for i, n := range fixed {
		columns.Set(i, n)
		left -= n
	}
	columns.Set(len(fixed), max(left, 24))
	return tablewriter.NewTable(w,
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAlignment(tw.AlignLeft),
		tablewriter.WithRowAlignment(tw.AlignLeft),
		tablewriter.WithMaxWidth(o.Width),
		tablewriter.WithRowAutoWrap(tw.WrapNormal),
		tablewriter.WithColumnWidths(columns),
	)
}
