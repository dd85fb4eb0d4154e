package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWilson compares with intervals published for these counts (Newcombe
// 1998, table I, method 3).
func TestWilson(t *testing.T) {
	for _, c := range []struct {
		good, n   int
		low, high float64
	}{
		{81, 263, 0.2553, 0.3662},
		{15, 148, 0.0624, 0.1605},
		{0, 20, 0, 0.1611},
		{1, 29, 0.0061, 0.1718},
	} {
		low, high := wilson(c.good, c.n)
		require.InDelta(t, c.low, low, 0.00005)
		require.InDelta(t, c.high, high, 0.00005)
	}
}

// known is a section of literal entries.
func known() section {
	m := func(line int, fn, from, to string, nth int) *mutant {
		return &mutant{file: "p/a.go", line: line, fn: fn, from: from, to: to, nth: nth}
	}
	return section{short: "p", entries: []entry{
		{m: m(1, "F", "a < b", "a <= b", 1), run: true, result: result{Verdict: killed, By: "TestF"}},
		{m: m(2, "F", "a < b", "a <= b", 2), run: true, result: result{Verdict: survived}},
		{m: m(3, "F", "x: `y`", "x", 1), run: true, result: result{Verdict: survived}},
		{m: m(4, "G", "n++", "removed", 1), run: true, result: result{Verdict: timedOut, By: "TestG"}},
		{m: m(5, "T.H", "return 1", "return 0", 1), run: true, result: result{Verdict: notCovered}},
		{m: m(6, "T.H", "return 2", "return 0", 1)},
	}}
}

func TestReport(t *testing.T) {
	sections := []section{known(), {short: "q"}}
	require.Empty(t, explain(sections, []reason{{1, "p/a.go: F: a < b → a <= b #2: the same: b is never a"}}))
	var out strings.Builder
	writeReport(&out, sections, options{})
	require.Equal(t, `| package | mutants | run | killed | timed out | survived | explained | not covered | score |
|---|--:|--:|--:|--:|--:|--:|--:|--:|
| p | 6 | 5 | 1 | 1 | 1 | 1 | 1 | 40.0 % (11.8 to 76.9) |
| q | 0 | 0 | 0 | 0 | 0 | 0 | 0 | - |
| all | 6 | 5 | 1 | 1 | 1 | 1 | 1 | - |

p: survived:

- `+"`a.go:3`: F: `` x: `y` → x ``"+`

p: survived, explained:

- `+"`a.go:2`: F: `a < b → a <= b #2`: the same: b is never a"+`

p: not covered, by function:

- a.go: T.H: 1
`, out.String())
}

func TestExplain(t *testing.T) {
	for text, want := range map[string]string{
		"p/a.go: F: a < b → a <= b #2: why":   "",
		"p/a.go: F: x: `y` → x: why":          "",
		"p/a.go: T.H: return 2 → return 0: ?": "", // not run yet
		"other/a.go: F: a < b → a <= b: why":  "", // not asked for
		"p/a.go: F: a > b → a >= b: why":      "line 7: there is no such mutant",
		"p/a.go: F: a < b → a <= b: why":      "line 7: the mutant was killed by TestF",
		"p/a.go: G: n++ → removed: why":       "line 7: the mutant was killed by TestG",
		"p/a.go: F: a < b → a <= b #2 why":    "no such mutant",
	} {
		wrong := explain([]section{known()}, []reason{{7, text}})
		if want == "" {
			require.Emptyf(t, wrong, "%s", text)
			continue
		}
		require.Lenf(t, wrong, 1, "%s", text)
		require.ErrorContains(t, wrong[0], want)
	}
	twice := reason{8, "p/a.go: F: x: `y` → x: why"}
	require.Len(t, explain([]section{known()}, []reason{twice, twice}), 1)
}

func TestReadExplained(t *testing.T) {
	none, err := readExplained(t.TempDir() + "/none.txt")
	require.NoError(t, err)
	require.Empty(t, none)
	dir := t.TempDir()
	write(t, dir, "e.txt", "# comment\n\n  a.go: F: b → c: d  \n")
	got, err := readExplained(dir + "/e.txt")
	require.NoError(t, err)
	require.Equal(t, []reason{{3, "a.go: F: b → c: d"}}, got)
}

func TestCut(t *testing.T) {
	from, to := cut("short", "shorter")
	require.Equal(t, "short", from)
	require.Equal(t, "shorter", to)
	long := strings.Repeat("abcdefghij", 10)
	from, to = cut(long+"<"+long, long+"<="+long)
	require.Equal(t, "…"+long[71:]+"<"+long[:30]+"…", from)
	require.Equal(t, "…"+long[71:]+"<="+long[:30]+"…", to)
	from, to = cut(long, "removed")
	require.Equal(t, long[:60]+"…"+long[:30], from)
	require.Equal(t, "removed", to)
}

func TestRead(t *testing.T) {
	o := read("\x16=== RUN   TestA\nnoise\x16--- PASS: TestA (0.00s)\n\x16=== RUN   TestB\n\x16=== RUN   TestB/sub\n" +
		"\x16--- FAIL: TestB (0.00s)\n    \x16--- FAIL: TestB/sub (0.00s)\n")
	require.Equal(t, []string{"TestA"}, o.passed)
	require.Equal(t, []string{"TestB", "TestB/sub"}, o.bad)
	require.Equal(t, "TestB/sub", process{tests: []string{"TestA", "TestB/other", "TestB/sub"}}.blamed(o))
	require.Equal(t, "TestB", process{tests: []string{"TestA", "TestB"}}.blamed(o))
	require.True(t, process{tests: []string{"TestA"}}.accountedFor(o))
	require.False(t, process{tests: []string{"TestA", "TestB/sub"}}.accountedFor(o))
	o = read("\x16=== RUN   TestA\n\x16--- SKIP: TestA (0.00s)\n\x16=== RUN   TestB\n\x16=== RUN   TestB/sub\npanic: oh\n")
	require.Equal(t, []string{"TestA"}, o.skipped)
	require.Equal(t, []string{"TestB/sub"}, o.bad, "what ran when it ended")
	o = read("--- FAIL: TestA (0.00s)\n")
	require.Empty(t, o.bad, "what a test printed itself")
	require.Equal(t, "TestA|TestB", process{tests: []string{"TestA", "TestB"}}.blamed(o))
}

func TestPattern(t *testing.T) {
	require.Equal(t, "^TestA$", pattern("TestA"))
	require.Equal(t, `^TestA$/^a\|b\.c$/^d$`, pattern("TestA/a|b.c/d"))
}

func TestSubtests(t *testing.T) {
	require.Equal(t, []string{"TestA/a", "TestA/b/c"}, subtests([]string{"TestA", "TestA/a", "TestA/a/x", "TestA/b/c"}, "TestA"))
	require.Empty(t, subtests([]string{"TestA"}, "TestA"))
}

// The score of several packages counts each by its mutants, however many were run.
func TestOverall(t *testing.T) {
	half := counts{mutants: 1000, run: 100, killed: 50}
	require.Equal(t, "90.0 % (88.2 to 91.8)", overall([]counts{{mutants: 4000, run: 4000, killed: 4000}, half}))
	require.Equal(t, "90.0 %", overall([]counts{{mutants: 40, run: 40, killed: 40}, {mutants: 10, run: 10, timedOut: 5}}))
	require.Equal(t, "-", overall([]counts{half, {mutants: 500, run: 29, killed: 29}}), "too few of one")
	require.Equal(t, "-", overall([]counts{{}, {}}))
	require.Equal(t, "100.0 % (99.2 to 100.0)", overall([]counts{{mutants: 1000, run: 300, killed: 300}}), "a sample without a survivor is no certainty")
	require.Equal(t, "50.0 % (40.8 to 59.2)", overall([]counts{half, {}}), "a package without mutants")
}

// TestEnough: the score of all, and not of one package, is held to the least.
func TestEnough(t *testing.T) {
	of := func(verdicts ...verdict) section {
		var s section
		for _, v := range verdicts {
			s.entries = append(s.entries, entry{m: &mutant{}, run: v != "", result: result{Verdict: v}})
		}
		return s
	}
	require.NoError(t, enough([]section{of(killed, timedOut), of(killed, survived)}, 75))
	require.ErrorContains(t, enough([]section{of(killed, timedOut), of(killed, notCovered)}, 76), "75.0 % of the mutants are killed")
	require.ErrorContains(t, enough([]section{of(killed, killed), of(killed, "")}, 1), "too few mutants were run")
	require.ErrorContains(t, enough(nil, 1), "too few mutants were run")
}
