package report

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
)

// words are n words of an assertion's kind.
func words(draw *rand.Rand, n int) string {
	list := []string{"operation", "2560", "on", "j2", "was", "answered", "after", "801 ms", "by", "lb2,", "session-bound", "(at most 250 ms)"}
	var out []string
	for range n {
		out = append(out, list[draw.IntN(len(list))])
	}
	return strings.Join(out, " ")
}

// drawn is a random result: some are larger than any that was recorded.
func drawn(draw *rand.Rand) *harness.Result {
	r := &harness.Result{Scenario: "instance-kill", Verdict: harness.VerdictFail, Reason: words(draw, draw.IntN(120))}
	for range draw.IntN(6) {
		r.Faults = append(r.Faults, harness.FaultResult{Kind: "instance-kill", Nodes: []string{"j1", "j2"}, Proven: true, Measured: words(draw, draw.IntN(60))})
	}
	for i := range draw.IntN(18) {
		v := assert.Verdict{
			Name: fmt.Sprintf("assertion-%d-of-many", i), Status: assert.Status(draw.IntN(3)), NotExercised: draw.IntN(4) == 0,
			Measured: ptr(draw.Float64() * 1e4), Bound: ptr(1000), Op: "<=", Unit: "percentage points", Summary: words(draw, draw.IntN(150)), Fix: words(draw, draw.IntN(20)),
			Reasons: []string{words(draw, draw.IntN(80))}, More: draw.IntN(3),
		}
		for range draw.IntN(assert.MaxEvidence) {
			v.Evidence = append(v.Evidence, assert.Evidence{Op: 2560, Node: "j1", Class: "duplicate", Text: words(draw, draw.IntN(100))})
		}
		r.Assertions = append(r.Assertions, v)
	}
	if draw.IntN(3) == 0 {
		r.Dirty = true
		for range 1 + draw.IntN(9) {
			r.Leftovers = append(r.Leftovers, history.Leftover{Kind: "container", Name: "c", Detail: words(draw, draw.IntN(40)), Remove: "docker rm -f c"})
		}
	}
	return r
}

// TestEveryResultFitsOnAScreen, whatever there is to say and however narrow
// the terminal; it says where the rest is, and keeps what matters.
func TestEveryResultFitsOnAScreen(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 40))
	shortened := 0
	for i := range 120 {
		r, width := drawn(draw), 40+draw.IntN(120)
		var b bytes.Buffer
		require.NoError(t, Table(&b, r, TableOptions{Width: width, Colour: i%2 == 0, Path: "runs/x/report.html", Dir: "runs/x"}))
		out := b.String()
		require.LessOrEqual(t, height(out, width), screen, "result %d on %d columns:\n%s", i, width, out)
		require.Contains(t, out, "FAIL")
		require.Contains(t, out, "report: runs/x/report.html")
		if r.Dirty {
			require.Contains(t, out, "left behind:")
		}
		if strings.Contains(out, "all of it: hachaos explain runs/x") {
			shortened++
		}
	}
	require.Greater(t, shortened, 30)
	require.Less(t, shortened, 120, "what fits is not shortened")
}

// TestWhatToGoOnWithFitsToo, on a terminal of a usual width; it is never cut.
func TestWhatToGoOnWithFitsToo(t *testing.T) {
	draw := rand.New(rand.NewPCG(8, 40))
	next := []string{"", "To go on:", "  hachaos explain runs/x", "  hachaos explain runs/x --op 1656", "  hachaos check runs/x", "  hachaos doctor", "  hachaos run x"}
	for i := range 60 {
		r, width := drawn(draw), 80+draw.IntN(80)
		var b bytes.Buffer
		require.NoError(t, Table(&b, r, TableOptions{Width: width, Path: "runs/x/report.html", Dir: "runs/x", Next: next}))
		require.LessOrEqual(t, height(b.String(), width), screen, "result %d on %d columns:\n%s", i, width, b.String())
		require.True(t, strings.HasSuffix(b.String(), "report.html\n"+strings.Join(next, "\n")+"\n"), b.String())
	}
}

// TestHugeWordsFitToo: names and texts without a space.
func TestHugeWordsFitToo(t *testing.T) {
	huge := strings.Repeat("x", 5000)
	r := drawn(rand.New(rand.NewPCG(3, 3)))
	r.Scenario, r.Reason, r.Dirty = huge, huge, true
	r.Leftovers = []history.Leftover{{Kind: huge, Name: huge, Remove: huge}, {Kind: huge}}
	r.Faults = []harness.FaultResult{{Kind: huge, Measured: huge}}
	for i := range r.Assertions {
		v := &r.Assertions[i]
		v.Name, v.Summary, v.Unit, v.Fix, v.Reasons = huge, huge, huge, huge, []string{huge}
		for j := range v.Evidence {
			v.Evidence[j].Text = huge
		}
	}
	var b bytes.Buffer
	require.NoError(t, Table(&b, r, TableOptions{Width: 80}))
	require.LessOrEqual(t, height(b.String(), 80), screen)
	require.Contains(t, b.String(), "all of it is in the run's folder")
}

func TestWhatFitsIsWhole(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Table(&b, failing(), TableOptions{Dir: "runs/x"}))
	require.NotContains(t, b.String(), "shortened")
	require.NotContains(t, b.String(), "…")
}

func TestShorten(t *testing.T) {
	require.Equal(t, "one two\n  three", shorten("one two three", 8, 0, "  "))
	require.Equal(t, "one two\n  three", shorten("one two three", 8, 2, "  "))
	require.Equal(t, "one t …", shorten("one two three", 8, 1, ""))
	require.Equal(t, "abcdefg…", shorten("abcdefghijkl", 8, 1, ""))
	require.Equal(t, "abcdefghijkl", shorten("abcdefghijkl", 8, 0, ""))
	require.Equal(t, "abcdefg…\nx", shorten("abcdefghijkl x", 8, 2, ""))
	require.Empty(t, shorten("", 8, 1, ""))
}

func TestHeight(t *testing.T) {
	require.Equal(t, 3, height("12345678\n\n1234\n", 8))
	require.Equal(t, 4, height("123456789\n\n1234\n", 8), "the terminal wraps")
	require.Equal(t, 1, height("\x1b[1;31m12345678\x1b[0m\n", 8), "a colour takes no room")
}
