package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/suite"
)

// How much Markdown shows. By counts, so that a page stays below the 1 MiB
// that GitHub takes as a job's summary, and the million characters that GitLab
// takes as a comment, whatever others wrote into it: a byte of theirs becomes
// seven at most.
const (
	mdRows     = 100
	mdFailures = 12
	mdRuns     = 8
	mdFaults   = 20
	mdCell     = 300
	mdText     = 400
)

// Markdown writes the result for a job's summary or a merge request, in the
// dialect of GitHub and GitLab: the verdict, what failed with its numbers and
// the first evidence, how to repeat it, and then the rest.
func Markdown(w io.Writer, r *harness.Result) error {
	p := &printer{w: w}
	p.line("## %s: %s\n\n%s", headline(r), mdShort(r.Scenario, maxName), mdShort(r.Reason, mdText))
	mdFailed(p, r, mdFailures)
	mdLeft(p, r, mdFaults)
	mdAgain(p, r.Command)
	if len(r.Assertions) > 0 {
		p.line("\n| assertion | status | measured | bound | evidence |\n|---|---|---|---|---|")
	}
	shown := min(len(r.Assertions), mdRows)
	for i := range r.Assertions[:shown] {
		v := &r.Assertions[i]
		p.line("| %s | %s | %s | %s | %s |", mdShort(v.Name, maxName), md(status(v)), mdShort(measured(v), maxName), mdShort(bound(v), maxName), mdShort(why(v), mdCell))
	}
	mdMore(p, len(r.Assertions)-shown, "assertions")
	shown = min(len(r.Faults), mdFaults)
	for _, f := range r.Faults[:shown] {
		p.line("\nFault: %s on %s at %s: %s", mdShort(f.Kind, maxName), mdShort(strings.Join(f.Nodes, ", "), mdCell), clock(f.At), mdShort(proof(f), mdCell))
	}
	mdMore(p, len(r.Faults)-shown, "faults")
	p.line("\nSeed %d, topology %s, profile %s, hachaos %s.", r.Seed, mdShort(r.Topology, maxName), mdShort(r.Profile, maxName), mdShort(r.Version, maxName))
	if p.err != nil {
		return fmt.Errorf("markdown: %w", p.err)
	}
	return nil
}

// SuiteMarkdown writes a suite for the same readers: what it comes to, what
// failed, and a row for each run.
func SuiteMarkdown(w io.Writer, s *suite.Result) error {
	p := &printer{w: w}
	p.line("## %s: %s", suiteWord(s), plural(len(s.Entries), "run"))
	if counts := suite.Counts(s.Entries); counts != "" {
		p.line("\n%s in %.0f s.", md(counts), s.Took.Seconds())
	}
	if s.Interrupted {
		p.line("\nThe suite was interrupted.")
	}
	failed := 0
	for i := range s.Entries {
		r := resultOf(&s.Entries[i])
		if r.Verdict == harness.VerdictPass && !r.Dirty {
			continue
		}
		if failed++; failed > mdRuns {
			continue
		}
		p.line("\n### %s: %s\n\n%s", strings.ToUpper(s.Entries[i].Word()), mdShort(s.Entries[i].Name(), maxName), mdShort(r.Reason, mdText))
		mdFailed(p, r, 2)
		mdLeft(p, r, 3)
		mdAgain(p, r.Command)
	}
	mdMore(p, failed-mdRuns, "runs did not pass")
	mdLeft(p, &harness.Result{Dirty: len(s.Leftovers) > 0, Leftovers: s.Leftovers}, mdFaults)
	if len(s.Entries) > 0 {
		p.line("\n| run | verdict | duration | reason |\n|---|---|---|---|")
	}
	shown := min(len(s.Entries), mdRows)
	for i := range s.Entries[:shown] {
		e := &s.Entries[i]
		p.line("| %s | %s | %s | %s |", mdShort(e.Name(), maxName), md(e.Word()), duration(e), mdShort(e.Reason, mdCell))
	}
	mdMore(p, len(s.Entries)-shown, "runs")
	p.line("\nSeed %d, hachaos %s.", s.Seed, mdShort(s.Version, maxName))
	if p.err != nil {
		return fmt.Errorf("markdown: %w", p.err)
	}
	return nil
}

// suiteWord is what a suite comes to.
func suiteWord(s *suite.Result) string {
	switch s.ExitCode() {
	case harness.ExitPass:
		return "PASS"
	case harness.ExitFail:
		return "FAIL"
	case harness.ExitInconclusive:
		return "INCONCLUSIVE"
	case harness.ExitDirty:
		return "DIRTY"
	}
	return "ERROR"
}

// mdFailed tells at most so many of the assertions that failed.
func mdFailed(p *printer, r *harness.Result, most int) {
	failed := 0
	for i := range r.Assertions {
		v := &r.Assertions[i]
		if v.Status != assert.Fail {
			continue
		}
		if failed++; failed > most {
			continue
		}
		p.line("\n**%s** measured %s, bound %s: %s\n", mdShort(v.Name, maxName), mdShort(measured(v), maxName), mdShort(bound(v), maxName), mdShort(v.Summary, mdText))
		shown := min(len(v.Evidence), firstViolations)
		for j := range v.Evidence[:shown] {
			p.line("- %s", md(shortEvidence(&v.Evidence[j], mdText)))
		}
		if rest := len(v.Evidence) + v.More - shown; rest > 0 {
			p.line("- and %d more", rest)
		}
		if v.Fix != "" {
			p.line("\nTo change it: %s", mdShort(v.Fix, mdText))
		}
	}
	mdMore(p, failed-most, "assertions failed")
}

// mdLeft lists at most so much of what is left behind.
func mdLeft(p *printer, r *harness.Result, most int) {
	if !r.Dirty {
		return
	}
	p.line("\nLeft behind, and what removes it:\n")
	shown := min(len(r.Leftovers), most)
	for _, l := range r.Leftovers[:shown] {
		p.line("- %s %s: %s", mdShort(l.Kind, maxName), mdShort(l.Name, maxName), mdShort(l.Remove, mdText))
	}
	if rest := len(r.Leftovers) - shown; rest > 0 {
		p.line("- and %d more", rest)
	}
	if len(r.Leftovers) == 0 {
		p.line("- it is not known what: hachaos gc")
	}
}

// mdAgain says how to repeat a run.
func mdAgain(p *printer, command string) {
	if command != "" {
		p.line("\nRepeat it:\n\n```sh\n%s\n```", mdCode(command))
	}
}

// mdMore counts what is not shown; nothing if n is not positive.
func mdMore(p *printer, n int, what string) {
	if n > 0 {
		p.line("\nand %d more %s", n, what)
	}
}

// mdCode is a text between backticks, of which it must have none.
func mdCode(s string) string { return strings.ReplaceAll(Clean(cut(s, mdText)), "`", "'") }

// mdShort cuts a text, and escapes it.
func mdShort(s string, most int) string { return md(cut(s, most)) }

// md escapes what Markdown, the HTML within it, or the references and formulas
// of GitHub and GitLab would interpret.
func md(s string) string {
	var b strings.Builder
	for _, r := range Clean(s) {
		switch r {
		case '&':
			b.WriteString("&amp;")
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '|', '`', '*', '_', '[', ']', '\\', '#', '~', '@', '!', '$':
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
