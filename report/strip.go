package report

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"github.com/hachaos/hachaos/compare"
)

// bars are a histogram's, from few to many.
var bars = []rune("▁▂▃▄▅▆▇█")

// spark draws how values spread between low and high, as text of width
// characters: a dot where there is none, and a bar that grows with their
// number. It is empty for no values; where low is high all are in the middle.
func spark(values []float64, low, high float64, width int) string {
	if len(values) == 0 || width < 1 {
		return ""
	}
	counts := make([]int, width)
	for _, v := range values {
		counts[place(v, low, high, width)]++
	}
	most := max(4, slices.Max(counts)) // so that a single value is no tower
	var b strings.Builder
	for _, n := range counts {
		if n == 0 {
			b.WriteRune('·')
			continue
		}
		b.WriteRune(bars[(n*len(bars)+most-1)/most-1])
	}
	return b.String()
}

// place is the index of the part of [low, high] that v lies in, of n equal
// parts.
func place(v, low, high float64, n int) int {
	if high <= low {
		return n / 2
	}
	return min(n-1, max(0, int(float64(n)*(v-low)/(high-low))))
}

// laneOf is a group's values in a strip.
type laneOf struct {
	Name   string
	Values []float64
}

// Measures of a strip, in pixels.
const (
	stripWidth  = 260.0
	stripMargin = 8.0
	stripLane   = 18.0
	stripDot    = 3.0
	stripParts  = 64
)

// strip draws groups of values over one scale, a lane each: a dot a value,
// those that would lie upon one another piled up, a line at the median and,
// of five values or more, a box between the quartiles. bound is a dashed line
// through all lanes; nil is none. What it shows stands in the table beside it
// as text, so that the picture itself is hidden from screen readers.
func strip(lanes []laneOf, bound *float64) template.HTML {
	low, high := math.Inf(1), math.Inf(-1)
	for _, l := range lanes {
		for _, v := range l.Values {
			low, high = min(low, v), max(high, v)
		}
	}
	if low > high {
		return ""
	}
	spread := high - low
	if bound != nil && *bound >= low-2*spread && *bound <= high+2*spread { // one that is far off would press the dots together
		low, high = min(low, *bound), max(high, *bound)
	} else {
		bound = nil
	}
	x := func(v float64) float64 {
		if high <= low {
			return stripWidth / 2
		}
		return stripMargin + (stripWidth-2*stripMargin)*(v-low)/(high-low)
	}
	var b strings.Builder
	height := stripLane * float64(len(lanes))
	fmt.Fprintf(&b, `<svg class="strip" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" aria-hidden="true" focusable="false">`, stripWidth, height, stripWidth, height)
	for i, l := range lanes {
		drawLane(&b, l, stripLane*float64(i), x, func(v float64) int { return place(v, low, high, stripParts) })
	}
	if bound != nil {
		fmt.Fprintf(&b, `<line class="bound" x1="%.1f" x2="%.1f" y1="0" y2="%.0f"/>`, x(*bound), x(*bound), height)
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) //nolint:gosec // numbers only
}

// drawLane draws one lane whose upper edge is at top.
func drawLane(b *strings.Builder, l laneOf, top float64, x func(float64) float64, part func(float64) int) {
	base := top + stripLane - 4
	fmt.Fprintf(b, `<line class="axis" x1="%.0f" x2="%.0f" y1="%.1f" y2="%.1f"/>`, stripMargin, stripWidth-stripMargin, base, base)
	if len(l.Values) == 0 {
		return
	}
	if len(l.Values) >= 5 {
		from, to := x(quantile(l.Values, 0.25)), x(quantile(l.Values, 0.75))
		fmt.Fprintf(b, `<rect class="box" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, from, top+3, max(1, to-from), stripLane-7)
	}
	piled := map[int]int{}
	for _, v := range l.Values {
		at := part(v)
		rise := min(float64(piled[at])*stripDot*0.9, stripLane-2*stripDot-3)
		piled[at]++
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="%.1f"/>`, x(v), base-rise-stripDot/2, stripDot)
	}
	m := x(compare.Median(l.Values))
	fmt.Fprintf(b, `<line class="median" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, m, m, top+2, base+2)
}

// quantile of values, interpolated between neighbours.
func quantile(values []float64, q float64) float64 {
	v := slices.Sorted(slices.Values(values))
	at := q * float64(len(v)-1)
	i := int(at)
	if i+1 >= len(v) {
		return v[len(v)-1]
	}
	return v[i] + (at-float64(i))*(v[i+1]-v[i])
}
