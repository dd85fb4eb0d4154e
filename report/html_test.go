package report_test

import (
	"bytes"
	"errors"
	"html"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/report"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/fake"
)

// recorded is a short run over the topology in memory.
func recorded(t *testing.T) (*harness.Result, *history.History) {
	t.Helper()
	var (
		res *harness.Result
		dir = t.TempDir()
	)
	synctest.Test(t, func(t *testing.T) {
		var driver fake.Driver
		runner := harness.Runner{
			Driver: &driver, Dir: dir, Version: "test", Suite: fake.Suite{},
			Lookup: func(string) (topology.Definition, error) { return fake.Definition(driver.Options), nil },
		}
		var err error
		res, err = runner.Run(t.Context(), harness.Scenario{
			Name: "memory-kill", Topology: "memory-ha", Load: load.Config{Rate: 100},
			Phases: []harness.Phase{
				{Name: "steady", Kind: history.PhaseSteady, For: 3 * time.Second},
				{Name: "killed", Kind: history.PhaseBreak, For: 4 * time.Second, Faults: []harness.Injection{
					{Label: "kill", Fault: fault.InstanceKill{}, Aim: harness.OneApplication()},
				}},
				{Name: "restarted", Kind: history.PhaseRecover, For: 4 * time.Second, Heal: []string{"*"}},
			},
			Asserts: []assert.Checker{assert.WriteLedger{}, assert.Leftovers{}},
		}, harness.Options{Seed: 7})
		require.NoError(t, err)
		driver.Last().Shut()
		time.Sleep(time.Hour) // virtual: what still waits has ended
	})
	h, err := history.Load(res.Dir)
	require.NoError(t, err)
	return res, h
}

func render(t *testing.T, r *harness.Result, h *history.History) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, report.HTML(&b, r, h))
	return b.String()
}

func TestHTMLOfARun(t *testing.T) {
	r, h := recorded(t)
	page := render(t, r, h)
	for _, want := range []string{
		"memory-kill", "write-ledger", "The failover, taken apart", "Can this be believed",
		"instance-kill on ", "default-src 'none'", "lb1 sees j1", "VIP owner", "detected",
	} {
		require.True(t, strings.Contains(page, want), "the page lacks %q", want)
	}
	require.Less(t, len(page), 2<<20)
}

// The banner says what the run has that its profile has not, and what was done
// to the system; evidence from before that is said to be so.
func TestTheBannerTellsWhatDiffers(t *testing.T) {
	r, h := recorded(t)
	shown := func() string { return html.UnescapeString(render(t, r, h)) } // of the + before a time
	page := shown()
	require.True(t, strings.Contains(page, "<dt>fault</dt><dd>instance-kill on "))
	require.False(t, strings.Contains(page, "set for this run"))
	require.False(t, strings.Contains(page, "before any fault"))

	h.Meta.Set = map[string]string{"dedupe": "late", "told": "standby"}
	h.Meta.Values = []history.Value{{Name: "dedupe", Value: "late", Reason: "the key after the commit"}, {Name: "check", Value: "ready"}}
	r.Faults[0].At = 3 * time.Second
	v := &r.Assertions[0]
	v.Status, v.Evidence = assert.Fail, []assert.Evidence{{At: 2500 * time.Millisecond, Text: "lost"}, {At: 1935 * time.Millisecond, Text: "lost"}}
	page = shown()
	require.True(t, strings.Contains(page, "<dt>set for this run</dt><dd><code>dedupe = late</code>: the key after the commit</dd>"))
	require.True(t, strings.Contains(page, "<dt>set for this run</dt><dd><code>told = standby</code></dd>"))
	require.True(t, strings.Contains(page, "<td><code>late</code> <b>set for this run</b></td>"))
	require.True(t, strings.Contains(page, "<td><code>ready</code></td>"))
	require.True(t, strings.Contains(page, "The evidence begins at +1.935s, before any fault: the first came at +3.000s."))

	// What was under way when the fault came is of the fault.
	v.Evidence[1].At = 2100 * time.Millisecond
	require.False(t, strings.Contains(shown(), "before any fault"))
	// A run without a fault has no before.
	r.Faults = nil
	v.Evidence[1].At = time.Second
	require.False(t, strings.Contains(shown(), "before any fault"))
}

// A column in which nothing stands is not there.
func TestEvidenceHasTheColumnsThatItFills(t *testing.T) {
	r, h := recorded(t)
	r.Assertions = r.Assertions[:1]
	v := &r.Assertions[0]
	v.Status, v.More = assert.Fail, 0
	columns := []string{">operation</th>", ">node</th><th scope=\"col\">class", ">journal line</th>"}
	for _, c := range []struct {
		e    assert.Evidence
		want []bool
	}{
		{assert.Evidence{Text: "x"}, []bool{false, false, false}},
		{assert.Evidence{Text: "x", Op: 3}, []bool{true, false, false}},
		{assert.Evidence{Text: "x", Node: "j1"}, []bool{false, true, false}},
		{assert.Evidence{Text: "x", Seq: 9}, []bool{false, false, true}},
	} {
		v.Evidence = []assert.Evidence{{Text: "y"}, c.e}
		_, table, found := strings.Cut(render(t, r, h), "<caption>Evidence</caption>")
		require.True(t, found)
		table, _, _ = strings.Cut(table, "</table>")
		for i, column := range columns {
			require.Equal(t, c.want[i], strings.Contains(table, column), "%+v: %s", c.e, column)
		}
		head, body, _ := strings.Cut(table, "<tbody>")
		require.Equal(t, 2*strings.Count(head, "<th "), strings.Count(body, "<td"), "as many cells as columns")
	}
}

// TestHTMLAsksNoNetwork: the page loads nothing from anywhere.
func TestHTMLAsksNoNetwork(t *testing.T) {
	r, h := recorded(t)
	page := render(t, r, h)
	require.NotRegexp(t, regexp.MustCompile(`(?i)(src|href|action)\s*=\s*["']?(https?:)?//`), page)
	require.NotRegexp(t, regexp.MustCompile(`(?i)@import|url\(`), page)
}

func TestHTMLEscapesHostileNames(t *testing.T) {
	r, h := recorded(t)
	bad := "</script><script>alert(1)</script>\x1b\x00\xff"
	r.Scenario, r.Reason, r.Command = bad, bad, bad
	r.Leftovers = []history.Leftover{{Kind: bad, Name: bad, Remove: bad}}
	for i := range r.Assertions {
		v := &r.Assertions[i]
		v.Name, v.Summary, v.Notes = bad, bad, []string{bad}
		v.Evidence = []assert.Evidence{{Op: 1, Text: bad, Class: bad, Node: bad}}
	}
	h.Meta.Set = map[string]string{bad: bad}
	for i := range h.Truth {
		h.Truth[i].V.Node = bad
	}
	for i := range h.Servers {
		h.Servers[i].V.Status = bad
	}
	page := render(t, r, h)
	require.False(t, strings.Contains(page, "<script>alert"), "a name became a script")
	require.Equal(t, 3, strings.Count(page, "</script>"), "the page's own scripts and no other")
	require.False(t, strings.ContainsAny(page, "\x1b\x00"), "control characters")
	require.True(t, utf8.ValidString(page), "valid UTF-8")
}

func TestHTMLOfNothing(t *testing.T) {
	r := &harness.Result{Scenario: "instance-kill", Verdict: harness.VerdictError, Reason: "no engine", Dirty: true}
	page := render(t, r, &history.History{})
	require.Contains(t, page, "ERROR (DIRTY)")
	require.Contains(t, page, "No assertion was judged.")
}

func TestWriteLeavesWholeFilesOnly(t *testing.T) {
	r, h := recorded(t)
	dir := t.TempDir()
	require.NoError(t, report.Write(dir, r, h))
	for _, name := range []string{report.HTMLFile, report.JUnitFile, report.MarkdownFile, report.MetricsFile} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.NotZero(t, info.Size(), name)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 4, "nothing temporary is left")
	require.Error(t, report.Write(filepath.Join(dir, "none"), r, h))
}

// TestReplaceLeavesWhatWasThere, if the new text is not whole; and a link.
func TestReplaceLeavesWhatWasThere(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "a"), filepath.Join(dir, "link")
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o644))
	require.NoError(t, os.Symlink("a", link))
	write := func(text string, err error) func(io.Writer) error {
		return func(w io.Writer) error {
			_, failed := io.WriteString(w, text)
			return errors.Join(err, failed)
		}
	}
	holds := func(want string) {
		t.Helper()
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, want, string(b))
	}
	require.ErrorIs(t, report.Replace(link, write("half", io.ErrShortWrite)), io.ErrShortWrite)
	holds("old")
	require.NoError(t, report.Replace(link, write("new", nil)))
	holds("new")
	info, err := os.Lstat(link)
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&os.ModeSymlink)
	require.NoError(t, report.Replace(os.DevNull, write("gone", nil)))
	info, err = os.Stat(os.DevNull)
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&os.ModeDevice)
	require.ErrorIs(t, report.Replace(os.DevNull, write("half", io.ErrShortWrite)), io.ErrShortWrite)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 2)
}
