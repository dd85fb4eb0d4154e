package calibrate

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Reading is what the repetitions of a point's run reported.
type Reading struct {
	Point
	Reported []float64 // one a run
}

// Error is how far a report is from the truth. base is what the baseline
// reported, 0 if there is none.
func (p Point) Error(reported, base float64) float64 { return reported - base - p.Truth }

// Line is a reading against its truth.
type Line struct {
	Reading
	// Base is the median of the baseline's reports; 0 without one.
	Base float64
	// Mean of the reports less Base, Worst the error that is farthest from 0,
	// Spread the largest report less the least. All are NaN without a run.
	Mean, Worst, Spread float64
	Good                bool // every report is within the bound
}

// Lines judges the readings.
func Lines(all []Reading) []Line {
	base := map[string]float64{}
	for _, r := range all {
		base[r.Name] = median(r.Reported)
	}
	out := make([]Line, 0, len(all))
	for _, r := range all {
		l := Line{Reading: r, Mean: math.NaN(), Worst: math.NaN(), Spread: math.NaN()}
		if r.Baseline != "" {
			l.Base = base[r.Baseline]
		}
		if n, within := len(r.Reported), true; n > 0 {
			l.Mean, l.Worst, l.Spread = 0, 0, slices.Max(r.Reported)-slices.Min(r.Reported)
			for _, v := range r.Reported {
				l.Mean += (v - l.Base) / float64(n)
				e := r.Error(v, l.Base)
				if math.Abs(e) > math.Abs(l.Worst) {
					l.Worst = e
				}
				within = within && r.within(e)
			}
			l.Good = !math.IsNaN(l.Base) && (!r.HasTruth() || within)
		}
		out = append(out, l)
	}
	return out
}

// within says whether a report may be so far from the truth.
func (p Point) within(e float64) bool {
	if p.Above != nil && e > 0 {
		return e <= *p.Above
	}
	return math.Abs(e) <= p.Bound
}

// judged says that the line could be held against its truth: what it is
// compared with was run, too.
func (l Line) judged() bool { return !math.IsNaN(l.Base) }

// HasTruth says that the point is held against something: what others are
// compared with has no truth of its own.
func (p Point) HasTruth() bool { return p.Truth != 0 || p.Bound != 0 }

func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(v))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// Columns are those of the table.
var Columns = []string{"point", "what", "truth", "reported", "worst error", "spread", "bound", "runs", ""}

// Cells are a line of the table.
func (l Line) Cells() []string {
	mark := "✗"
	switch {
	case len(l.Reported) == 0:
		mark = "not run"
	case !l.judged():
		mark = "its baseline was not run"
	case l.Good:
		mark = "●"
	}
	truth, bound := number(l.Truth), number(l.Bound)
	if l.Above != nil {
		bound = fmt.Sprintf("−%s, +%s", bound, number(*l.Above))
	}
	if !l.HasTruth() {
		truth, bound = "-", "-"
	}
	return []string{l.Name, l.What + ", " + l.Unit, truth, number(l.Mean), number(l.Worst), number(l.Spread), bound, strconv.Itoa(len(l.Reported)), mark}
}

// Markdown writes the table.
func Markdown(w io.Writer, lines []Line) error {
	var b strings.Builder
	b.WriteString("| " + strings.Join(Columns, " | ") + " |\n" + strings.Repeat("|---", len(Columns)) + "|\n")
	for _, l := range lines {
		b.WriteString("| " + strings.Join(l.Cells(), " | ") + " |\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func number(v float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	s := fmt.Sprintf("%.1f", v)
	return strings.TrimSuffix(s, ".0")
}
