// Package report writes a Result for people and for machines: a terminal
// table, HTML, Markdown and JUnit. Writers are pure functions of a Result and
// its History, and change neither.
package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// Clean makes s safe to show anywhere: what is not valid UTF-8, control
// characters and bidirectional overrides become visible escapes, line breaks
// become spaces.
func Clean(s string) string {
	clean := true
	for _, r := range s {
		if r == unicode.ReplacementChar || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\n', r == '\r', r == '\t':
			b.WriteByte(' ')
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// ShellWord is s as one word of a shell's command.
func ShellWord(s string) string {
	plain := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("._/-+=:@,%", c)
	}
	if s != "" && !strings.ContainsFunc(s, func(c rune) bool { return !plain(c) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// leftoverLine is what was left behind, and the command that removes it.
func leftoverLine(l history.Leftover) string {
	return fmt.Sprintf("%s %s%s; remove it with: %s", Clean(l.Kind), Clean(l.Name), parenthesis(l.Detail), Clean(l.Remove))
}

// status is the word that tables show.
func status(v *assert.Verdict) string {
	if v.NotExercised {
		return v.Status.String() + " (not exercised)"
	}
	return v.Status.String()
}

// number prints at most three decimals, without trailing zeros.
func number(f float64) string {
	switch {
	case math.IsNaN(f):
		return "unknown"
	case math.IsInf(f, 0):
		return "unbounded"
	}
	rounded := math.Round(f*1000) / 1000
	if rounded == 0 {
		return "0" // not -0
	}
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

func measured(v *assert.Verdict) string {
	if v.Measured == nil {
		return "-"
	}
	return withUnit(*v.Measured, v.Unit)
}

func bound(v *assert.Verdict) string {
	if v.Bound == nil {
		return "-"
	}
	op := strings.NewReplacer("<=", "≤ ", ">=", "≥ ").Replace(v.Op)
	return op + withUnit(*v.Bound, v.Unit)
}

func withUnit(f float64, unit string) string {
	switch {
	case unit == "":
		return number(f)
	case strings.HasPrefix(unit, "%"):
		return number(percent(f, unit)) + " " + Clean(unit)
	case unit == "percentage points":
		return number(math.Round(f*10)/10) + " points"
	case unit == "ms" && math.Abs(f) >= 10:
		return number(math.Round(f)) + " ms"
	}
	return number(f) + " " + Clean(unit)
}

// ofMeasure is a value of a measure: of one that says how much was good, as of a verdict
// that does.
func ofMeasure(m *assert.Measure, f float64) string {
	if m.Unit == "%" && strings.HasPrefix(m.Name, "good") {
		return number(percent(f, "% good")) + " %"
	}
	return withUnit(f, m.Unit)
}

// percent rounds to three decimals, so that nothing looks better than it was: what is
// good is rounded down, and all else up.
func percent(f float64, unit string) float64 {
	const slack = 1e-6 // of a decimal fraction that binary does not hold
	if strings.HasSuffix(unit, "good") {
		return math.Floor(f*1000+slack) / 1000
	}
	return math.Ceil(f*1000-slack) / 1000
}

// why is the sentence beside an assertion: the reasons if it could not be
// judged, else its summary.
func why(v *assert.Verdict) string {
	if v.Status == assert.Inconclusive && len(v.Reasons) > 0 {
		return Clean(strings.Join(v.Reasons, "; "))
	}
	return Clean(v.Summary)
}

// clock prints a time of the run, such as "+12.345s".
func clock(d time.Duration) string {
	return fmt.Sprintf("%+.3fs", d.Seconds())
}

// timeless says that the evidence is of the whole run, and not of a moment.
func timeless(e *assert.Evidence) bool { return e.At == 0 && e.Op == 0 && e.Seq == 0 }

// evidence is one line: where, when and what.
func evidence(e *assert.Evidence) string {
	var parts []string
	if e.Op > 0 {
		parts = append(parts, fmt.Sprintf("op %d", e.Op))
	}
	if e.Node != "" {
		parts = append(parts, "on "+Clean(e.Node))
	}
	if !timeless(e) {
		parts = append(parts, "at "+clock(e.At))
	}
	if e.Class != "" {
		parts = append(parts, Clean(e.Class))
	}
	return strings.Join(parts, ", ") + ": " + Clean(e.Text)
}
