package report

import (
	"bytes"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/suite"
)

// placed is a line of a run in this folder.
func placed(l RunLine, folder string) RunLine {
	l.Name, l.Box, l.Files, l.Report = folder, folder, "/files/"+folder+"/", "/files/"+folder+"/"+HTMLFile
	return l
}

// runList is a page with a line of each kind.
func runList() RunList {
	failed := failing()
	failed.Measures = map[string]float64{
		"good_percent": 88.0658, "latency_p99_ms": 2639.871, "error-budget.longest_outage_of_the_victim_s_share": 20100, "operations": 6797, "ok": 6000,
	}
	dirty := failing()
	dirty.Verdict, dirty.Dirty, dirty.Reason = harness.VerdictInconclusive, true, "The baseline was not steady. Dirty: container c."
	several := LineOfSuite(several("d"))
	several.Within = "/?in=suite"
	half := RunLine{Scenario: "db-slow", Started: time.Date(2026, 11, 19, 8, 0, 0, 0, time.UTC), Reason: "No result yet: the run is under way, or was broken off."}
	half = placed(half, "half")
	half.Report, half.Advice = "", []Advice{{"It has no report; this makes it:", "hachaos report runs/half"}, {"And a text alone.", ""}}
	return RunList{
		Dir: "runs", Runs: 104, Suites: 1, Matched: 5, First: 2, Newer: "/?text=a", Older: "/?page=3&text=a", Check: "/?check=all&page=2",
		Filter: RunFilter{Verdicts: []string{"fail", OnlyNoResult}, Scenario: "db-*", Profile: "tuned", Text: "a", Within: "suite"}, Inside: "suite",
		Counts:    map[string]int{"fail": 3, OnlyDirty: 1, OnlyNoResult: 2},
		Scenarios: []string{"db-slow", "instance-kill"}, Profiles: []string{"documented", "tuned"}, Notes: []string{"Not all was looked at."},
		Lines: []RunLine{placed(LineOf(failed), "failed"), placed(LineOf(dirty), "dirty"), placed(several, "suite"), half},
	}
}

func TestRunsHTML(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, RunsHTML(&b, runList()))
	golden(t, "runs.html", b.Bytes())
	page := b.String()
	wellFormed(t, page)
	for _, want := range []string{
		"104 runs and 1 suite in runs", "5 of 105 match; shown are 2 to 5, the newest first.",
		`<a href="/files/failed/report.html">failed</a>`, `<td class="bad">fail</td>`, `<td class="bad">inconclusive (dirty)</td>`, `<td class="bad">dirty</td>`, "<td>no result</td>",
		"88.065 %", "2640 ms", `<span class="soft">2026-11-19 08:00:00 UTC</span>`, " UTC · profile tuned · took ", "20100 ms", "6797", "5 runs of db-slow, db-down, ", "<code>hachaos report runs/half</code>",
		`value="fail" checked> fail (3)`, `value="none" checked> no result (2)`, `value="pass"> pass (0)`, `<option value="tuned" selected>`, `value="db-*"`,
	} {
		require.Contains(t, page, want)
	}
	require.Equal(t, 1, strings.Count(page, "<table>"))
	require.ErrorIs(t, RunsHTML(failingWriter{}, runList()), io.ErrShortWrite)
}

// TestRunsHTMLIsForAll: what is not seen, or not seen in colour, is told.
func TestRunsHTMLIsForAll(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, RunsHTML(&b, runList()))
	page := b.String()
	for _, th := range regexp.MustCompile(`<th[ >][^>]*>`).FindAllString(page, -1) {
		require.Contains(t, th, "scope=")
	}
	text := regexp.MustCompile(`<[^>]*>`)
	labels := regexp.MustCompile(`(?s)<label.*?</label>`).FindAllString(page, -1)
	inputs := 0
	for _, l := range labels {
		require.NotEmpty(t, strings.TrimSpace(text.ReplaceAllString(l, "")), l)
		n := strings.Count(l, "<input") + strings.Count(l, "<select")
		require.Equal(t, 1, n, "each label is of one field: %s", l)
		inputs += n
	}
	require.Equal(t, strings.Count(page, "<input")+strings.Count(page, "<select"), inputs, "each field has a label")
	require.NotContains(t, page, "style=")
}

func TestRunsHTMLSaysWhatIsShown(t *testing.T) {
	line := placed(LineOf(failing()), "a")
	for want, l := range map[string]RunList{
		"There is nothing here yet":                  {},
		"Nothing matches.":                           {Runs: 3},
		"All are shown, the newest first.":           {Runs: 1, Matched: 1, Lines: []RunLine{line}},
		"1 of 2 match, the newest first.":            {Runs: 1, Suites: 1, Matched: 1, Lines: []RunLine{line}},
		"Shown are 3 to 3, the newest first.":        {Runs: 3, Matched: 3, First: 3, Lines: []RunLine{line}},
		"2 of 3 match; shown are 2 to 2, the newest": {Runs: 3, Matched: 2, First: 2, Lines: []RunLine{line}},
	} {
		var b bytes.Buffer
		require.NoError(t, RunsHTML(&b, l))
		require.Contains(t, b.String(), want)
		wellFormed(t, b.String())
	}
}

func TestRunsEscape(t *testing.T) {
	r := hostile()
	r.Profile, r.Verdict = r.Scenario, harness.VerdictFail
	bad := r.Scenario
	line := LineOf(r)
	line.Name, line.Report, line.Files, line.Box = bad, "/files/"+bad, "javascript:alert(1)", bad
	line.Advice = []Advice{{bad, bad}}
	all := LineOfSuite(&suite.Result{Entries: []suite.Entry{{Scenario: bad, Reason: bad}}})
	var list, folder, note bytes.Buffer
	require.NoError(t, RunsHTML(&list, RunList{
		Dir: bad, Runs: 2, Matched: 2, Lines: []RunLine{line, all}, Notes: []string{bad}, Scenarios: []string{bad}, Profiles: []string{bad}, Inside: bad,
		Filter: RunFilter{Verdicts: []string{bad}, Scenario: bad, Profile: bad, Text: bad, Within: bad},
	}))
	require.NoError(t, RunFolderHTML(&folder, RunFolder{Name: bad, Line: &line, Files: []RunFile{{Name: bad, Address: "/files/" + bad, Note: bad}, {Name: bad}}}))
	require.NoError(t, NoticeHTML(&note, bad, bad, Advice{bad, bad}))
	for _, b := range []*bytes.Buffer{&list, &folder, &note} {
		page := b.String()
		require.NotContains(t, page, "<script")
		require.NotContains(t, page, "javascript:")
		require.False(t, strings.ContainsAny(page, "\x1b\x00\u202e"))
		require.True(t, utf8.ValidString(page))
		wellFormed(t, page)
	}
}

func TestLineOfIsBounded(t *testing.T) {
	long := strings.Repeat("é", 1<<20)
	l := LineOf(&harness.Result{Scenario: long, Profile: long, Reason: long, Measures: map[string]float64{"operations": 1, long: 2}})
	require.Less(t, len(l.Scenario)+len(l.Profile)+len(l.Reason), 3000)
	require.True(t, utf8.ValidString(l.Reason))
	require.Equal(t, map[string]float64{"operations": 1}, l.Figures)
	all := LineOfSuite(&suite.Result{Entries: []suite.Entry{{Scenario: long}}})
	require.Less(t, len(all.Reason), 3000)
}

// TestHeadlinesAreMeasured: the figures of the list are those that a run has.
func TestHeadlinesAreMeasured(t *testing.T) {
	h := planted(t)
	r := judged(h)
	r.Measures = harness.Summarise(h, r.Assertions)
	figures := LineOf(r).Figures
	for _, head := range headlines {
		require.Contains(t, figures, head.name)
	}
}

func TestVerdictsOfLines(t *testing.T) {
	for want, l := range map[string]RunLine{
		"pass": {Verdict: harness.VerdictPass}, "fail (dirty)": {Verdict: harness.VerdictFail, Dirty: true}, "dirty": {Dirty: true}, "no result": {},
	} {
		require.Equal(t, want, l.Word())
		var is []string
		for _, v := range RunVerdicts {
			if l.Is(v) {
				is = append(is, v)
			}
		}
		require.Equal(t, map[string][]string{"pass": {"pass"}, "fail (dirty)": {"fail", "dirty"}, "dirty": {"dirty"}, "no result": {"none"}}[want], is)
	}
	require.Equal(t, "It has no run.", LineOfSuite(&suite.Result{}).Reason)
	require.Equal(t, harness.VerdictInconclusive, LineOfSuite(&suite.Result{}).Verdict)
	require.Contains(t, LineOfSuite(&suite.Result{Interrupted: true}).Reason, "interrupted")
	require.True(t, LineOfSuite(several("d")).Dirty)
}

func TestRunFolderHTML(t *testing.T) {
	line := placed(LineOf(failing()), "a")
	at := time.Date(2026, 11, 20, 8, 15, 0, 0, time.UTC)
	f := RunFolder{Name: "a", Line: &line, More: 2, Files: []RunFile{
		{Name: harness.JournalFile, Address: "/files/a/journal.jsonl", Size: 9_912_256, Changed: at},
		{Name: harness.LogsDir, Address: "/files/a/logs/", Folder: true, Size: 4096, Changed: at},
		{Name: "other", Address: "/files/a/other", Size: 999},
		{Name: "more", Address: "/files/a/more", Size: 1500},
		{Name: "gone", Note: "it is a link"},
	}}
	var b bytes.Buffer
	require.NoError(t, RunFolderHTML(&b, f))
	golden(t, "folder.html", b.Bytes())
	wellFormed(t, b.String())
	for _, want := range []string{
		`<strong class="bad">fail</strong>`, `<a href="/files/a/report.html">The report</a>`, "write-ledger failed", "9.9 MB", "999 B", "1.5 kB", "2 more are not listed.",
		`<a href="/files/a/logs/">logs/</a></th><td class="n"></td>`, "the record that the verdict is made from", `<th scope="row">gone</th>`, "it is a link",
	} {
		require.Contains(t, b.String(), want)
	}
	b.Reset()
	require.NoError(t, RunFolderHTML(&b, RunFolder{Name: "a/logs", Up: "/files/a/", Files: []RunFile{{Name: harness.JournalFile}}}))
	require.Contains(t, b.String(), `<a href="/files/a/">the folder above</a>`)
	require.NotContains(t, b.String(), "the record that", "below the run's folder a name says nothing")
}

func TestNoticeHTML(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, NoticeHTML(&b, "Gone", "It is not there.", Advice{"This makes it:", "hachaos report a"}))
	wellFormed(t, b.String())
	for _, want := range []string{"<title>hachaos: Gone</title>", "<h1>Gone</h1>", "<p>It is not there.</p>", "<p>This makes it: <code>hachaos report a</code></p>", `<a href="/">All runs</a>`} {
		require.Contains(t, b.String(), want)
	}
}

// TestComparePageTellsWhatIsLeftOut, and leads back if it was asked to.
func TestComparePageTellsWhatIsLeftOut(t *testing.T) {
	var with, without bytes.Buffer
	require.NoError(t, CompareHTML(&with, compared(), ComparePage{Missing: []string{"db-slow: not in B"}, Back: "/"}))
	require.Contains(t, with.String(), "<strong>Left out:</strong> db-slow: not in B.")
	require.Contains(t, with.String(), `<a href="/">All runs</a>`)
	require.NoError(t, CompareHTML(&without, compared(), ComparePage{}))
	require.NotContains(t, without.String(), "Left out")
	require.NotContains(t, without.String(), "<a ")
}

// TestPlainContrast holds the plain pages' colours to WCAG 2.1, level AA.
func TestPlainContrast(t *testing.T) {
	b, err := plainFiles.ReadFile("plain/plain.css")
	require.NoError(t, err)
	css := string(b)
	seen := 0
	for _, scheme := range []string{css, css[strings.Index(css, "prefers-color-scheme: dark"):]} {
		colours := map[string]string{}
		for _, m := range slices.Backward(regexp.MustCompile(`--([\w-]+): (#[0-9a-f]{6})`).FindAllStringSubmatch(scheme, -1)) {
			colours[m[1]] = m[2] // the first one counts
		}
		for _, ink := range []string{"ink", "soft", "bad", "good", "warn"} {
			require.GreaterOrEqual(t, contrast(t, colours[ink], colours["page"]), 4.5, ink)
			seen++
		}
	}
	require.Equal(t, 10, seen)
}
