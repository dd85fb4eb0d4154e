package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/suite"
)

// junitRule is what an element may have.
type junitRule struct {
	required, optional []string // attributes
	children           []string
	text               bool
}

// junitRules are those of junit-10.xsd of Jenkins's xunit plugin, without what
// Maven's reruns add: the strictest of the schemas that readers name, and the
// one that pytest's xunit2 follows. It has no file of a case, no skipped of all
// test suites, and leaves the order of a case's and a test suite's children
// free. (Ant's own has no output in a case, so that nobody could use it here.)
var junitRules = map[string]junitRule{
	"testsuites": {optional: []string{"name", "time", "tests", "failures", "errors"}, children: []string{"testsuite"}},
	"testsuite": {
		required: []string{"name", "tests", "failures", "errors"},
		optional: []string{"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
		children: []string{"testsuite", "properties", "testcase", "system-out", "system-err"},
	},
	"properties": {children: []string{"property"}},
	"property":   {required: []string{"name", "value"}},
	"testcase": {
		required: []string{"name"}, optional: []string{"time", "classname", "group"},
		children: []string{"skipped", "error", "failure", "system-out", "system-err"},
	},
	"failure":    {optional: []string{"type", "message"}, text: true},
	"error":      {optional: []string{"type", "message"}, text: true},
	"skipped":    {optional: []string{"type", "message"}, text: true},
	"system-out": {text: true},
	"system-err": {text: true},
}

// surefireTime is the schema's type SUREFIRE_TIME, as far as it is sensible.
var surefireTime = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)

// node is an element of a document.
type node struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Children []node     `xml:",any"`
	Text     string     `xml:",chardata"`
}

func (n *node) attr(name string) string {
	for _, a := range n.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// all are the elements of that name, wherever they are.
func (n *node) all(name string) []*node {
	var out []*node
	for i := range n.Children {
		c := &n.Children[i]
		if c.XMLName.Local == name {
			out = append(out, c)
		}
		out = append(out, c.all(name)...)
	}
	return out
}

// readable holds a file to the schema, and to what its readers do with it.
func readable(t *testing.T, b []byte) *node {
	t.Helper()
	var root node
	require.NoError(t, xml.Unmarshal(b, &root), string(b[:min(len(b), 2000)]))
	require.Equal(t, "testsuites", root.XMLName.Local)
	followsSchema(t, &root)
	seen := map[string]bool{}
	total := map[string]int{}
	for _, s := range root.all("testsuite") {
		require.NotEmpty(t, s.all("testcase"), "Jenkins reads no test suite without a case")
		for attr, element := range map[string]string{"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"} {
			n, err := strconv.Atoi("0" + s.attr(attr))
			require.NoError(t, err)
			require.Equal(t, len(s.all(element)), n, "%s of %s", attr, s.attr("name"))
			total[attr] += n
		}
		for _, c := range s.all("testcase") {
			// lib/gitlab/ci/reports/test_case.rb: a key that is there is ignored.
			key := s.attr("name") + "_" + c.attr("classname") + "_" + c.attr("name")
			require.False(t, seen[key], "GitLab ignores the second %s", key)
			seen[key] = true
			require.NotEmpty(t, c.attr("name"))
			require.NotEmpty(t, c.attr("classname"))
			require.LessOrEqual(t, len(c.all("failure"))+len(c.all("error"))+len(c.all("skipped")), 1)
		}
	}
	for _, attr := range []string{"tests", "failures", "errors"} {
		n, err := strconv.Atoi("0" + root.attr(attr))
		require.NoError(t, err)
		require.Equal(t, total[attr], n, attr)
	}
	for _, kind := range []string{"failure", "error", "skipped"} {
		for _, r := range root.all(kind) {
			require.NotEmpty(t, strings.TrimSpace(r.Text), "GitLab shows the body alone, and the attributes raw if it is empty")
			require.NotEmpty(t, r.attr("message"), "Jenkins and GitHub's actions show the message first")
			// Types that ActiveSupport's Hash.from_xml would convert or refuse.
			require.NotContains(t, []string{"symbol", "yaml", "date", "integer", "float", "boolean", "string", "file", "array", "hash"}, r.attr("type"))
		}
	}
	require.Less(t, len(b), 30<<20, "GitLab reads files below 30 MB")
	return &root
}

func followsSchema(t *testing.T, n *node) {
	t.Helper()
	rule, known := junitRules[n.XMLName.Local]
	require.True(t, known, "element %s", n.XMLName.Local)
	for _, a := range rule.required {
		require.True(t, slices.ContainsFunc(n.Attrs, func(x xml.Attr) bool { return x.Name.Local == a }), "%s lacks %s", n.XMLName.Local, a)
	}
	for _, a := range n.Attrs {
		require.Contains(t, append(slices.Clone(rule.required), rule.optional...), a.Name.Local, "attribute of %s", n.XMLName.Local)
		if a.Name.Local == "time" {
			require.Regexp(t, surefireTime, a.Value)
		}
	}
	require.True(t, rule.text || strings.TrimSpace(n.Text) == "", "text in %s", n.XMLName.Local)
	for i := range n.Children {
		require.Contains(t, rule.children, n.Children[i].XMLName.Local, "child of %s", n.XMLName.Local)
		followsSchema(t, &n.Children[i])
	}
}

// enormous is a result in which every text is as long as a log may be.
func enormous() *harness.Result {
	r := hostile()
	long := strings.Repeat("\x1b", maxText) + strings.Repeat("]]>\"<&|`\x1b\xff ", 200)
	r.Reason, r.Command = long, long
	r.Assertions = nil
	for i := range 150 {
		v := assert.Verdict{Name: fmt.Sprintf("assertion-%d", i), Status: assert.Status(i % 3), Summary: long, Reasons: []string{long}, Fix: long, Unit: long, Measured: ptr(1), Bound: ptr(2), Op: "<="}
		for range min(6, 12-min(i, 12)) {
			v.Evidence = append(v.Evidence, assert.Evidence{Op: 1, Node: long, Class: long, Text: long})
		}
		r.Assertions = append(r.Assertions, v)
	}
	for range 60 {
		r.Leftovers = append(r.Leftovers, history.Leftover{Kind: long, Name: long, Detail: long, Remove: long})
		r.Faults = append(r.Faults, harness.FaultResult{Kind: long, Nodes: []string{long}, Measured: long})
	}
	return r
}

// runs are results of every kind, by name.
func runs() map[string]*harness.Result {
	pass := failing()
	pass.Verdict, pass.Assertions, pass.Reason, pass.Command = harness.VerdictPass, pass.Assertions[1:2], "All 1 assertions held.", "hachaos run instance-kill --seed 42"
	dirty := *pass
	dirty.Dirty = true
	torn := *failing()
	torn.Verdict, torn.Reason = harness.VerdictInconclusive, "The record is torn."
	return map[string]*harness.Result{
		"pass": pass, "fail": failing(), "hostile": hostile(), "dirty": &dirty, "torn": &torn, "enormous": enormous(),
		"not carried out": {Scenario: "x", Verdict: harness.VerdictError, Reason: "The run could not be carried out: no engine."},
		"nothing at all":  {},
	}
}

func TestJUnitIsReadable(t *testing.T) {
	for name, r := range runs() {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			require.NoError(t, JUnit(&b, r))
			root := readable(t, b.Bytes())
			bad := len(root.all("failure")) + len(root.all("error"))
			require.Equal(t, r.Verdict == harness.VerdictPass && !r.Dirty, bad == 0, "only a pass is green:\n%.2000s", b.String())
		})
	}
}

func TestJUnitSaysWhatARunCameTo(t *testing.T) {
	bodies := func(r *harness.Result) map[string]string {
		var b bytes.Buffer
		require.NoError(t, JUnit(&b, r))
		out := map[string]string{}
		for _, c := range readable(t, b.Bytes()).all("testcase") {
			for _, kind := range []string{"failure", "error", "skipped", "system-out"} {
				for _, n := range c.all(kind) {
					out[c.attr("name")] = kind + ": " + n.attr("message") + "\n" + n.Text
				}
			}
		}
		return out
	}
	r := failing()
	r.Command, r.Dir = "hachaos run instance-kill --seed 42", "runs/x"
	got := bodies(r)
	for name, want := range map[string][]string{
		"write-ledger": {
			"failure: 2 of 1840 orders were written twice.\n", "measured 2 writes, bound ≤ 0 writes", "To change it: dedupe=on",
			"op 2611, on j1, at +13.000s, duplicate", "and 1 more", "Repeat it: hachaos run instance-kill --seed 42", "Its folder: x",
		},
		"distribution":     {"error: inconclusive: observer complete"},
		"readiness-gating": {"skipped: not exercised: No request met the restarted node."},
		"error-budget":     {"system-out: ", "99.912 % good"},
		carriedOut:         {"system-out: ", "FAIL: write-ledger failed"},
	} {
		for _, w := range want {
			require.Contains(t, got[name], w)
		}
	}
	require.Contains(t, bodies(runs()["dirty"])[carriedOut], "failure: dirty")
	require.Contains(t, bodies(runs()["torn"])[carriedOut], "error: inconclusive: The record is torn.", "although an assertion failed and another is inconclusive")
	require.Contains(t, bodies(runs()["not carried out"])[carriedOut], "error: error: The run could not be carried out: no engine.")
}

// TestSuiteJUnitIsReadable: repetitions do not hide each other, what was not
// run is not green, and many runs of enormous results stay readable.
func TestSuiteJUnitIsReadable(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, SuiteJUnit(&b, several("d")))
	root := readable(t, b.Bytes())
	var classes []string
	for _, s := range root.all("testsuite") {
		classes = append(classes, s.attr("name"))
	}
	require.Equal(t, []string{"hachaos.db-slow", "hachaos.db-slow (2)", "hachaos.db-down"}, classes[:3])
	require.Equal(t, "hachaos.suite", classes[len(classes)-1])
	require.Contains(t, b.String(), "Not run: interrupted.")
	require.Contains(t, b.String(), "docker rm -f c")

	many := &suite.Result{Interrupted: true}
	r := enormous()
	r.Assertions, r.Leftovers = r.Assertions[:9], r.Leftovers[:3]
	for i := range 60 {
		many.Entries = append(many.Entries, suite.Entry{Scenario: "s", Repetition: i + 1, Of: 60, Verdict: harness.VerdictFail, Reason: r.Reason, Run: r})
	}
	b.Reset()
	require.NoError(t, SuiteJUnit(&b, many))
	readable(t, b.Bytes())

	for name, s := range map[string]*suite.Result{"no run": {}, "interrupted": {Interrupted: true}} {
		b.Reset()
		require.NoError(t, SuiteJUnit(&b, s))
		require.Len(t, readable(t, b.Bytes()).all("error"), 1, name)
	}
}

func TestFormats(t *testing.T) {
	h := planted(t)
	for _, f := range Formats() {
		t.Run(f.Name, func(t *testing.T) {
			got, known := FormatOf(f.Name)
			require.True(t, known)
			require.Equal(t, f.About, got.About)
			for name, r := range runs() {
				var once, twice bytes.Buffer
				require.NoError(t, f.Run(&once, r, h), name)
				require.NotZero(t, once.Len(), name)
				require.NoError(t, f.Run(&twice, r, h), name)
				require.Equal(t, once.String(), twice.String(), "%s: it is a function of the result", name)
				require.False(t, bytes.ContainsAny(once.Bytes(), "\x1b\x00"), name)
				require.NotContains(t, once.String(), "\u202e", name)
			}
			require.ErrorIs(t, f.Run(failingWriter{}, failing(), h), io.ErrShortWrite)
			if f.Name == "html" {
				require.ErrorIs(t, f.Run(io.Discard, failing(), nil), ErrNoRecord)
				return
			}
			require.NoError(t, f.Run(io.Discard, failing(), nil), "a run may leave no record")
		})
	}
	_, known := FormatOf("pdf")
	require.False(t, known)
}

func TestMarkdownIsBounded(t *testing.T) {
	const summary = 1 << 20 // of GitHub; a comment of GitLab's has a million characters
	for name, r := range runs() {
		var b bytes.Buffer
		require.NoError(t, Markdown(&b, r))
		require.Less(t, b.Len(), summary*9/10, name)
	}
	many := &suite.Result{}
	r := enormous()
	for i := range 300 {
		many.Entries = append(many.Entries, suite.Entry{Scenario: r.Scenario, Repetition: i + 1, Of: 300, Verdict: harness.VerdictFail, Dirty: true, Reason: r.Reason, Run: r})
		many.Leftovers = r.Leftovers
	}
	var b bytes.Buffer
	require.NoError(t, SuiteMarkdown(&b, many))
	require.Less(t, b.Len(), summary*9/10)
	require.Contains(t, b.String(), "292 more runs did not pass")
	require.Contains(t, b.String(), "200 more runs")
}

func TestMarkdownReadsFromTheTop(t *testing.T) {
	r := failing()
	r.Command = "hachaos run instance-kill --set dedupe=off --seed 42"
	r.Assertions[0].Fix = "${HACHAOS_DEDUPE} of /etc/jetty.env"
	var b bytes.Buffer
	require.NoError(t, Markdown(&b, r))
	golden(t, "summary.md", b.Bytes())
	at := -1
	for _, part := range []string{
		"## FAIL: instance-kill\n", "write-ledger failed", "**write-ledger** measured 2 writes, bound ≤ 0 writes: 2 of 1840",
		"- op 2611", "- and 1 more", `To change it: \${HACHAOS\_DEDUPE} of /etc/jetty.env`, "```sh\nhachaos run instance-kill --set dedupe=off --seed 42\n```",
		"| assertion | status |", "Fault: instance-kill",
	} {
		i := strings.Index(b.String(), part)
		require.Greater(t, i, at, "%s is after what is more important:\n%s", part, b.String())
		at = i
	}
	b.Reset()
	require.NoError(t, SuiteMarkdown(&b, several("d")))
	golden(t, "suite.md", b.Bytes())
	require.True(t, strings.HasPrefix(b.String(), "## DIRTY: 5 runs\n"))
	for _, line := range strings.Split(b.String(), "\n") {
		if strings.HasPrefix(line, "| ") {
			require.Equal(t, 5, strings.Count(strings.ReplaceAll(line, `\|`, ""), "|"), "a row of four cells: %q", line)
		}
	}
	require.NotContains(t, b.String(), "<script>")
	require.ErrorIs(t, SuiteMarkdown(failingWriter{}, several("d")), io.ErrShortWrite)
}

func TestGitHubAnnotations(t *testing.T) {
	r := failing()
	r.Command = "hachaos run instance-kill --seed 42"
	var b bytes.Buffer
	require.NoError(t, GitHub(&b, r))
	golden(t, "github.txt", b.Bytes())
	require.Equal(t, "::notice title=hachaos instance-kill%3A PASS::All 1 assertions held.\n", github(t, runs()["pass"]))
	require.Contains(t, github(t, runs()["torn"]), "::warning title=hachaos instance-kill%3A INCONCLUSIVE::The record is torn.")
	require.Contains(t, github(t, runs()["not carried out"]), "::error title=hachaos x%3A ERROR::")

	// Nothing of what others wrote ends a property or begins a command.
	bad := hostile()
	bad.Scenario = "100%, a:b\n::stop-commands::x"
	command := regexp.MustCompile(`^::(error|warning|notice) title=[^:,\r\n]*::[^\r\n]*$`)
	for _, r := range []*harness.Result{bad, enormous(), hostile()} {
		lines := strings.Split(strings.TrimSuffix(github(t, r), "\n"), "\n")
		levels := map[string]int{}
		for _, line := range lines {
			require.Regexp(t, command, line)
			levels[line[:4]]++
			for i := strings.IndexByte(line, '%'); i >= 0 && i < len(line); i++ {
				if line[i] == '%' {
					require.Contains(t, []string{"25", "0A", "0D", "3A", "2C"}, line[i+1:i+3])
				}
			}
		}
		for level, n := range levels {
			require.LessOrEqual(t, n, 10, level)
		}
	}
	require.Contains(t, github(t, enormous()), "::error title=hachaos::and 42 more; the JUnit file has all")
	require.Contains(t, github(t, bad), "title=hachaos 100%25%2C a%3Ab %3A%3Astop-commands%3A%3Ax")

	b.Reset()
	require.NoError(t, SuiteGitHub(&b, several("d")))
	require.Contains(t, b.String(), "db-slow 2/2")
	require.Contains(t, b.String(), "docker rm -f c")
}

func github(t *testing.T, r *harness.Result) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, GitHub(&b, r))
	return b.String()
}

func TestSecondsAreNeverNegative(t *testing.T) {
	require.Equal(t, "0.000", seconds(-time.Second))
	require.Equal(t, "1.500", seconds(1500*ms))
}
