package runbook

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Error is one reason why a document cannot be read.
type Error struct {
	Name string // the document's
	Line int
	Text string
}

// Error is "name:line: text".
func (e Error) Error() string { return fmt.Sprintf("%s:%d: %s", e.Name, e.Line, e.Text) }

// Errors are all the reasons, in the order of their lines, one at least.
type Errors []Error

// Error has one reason a line.
func (e Errors) Error() string {
	var lines []string
	for _, one := range e {
		lines = append(lines, one.Error())
	}
	return strings.Join(lines, "\n")
}

// maxErrors bounds how many are told.
const maxErrors = 100

// fail notes a reason.
func (p *parser) fail(line int, format string, args ...any) {
	p.errs = append(p.errs, Error{p.book.Name, line, fmt.Sprintf(format, args...)})
}

// failed are the reasons that were noted, nil if there is none.
func (p *parser) failed() error {
	if len(p.errs) == 0 {
		return nil
	}
	slices.SortStableFunc(p.errs, func(a, b Error) int { return cmp.Compare(a.Line, b.Line) })
	if more := len(p.errs) - maxErrors; more > 0 {
		last := p.errs[maxErrors]
		last.Text = fmt.Sprintf("and %d more", more)
		p.errs = append(p.errs[:maxErrors], last)
	}
	return p.errs
}
