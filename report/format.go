package report

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/suite"
)

// ErrNoRecord is that of a format that tells more than the result does, of a
// run that has left no record.
var ErrNoRecord = errors.New("there is no record of the run")

// Format is a form in which a run or a suite can be had on request.
type Format struct {
	// Name is what the command line calls it, and About says whom it is for.
	Name, About string
	// Run writes a run. The history is nil if the run has left no record.
	Run func(io.Writer, *harness.Result, *history.History) error
	// Suite writes a suite to a file in dir.
	Suite func(w io.Writer, s *suite.Result, dir string) error
}

// Formats are all of them, in the order of their names.
func Formats() []Format {
	return []Format{
		{
			"github", "GitHub's workflow commands: annotations, if a step prints them", ofResult(GitHub), ofSuite(SuiteGitHub),
		},
		{
			"grafana", "annotations for Grafana, one JSON object a line and a request", Grafana,
			func(w io.Writer, s *suite.Result, _ string) error { return SuiteGrafana(w, s, history.Load) },
		},
		{
			"html", "the page of the run's folder, or of the suite's", htmlOfRecord, SuiteHTML,
		},
		{
			"junit", "JUnit's XML, for GitLab, Jenkins and actions of GitHub", ofResult(JUnit), ofSuite(SuiteJUnit),
		},
		{
			"markdown", "a summary for a job or a merge request", ofResult(Markdown), ofSuite(SuiteMarkdown),
		},
		{
			"openmetrics", "the measures as OpenMetrics 1.0", ofResult(OpenMetrics), ofSuite(SuiteOpenMetrics),
		},
		{
			"prometheus", "the measures in Prometheus's text format 0.0.4", ofResult(Prometheus), ofSuite(SuitePrometheus),
		},
	}
}

// FormatOf finds one by its name.
func FormatOf(name string) (Format, bool) {
	all := Formats()
	i := slices.IndexFunc(all, func(f Format) bool { return f.Name == name })
	if i < 0 {
		return Format{}, false
	}
	return all[i], true
}

func ofResult(f func(io.Writer, *harness.Result) error) func(io.Writer, *harness.Result, *history.History) error {
	return func(w io.Writer, r *harness.Result, _ *history.History) error { return f(w, r) }
}

func ofSuite(f func(io.Writer, *suite.Result) error) func(io.Writer, *suite.Result, string) error {
	return func(w io.Writer, s *suite.Result, _ string) error { return f(w, s) }
}

func htmlOfRecord(w io.Writer, r *harness.Result, h *history.History) error {
	if h == nil {
		return fmt.Errorf("html: %w", ErrNoRecord)
	}
	return HTML(w, r, h)
}
