package live

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/olekukonko/tablewriter/pkg/twwidth"
	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/load"
)

// TestMain has the widths not depend on who runs the tests.
func TestMain(m *testing.M) {
	twwidth.SetOptions(twwidth.Options{})
	os.Exit(m.Run())
}

// plan is that of the run that the tests tell of.
var plan = Plan{Title: "instance-kill", Phases: []string{"warm-up", "steady", "killed", "restarted", "steady again"}}

// told is the story of a run until a time: a node is killed at 13 s, and its
// load falls for two seconds; lb2 takes the address from lb1 meanwhile.
func told(until time.Duration, change ...func(*harness.Tick)) *Story {
	s := &Story{}
	s.Begin(plan)
	ends := []time.Duration{5, 13, 29, 39, 47}
	var sum load.Counts
	for now := 250 * time.Millisecond; now <= until; now += 250 * time.Millisecond {
		t := harness.Tick{At: now, Of: len(ends), Number: len(ends), Owners: []string{"lb1"}}
		for i := len(ends) - 1; i >= 0; i-- {
			if now < ends[i]*time.Second {
				t.Number = i + 1
			}
		}
		t.Phase, t.Ends = plan.Phases[t.Number-1], ends[t.Number-1]*time.Second
		one := load.Counts{Sent: 125, OK: 125}
		switch second := now/time.Second - 1; {
		case second < 0:
			one = load.Counts{}
		case second == 0:
			one = load.Counts{Sent: 117, OK: 117, Slow: 4}
		case second == 13:
			one = load.Counts{Sent: 61, OK: 12, Slow: 9, Failed: 31, Info: 18}
		case second == 14:
			one = load.Counts{Sent: 100, OK: 88, Failed: 12}
		}
		if now%time.Second == 0 {
			sum.OK, sum.Sent, sum.Slow, sum.Failed, sum.Info = sum.OK+one.OK, sum.Sent+one.Sent, sum.Slow+one.Slow, sum.Failed+one.Failed, sum.Info+one.Info
		}
		t.Load = load.Stats{Counts: sum, LastSecond: one, Outstanding: 7, Latency: load.Quantiles{P99: 41 * time.Millisecond}}
		t.Nodes = []harness.NodeTick{{Name: "j1", Ready: true}, {Name: "j2", Ready: now < 13*time.Second || now > 32*time.Second}}
		if now > 13*time.Second && now < 29*time.Second {
			t.Faults = []string{"instance-kill j2"}
		}
		switch {
		case now > 13*time.Second && now < 14*time.Second:
			t.Owners = nil
		case now >= 14*time.Second && now < 15*time.Second:
			t.Owners = []string{"lb1", "lb2"}
		case now >= 15*time.Second:
			t.Owners = []string{"lb2"}
		}
		for _, c := range change {
			c(&t)
		}
		s.See(t)
	}
	return s
}

// golden compares with a file of testdata, in which ESC is visible; UPDATE=1
// writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	got = strings.ReplaceAll(got, "\x1b", "␛")
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE") != "" {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestTheBlockAtEachWidth(t *testing.T) {
	s, b := told(16*time.Second), &strings.Builder{}
	for _, width := range []int{120, 80, 60, 40, 39, 20} {
		for _, l := range []Look{{Unicode: true}, {}, {Unicode: true, Colour: true}} {
			l.Width, l.Rows = width, 24
			fmt.Fprintf(b, "== %+v\n%s\n", l, strings.Join(s.Lines(l), "\n"))
		}
	}
	golden(t, "widths.txt", b.String())
}

func TestTheBlockInEachMoment(t *testing.T) {
	var b strings.Builder
	show := func(what string, s *Story, l Look) {
		fmt.Fprintf(&b, "== %s\n%s\n", what, strings.Join(s.Lines(l), "\n"))
	}
	usual := Look{Width: 100, Rows: 24, Unicode: true}
	for _, tenths := range []int{3, 20, 130, 133, 140, 150, 230, 400, 480} {
		show(fmt.Sprintf("after %d.%d s", tenths/10, tenths%10), told(time.Duration(tenths)*100*time.Millisecond), usual)
	}
	show("9 rows", told(14*time.Second), Look{Width: 100, Rows: 9, Unicode: true})
	show("7 rows", told(14*time.Second), Look{Width: 100, Rows: 7, Unicode: true})
	show("6 rows", told(14*time.Second), Look{Width: 100, Rows: 6, Unicode: true})
	show("5 rows", told(14*time.Second), Look{Width: 100, Rows: 5, Unicode: true})

	var s Story
	s.See(harness.Tick{At: time.Second})
	show("nothing known", &s, usual)
	s.See(at(12*time.Second, func(t *harness.Tick) {
		t.Faults = []string{"disk-full db", "instance-kill j1, j2", "packet-loss lb1", "weight j3"}
		t.Owners = []string{"lb1", "lb2", "lb3"}
		for i := range 8 {
			t.Nodes = append(t.Nodes, harness.NodeTick{Name: fmt.Sprintf("j%d", i+1), Ready: i%3 > 0})
		}
		t.Load.Counts = load.Counts{Dropped: 3}
	}))
	show("much at once", &s, usual)
	show("in less room", &s, Look{Width: 60, Rows: 24, Unicode: true})
	golden(t, "moments.txt", b.String())
}

// A log's lines have no colours, and are short.
func TestALineOfALog(t *testing.T) {
	require.Equal(t, "  14.0s  killed           61/s  62 bad  1 of 2 nodes up  VIP lb1 and lb2: two owners  [instance-kill j2]", Line(told(14*time.Second).now))
}

var sgr = regexp.MustCompile("\x1b\\[[0-9;]*m")

// TestNoLineIsWiderThanTheTerminal, whatever is told, and colours say nothing
// that words and signs do not.
func TestNoLineIsWiderThanTheTerminal(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for range 3000 {
		s := randomStory(r)
		l := Look{Width: r.IntN(140), Rows: r.IntN(30), Unicode: r.IntN(2) == 0}
		lines := s.Lines(l)
		require.LessOrEqual(t, len(lines), max(0, l.Rows-1))
		for _, line := range lines {
			require.LessOrEqual(t, Columns(line), max(0, l.Width-1), "%+v: %q", l, line)
			require.NotRegexp(t, `[[:cntrl:]]`, line, "%+v", l)
			if !l.Unicode {
				require.Regexp(t, `^[ -~]*$`, line)
			}
		}
		if l.Width >= leastWidth && l.Rows >= leastRows {
			require.Greater(t, len(lines), 1)
		}
		l.Colour = true
		for i, line := range s.Lines(l) {
			require.Equal(t, lines[i], sgr.ReplaceAllString(line, ""))
		}
	}
}

// randomStory is of some ticks, in which anything may be.
func randomStory(r *rand.Rand) *Story {
	alphabet := []string{"a", "j1", "steady", "節点", "é", "e\u0301", "❤\uFE0F", "🚀", "\x1b[31m", "\n", "\u202e", "\xff", " ", "very-long-name-of-something-", "±", "✓"}
	word := func() string {
		var b strings.Builder
		for range r.IntN(8) {
			b.WriteString(alphabet[r.IntN(len(alphabet))])
		}
		return b.String()
	}
	words := func(most int) []string {
		var list []string
		for range r.IntN(most + 1) {
			list = append(list, word())
		}
		return list
	}
	count := func() uint64 { return r.Uint64N(1 << r.UintN(40)) }
	var s Story
	s.Begin(Plan{Title: word(), Phases: words(12)})
	var now time.Duration
	for range 1 + r.IntN(90) {
		now += time.Duration(r.Int64N(int64(1) << (20 + r.UintN(16))))
		t := harness.Tick{At: now, Phase: word(), Of: r.IntN(13), Ends: time.Duration(r.Int64N(int64(time.Hour))), Owners: words(3), Faults: words(6)}
		if t.Of > 0 {
			t.Number = 1 + r.IntN(t.Of)
		}
		if p := s.plan.Phases; r.IntN(2) == 0 && len(p) > 0 {
			t.Of, t.Number = len(p), 1+r.IntN(len(p))
			t.Phase = p[t.Number-1]
		}
		for _, name := range words(9) {
			t.Nodes = append(t.Nodes, harness.NodeTick{Name: name, Ready: r.IntN(2) == 0})
		}
		t.Load.Counts = load.Counts{OK: count(), Sent: count(), Slow: count(), Failed: count(), Info: count(), Dropped: count()}
		t.Load.LastSecond = load.Counts{OK: count(), Sent: count(), Failed: count()}
		t.Load.Outstanding, t.Load.Latency.P99 = r.IntN(1e6), time.Duration(count())
		s.See(t)
	}
	return &s
}

func TestColumns(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "j1": 2, "節点": 4, "é": 1, "e\u0301": 1, "🚀": 2, "✓": 1,
		"❤\uFE0F": 2, // as terminals draw it that know the selector
	} {
		require.Equal(t, want, Columns(text), text)
	}
	require.Equal(t, "節", clip("節点", 3))
	require.Empty(t, line{{"節点", plain}}.cut(1, "..").String(), "not even that there is more")
}

func TestGlyphsTakeOneColumnEach(t *testing.T) {
	for _, g := range []glyphs{unicodeGlyphs, asciiGlyphs} {
		require.Len(t, g.bars, 8)
		for _, one := range append(strings.Split(string(g.bars), ""), g.good, g.ill, g.then, g.full, g.tip, g.empty) {
			require.Equal(t, 1, Columns(one), one)
		}
	}
}
