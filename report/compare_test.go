package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/compare"
	"github.com/hachaos/hachaos/harness"
)

// golden compares with a file of testdata; UPDATE=1 writes it anew.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE") != "" {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

// repeats are runs of a profile with these outages, of which at most bound
// milliseconds are allowed, alternating with those of the other profile.
func repeats(profile string, turn int, bound float64, outages ...float64) compare.Group {
	g := compare.Group{Name: profile, Source: "runs/" + profile}
	for i, outage := range outages {
		v := assert.Verdict{
			Name: "error-budget", Status: assert.Pass, Measured: ptr(outage), Bound: ptr(bound), Op: "<=", Unit: "ms",
			Measures: []assert.Measure{
				{Name: "Longest outage of the victim's share", Value: outage, Unit: "ms"}, {Name: "operations", Value: 6200, Unit: "operations"},
			},
		}
		r := &harness.Result{
			Scenario: "instance-kill", Verdict: harness.VerdictPass, Profile: profile, Version: "v1",
			StartedAt: time.Date(2026, 11, 20, 8, 2*i+turn, 0, 0, time.UTC),
			Command:   fmt.Sprintf("hachaos run instance-kill --profile %s --seed %d", profile, i),
		}
		if outage > bound {
			v.Status, r.Verdict = assert.Fail, harness.VerdictFail
		}
		r.Assertions = []assert.Verdict{v}
		r.Measures = map[string]float64{
			"error-budget": outage, "error-budget.longest_outage_of_the_victim_s_share": outage, "error-budget.operations": 6200,
			"latency_p99_ms": 30 + float64((7*i+3*turn)%5), "steady.latency_p99_ms": 5, "operations": 6200,
		}
		run := compare.Of(r)
		run.Source = fmt.Sprintf("runs/%s/%d", profile, i)
		g.Runs = append(g.Runs, run)
	}
	return g
}

func compared() []compare.Comparison {
	return compare.Compare([]compare.Group{
		repeats("tuned", 0, 350, 10, 12, 205, 15, 11), repeats("documented", 1, 20000, 20100, 20050, 19980, 20110, 20070),
	}, compare.Options{})
}

func TestCompareGolden(t *testing.T) {
	var table, narrow, markdown, page bytes.Buffer
	require.NoError(t, CompareTable(&table, compared(), false, TableOptions{}))
	golden(t, "compare.txt", table.Bytes())
	require.NoError(t, CompareTable(&narrow, compared(), true, TableOptions{Width: 80}))
	golden(t, "compare-narrow.txt", narrow.Bytes())
	require.NoError(t, CompareMarkdown(&markdown, compared(), false))
	golden(t, "compare.md", markdown.Bytes())
	require.NoError(t, CompareHTML(&page, compared(), ComparePage{All: true}))
	golden(t, "compare.html", page.Bytes())
	wellFormed(t, page.String())
}

// wellFormed reads a page as XML, as far as HTML allows, and requires that it
// asks nothing of any network.
func wellFormed(t *testing.T, page string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
	}
	require.NotRegexp(t, regexp.MustCompile(`(?i)(src|href|action)\s*=\s*["']?(https?:)?//|@import|url\(|<script`), page)
}

func TestCompareSaysTooFewPlainly(t *testing.T) {
	list := compare.Compare([]compare.Group{repeats("tuned", 0, 350, 10), repeats("documented", 1, 350, 900, 950)}, compare.Options{})
	var b bytes.Buffer
	require.NoError(t, CompareTable(&b, list, false, TableOptions{}))
	require.Contains(t, b.String(), "Too few repeats to tell a difference from noise: tuned has 1 run with a verdict, and each group")
	require.Contains(t, b.String(), "too few repeats")
	require.NotContains(t, b.String(), "p 0")
}

func TestCompareOfThreeNamesEach(t *testing.T) {
	list := compare.Compare([]compare.Group{
		repeats("a", 0, 350, 10, 11, 12, 13, 14, 15), repeats("b", 1, 350, 10, 11, 12, 13, 14, 15), repeats("c", 2, 350, 900, 910, 920, 930, 940, 950),
	}, compare.Options{})
	var b bytes.Buffer
	require.NoError(t, CompareMarkdown(&b, list, false))
	require.Contains(t, b.String(), "b: 0; within noise, p 1.00; c: +912.5 (× 74); beyond noise, worse")
	require.Contains(t, b.String(), "the verdict of c (worse)")
}

func TestCompareEscapes(t *testing.T) {
	bad := hostile().Scenario
	g := []compare.Group{repeats("a", 0, 350, 1, 2), repeats("b", 1, 350, 1, 3)}
	for i := range g {
		g[i].Name, g[i].Source = bad+g[i].Name, bad
		for j := range g[i].Runs {
			r := &g[i].Runs[j]
			r.Subject, r.Command, r.Version = bad, bad, bad+g[i].Name
			r.Assertions[0].Unit = bad
			r.Figures[bad] = float64(i + j)
		}
	}
	list := compare.Compare(g, compare.Options{})
	var table, markdown, page bytes.Buffer
	require.NoError(t, CompareTable(&table, list, true, TableOptions{}))
	require.NoError(t, CompareMarkdown(&markdown, list, true))
	require.NoError(t, CompareHTML(&page, list, ComparePage{All: true, Missing: []string{bad}}))
	for _, text := range []string{table.String(), markdown.String(), page.String()} {
		require.False(t, strings.ContainsAny(text, "\x1b\x00\u202e"))
	}
	require.NotContains(t, markdown.String(), "<script>")
	wellFormed(t, page.String())
	require.ErrorIs(t, CompareTable(failingWriter{}, list, true, TableOptions{}), io.ErrShortWrite)
	require.ErrorIs(t, CompareMarkdown(failingWriter{}, list, true), io.ErrShortWrite)
	require.ErrorIs(t, CompareHTML(failingWriter{}, list, ComparePage{}), io.ErrShortWrite)
}

func TestSpark(t *testing.T) {
	require.Equal(t, "▂···▂···▂", spark([]float64{0, 1, 2}, 0, 2, 9))
	require.Equal(t, "█·▂", spark([]float64{0, 0.1, 0.2, 0, 2}, 0, 2, 3))
	require.Equal(t, "··▆··", spark([]float64{5, 5, 5}, 5, 5, 5), "all are equal")
	require.Equal(t, "█·", spark(make([]float64, 1000), 0, 1, 2))
	require.Empty(t, spark(nil, 0, 1, 9))
}

func TestStrip(t *testing.T) {
	circles := func(s string) int { return strings.Count(s, "<circle") }
	few := string(strip([]laneOf{{"a", []float64{1, 2}}, {"b", nil}}, nil))
	require.Equal(t, 2, circles(few))
	require.NotContains(t, few, "<rect", "two values have no quartiles to speak of")
	require.NotContains(t, few, `class="bound"`)
	many := string(strip([]laneOf{{"a", []float64{1, 2, 3, 4, 5}}}, ptr(6)))
	require.Equal(t, 5, circles(many))
	require.Contains(t, many, "<rect")
	require.Contains(t, many, `class="bound"`)
	require.NotContains(t, string(strip([]laneOf{{"a", []float64{1, 2}}}, ptr(1e6))), `class="bound"`, "it would press the dots together")
	require.Empty(t, strip([]laneOf{{"a", nil}}, nil))
	require.NotContains(t, string(strip([]laneOf{{"a", []float64{3, 3, 3, 3, 3}}}, ptr(3))), "NaN")
}
