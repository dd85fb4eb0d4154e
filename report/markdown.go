package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
)

// Markdown writes the result for a job's summary or a merge request, in the
// dialect of GitHub and GitLab.
func Markdown(w io.Writer, r *harness.Result) error {
	p := &printer{w: w}
	p.line("## %s: %s\n", headline(r), md(r.Scenario))
	p.line("%s\n", md(r.Reason))
	p.line("| assertion | status | measured | bound | evidence |\n|---|---|---|---|---|")
	for i := range r.Assertions {
		v := &r.Assertions[i]
		p.line("| %s | %s | %s | %s | %s |", md(v.Name), md(status(v)), md(measured(v)), md(bound(v)), md(why(v)))
	}
	for i := range r.Assertions {
		v := &r.Assertions[i]
		if v.Status != assert.Fail || len(v.Evidence) == 0 {
			continue
		}
		p.line("\n**%s**\n", md(v.Name))
		for j := range v.Evidence[:min(len(v.Evidence), firstViolations)] {
			p.line("- %s", md(evidence(&v.Evidence[j])))
		}
	}
	for _, f := range r.Faults {
		p.line("\nFault: %s on %s: %s", md(f.Kind), md(strings.Join(f.Nodes, ", ")), md(proof(f)))
	}
	if r.Dirty {
		p.line("\nLeft behind:\n")
		for _, l := range r.Leftovers {
			p.line("- %s %s: %s", md(l.Kind), md(l.Name), md(l.Remove))
		}
	}
	p.line("\nSeed %d, topology %s, profile %s, hachaos %s.", r.Seed, md(r.Topology), md(r.Profile), md(r.Version))
	if p.err != nil {
		return fmt.Errorf("markdown: %w", p.err)
	}
	return nil
}

// md escapes what Markdown, or the HTML within it, would interpret.
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
		case '|', '`', '*', '_', '[', ']', '\\', '#', '~', '@', '!':
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
