package report

import (
	"bytes"
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
	// Dir is the run's folder, as the command that tells the rest names it;
	// empty if there is none.
	Dir string
	// Next are lines that come last, such as commands to go on with. They count
	// as lines of the result, and are not cut.
	Next []string
}

// firstViolations is how many pieces of evidence a failed assertion shows on
// the terminal; the report has the rest.
const firstViolations = 5

// Table writes the result for a terminal, on at most 40 lines of it: verdict,
// one table of assertions, the first violations, what is left over, and where
// the report is. What does not fit is cut, from the least to the most
// important, and a line says where all of it is.
func Table(w io.Writer, r *harness.Result, o TableOptions) error {
	if o.Width <= 0 {
		o.Width = 120
	}
	r = legible(r)
	var b bytes.Buffer
	for i, l := range layouts {
		b.Reset()
		if err := draw(&b, r, o, l, i > 0); err != nil {
			return err
		}
		if height(b.String(), o.Width) <= screen {
			break
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// draw writes the result as a layout wants it.
func draw(w io.Writer, r *harness.Result, o TableOptions, l layout, shortened bool) error {
	p := &printer{w: w}
	p.line("%s", clipHead(paint(headline(r), string(r.Verdict), o.Colour), Clean(r.Scenario), o.Width, l))
	p.line("%s", shorten(Clean(r.Reason), o.Width, l.reason, ""))
	shown := most(l.faults, len(r.Faults))
	for _, f := range r.Faults[:shown] {
		text := fmt.Sprintf("fault: %s on %s at %s: %s", Clean(f.Kind), Clean(strings.Join(f.Nodes, ", ")), clock(f.At), proof(f))
		p.line("%s", shorten(text, o.Width, l.faultLines, "  "))
	}
	if n := len(r.Faults) - shown; n > 0 {
		p.line("and %d more faults", n)
	}
	p.line("")
	if err := assertions(p, r, o, l); err != nil {
		return err
	}
	told := 0
	for i := range r.Assertions {
		if l.list && told > 0 {
			break // the first one that failed must do
		}
		if r.Assertions[i].Status == assert.Fail {
			violations(p, &r.Assertions[i], o.Width, l)
			told++
		}
	}
	leftovers(p, r, o.Width, l)
	if shortened {
		p.line("%s", rest(o))
	}
	if o.Path != "" {
		p.line("report: %s", o.Path)
	}
	for _, l := range o.Next {
		p.line("%s", Clean(l))
	}
	return p.err
}

// clipHead is the first line; a name that is too long is cut where little is
// shown.
func clipHead(word, name string, width int, l layout) string {
	if l.reason > 0 {
		name = clipTo(name, max(1, width-visible(word)-2))
	}
	return word + "  " + name
}

// rest says where all of a result is that was shortened.
func rest(o TableOptions) string {
	if o.Dir != "" {
		return "shortened; all of it: hachaos explain " + ShellWord(Clean(o.Dir))
	}
	return "shortened; all of it is in the run's folder"
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

// fixedColumns are the widths of the table's columns but for the last.
var fixedColumns = []int{18, 14, 16, 16}

// assertions is the table of them; a list of their names where the layout
// wants that.
func assertions(p *printer, r *harness.Result, o TableOptions, l layout) error {
	if l.list {
		for _, s := range []assert.Status{assert.Fail, assert.Inconclusive, assert.Pass} {
			if list := names(r, func(v *assert.Verdict) bool { return v.Status == s }); list != "" {
				p.line("%s", shorten(s.String()+": "+list, o.Width, 4, "  "))
			}
		}
		return p.err
	}
	if len(r.Assertions) == 0 {
		return p.err // nothing was judged, and a table of nothing says less than the reason
	}
	header := []string{"assertion", "status", "measured", "bound", "evidence"}
	if o.Width < 60 {
		header = header[:4]
	}
	t := newTable(p, o, fixedColumns...)
	t.Header(header)
	for i := range r.Assertions {
		v := &r.Assertions[i]
		if plainPass(v) && !l.passes {
			continue
		}
		row := []string{Clean(v.Name), paint(status(v), v.Status.String(), o.Colour), measured(v), bound(v), cell(v, o.Width, l)}
		if err := t.Append(row[:len(header)]); err != nil {
			return fmt.Errorf("table row of %s: %w", v.Name, err)
		}
	}
	if err := t.Render(); err != nil {
		return err
	}
	if held := names(r, plainPass); held != "" && !l.passes {
		p.line("%s", shorten("pass: "+held, o.Width, 3, "  "))
	}
	return p.err
}

// cell is the last column's text, as long as the layout lets it be.
func cell(v *assert.Verdict, width int, l layout) string {
	lines := l.cell
	if v.Status == assert.Fail {
		lines *= 2
	}
	return strings.ReplaceAll(shorten(why(v), lastColumn(width, fixedColumns)-cellPadding, lines, ""), "\n", " ")
}

// violations prints the first evidence of a failed assertion.
func violations(p *printer, v *assert.Verdict, width int, l layout) {
	if l.violations == 0 {
		l.violations = firstViolations
	}
	p.line("%s:", clipTo(Clean(v.Name), width-1))
	shown := min(len(v.Evidence), l.violations)
	for i := range v.Evidence[:shown] {
		p.line("  %s", shorten(evidence(&v.Evidence[i]), width-2, l.lines, "    "))
	}
	switch rest := len(v.Evidence) - shown; {
	case v.More > 0:
		p.line("  and %d more in the report, %d in the journal", rest, v.More)
	case rest > 0:
		p.line("  and %d more in the report", rest)
	}
	if v.Fix != "" {
		p.line("  %s", shorten("to change it: "+Clean(v.Fix), width-2, l.lines, "    "))
	}
}

func leftovers(p *printer, r *harness.Result, width int, l layout) {
	if !r.Dirty {
		return
	}
	p.line("left behind:")
	shown := most(l.leftovers, len(r.Leftovers))
	for _, left := range r.Leftovers[:shown] {
		text := leftoverLine(left)
		if l.lines > 0 {
			text = clipTo(text, 4*width)
		}
		p.line("  %s", text) // not wrapped: the command is there to be copied
	}
	if n := len(r.Leftovers) - shown; n > 0 {
		p.line("  and %d more in %s; `hachaos gc` removes them", n, harness.ResultFile)
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
