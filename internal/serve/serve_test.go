package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/compare"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/report"
	"github.com/hachaos/hachaos/suite"
)

var day = time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)

// put writes a file, and the folders that it is in.
func put(t testing.TB, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}

// run makes a run's folder with this result, a record and a report.
func run(t testing.TB, dir string, r harness.Result) {
	t.Helper()
	if r.Schema == "" {
		r.Schema = harness.ResultSchema
	}
	b, err := harness.Encode(&r)
	require.NoError(t, err)
	put(t, filepath.Join(dir, harness.ResultFile), string(b))
	put(t, filepath.Join(dir, harness.JournalFile), "the record")
	put(t, filepath.Join(dir, report.HTMLFile), "<p>the report</p>")
}

// runs is a folder with runs of each kind; secret is beside it.
func runs(t testing.TB) (dir string) {
	t.Helper()
	top := t.TempDir()
	dir = filepath.Join(top, "runs")
	put(t, filepath.Join(top, "secret"), "a secret")
	run(t, filepath.Join(dir, "20261120T080000Z-db-slow-00000001"), harness.Result{
		Scenario: "db-slow", Verdict: harness.VerdictPass, Reason: "All 7 assertions held.", Profile: "tuned", Seed: 7, StartedAt: day, Took: 48 * time.Second,
		Measures: map[string]float64{"good_percent": 99.986, "operations": 7600},
	})
	run(t, filepath.Join(dir, "20261120T090000Z-db-down-00000002"), harness.Result{
		Scenario: "db-down", Verdict: harness.VerdictFail, Reason: "write-ledger was violated.", Profile: "documented", Seed: 8, StartedAt: day.Add(time.Hour), Dirty: true,
	})
	all := filepath.Join(dir, "20261120T100000Z-suite-00000003")
	run(t, filepath.Join(all, "20261120T100001Z-drain-00000004"), harness.Result{
		Scenario: "drain", Verdict: harness.VerdictInconclusive, Reason: "The baseline was not steady.", StartedAt: day.Add(2 * time.Hour),
	})
	s := suite.Result{Schema: suite.Schema, StartedAt: day.Add(2 * time.Hour), Entries: []suite.Entry{
		{Scenario: "drain", Verdict: harness.VerdictInconclusive, Dir: filepath.Join(all, "20261120T100001Z-drain-00000004")},
	}}
	require.NoError(t, report.WriteSuite(all, &s))
	put(t, filepath.Join(dir, "20261120T110000Z-under-way-00000005", harness.JournalFile), "the beginning")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "20261120T120000Z-not-begun-00000006"), 0o755))
	return dir
}

// compared is a Compare that judges nothing.
func compared(Judge, []string, string, bool) ([]compare.Comparison, []string, error) {
	return nil, nil, nil
}

func server(t testing.TB, dir string) *Server {
	t.Helper()
	s, err := New(dir, compared)
	require.NoError(t, err)
	return s
}

// get asks the server as a browser on this machine would.
func get(t *testing.T, s *Server, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8765"+path, nil))
	return w
}

// page gets a page that has to be there.
func page(t *testing.T, s *Server, path string) string {
	t.Helper()
	w := get(t, s, path)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	return w.Body.String()
}

// names are the runs that a page of the list has, in its order.
func names(t *testing.T, body string) []string {
	t.Helper()
	out := []string{}
	for _, m := range regexp.MustCompile(`<span class="unseen">compare ([^<]*)<`).FindAllStringSubmatch(body, -1) {
		out = append(out, m[1])
	}
	return out
}

const inSuite = "20261120T100000Z-suite-00000003/20261120T100001Z-drain-00000004"

func TestTheListIsNewestFirst(t *testing.T) {
	body := page(t, server(t, runs(t)), "/")
	require.Equal(t, []string{
		"20261120T120000Z-not-begun-00000006", "20261120T110000Z-under-way-00000005", inSuite, "20261120T100000Z-suite-00000003",
		"20261120T090000Z-db-down-00000002", "20261120T080000Z-db-slow-00000001",
	}, names(t, body))
	for _, want := range []string{
		"5 runs and 1 suite", "<td class=\"good\">pass</td>", "fail (dirty)", "inconclusive", "99.986 %", "7600", "48s", "All 7 assertions held.",
		`<a href="/files/20261120T080000Z-db-slow-00000001/report.html">`, `<a href="/files/20261120T100000Z-suite-00000003/suite.html">`,
		`<a href="/files/` + inSuite + `/report.html">`, "1 run of drain: 1 inconclusive.",
		"No result yet: the run is under way, or was broken off; its record was last written to at ", "broke off before it began",
		"20261120T110000Z-under-way-00000005</code>", "hachaos report ",
	} {
		require.Contains(t, body, want)
	}
}

func TestFilters(t *testing.T) {
	s := server(t, runs(t))
	const slow, down, drain, all, under, begun = "20261120T080000Z-db-slow-00000001", "20261120T090000Z-db-down-00000002", inSuite,
		"20261120T100000Z-suite-00000003", "20261120T110000Z-under-way-00000005", "20261120T120000Z-not-begun-00000006"
	for query, want := range map[string][]string{
		"verdict=pass":               {slow},
		"verdict=fail&verdict=pass":  {down, slow},
		"verdict=dirty":              {down},
		"verdict=none":               {begun, under},
		"verdict=inconclusive":       {drain, all},
		"verdict=nonsense":           {begun, under, drain, all, down, slow},
		"scenario=db-*":              {down, slow},
		"scenario=db-slow":           {slow},
		"scenario=under-way":         {under},
		"scenario=DB-*":              {},
		"profile=tuned":              {slow},
		"profile=other":              {},
		"text=LEDGER":                {down},
		"text=suite":                 {drain, all},
		"text=it+has+no+report":      {under},
		"in=" + all:                  {drain, all},
		"in=..":                      {},
		"in=%25zz":                   {},
		"scenario=db-*&verdict=fail": {down},
		"page=7&verdict=pass":        {slow},
		"page=-1&unknown=1":          {begun, under, drain, all, down, slow},
	} {
		require.Equal(t, want, names(t, page(t, s, "/?"+query)), query)
	}
	body := page(t, s, "/?scenario=db-*&verdict=fail")
	require.Contains(t, body, "fail (1)", "what the other filters leave")
	require.Contains(t, body, "pass (1)")
	require.Contains(t, body, "none\"> no result (0)")
	require.Contains(t, body, `value="db-*"`)
	bad := get(t, s, "/?scenario=%5B")
	require.Equal(t, http.StatusBadRequest, bad.Code)
	require.Contains(t, bad.Body.String(), "syntax error in pattern")
	require.Contains(t, page(t, s, "/?profile=other"), `<option value="other" selected>`, "a filter is always seen")
}

func TestPages(t *testing.T) {
	dir := t.TempDir()
	for i := range 2*perPage + 50 {
		run(t, filepath.Join(dir, fmt.Sprintf("run-%03d", i)), harness.Result{Scenario: "a", Verdict: harness.VerdictPass, StartedAt: day.Add(time.Duration(i) * time.Minute)})
	}
	s := server(t, dir)
	first := page(t, s, "/?verdict=pass")
	require.Len(t, names(t, first), perPage)
	require.Equal(t, "run-249", names(t, first)[0])
	require.Contains(t, first, `<a href="/?page=2&amp;verdict=pass" rel="next">older</a>`)
	require.NotContains(t, first, "newer</a>")
	require.NotContains(t, first, " checked><span")
	second := page(t, s, "/?page=2")
	require.Equal(t, "run-149", names(t, second)[0])
	require.Contains(t, second, `<a href="/" rel="prev">newer</a>`)
	require.Contains(t, second, "Shown are 101 to 200")
	require.Contains(t, second, `<a href="/?check=all&amp;page=2">check all of this page</a>`)
	require.Equal(t, perPage, strings.Count(page(t, s, "/?check=all&page=2"), " checked><span"))
	require.Equal(t, names(t, page(t, s, "/?page=3")), names(t, page(t, s, "/?page=99")))
	require.Len(t, names(t, page(t, s, "/?page=3")), 50)
}

// TestWhatCannotBeReadIsShown, each with the reason, beside what can.
func TestWhatCannotBeReadIsShown(t *testing.T) {
	dir := t.TempDir()
	run(t, filepath.Join(dir, "good"), harness.Result{Scenario: "a", Verdict: harness.VerdictPass})
	for name, text := range map[string]string{
		"torn": `{"schema": "hachaos.result/1", "verd`, "empty": "", "other": `{"schema": "hachaos.result/2", "verdict": "pass"}`,
		"odd": `{"schema": "hachaos.result/1", "verdict": "great"}`, "list": "[]", "large": strings.Repeat(" ", maxResult+1),
	} {
		put(t, filepath.Join(dir, name, harness.ResultFile), text)
	}
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "folder", harness.ResultFile), 0o755))
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(dir, "20261120T080000Z-a-00000001")))
	require.NoError(t, os.Symlink(dir, filepath.Join(dir, "loop")))
	put(t, filepath.Join(dir, "20261120T080000Z-b-00000002"), "a file")
	put(t, filepath.Join(dir, "20261120T080000Z-suite-00000003", "steps.log"), "")
	put(t, filepath.Join(dir, "torn-suite", suite.File), "{")
	put(t, filepath.Join(dir, "other-suite", suite.File), `{"schema": "other"}`)
	put(t, filepath.Join(dir, "outside", harness.JournalFile), "the record")
	require.NoError(t, os.Symlink(filepath.Join(dir, "..", "nowhere"), filepath.Join(dir, "outside", harness.ResultFile)))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "pipe"), 0o755))
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "pipe", harness.ResultFile), 0o644))
	put(t, filepath.Join(dir, ".hidden", harness.ResultFile), "hidden")
	put(t, filepath.Join(dir, strings.Repeat("a/", maxDepth)+"deep", harness.ResultFile), "too deep")

	body := page(t, server(t, dir), "/")
	require.Contains(t, body, "12 runs and 3 suites")
	for name, want := range map[string]string{
		"good": "<td class=\"good\">pass</td>", "torn": "result.json cannot be read: unexpected end of JSON input.", "empty": "unexpected end of JSON input",
		"other": "its schema is &#34;hachaos.result/2&#34;, and not hachaos.result/1", "odd": "its verdict, &#34;great&#34;, is none", "list": "cannot unmarshal",
		"large": "it has more than 8388608 bytes", "folder": "it is no regular file", "pipe": "it is no regular file",
		"20261120T080000Z-a-00000001": "It is a link, and links are not followed.", "20261120T080000Z-b-00000002": "It is no folder.",
		"20261120T080000Z-suite-00000003": "the suite is under way, or was broken off", "torn-suite": "suite.json cannot be read",
		"other-suite": "its schema is &#34;other&#34;", "outside": "path escapes from parent",
	} {
		row := regexp.MustCompile(`(?s)compare ` + regexp.QuoteMeta(name) + `<.*?</tr>`).FindString(body)
		require.Contains(t, row, want, name)
	}
	require.NotContains(t, body, "hidden</span>")
	require.Contains(t, body, fmt.Sprintf("Folders more than %d levels below", maxDepth))
}

// TestAReloadSeesWhatIsNew, what is gone, and what was written anew.
func TestAReloadSeesWhatIsNew(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "runs")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	s := server(t, dir)
	require.Contains(t, page(t, s, "/"), "There is nothing here yet")
	run(t, filepath.Join(dir, "a"), harness.Result{Scenario: "a", Verdict: harness.VerdictPass, Reason: "All held."})
	require.Contains(t, page(t, s, "/"), "All held.")
	run(t, filepath.Join(dir, "a"), harness.Result{Scenario: "a", Verdict: harness.VerdictPass, Reason: "All held again."})
	require.Contains(t, page(t, s, "/"), "All held again.")
	require.NoError(t, os.RemoveAll(dir))
	require.Contains(t, page(t, s, "/"), "cannot be read: no such file or directory.")
	require.Equal(t, http.StatusNotFound, get(t, s, "/files/a/report.html").Code)
	run(t, filepath.Join(dir, "b"), harness.Result{Scenario: "b", Verdict: harness.VerdictFail})
	require.Equal(t, []string{"b"}, names(t, page(t, s, "/")), "the folder is another now")
}

// TestAResultIsReadOnce, as long as it has the same size and time.
func TestAResultIsReadOnce(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a", harness.ResultFile)
	write := func(reason string, at time.Time) {
		run(t, filepath.Join(dir, "a"), harness.Result{Scenario: "a", Verdict: harness.VerdictPass, Reason: reason})
		require.NoError(t, os.Chtimes(file, at, at))
	}
	s := server(t, dir)
	write("alpha", day)
	require.Contains(t, page(t, s, "/"), "alpha")
	write("omega", day)
	for range 3 {
		require.Contains(t, page(t, s, "/"), "alpha")
	}
	write("omega", day.Add(time.Second))
	require.Contains(t, page(t, s, "/"), "omega")
	require.Len(t, s.memory.now, 1)
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "a")))
	page(t, s, "/")
	require.Empty(t, s.memory.now, "what is gone is forgotten")
}

func TestMemoryIsBounded(t *testing.T) {
	info, err := os.Stat(t.TempDir())
	require.NoError(t, err)
	var m memory
	m.round()
	for i := range maxKept + 10 {
		m.keep(fmt.Sprint(i), info, report.RunLine{})
	}
	require.Len(t, m.now, maxKept)
}

func TestAFolderMayBeARunOrASuite(t *testing.T) {
	dir := runs(t)
	one := server(t, filepath.Join(dir, "20261120T080000Z-db-slow-00000001"))
	require.Equal(t, []string{"20261120T080000Z-db-slow-00000001"}, names(t, page(t, one, "/")))
	require.Contains(t, page(t, one, "/"), `<a href="/files/report.html">`)
	require.Equal(t, "<p>the report</p>", page(t, one, "/files/report.html"))
	require.Contains(t, page(t, one, "/files/"), "All 7 assertions held.")
	several := server(t, filepath.Join(dir, "20261120T100000Z-suite-00000003"))
	require.Equal(t, []string{"20261120T100001Z-drain-00000004", "20261120T100000Z-suite-00000003"}, names(t, page(t, several, "/")))
	require.Contains(t, page(t, several, "/?in=."), "All are shown")
	require.Equal(t, "<p>the report</p>", page(t, several, "/files/20261120T100001Z-drain-00000004/report.html"))
}

func TestFiles(t *testing.T) {
	dir := runs(t)
	s := server(t, dir)
	const at = "/files/20261120T080000Z-db-slow-00000001/"
	put(t, filepath.Join(dir, "20261120T080000Z-db-slow-00000001", harness.LogsDir, "lb1.log"), "a line")
	put(t, filepath.Join(dir, "20261120T080000Z-db-slow-00000001", harness.ConfigDir, report.HTMLFile), "<script>alert(1)</script>")
	for path, want := range map[string]struct{ kind, policy, body string }{
		at + "report.html":        {"text/html; charset=utf-8", pagePolicy, "<p>the report</p>"},
		at + "journal.jsonl":      {"text/plain; charset=utf-8", filePolicy, "the record"},
		at + "logs/lb1.log":       {"text/plain; charset=utf-8", filePolicy, "a line"},
		at + "result.json":        {"application/json", filePolicy, `"verdict": "pass"`},
		at + "config/report.html": {"text/plain; charset=utf-8", filePolicy, "<script>"},
		"/files/20261120T100000Z-suite-00000003/suite.html": {"text/html; charset=utf-8", pagePolicy, `href="20261120T100001Z-drain-00000004/report.html"`},
		"/files/20261120T100000Z-suite-00000003/suite.json": {"application/json", filePolicy, suite.Schema},
		at:           {"text/html; charset=utf-8", ownPolicy, "the record that the verdict is made from"},
		at + "logs/": {"text/html; charset=utf-8", ownPolicy, "lb1.log"},
		at + "logs":  {"text/html; charset=utf-8", ownPolicy, "the folder above"},
		"/files/20261120T100000Z-suite-00000003/": {"text/html; charset=utf-8", ownPolicy, "20261120T100001Z-drain-00000004/"},
	} {
		w := get(t, s, path)
		require.Equal(t, http.StatusOK, w.Code, path)
		require.Equal(t, want.kind, w.Header().Get("Content-Type"), path)
		require.Equal(t, want.policy, w.Header().Get("Content-Security-Policy"), path)
		require.Contains(t, w.Body.String(), want.body, path)
	}
	require.Contains(t, page(t, s, at), "hachaos explain "+filepath.Join(dir, "20261120T080000Z-db-slow-00000001"))
	part := httptest.NewRecorder()
	ranged := httptest.NewRequest(http.MethodGet, "http://localhost"+at+"journal.jsonl", nil)
	ranged.Header.Set("Range", "bytes=4-")
	s.Handler().ServeHTTP(part, ranged)
	require.Equal(t, "record", part.Body.String(), "a long record can be read on")

	none := get(t, s, "/files/20261120T110000Z-under-way-00000005/report.html")
	require.Equal(t, http.StatusNotFound, none.Code)
	require.Contains(t, none.Body.String(), "hachaos report "+filepath.Join(dir, "20261120T110000Z-under-way-00000005"))
}

// TestNothingElseIsShown: nothing outside of the folder, nothing in it that is
// in no run, and no links that lead there.
func TestNothingElseIsShown(t *testing.T) {
	dir := runs(t)
	put(t, filepath.Join(dir, "secret"), "a secret")
	put(t, filepath.Join(dir, "plain", "secret"), "a secret")
	at := filepath.Join(dir, "20261120T080000Z-db-slow-00000001")
	put(t, filepath.Join(at, ".secret"), "a secret")
	put(t, filepath.Join(at, ".git", "secret"), "a secret")
	put(t, filepath.Join(dir, "20261120T100000Z-suite-00000003", "more", "secret"), "a secret")
	for name, to := range map[string]string{"up": "../../secret", "beside": "../secret", "whole": filepath.Join(dir, "secret"), "folder": "..", "self": "self"} {
		require.NoError(t, os.Symlink(to, filepath.Join(at, name)))
	}
	require.NoError(t, syscall.Mkfifo(filepath.Join(at, "pipe"), 0o644))
	s := server(t, dir)
	for _, path := range []string{
		"/files/", "/files/secret", "/files/plain/secret", "/files/plain/", "/files/../secret", "/files/%2e%2e/secret", "/files/..%2fsecret", "/files/%2e%2e%2fsecret",
		"/files//secret", "/files/./secret", "/files/%2fetc/passwd", "/files/..\\secret", "/files/a%00b", "/secret", "/../secret", "/etc/passwd", "/favicon.ico",
		"/files/20261120T100000Z-suite-00000003/more/secret", "/files/20261120T100000Z-suite-00000003/more",
	} {
		w := get(t, s, path)
		require.NotEqual(t, http.StatusOK, w.Code, path)
		require.NotContains(t, w.Body.String(), "a secret", path)
	}
	for _, path := range []string{
		"..%2fsecret", "../secret", "..%2f..%2fsecret", "logs/..%2f..%2fsecret", ".secret", ".git/secret", "up", "beside", "whole", "folder/secret", "folder/", "self", "pipe", "none", "result.json/", "result.json/x",
	} {
		w := get(t, s, "/files/20261120T080000Z-db-slow-00000001/"+path)
		if path == "result.json/" {
			require.Equal(t, http.StatusOK, w.Code, "a slash more is no harm")
			continue
		}
		require.NotEqual(t, http.StatusOK, w.Code, path)
		require.NotContains(t, w.Body.String(), "a secret", path)
	}
	listed := page(t, s, "/files/20261120T080000Z-db-slow-00000001/")
	require.NotContains(t, listed, ".git")
	require.Contains(t, listed, `<th scope="row">up</th>`, "it is there, without a link")
}

// TestOnlyThisMachineIsAnswered: a page of another site may have a name that
// leads here.
func TestOnlyThisMachineIsAnswered(t *testing.T) {
	s := server(t, runs(t))
	for host, want := range map[string]int{
		"127.0.0.1": 200, "127.0.0.1:8765": 200, "localhost": 200, "LocalHost:1": 200, "[::1]": 200, "[::1]:8765": 200, "127.0.0.2:80": 200,
		"": 421, "evil.example": 421, "evil.example:8765": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example:8765": 421, "0.0.0.0:8765": 421,
		"192.168.0.1": 421, "[::]:8765": 421, "localhost:": 200, "[": 421, "evil@localhost": 421,
	} {
		for _, path := range []string{"/", "/compare", "/files/20261120T080000Z-db-slow-00000001/report.html", "/none"} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Host = host
			w := httptest.NewRecorder()
			s.Handler().ServeHTTP(w, r)
			if want == 421 {
				require.Equal(t, want, w.Code, host)
				require.Equal(t, "hachaos answers to localhost, 127.0.0.1 and [::1] only\n", w.Body.String())
			} else {
				require.NotEqual(t, 421, w.Code, host)
			}
		}
	}
}

func TestOnlyReadingIsAnswered(t *testing.T) {
	s := server(t, runs(t))
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodTrace, "MKCOL"} {
		for _, path := range []string{"/", "/compare", "/files/20261120T080000Z-db-slow-00000001/report.html"} {
			w := httptest.NewRecorder()
			s.Handler().ServeHTTP(w, httptest.NewRequest(method, "http://localhost"+path, nil))
			require.Equal(t, http.StatusMethodNotAllowed, w.Code, method)
			require.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
		}
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodHead, "http://localhost/", nil))
	require.Equal(t, http.StatusOK, w.Code)
	for name, want := range map[string]string{
		"Content-Security-Policy": ownPolicy, "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
		"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store",
	} {
		require.Equal(t, want, w.Header().Get(name))
	}
}

// tree is all that a folder has, with times and contents.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(&b, path, info.Mode(), info.Size(), info.ModTime().UnixNano())
		if info.Mode().IsRegular() {
			text, err := os.ReadFile(path)
			fmt.Fprintf(&b, "%q\n", text)
			return err
		}
		return nil
	}))
	return b.String()
}

func TestNothingIsWritten(t *testing.T) {
	dir := runs(t)
	before := tree(t, dir)
	s := server(t, dir)
	for _, path := range []string{
		"/", "/?text=a", "/compare?run=20261120T080000Z-db-slow-00000001&run=20261120T090000Z-db-down-00000002", "/files/20261120T080000Z-db-slow-00000001/",
		"/files/20261120T080000Z-db-slow-00000001/report.html", "/files/20261120T110000Z-under-way-00000005/report.html", "/files/" + inSuite + "/",
	} {
		get(t, s, path)
	}
	require.Equal(t, before, tree(t, dir))
}

// TestHostileNames: whatever a folder is called and its files say, pages are
// whole, harmless, and their links lead to it.
func TestHostileNames(t *testing.T) {
	dir := t.TempDir()
	bad := "<script>alert(1)</script>\"'`&%2f?#\x1b[31m\u202e\xff;javascript:"
	folder := strings.ReplaceAll(bad, "/", "|")
	run(t, filepath.Join(dir, folder), harness.Result{Scenario: bad, Verdict: harness.VerdictFail, Reason: bad, Profile: bad, StartedAt: day})
	put(t, filepath.Join(dir, folder, folder), "a file")
	put(t, filepath.Join(dir, folder, "logs "+folder, "a"), "a log")
	put(t, filepath.Join(dir, "-rf"+folder, harness.JournalFile), "")
	put(t, filepath.Join(dir, folder+"-suite", suite.File), `{"schema": "hachaos.suite/1", "entries": [{"scenario": "<script>", "reason": "<script>"}]}`)
	put(t, filepath.Join(dir, "verdict", harness.ResultFile), `{"schema": "hachaos.result/1", "verdict": "<script>\u001b"}`)
	var chosen []string
	s, err := New(dir, func(_ Judge, dirs []string, _ string, _ bool) ([]compare.Comparison, []string, error) {
		chosen = dirs
		return nil, nil, errors.New(bad)
	})
	require.NoError(t, err)
	seen, todo := map[string]bool{}, []string{
		"/", "/?" + url.Values{"scenario": {bad}, "text": {bad}, "profile": {bad}, "in": {bad}, "verdict": {bad}, "page": {bad}}.Encode(),
		"/compare?" + url.Values{"run": {bad, escape(folder)}}.Encode(), "/files/" + url.PathEscape(bad), "/" + url.PathEscape(bad),
		"/compare?" + url.Values{"run": {escape(folder), escape("-rf" + folder)}}.Encode(),
	}
	for len(todo) > 0 {
		path := todo[0]
		todo = todo[1:]
		if seen[path] {
			continue
		}
		seen[path] = true
		w := get(t, s, path)
		body := w.Body.String()
		if w.Header().Get("Content-Security-Policy") != ownPolicy {
			require.Equal(t, http.StatusOK, w.Code, path)
			continue // a file, as it is
		}
		require.True(t, utf8.ValidString(body), path)
		require.NotContains(t, body, "<script", path)
		require.False(t, strings.ContainsAny(body, "\x1b\u202e"), path)
		for _, m := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(body, -1) {
			to := strings.NewReplacer("&amp;", "&", "&#43;", "+", "&#39;", "'").Replace(m[1])
			require.True(t, strings.HasPrefix(to, "/"), to)
			if strings.HasPrefix(to, "/files/") {
				require.Equal(t, http.StatusOK, get(t, s, to).Code, to)
			}
			todo = append(todo, to)
		}
	}
	require.Len(t, chosen, 2)
	require.Contains(t, chosen, filepath.Join(dir, folder))
	list := page(t, s, "/")
	require.Contains(t, list, "3 runs and 1 suite")
	require.Len(t, names(t, page(t, s, "/?"+url.Values{"in": {escape(folder)}}.Encode())), 1)
	require.Greater(t, len(seen), 12)
}

func TestQuoted(t *testing.T) {
	for in, want := range map[string]string{"runs/a-1": "runs/a-1", "a b": "'a b'", "": "''", "it's": `'it'\''s'`, "$(x)": "'$(x)'", "é": "'é'"} {
		require.Equal(t, want, report.ShellWord(in))
	}
}

func TestCompare(t *testing.T) {
	dir := runs(t)
	const slow, down = "20261120T080000Z-db-slow-00000001", "20261120T090000Z-db-down-00000002"
	var got []string
	s, err := New(dir, func(_ Judge, dirs []string, by string, all bool) ([]compare.Comparison, []string, error) {
		got = append([]string{by, fmt.Sprint(all)}, dirs...)
		if by == "version" {
			return nil, nil, errors.New("all runs have the same")
		}
		g := func(name string) compare.Group {
			return compare.Group{Name: name, Runs: []compare.Run{{Subject: "db-slow", Verdict: harness.VerdictPass}}}
		}
		return compare.Compare([]compare.Group{g("A"), g("B")}, compare.Options{}), []string{"drain: not in A"}, nil
	})
	require.NoError(t, err)
	body := page(t, s, "/compare?run="+down+"&run="+slow+"&by=&all=1")
	require.Equal(t, []string{"", "true", filepath.Join(dir, slow), filepath.Join(dir, down)}, got, "the oldest first")
	for _, want := range []string{"<h1>Comparison</h1>", "Too few repeats", "drain: not in A", `<a href="/">All runs</a>`} {
		require.Contains(t, body, want)
	}
	page(t, s, "/compare?by=profile&run=20261120T100000Z-suite-00000003")
	require.Equal(t, []string{"profile", "false", filepath.Join(dir, "20261120T100000Z-suite-00000003")}, got)

	got = nil
	require.NoError(t, os.Symlink("../../secret", filepath.Join(dir, "20261120T120000Z-not-begun-00000006", harness.JournalFile)))
	run(t, filepath.Join(dir, "bare"), harness.Result{Scenario: "a", Verdict: harness.VerdictPass})
	require.NoError(t, os.Remove(filepath.Join(dir, "bare", harness.JournalFile)))
	require.NoError(t, os.Symlink(slow, filepath.Join(dir, "20261120T130000Z-link-00000007")))
	for query, want := range map[string]struct {
		status int
		text   string
	}{
		"":                               {400, "Check two runs"},
		"run=" + slow:                    {400, "Check two runs"},
		"run=" + slow + "&run=" + slow:   {400, "Check two runs"},
		"run=" + slow + "&run=gone":      {422, "gone is not in "},
		"run=" + slow + "&run=..":        {422, ".. is not in "},
		"run=" + slow + "&run=../secret": {422, "is not in "},
		"run=" + slow + "&run=20261120T120000Z-not-begun-00000006": {422, "journal.jsonl of " + filepath.Join(dir, "20261120T120000Z-not-begun-00000006") + " cannot be read: path escapes"},
		"run=" + slow + "&run=bare":                                {422, "cannot be read: no such file"},
		"run=" + slow + "&run=20261120T130000Z-link-00000007":      {422, "links are not followed"},
	} {
		w := get(t, s, "/compare?"+query)
		require.Equal(t, want.status, w.Code, query)
		require.Contains(t, w.Body.String(), want.text)
		require.Empty(t, got, "nothing was judged")
	}
	w := get(t, s, "/compare?by=version&run="+slow)
	require.Equal(t, http.StatusUnprocessableEntity, w.Code)
	require.Contains(t, w.Body.String(), "all runs have the same")
}

// TestJudgeStaysInside, and ends with who asked.
func TestJudgeStaysInside(t *testing.T) {
	dir := runs(t)
	s := server(t, dir)
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	defer root.Close()
	outside := filepath.Join(filepath.Dir(dir), "outside")
	put(t, filepath.Join(outside, harness.JournalFile), "elsewhere")
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "link")))
	judge := s.judge(t.Context(), root)
	for _, below := range []string{"../outside", "link"} {
		_, err = judge(filepath.Join(dir, below))
		require.ErrorContains(t, err, "path escapes from parent")
	}
	_, err = judge(filepath.Join(dir, "none"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	r, err := judge(filepath.Join(dir, "20261120T080000Z-db-slow-00000001"))
	require.NoError(t, err)
	require.Equal(t, harness.VerdictInconclusive, r.Verdict, "its record is none")
	over, end := context.WithCancel(t.Context())
	end()
	_, err = s.judge(over, root)(filepath.Join(dir, "20261120T080000Z-db-slow-00000001"))
	require.ErrorIs(t, err, context.Canceled)
}

// TestOneComparisonAtATime: another one waits, and no longer than who asked.
func TestOneComparisonAtATime(t *testing.T) {
	dir := runs(t)
	begun, goOn := make(chan bool), make(chan bool)
	s, err := New(dir, func(Judge, []string, string, bool) ([]compare.Comparison, []string, error) {
		begun <- true
		<-goOn
		return nil, nil, errors.New("done")
	})
	require.NoError(t, err)
	const path = "/compare?run=20261120T080000Z-db-slow-00000001&run=20261120T090000Z-db-down-00000002"
	var all sync.WaitGroup
	all.Go(func() { get(t, s, path) })
	<-begun
	ctx, leave := context.WithCancel(t.Context())
	leave()
	s.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "http://localhost"+path, nil))
	all.Go(func() { get(t, s, path) })
	select {
	case <-begun:
		t.Error("two at a time")
	case goOn <- true:
	}
	<-begun
	goOn <- true
	all.Wait()
}

// TestManyAskAtOnce, while runs come and go.
func TestManyAskAtOnce(t *testing.T) {
	dir := runs(t)
	s := server(t, dir)
	made := filepath.Join(t.TempDir(), "run")
	run(t, made, harness.Result{Scenario: "a", Verdict: harness.VerdictPass})
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for range 10 {
				at := filepath.Join(dir, fmt.Sprintf("run-%d", i))
				if err := os.CopyFS(at, os.DirFS(made)); err != nil {
					t.Error(err)
				}
				if w := get(t, s, "/"); w.Code != http.StatusOK {
					t.Errorf("status %d", w.Code)
				}
				get(t, s, fmt.Sprintf("/files/run-%d/", i))
				if err := os.RemoveAll(at); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	require.Contains(t, page(t, s, "/"), "5 runs and 1 suite")
}

func TestListenOnlyOnThisMachine(t *testing.T) {
	for _, address := range []string{"0.0.0.0", "::", "192.0.2.1", "example.org", "", "127.0.0.1:80", "[::1]", "localhost:80"} {
		_, err := Listen(address, 0)
		require.ErrorContains(t, err, "want 127.0.0.1 or ::1", address)
	}
	for _, address := range []string{"127.0.0.1", "localhost"} {
		l, err := Listen(address, 0)
		require.NoError(t, err)
		require.True(t, l.Addr().(*net.TCPAddr).IP.IsLoopback())
		_, err = Listen(address, l.Addr().(*net.TCPAddr).Port)
		require.ErrorContains(t, err, "address already in use (port 0 is a free one)")
		require.NoError(t, l.Close())
	}
}

func TestNewWantsAFolder(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "file"), "")
	_, err := New(filepath.Join(dir, "none"), compared)
	require.ErrorContains(t, err, "there is no folder")
	_, err = New(filepath.Join(dir, "file"), compared)
	require.ErrorContains(t, err, "not a directory")
}

// TestServeEndsWithItsContext: connections that are kept, or were never used,
// do not keep it, and nothing goes on behind it.
func TestServeEndsWithItsContext(t *testing.T) {
	before := runtime.NumGoroutine() + 1 // the one that counts
	l, err := Listen("127.0.0.1", 0)
	require.NoError(t, err)
	ctx, end := context.WithCancel(t.Context())
	var errs bytes.Buffer
	ended := make(chan error, 1)
	s := server(t, runs(t))
	s.patience = 10 * time.Millisecond // for the one that is never used
	go func() { ended <- s.Serve(ctx, l, &errs) }()
	client := &http.Client{Transport: &http.Transport{}}
	r, err := client.Get("http://" + l.Addr().String())
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, r.Body)
	require.NoError(t, err)
	require.NoError(t, r.Body.Close())
	unused, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer unused.Close()
	end()
	require.NoError(t, <-ended)
	require.Empty(t, errs.String())
	_, err = client.Get("http://" + l.Addr().String())
	require.Error(t, err)
	client.CloseIdleConnections()
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before }, 20*time.Second, time.Millisecond)
}

// TestServeSaysThatItsListenerBroke instead of waiting for the end.
func TestServeSaysThatItsListenerBroke(t *testing.T) {
	l, err := Listen("127.0.0.1", 0)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	require.ErrorIs(t, server(t, runs(t)).Serve(t.Context(), l, io.Discard), net.ErrClosed)
}
