package report

import (
	"strings"
	"unicode/utf8"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
)

// screen is how many lines a result takes on a terminal at most.
const screen = 40

// layout says how much of a result is shown. A number of 0 is all.
type layout struct {
	reason     int // lines
	faults     int // how many
	faultLines int // of each
	cell       int // lines of the table's last column; a failed assertion has twice as many
	violations int // of each failed assertion, firstViolations at most
	lines      int // of each violation
	leftovers  int // how many
	// passes leaves the assertions that plainly pass in the table; else a line
	// names them.
	passes bool
	// list names the assertions by their status and has no table.
	list bool
}

// layouts are tried in this order, from all to little; the last one fits
// whatever there is.
var layouts = []layout{
	{passes: true},
	{passes: true, reason: 4, faults: 5, faultLines: 2, cell: 3, lines: 4, leftovers: 5},
	{passes: true, reason: 3, faults: 3, faultLines: 2, cell: 2, lines: 3, violations: 3, leftovers: 5},
	{passes: true, reason: 3, faults: 3, faultLines: 2, cell: 1, lines: 2, violations: 3, leftovers: 5},
	{passes: true, reason: 2, faults: 2, faultLines: 1, cell: 1, lines: 2, violations: 1, leftovers: 3},
	{reason: 3, faults: 3, faultLines: 2, cell: 2, lines: 3, violations: 2, leftovers: 3},
	{reason: 2, faults: 2, faultLines: 1, cell: 1, lines: 2, violations: 1, leftovers: 3},
	{list: true, reason: 3, faults: 1, faultLines: 2, lines: 3, violations: 1, leftovers: 2},
	{list: true, reason: 2, faults: 1, faultLines: 1, lines: 1, violations: 1, leftovers: 1},
}

// most is n, or all of them if n is 0.
func most(n, all int) int {
	if n == 0 {
		return all
	}
	return min(n, all)
}

// height is how many lines of a terminal the text takes.
func height(text string, width int) int {
	n := 0
	for line := range strings.Lines(text) {
		n += max(1, (visible(strings.TrimSuffix(line, "\n"))+width-1)/width)
	}
	return n
}

// visible counts the characters of a line that are no colour.
func visible(line string) int {
	n, escape := 0, false
	for _, r := range line {
		switch {
		case r == '\x1b':
			escape = true
		case escape:
			escape = r != 'm'
		default:
			n++
		}
	}
	return n
}

// shorten wraps text and keeps its first lines, all if lines is 0; an ellipsis
// says that there is more. A word that is longer than the width is cut, too,
// unless all is kept.
func shorten(text string, width, lines int, indent string) string {
	wrapped := wrap(text, width, indent)
	if lines == 0 {
		return wrapped
	}
	all := strings.Split(wrapped, "\n")
	kept := all[:min(lines, len(all))]
	for i := range kept {
		kept[i] = clipTo(kept[i], width)
	}
	if last := kept[len(kept)-1]; len(all) > lines && !strings.HasSuffix(last, "…") {
		kept[len(kept)-1] = strings.TrimSuffix(clipTo(last, width-2), "…") + " …"
	}
	return strings.Join(kept, "\n")
}

// clipTo cuts a text that is longer than n characters, and ends it with an
// ellipsis.
func clipTo(text string, n int) string {
	if utf8.RuneCountInString(text) <= n || n < 1 {
		return text
	}
	return string([]rune(text)[:n-1]) + "…"
}

// plainPass says that there is nothing to be said of a verdict.
func plainPass(v *assert.Verdict) bool { return v.Status == assert.Pass && !v.NotExercised }

// names of the assertions that keep holds for.
func names(r *harness.Result, keep func(*assert.Verdict) bool) string {
	var out []string
	for i := range r.Assertions {
		if v := &r.Assertions[i]; keep(v) {
			out = append(out, Clean(v.Name))
		}
	}
	return strings.Join(out, ", ")
}
