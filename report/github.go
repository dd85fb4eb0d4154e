package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/suite"
)

// githubShown is how many annotations of a level GitHub shows of a step.
const githubShown = 10

// annotation is one that GitHub shows beside a job.
type annotation struct {
	level       string // error, warning or notice
	title, text string
}

// GitHub writes the result as workflow commands, which a step prints to have
// them shown as annotations: an error for each assertion that failed and for
// what is left behind, a warning for what could not be judged, and a notice of
// a pass. GitHub shows ten of a level; the tenth says how many more there are.
func GitHub(w io.Writer, r *harness.Result) error { return writeGitHub(w, annotations(r)) }

// SuiteGitHub writes a suite as GitHub does, the errors of all runs before
// anything else.
func SuiteGitHub(w io.Writer, s *suite.Result) error {
	var list []annotation
	for i := range s.Entries {
		r := resultOf(&s.Entries[i])
		r.Scenario = s.Entries[i].Name()
		list = append(list, annotations(r)...)
	}
	if s.Interrupted || len(s.Entries) == 0 {
		list = append(list, annotation{"warning", "hachaos: INCONCLUSIVE", "The suite was interrupted, or nothing was run."})
	}
	if len(s.Leftovers) > 0 {
		left := &harness.Result{Dirty: true, Leftovers: s.Leftovers}
		list = append(list, annotation{"error", "hachaos: DIRTY", leftoverText(left)})
	}
	return writeGitHub(w, list)
}

// annotations are those of a run.
func annotations(r *harness.Result) []annotation {
	name := "hachaos " + cleanName(r.Scenario)
	again := ""
	if r.Command != "" {
		again = "\nRepeat it: " + cleanText(r.Command)
	}
	var list []annotation
	if r.Dirty {
		list = append(list, annotation{"error", name + ": " + headline(r), "Something could not be healed or removed.\n" + leftoverText(r) + strings.TrimPrefix(again, "\n")})
	}
	if untold(r) {
		level := "error"
		if r.Verdict == harness.VerdictInconclusive {
			level = "warning"
		}
		list = append(list, annotation{level, name + ": " + headline(r), cleanText(r.Reason) + again})
	}
	for i := range r.Assertions {
		v := &r.Assertions[i]
		switch v.Status {
		case assert.Fail:
			text := fmt.Sprintf("%s\nmeasured %s, bound %s", cleanText(v.Summary), cut(measured(v), maxName), cut(bound(v), maxName))
			if len(v.Evidence) > 0 {
				text += "\n" + shortEvidence(&v.Evidence[0], maxText)
			}
			if v.Fix != "" {
				text += "\nTo change it: " + cleanText(v.Fix)
			}
			list = append(list, annotation{"error", name + ": " + cleanName(v.Name), text + again})
		case assert.Inconclusive:
			list = append(list, annotation{"warning", name + ": " + cleanName(v.Name) + " is inconclusive", cut(why(v), maxText) + again})
		}
	}
	if len(list) == 0 {
		list = append(list, annotation{"notice", name + ": " + headline(r), cleanText(r.Reason)})
	}
	return list
}

// writeGitHub writes the workflow commands, by level.
func writeGitHub(w io.Writer, list []annotation) error {
	p := &printer{w: w}
	for _, level := range []string{"error", "warning", "notice"} {
		var of []annotation
		for _, a := range list {
			if a.level == level {
				of = append(of, a)
			}
		}
		if n := len(of); n > githubShown {
			of = append(of[:githubShown-1:githubShown-1], annotation{level, "hachaos", fmt.Sprintf("and %d more; the JUnit file has all", n-githubShown+1)})
		}
		for _, a := range of {
			p.line("::%s title=%s::%s", level, githubProperty(a.title), githubData(a.text))
		}
	}
	if p.err != nil {
		return fmt.Errorf("github: %w", p.err)
	}
	return nil
}

// githubData and githubProperty escape as the runner unescapes: see
// ActionCommand in actions/runner.
func githubData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func githubProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}
