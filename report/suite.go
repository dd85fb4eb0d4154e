package report

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"time"

	"github.com/jstemmer/go-junit-report/v2/junit"
	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/tw"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/suite"
)

// WriteSuite writes a suite's result, its JUnit file and its page into its
// folder. It
// goes on after an error and returns them all.
func WriteSuite(dir string, s *suite.Result) error {
	saved := *s
	saved.Entries = append([]suite.Entry{}, s.Entries...)
	for i, e := range saved.Entries {
		if rel, err := filepath.Rel(dir, e.Dir); err == nil && e.Dir != "" {
			saved.Entries[i].Dir = filepath.ToSlash(rel)
		}
	}
	return errors.Join(
		replace(filepath.Join(dir, suite.File), func(w io.Writer) error {
			enc := json.NewEncoder(w)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", "  ")
			return enc.Encode(&saved)
		}),
		replace(filepath.Join(dir, JUnitFile), func(w io.Writer) error { return SuiteJUnit(w, s) }),
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

// SuiteJUnit writes one test suite with a case for each run. A failed or a
// dirty one is a failure; one that is inconclusive, could not be carried out
// or was not run is an error: it must not look green.
func SuiteJUnit(w io.Writer, s *suite.Result) error {
	ts := junit.Testsuite{
		Name: "hachaos", Time: fmt.Sprintf("%.3f", s.Took.Seconds()), Timestamp: s.StartedAt.UTC().Format("2006-01-02T15:04:05"),
	}
	ts.AddProperty("seed", strconv.FormatUint(s.Seed, 10))
	ts.AddProperty("version", xmlText(s.Version))
	for i := range s.Entries {
		ts.AddTestcase(suiteCase(&s.Entries[i]))
	}
	for _, l := range s.Leftovers {
		tc := junit.Testcase{Name: xmlText(l.Kind + " " + l.Name), Classname: "hachaos.suite", Time: "0.000"}
		tc.Failure = &junit.Result{Message: "dirty: it could not be removed", Type: "dirty", Data: xmlText(l.Detail + "\n" + l.Remove)}
		ts.AddTestcase(tc)
	}
	all := junit.Testsuites{}
	all.AddSuite(ts)
	return writeXML(w, all)
}

func suiteCase(e *suite.Entry) junit.Testcase {
	tc := junit.Testcase{
		Name: xmlText(fmt.Sprintf("%s/%d", e.Scenario, e.Repetition)), Classname: "hachaos." + xmlText(e.Scenario),
		Time: fmt.Sprintf("%.3f", e.Took.Seconds()),
	}
	text := xmlText(fmt.Sprintf("%s\nseed %d\n%s\n%s", e.Reason, e.Seed, e.Command, e.Dir))
	switch {
	case e.Dirty:
		tc.Failure = &junit.Result{Message: "dirty: something could not be healed or removed", Type: "dirty", Data: text}
	case e.Verdict == harness.VerdictFail:
		tc.Failure = &junit.Result{Message: xmlText(e.Reason), Type: "fail", Data: text}
	case e.Verdict == harness.VerdictPass:
		tc.SystemOut = &junit.Output{Data: text}
	default:
		tc.Error = &junit.Result{Message: xmlText(e.Word() + ": " + e.Reason), Type: e.Word(), Data: text}
	}
	return tc
}

func writeXML(w io.Writer, v any) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("junit: %w", err)
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("junit: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}
