package gameday

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/runbook"
)

// fenced reads a fence as a runbook has it.
func fenced(t *testing.T, lines ...string) *runbook.Output {
	t.Helper()
	text := "## Steps\n\n### 1. Look\n\n```sh\necho\n```\n\n```output\n" + strings.Join(lines, "\n")
	if len(lines) > 0 {
		text += "\n"
	}
	book, err := runbook.Parse("book.md", []byte("---\ntitle: t\n---\n\n"+text+"```\n"))
	require.NoError(t, err)
	for _, b := range book.Section(runbook.Steps).Parts[0].Blocks {
		if c, ok := b.(*runbook.Command); ok {
			return c.Output
		}
	}
	t.Fatal("no command")
	return nil
}

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		name string
		want []string
		got  string
		says string // empty: it matches
	}{
		{"the same", []string{"a", "b"}, "a\nb\n", ""},
		{"without the last newline", []string{"a"}, "a", ""},
		{"nothing", nil, "", ""},
		{"something for nothing", nil, "a\n", `line 1 of its output is "a", where nothing more is expected`},
		{"nothing for something", []string{"a"}, "", `it printed nothing, where "a" is expected`},
		{"too short", []string{"a", "b"}, "a\n", `its output ends after line 1, where "b" is expected`},
		{"too long", []string{"a"}, "a\nb\n", `line 2 of its output is "b", where nothing more is expected`},
		{"another line", []string{"a", "b", "c"}, "a\nx\nc\n", `line 2 of its output is "x", where "b" is expected`},
		{"a space more", []string{"a"}, "a \n", `line 1 of its output is "a ", where "a" is expected`},
		{"an empty line", []string{"a"}, "a\n\n", `line 2 of its output is "", where nothing more is expected`},
		{"any lines", []string{"...", "b", "..."}, "a\nb\nc\nd\n", ""},
		{"any lines, none", []string{"...", "b", "..."}, "b\n", ""},
		{"any lines that must be left", []string{"...", "b"}, "b\nb\n", ""},
		{"any lines without the one", []string{"...", "b", "..."}, "a\nc\n", `"b" is expected`},
		{"any", []string{"..."}, "", ""},
		{"glob", []string{"* DOWN* (glob)"}, "j1 DOWN 1/2\n", ""},
		{"glob of the whole line", []string{"DOWN (glob)"}, "j1 DOWN\n", `"DOWN" is expected`},
		{"glob quotes the rest", []string{"a.b? (glob)"}, "axbc\n", `"a.b?" is expected`},
		{"one sign", []string{"a.b? (glob)"}, "a.bc\n", ""},
		{"regexp", []string{`\d+ ms (re)`}, "80 ms\n", ""},
		{"regexp of the whole line", []string{`\d+ (re)`}, "80 ms\n", "is expected"},
		{"alternatives are whole, too", []string{`a|b (re)`}, "ab\n", "is expected"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := Matches(fenced(t, tt.want...), tt.got)
			if tt.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.says)
		})
	}
	require.NoError(t, Matches(nil, "anything"), "nothing is said of it")
	require.Error(t, Matches(&runbook.Output{Lines: []runbook.OutputLine{{Kind: runbook.Regexp, Text: "("}}}, "("), "a pattern that is none")
}
