package report

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

// one is the record of a single operation.
func one(t *testing.T) *history.History {
	b := historytest.New()
	b.Phase("steady", history.PhaseSteady, 0, time.Second)
	b.Op(history.OpLogin, 10*ms).In(1).On("j1").OK()
	return b.Build(t)
}

// cutShort is the record of a run that ended in the middle of a line, as one does whose
// process was killed.
func cutShort(t *testing.T) *history.History {
	t.Helper()
	dir := t.TempDir()
	historytest.Generate(historytest.Config{Ops: 1000, Kill: true}).Save(t, dir)
	path := filepath.Join(dir, history.Journal)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path, int64(bytes.LastIndexByte(text[:len(text)/2], '\n')+20)))
	h, err := history.Load(dir)
	require.NoError(t, err)
	require.Equal(t, history.Torn, h.Integrity.State)
	require.NotEmpty(t, h.Ops)
	return h
}

// ofSizes are records of very different sizes, by name.
func ofSizes(t *testing.T) map[string]*history.History {
	t.Helper()
	return map[string]*history.History{
		"none": {}, "one": one(t), "a thousand": historytest.Generate(historytest.Config{Ops: 1000, Kill: true}).History(t), "cut short": cutShort(t),
	}
}

// TestEverySizeIsReported: a record of no operation, of one, of a thousand, and of a run
// that was cut short, in every format and in words.
func TestEverySizeIsReported(t *testing.T) {
	for name, h := range ofSizes(t) {
		t.Run(name, func(t *testing.T) {
			r := judged(h)
			if h.Integrity.State != history.Whole {
				r.Verdict, r.Reason = harness.VerdictInconclusive, "The record is not whole: "+h.Integrity.Reason
			}
			for _, f := range Formats() {
				var b bytes.Buffer
				require.NoError(t, f.Run(&b, r, h), f.Name)
				harmless(t, b.Bytes())
				if f.Name == "html" {
					text := code.ReplaceAllString(b.String(), "")
					require.Contains(t, text, strings.ToUpper(string(r.Verdict)))
					wellFormed(t, text)
				}
			}
			var b bytes.Buffer
			require.NoError(t, Table(&b, r, TableOptions{}))
			require.Contains(t, b.String(), strings.ToUpper(string(r.Verdict)))
			harmless(t, b.Bytes())
		})
	}
}

// harmless requires that a text does nothing to a terminal, and is valid.
func harmless(t *testing.T, text []byte) {
	t.Helper()
	require.True(t, utf8.Valid(text), "valid UTF-8")
	at := bytes.IndexFunc(text, func(r rune) bool { return r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) })
	require.Negative(t, at, "a control character at byte %d: %q", at, text[max(0, at-40):min(len(text), max(0, at)+40)])
}

// noise is ten megabytes of what tries to break out of every format.
var noise = strings.Repeat("<script>alert(1)</script>]]>\x1b[31m|`*_\"'&amp;\x00\xff\u202e\r\n", 10<<20/50)

// TestTenMegabytesOfNoise: as a name, as a reason and as a line of a log. Each format
// stays a few times as large as without them, and whole.
func TestTenMegabytesOfNoise(t *testing.T) {
	require.Greater(t, len(noise), 10_000_000)
	line := noise[:1<<20] // there are fourteen of them in the record
	b := historytest.New()
	b.Phase(line, history.PhaseSteady, 0, 100*ms)
	b.Phase("killed", history.PhaseBreak, 100*ms, time.Second)
	b.Fault(line, 100*ms, line).Active(110 * ms)
	b.Op(history.OpLogin, 10*ms).In(1).On(line).Version(line).OK()
	b.Op(history.OpOrder, 150*ms).In(1).On(line).Key(line).Fail(line)
	b.See(120*ms, history.Server{Balancer: line, Server: line, Status: line})
	b.See(130*ms, history.Truth{Node: line})
	b.See(140*ms, history.Dispatch{Balancer: line, Op: 2, Attempt: 1, Server: line, Status: -1, Term: line})
	b.See(150*ms, history.Receipt{Node: line, What: line, Op: 2, Attempt: 1})
	h := b.Build(t)
	r := judged(h)
	r.Scenario, r.Reason, r.Command, r.Topology = noise, noise, noise, noise
	r.Faults = []harness.FaultResult{{Kind: noise, Nodes: []string{noise}, Measured: noise}}
	r.Leftovers = []history.Leftover{{Kind: noise, Name: noise, Detail: noise, Remove: noise}}
	r.Dirty = true
	for i := range r.Assertions {
		v := &r.Assertions[i]
		v.Summary, v.Fix, v.Reasons, v.Notes = noise, noise, []string{noise}, []string{noise}
		v.Evidence = []assert.Evidence{{Op: 2, Node: noise, Class: noise, Text: noise}}
	}
	written := map[string]*bytes.Buffer{"table": {}, "explain": {}}
	require.NoError(t, Table(written["table"], r, TableOptions{}))
	require.NoError(t, Explain(written["explain"], r, h, ExplainOptions{}))
	for _, f := range Formats() {
		written[f.Name] = &bytes.Buffer{}
		require.NoError(t, f.Run(written[f.Name], r, h), f.Name)
	}
	for name, b := range written {
		t.Run(name, func(t *testing.T) {
			require.Less(t, b.Len(), 1<<20, "it is cut to what a reader bears")
			harmless(t, b.Bytes())
			switch name {
			case "html":
				require.NotContains(t, b.String(), "<script>alert")
				wellFormed(t, code.ReplaceAllString(b.String(), ""))
			case "markdown":
				text, _, _ := strings.Cut(b.String(), "```sh\n") // a command is shown as it is
				require.NotContains(t, text, "<script>")
			case "junit":
				readable(t, b.Bytes())
			case "table":
				require.LessOrEqual(t, strings.Count(b.String(), "\n"), 40)
			}
		})
	}
}
