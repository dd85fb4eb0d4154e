package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/suite"
)

// several is a suite with one of each verdict.
func several(dir string) *suite.Result {
	bad := hostile()
	return &suite.Result{
		Schema: suite.Schema, ID: "1a2b", Version: "v0", Seed: 7, StartedAt: time.Date(2026, 11, 20, 8, 15, 0, 0, time.UTC), Took: 3 * time.Minute,
		Entries: []suite.Entry{
			{Scenario: "db-slow", Repetition: 1, Of: 2, Seed: 7, Verdict: harness.VerdictPass, Reason: "All held.", Took: 48 * time.Second, Dir: filepath.Join(dir, "one"), Run: &harness.Result{
				Scenario: "db-slow", Verdict: harness.VerdictPass, Assertions: failing().Assertions[1:2], Measures: map[string]float64{"good_percent": 99.1, "steady.good_percent": 99},
			}},
			{Scenario: "db-slow", Repetition: 2, Of: 2, Seed: 8, Verdict: harness.VerdictFail, Reason: "write-ledger was violated.", Took: 47 * time.Second, Run: &harness.Result{
				Scenario: "db-slow", Verdict: harness.VerdictFail, Assertions: failing().Assertions, Measures: map[string]float64{"good_percent": 99.9, "steady.good_percent": 100},
			}},
			{Scenario: "db-down", Repetition: 1, Of: 1, Verdict: harness.VerdictInconclusive, Reason: "The baseline was not steady."},
			{Scenario: bad.Scenario, Repetition: 1, Of: 1, Verdict: harness.VerdictPass, Dirty: true, Reason: bad.Reason, Run: bad},
			{Scenario: "drain", Repetition: 1, Of: 1, Reason: "Not run: interrupted."},
		},
		Spreads: []suite.Spread{{Scenario: "db-slow", Verdicts: "1 pass, 1 fail", Measures: []suite.Range{
			{Name: "good_percent", N: 2, Min: 99.1, Median: 99.5, Max: 99.9}, {Name: "steady.good_percent", N: 2, Min: 99, Median: 99.5, Max: 100}, {Name: "never_seen", N: 2},
		}}},
		Leftovers: []history.Leftover{{Kind: "container", Name: "c", Detail: "busy", Remove: "docker rm -f c"}},
	}
}

func TestSuiteTable(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, SuiteTable(&b, several("d"), TableOptions{Path: "d/suite.json"}))
	for _, want := range []string{
		"│ db-slow", "2/2", "48 s", "pass (dirty)", "not run", "1 pass, 1 fail", "good_percent", "99.5", "docker rm -f c", "suite: d/suite.json", "seed 7",
	} {
		require.Contains(t, b.String(), want)
	}
	require.NotContains(t, b.String(), "steady.good_percent", "figures of single phases are in the file")
	require.NotContains(t, b.String(), "never_seen", "it was always 0")
	require.Contains(t, b.String(), "▂·············▂", "a picture of where the two runs lie")
	require.NotContains(t, b.String(), "\x1b")
	require.NotContains(t, b.String(), "\u202e")
	for _, line := range strings.Split(b.String(), "\n") {
		if strings.HasPrefix(line, "│") {
			require.LessOrEqual(t, utf8.RuneCountInString(line), 120, line)
		}
	}
	b.Reset()
	require.NoError(t, SuiteTable(&b, several("d"), TableOptions{Width: 40, Colour: true}))
	require.Contains(t, b.String(), "\x1b[1;31m")
	require.NotContains(t, b.String(), "The baseline was not steady", "no room for the reason")
}

// TestASuiteFitsOnAScreen, however much there is of it: what did not pass is there, and
// what passed is named.
func TestASuiteFitsOnAScreen(t *testing.T) {
	long := strings.Repeat("the baseline was not steady, and the machine was short; ", 20)
	suiteOf := func(passes, fails int, left int) *suite.Result {
		s := &suite.Result{Seed: 7, Took: time.Hour}
		for i := range passes {
			s.Entries = append(s.Entries, suite.Entry{Scenario: fmt.Sprintf("good-%d", i), Repetition: 1, Of: 1, Verdict: harness.VerdictPass, Reason: "All held.", Took: time.Minute})
		}
		for i := range fails {
			s.Entries = append(s.Entries, suite.Entry{Scenario: fmt.Sprintf("bad-%d", i), Repetition: 1, Of: 1, Verdict: harness.VerdictFail, Reason: long, Took: time.Minute})
		}
		for i := range left {
			s.Leftovers = append(s.Leftovers, history.Leftover{Kind: "container", Name: fmt.Sprint(i), Detail: "busy", Remove: "docker rm -f " + fmt.Sprint(i)})
		}
		return s
	}
	for name, tc := range map[string]struct {
		s            *suite.Result
		width        int
		says, hidden []string
	}{
		"a few":             {suiteOf(5, 1, 1), 120, []string{"│ good-4", "│ bad-0", "left behind: container 0"}, []string{"shortened", "passed:"}},
		"the catalogue":     {suiteOf(54, 2, 0), 120, []string{"│ bad-0", "│ bad-1", "passed: good-0, good-1,", "54 pass, 2 fail", "shortened; all of it is in the suite's folder: suite.html"}, []string{"│ good-0"}},
		"all passed":        {suiteOf(54, 0, 0), 120, []string{"passed: good-0, good-1,", "54 pass"}, []string{"│"}},
		"all failed":        {suiteOf(0, 54, 0), 120, []string{"│ bad-0", "and 42 more that did not pass", "54 fail"}, []string{"passed:"}},
		"much is left":      {suiteOf(0, 54, 54), 120, []string{"left behind: container 0", "and 53 more in suite.json; `hachaos gc` removes them"}, nil},
		"a narrow terminal": {suiteOf(54, 54, 5), 40, []string{"bad-0", "passed: good-0"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			require.NoError(t, SuiteTable(&b, tc.s, TableOptions{Width: tc.width, Path: "d/suite.json"}))
			require.LessOrEqual(t, height(b.String(), tc.width), screen, b.String())
			for _, words := range tc.says {
				require.Contains(t, b.String(), words)
			}
			for _, words := range tc.hidden {
				require.NotContains(t, b.String(), words)
			}
		})
	}
}

func TestSuiteHTML(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, SuiteHTML(&b, several("d"), "d"))
	page := b.String()
	wellFormed(t, page)
	golden(t, "suite.html", b.Bytes())
	require.Contains(t, page, `<a href="one/report.html">db-slow</a>`)
	require.Equal(t, 2, strings.Count(page, `<svg class="strip"`), "the whole run's figure, and the phase's")
	require.Equal(t, 4, strings.Count(page, "<circle"), "a dot a run")
	require.Contains(t, page, "1 more figures were the same in every run")
	require.Contains(t, page, "docker rm -f c")
	require.False(t, strings.ContainsAny(page, "\x1b\x00\u202e"))
	require.ErrorIs(t, SuiteHTML(failingWriter{}, several("d"), "d"), io.ErrShortWrite)
}

func TestWriteSuite(t *testing.T) {
	dir := t.TempDir()
	s := several(dir)
	require.NoError(t, WriteSuite(dir, s))
	b, err := os.ReadFile(filepath.Join(dir, suite.File))
	require.NoError(t, err)
	var back suite.Result
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, "one", back.Entries[0].Dir, "relative, so that the folder can be moved")
	require.Equal(t, filepath.Join(dir, "one"), s.Entries[0].Dir, "the result itself is not changed")
	require.Empty(t, back.Entries[4].Dir)
	require.FileExists(t, filepath.Join(dir, JUnitFile))
	require.FileExists(t, filepath.Join(dir, SuiteHTMLFile))
	require.FileExists(t, filepath.Join(dir, MarkdownFile))
	require.FileExists(t, filepath.Join(dir, MetricsFile))
	require.False(t, strings.Contains(string(b), "journal"))
}
