package report

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
)

func ptr(f float64) *float64 { return &f }

// failing is a result with one of each status.
func failing() *harness.Result {
	return &harness.Result{
		Schema: harness.ResultSchema, Scenario: "instance-kill", Verdict: harness.VerdictFail,
		Reason: "write-ledger failed: 2 orders were written twice.",
		Seed:   42, Topology: "jetty-ha", Profile: "tuned", Version: "v0", ID: "1a2b",
		StartedAt: time.Date(2026, 11, 20, 8, 15, 0, 0, time.UTC), Took: 36 * time.Second,
		Faults: []harness.FaultResult{{Kind: "instance-kill", Nodes: []string{"j1"}, At: 13 * time.Second, Proven: true, Measured: "exit 137"}},
		Assertions: []assert.Verdict{
			{
				Name: "write-ledger", Status: assert.Fail, Measured: ptr(2), Bound: ptr(0), Op: "<=", Unit: "writes",
				Summary: "2 of 1840 orders were written twice.", Safety: true, More: 1,
				Evidence: []assert.Evidence{
					{Op: 2611, At: 13 * time.Second, Node: "j1", Class: "duplicate", Text: "key k-2611 has orders 870 and 881"},
					{Op: 2614, At: 13*time.Second + 15*time.Millisecond, Class: "duplicate", Text: "key k-2614 has orders 871 and 882"},
				},
				Fix: "dedupe=on",
			},
			{Name: "error-budget", Status: assert.Pass, Measured: ptr(99.912), Bound: ptr(99.5), Op: ">=", Unit: "% good", Summary: "99.912 % good."},
			{Name: "distribution", Status: assert.Inconclusive, Unit: "points", Reasons: []string{"observer complete: dispatch of lb1 missed 3 lines"}},
			{Name: "readiness-gating", Status: assert.Pass, NotExercised: true, Measured: ptr(0), Bound: ptr(0), Op: "<=", Unit: "requests", Summary: "No request met the restarted node."},
		},
	}
}

// hostile has names that try to break out of every format.
func hostile() *harness.Result {
	r := failing()
	bad := "<script>alert(1)</script>|`*_\x1b[31m\x00\xff\u202e]]>\r\n&amp;"
	r.Scenario, r.Reason = bad, bad
	r.Dirty = true
	r.Leftovers = []history.Leftover{{Kind: "container", Name: bad, Remove: "docker rm -f " + bad}}
	for i := range r.Assertions {
		r.Assertions[i].Name, r.Assertions[i].Summary, r.Assertions[i].Reasons = bad, bad, []string{bad}
		for j := range r.Assertions[i].Evidence {
			r.Assertions[i].Evidence[j].Text, r.Assertions[i].Evidence[j].Node = bad, bad
		}
	}
	return r
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Table(&b, failing(), TableOptions{Path: "runs/x/report.html"}))
	out := b.String()
	for _, want := range []string{
		"FAIL  instance-kill", "write-ledger failed: 2 orders were written twice.",
		"fault: instance-kill on j1 at +13.000s: proven (exit 137)",
		"op 2611, on j1, at +13.000s, duplicate: key k-2611 has orders 870 and 881",
		"to change it: dedupe=on", "99.912 % good", "report: runs/x/report.html",
	} {
		require.Contains(t, out, want)
	}
	require.Contains(t, out, "inconclusive")
	require.Contains(t, out, "(not")
	require.NotContains(t, out, "\x1b")
	require.LessOrEqual(t, strings.Count(out, "\n"), 40, "fits a screen:\n%s", out)
	for _, line := range strings.Split(out, "\n") {
		require.LessOrEqual(t, len([]rune(line)), 121, "line is too wide: %q", line)
	}
}

func TestTableColourAddsOnlyColour(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Table(&b, failing(), TableOptions{Colour: true}))
	require.Contains(t, b.String(), "\x1b[1;31mFAIL\x1b[0m")
}

func TestTableReportsAFailedWrite(t *testing.T) {
	require.ErrorIs(t, Table(failingWriter{}, failing(), TableOptions{}), io.ErrShortWrite)
	require.ErrorIs(t, Markdown(failingWriter{}, failing()), io.ErrShortWrite)
	require.ErrorIs(t, JUnit(failingWriter{}, failing()), io.ErrShortWrite)
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestHostileNamesStayText(t *testing.T) {
	var table, junit, markdown bytes.Buffer
	require.NoError(t, Table(&table, hostile(), TableOptions{}))
	require.NoError(t, JUnit(&junit, hostile()))
	require.NoError(t, Markdown(&markdown, hostile()))
	require.NotContains(t, table.String(), "\x1b")
	require.NotContains(t, table.String(), "\u202e")
	dec := xml.NewDecoder(&junit)
	for {
		_, err := dec.Token()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
	}
	require.NotContains(t, markdown.String(), "<script>")
	for _, line := range strings.Split(markdown.String(), "\n") {
		if strings.HasPrefix(line, "| ") {
			require.Equal(t, 6, strings.Count(strings.ReplaceAll(line, `\|`, ""), "|"), "a row of five cells: %q", line)
		}
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain é \uFFFD": "plain é \uFFFD",
		"a\x1b[0mb":      `a\u001b[0mb`,
		"bad\xff\xfe":    `bad\xff\xfe`,
		"two\nlines\tx":  "two lines x",
		"rtl\u202eevil":  `rtl\u202eevil`,
	} {
		require.Equal(t, want, Clean(in))
	}
}
