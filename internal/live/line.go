package live

import (
	"strings"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"github.com/hachaos/hachaos/report"
)

// style is the parameter of an SGR sequence; empty is none.
type style string

const (
	plain style = ""
	bold  style = "1"
	faint style = "2"
	alarm style = "1;31"
	fine  style = "32"
	warn  style = "33"
)

// span is text of one style, and line one line of them: clean, as wide as it
// is shown.
type (
	span struct {
		text  string
		style style
	}
	line []span
)

// Columns is how many columns of a terminal a clean text takes, or fewer: where
// terminals differ it is the most. What is ambiguous is as wide as twwidth
// finds in the environment.
func Columns(s string) int {
	// A selector asks for the wide form of the sign before.
	return twwidth.Width(s) + strings.Count(s, "\uFE0F")
}

func (l line) columns() int {
	n := 0
	for _, s := range l {
		n += Columns(s.text)
	}
	return n
}

// cut is l in at most width columns; more says that something is missing.
func (l line) cut(width int, more string) line {
	if l.columns() <= width {
		return l
	}
	room := width - Columns(more)
	if room < 0 {
		return nil
	}
	var out line
	for _, s := range l {
		text := clip(s.text, room)
		out = append(out, span{text, s.style})
		if text != s.text {
			break
		}
		room -= Columns(text)
	}
	return append(out, span{more, plain})
}

// clip is the beginning of s that takes at most width columns.
func clip(s string, width int) string {
	used := 0
	for i, r := range s {
		used += Columns(string(r))
		if used > width {
			return s[:i]
		}
	}
	return s
}

// String is the line without colours.
func (l line) String() string { return l.paint(false) }

func (l line) paint(colour bool) string {
	var b strings.Builder
	for _, s := range l {
		if colour && s.style != plain && s.text != "" {
			b.WriteString("\x1b[" + string(s.style) + "m" + s.text + "\x1b[0m")
		} else {
			b.WriteString(s.text)
		}
	}
	return b.String()
}

// to fills l up with blanks.
func (l line) to(width int) line {
	if n := width - l.columns(); n > 0 {
		return append(l[:len(l):len(l)], span{strings.Repeat(" ", n), plain})
	}
	return l
}

// glyphs are those of a terminal; each takes one column.
type glyphs struct {
	good, ill        string
	then, rule, more string
	full, tip, empty string // of a bar
	bars             []rune // from low to high
	ascii            bool   // other text is to be that, too
}

var (
	unicodeGlyphs = glyphs{"✓", "✗", "›", "──", "…", "━", "╸", "─", []rune("▁▂▃▄▅▆▇█"), false}
	asciiGlyphs   = glyphs{"+", "!", ">", "--", "..", "=", ">", "-", []rune(".:-=+*#@"), true}
)

// say is a span of text that may come from anywhere.
func (g *glyphs) say(st style, text string) span {
	text = report.Clean(text)
	if g.ascii {
		text = strings.Map(func(r rune) rune {
			if r >= 0x80 {
				return '?'
			}
			return r
		}, text)
	}
	return span{text, st}
}

// bar is a bar of so many columns of which this share is full.
func (g *glyphs) bar(columns int, share float64) string {
	n := int(max(0, min(1, share)) * float64(columns))
	if n == columns {
		return strings.Repeat(g.full, columns)
	}
	return strings.Repeat(g.full, n) + g.tip + strings.Repeat(g.empty, columns-n-1)
}

// fitting is the first of lines that takes at most width columns, or the
// beginning of the last.
func (g *glyphs) fitting(width int, lines ...line) line {
	for _, l := range lines {
		if l.columns() <= width {
			return l
		}
	}
	return lines[len(lines)-1].cut(width, g.more)
}
