package report

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func sheet() Sheet {
	return Sheet{Title: "Why", About: "All of *it*.", Sections: []SheetSection{
		{
			Title: "One", About: "What is <asked>.", Said: "2 of 3.", Provenance: "hachaos v1", Command: "hachaos trust page --dir 'a|b'",
			Picture: "trust/one.svg", PictureText: "a [picture]", See: "more.md",
			Grid:  Grid{Head: []string{"name", "", "it|em"}, Rows: [][]string{{"a", "<b>", "x\ny"}, {"\u202e", "`c`", "3"}}},
			Notes: []string{"not_this"},
		},
		{Title: "Two", About: "Nothing yet.", Said: "not measured yet", Grid: Grid{Head: []string{"name"}}},
	}}
}

func TestSheetMarkdown(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, SheetMarkdown(&b, sheet()))
	require.Equal(t, `# Why

All of \*it\*.

## One

What is &lt;asked&gt;.

**2 of 3.**

Measured by hachaos v1.
Again: `+"`hachaos trust page --dir 'a|b'`"+`

![a \[picture\]](trust/one.svg)

| name |  | it\|em |
|---|---|---|
| a | &lt;b&gt; | x y |
| \\u202e | \`+"`c\\`"+` | 3 |

- not\_this

More: [more.md](more.md)

## Two

Nothing yet.

**not measured yet**
`, b.String())
}

func TestSheetHTML(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, SheetHTML(&b, sheet()))
	for _, want := range []string{
		"<title>Why</title>", "<p>What is &lt;asked&gt;.</p>", "<strong>not measured yet</strong>", "<code>hachaos trust page --dir &#39;a|b&#39;</code>",
		`<img src="trust/one.svg" alt="a [picture]"`, `<th scope="row">a</th><td>&lt;b&gt;</td><td>x y</td>`, `<li>not_this</li>`, `<a href="more.md">more.md</a>`, `\u202e`,
	} {
		require.Contains(t, b.String(), want)
	}
	require.Equal(t, 1, strings.Count(b.String(), "<table>"), "a table without a row is none")
}

func TestGridTable(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, GridTable(&b, sheet().Sections[0].Grid, TableOptions{}, 10, 10))
	require.Contains(t, b.String(), "│ a        │ <b>      │ x y ")
	require.Contains(t, b.String(), `\u202e`)
}

func TestZooGridIsTheMatrix(t *testing.T) {
	g := ZooGrid(zooRows())
	require.Equal(t, []string{"area", "mutant", "scenario", "caught", "session-survival", "write-ledger"}, g.Head)
	require.Equal(t, []string{"writes", "no-dedupe: no | keys (shop#1)", "unknown-outcome", "2 of 2", zooQuiet, zooFired}, g.Rows[0])
	require.Equal(t, []string{"sessions", "memory: in memory", "instance-kill", "0 of 1", "?", "?"}, g.Rows[2])
}

func TestScatterSVG(t *testing.T) {
	s := Scatter{Title: "a & b", True: "true <ms>", Reported: "reported", Groups: []ScatterGroup{
		{"outages", []ScatterPoint{{100, 100}, {10, 1000}, {5, 0}}},
		{"others", []ScatterPoint{{1000, 10}}},
	}}
	var b bytes.Buffer
	require.NoError(t, ScatterSVG(&b, s))
	require.NoError(t, xml.Unmarshal(b.Bytes(), new(struct{ XMLName xml.Name })), "it is well formed")
	for _, want := range []string{
		"<title>a &amp; b</title>", "true &lt;ms&gt;", "1 not above 0: not drawn",
		`<path transform="translate(240,240)" d="` + scatterShapes[0] + `"/>`, // 100 of 10 to 1000: in the middle, and on the diagonal
		`<path transform="translate(0,0)" d="` + scatterShapes[0] + `"/>`,     // the top left corner
		`<path transform="translate(480,480)" d="` + scatterShapes[1] + `"/>`, // the bottom right one
	} {
		require.Contains(t, b.String(), want)
	}
	var again bytes.Buffer
	require.NoError(t, ScatterSVG(&again, s))
	require.Equal(t, b.String(), again.String())
}

// TestScatterDecades: what lies a little outside takes no decade more.
func TestScatterDecades(t *testing.T) {
	for name, tc := range map[string]struct {
		low, high float64
		from, to  int
	}{
		"exact":     {10, 10000, 1, 4},
		"a little":  {9.5, 10400, 1, 4},
		"more":      {8, 13000, 0, 5},
		"one value": {10, 10, 1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			from, to, _ := Scatter{Groups: []ScatterGroup{{Points: []ScatterPoint{{tc.low, tc.high}}}}}.decades()
			require.Equal(t, []int{tc.from, tc.to}, []int{from, to})
		})
	}
}

func TestScatterOfNothing(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, ScatterSVG(&b, Scatter{Title: "none"}))
	require.NotContains(t, b.String(), "NaN")
	require.NotContains(t, b.String(), "Inf")
}
