package gameday

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/hachaos/hachaos/runbook"
)

// Matches reports how a command's standard output differs from what the runbook
// expects; nil if it does not, or if nothing is expected. The end of the last
// line may be missing. A pattern that cannot be compiled is an error.
func Matches(want *runbook.Output, stdout string) error {
	if want == nil {
		return nil
	}
	var got []string
	if stdout != "" {
		got = strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	}
	tests := make([]func(string) bool, len(want.Lines))
	for i, l := range want.Lines {
		test, err := lineTest(l)
		if err != nil {
			return fmt.Errorf("line %d: %w", want.Line+1+i, err)
		}
		tests[i] = test
	}
	// reach[j]: the lines of the runbook so far can be the first j of the output.
	// How far it got at most says which line is to blame.
	reach, furthest, line := make([]bool, len(got)+1), 0, 0
	reach[0] = true
	for i, test := range tests {
		reach = step(reach, got, test)
		for j, ok := range reach {
			if ok && j >= furthest {
				furthest, line = j, i+1
			}
		}
	}
	if reach[len(got)] {
		return nil
	}
	return difference(want, got, furthest, line)
}

// step takes one more line of the runbook; a test of nil stands for any lines.
func step(reach []bool, got []string, test func(string) bool) []bool {
	next := make([]bool, len(reach))
	for j := range reach {
		switch {
		case test == nil:
			next[j] = reach[j] || j > 0 && next[j-1]
		case j > 0:
			next[j] = reach[j-1] && test(got[j-1])
		}
	}
	return next
}

func difference(want *runbook.Output, got []string, at, line int) error {
	expected := "nothing more"
	for ; line < len(want.Lines); line++ {
		if l := want.Lines[line]; l.Kind != runbook.Any {
			expected = fmt.Sprintf("%q", l.Text)
			break
		}
	}
	switch {
	case len(got) == 0:
		return fmt.Errorf("it printed nothing, where %s is expected", expected)
	case at >= len(got):
		return fmt.Errorf("its output ends after line %d, where %s is expected", len(got), expected)
	}
	return fmt.Errorf("line %d of its output is %q, where %s is expected", at+1, shortened(got[at]), expected)
}

// lineTest says whether a line is as expected; nil stands for any lines.
func lineTest(l runbook.OutputLine) (func(string) bool, error) {
	switch l.Kind {
	case runbook.Any:
		return nil, nil
	case runbook.Glob:
		pattern := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(l.Text))
		return whole(pattern)
	case runbook.Regexp:
		return whole(l.Text)
	default:
		return func(s string) bool { return s == l.Text }, nil
	}
}

func whole(pattern string) (func(string) bool, error) {
	re, err := regexp.Compile(`^(?:` + pattern + `)$`)
	if err != nil {
		return nil, err
	}
	return re.MatchString, nil
}

// maxShown is how much of a text a sentence shows.
const maxShown = 120

// shortened is the beginning of a long text.
func shortened(s string) string {
	if r := []rune(s); len(r) > maxShown {
		return string(r[:maxShown]) + " …"
	}
	return s
}
