package calibrate

import (
	"math"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func TestLines(t *testing.T) {
	base := Point{Name: "latency-0s", What: "median", Unit: "ms"}
	fifty := Point{Name: "latency-50ms", What: "median", Unit: "ms", Truth: 50, Bound: 5, Baseline: "latency-0s"}
	outage := Point{Name: "outage", What: "outage", Unit: "ms", Truth: 100, Bound: 10}
	lines := Lines([]Reading{
		{base, []float64{3, 2, 4}},
		{fifty, []float64{54, 52}},
		{outage, []float64{95, 111}},
		{Point: outage},
	})
	require.True(t, lines[0].Good, "a baseline has no truth of its own")
	require.True(t, lines[1].Good)
	require.InDelta(t, 3, lines[1].Base, 0)
	require.InDelta(t, 50, lines[1].Mean, 1e-9)
	require.InDelta(t, 1, math.Abs(lines[1].Worst), 1e-9)
	require.False(t, lines[2].Good, "one of two is out of bound")
	require.InDelta(t, 11, lines[2].Worst, 1e-9)
	require.InDelta(t, 16, lines[2].Spread, 1e-9)
	require.False(t, lines[3].Good, "no run is no evidence")

	var b strings.Builder
	require.NoError(t, Markdown(&b, lines))
	require.Contains(t, b.String(), "| latency-50ms | median, ms | 50 | 50 | ")
	require.Contains(t, b.String(), "| outage | outage, ms | 100 | 103 | 11 | 16 | 10 | 2 | ✗ |")
	require.Contains(t, b.String(), "| - | - | - | 10 | 0 | not run |")
}

// What is certain may be short of the truth by the looks, and not above it.
func TestAbove(t *testing.T) {
	p := Point{Name: "p", Truth: 500, Bound: 220, Above: new(20.0)}
	for v, good := range map[float64]bool{500: true, 281: true, 279: false, 519: true, 521: false, 0: false} {
		require.Equal(t, good, Lines([]Reading{{p, []float64{v}}})[0].Good, v)
	}
	require.Contains(t, Lines([]Reading{{Point: p}})[0].Cells(), "−220, +20")
}

// No truth of an address is so near to the assertion's bound that a report depends on
// which way its edges fell, and none so short that nothing would be a good one.
func TestOwnersAreFarFromTheirBounds(t *testing.T) {
	plan, err := topology.JettyHA().Plan(topology.Options{})
	require.NoError(t, err)
	spec, err := plan(netip.MustParsePrefix("198.18.0.0/24"))
	require.NoError(t, err)
	met := 0
	for _, p := range Points() {
		name := topology.BoundVIP
		if strings.HasPrefix(p.Name, "two-owners-") {
			name = topology.BoundVIPTwo
		} else if !strings.HasPrefix(p.Name, "no-owner-") {
			continue
		}
		met++
		b, ok := spec.Bound(name)
		require.True(t, ok)
		require.Greater(t, math.Abs(p.Truth-millis(b.Limit)), 2.0*looks+commandsTake, "%s against %s %v", p.Name, name, b.Limit)
		require.Greater(t, p.Truth, p.Bound)
	}
	require.Equal(t, len(unowned)+len(twice), met)
}

// TestWithoutItsBaseline: a point whose baseline was not run is not good.
func TestWithoutItsBaseline(t *testing.T) {
	lines := Lines([]Reading{
		{Point: Point{Name: "b"}},
		{Point{Name: "p", Truth: 1, Bound: 5, Baseline: "b"}, []float64{1}},
	})
	require.False(t, lines[1].Good)
}

func TestPointsAreWhole(t *testing.T) {
	names := map[string]bool{}
	for _, p := range Points() {
		require.False(t, names[p.Name], p.Name)
		names[p.Name] = true
		require.NotEmpty(t, p.Why)
		require.NotNil(t, p.read)
	}
	for _, p := range Points() {
		require.True(t, p.Baseline == "" || names[p.Baseline], p.Name)
	}
}

func TestParse(t *testing.T) {
	least, most, err := parseOwners("1000 2000 502000 503000\n")
	require.NoError(t, err)
	require.EqualValues(t, 500000, least)
	require.EqualValues(t, 502000, most)
	_, _, err = parseOwners("1 2 3")
	require.ErrorContains(t, err, "want four times")
	_, _, err = parseOwners("1 2 3 x")
	require.Error(t, err)

	lost, doubled, err := parseDamage("7 40\n")
	require.NoError(t, err)
	require.Equal(t, []int{7, 40}, []int{lost, doubled})
	_, _, err = parseDamage("")
	require.ErrorContains(t, err, "want two counts")
}
