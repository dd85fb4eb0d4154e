package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
)

// TableOptions are about the terminal. The zero value is a plain one, 120
// columns wide.
type TableOptions struct {
	// Width in columns; 0 is 120. Below 60 the last column is left out.
	Width int
	// Colour uses ANSI sequences. Nothing is said by colour alone.
	Colour bool
	// Path is the report to open; empty if there is none.
	Path string
}

// firstViolations is how many pieces of evidence a failed assertion shows on
// the terminal; the report has the rest.
const firstViolations = 5

// Table writes the result for a terminal: verdict, one table of assertions,
// the first violations, what is left over, and where the report is.
func Table(w io.Writer, r *harness.Result, o TableOptions) error {
	if o.Width <= 0 {
		o.Width = 120
	}
	p := &printer{w: w}
	p.line("%s  %s", paint(headline(r), string(r.Verdict), o.Colour), Clean(r.Scenario))
	p.line("%s", Clean(r.Reason))
	for _, f := range r.Faults {
		p.line("fault: %s on %s at %s: %s", Clean(f.Kind), Clean(strings.Join(f.Nodes, ", ")), clock(f.At), proof(f))
	}
	p.line("")
	if err := table(p, r, o); err != nil {
		return err
	}
	for i := range r.Assertions {
		violations(p, &r.Assertions[i])
	}
	leftovers(p, r)
	if o.Path != "" {
		p.line("report: %s", o.Path)
	}
	return p.err
}

// printer keeps the first error of a sequence of writes.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// Write makes a printer an io.Writer for tablewriter.
func (p *printer) Write(b []byte) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	n, err := p.w.Write(b)
	p.err = err
	return n, err
}

func headline(r *harness.Result) string {
	word := strings.ToUpper(string(r.Verdict))
	if r.Dirty {
		word += " (DIRTY)"
	}
	return word
}

func proof(f harness.FaultResult) string {
	if !f.Proven {
		return "NOT PROVEN" + parenthesis(f.Measured)
	}
	return "proven" + parenthesis(f.Measured)
}

func parenthesis(s string) string {
	if s == "" {
		return ""
	}
	return " (" + Clean(s) + ")"
}

func table(p *printer, r *harness.Result, o TableOptions) error {
	header := []string{"assertion", "status", "measured", "bound", "evidence"}
	if o.Width < 60 {
		header = header[:4]
	}
	t := newTable(p, o, 18, 14, 16, 16)
	t.Header(header)
	for i := range r.Assertions {
		v := &r.Assertions[i]
		row := []string{Clean(v.Name), paint(status(v), v.Status.String(), o.Colour), measured(v), bound(v), why(v)}
		if err := t.Append(row[:len(header)]); err != nil {
			return fmt.Errorf("table row of %s: %w", v.Name, err)
		}
	}
	return t.Render()
}

// violations prints the first evidence of a failed assertion.
func violations(p *printer, v *assert.Verdict) {
	if v.Status != assert.Fail {
		return
	}
	p.line("%s:", Clean(v.Name))
	for i := range v.Evidence[:min(len(v.Evidence), firstViolations)] {
		p.line("  %s", evidence(&v.Evidence[i]))
	}
	if rest := len(v.Evidence) + v.More - firstViolations; rest > 0 {
		p.line("  and %d more in the report", rest)
	}
	if v.Fix != "" {
		p.line("  to change it: %s", Clean(v.Fix))
	}
}

func leftovers(p *printer, r *harness.Result) {
	if !r.Dirty {
		return
	}
	p.line("left behind:")
	for _, l := range r.Leftovers {
		p.line("  %s %s%s; remove it with: %s", Clean(l.Kind), Clean(l.Name), parenthesis(l.Detail), Clean(l.Remove))
	}
}

// paint colours s by a verdict's word.
func paint(s, word string, colour bool) string {
	if !colour {
		return s
	}
	code := "33" // yellow: inconclusive
	switch word {
	case "pass":
		code = "32"
	case "fail", "error":
		code = "31"
	}
	return "\x1b[1;" + code + "m" + s + "\x1b[0m"
}
