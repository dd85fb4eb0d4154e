package compare

import (
	"cmp"
	"math"
	"strings"
)

// decide says of each difference that was tested whether it is beyond noise.
func decide(tested []*Diff) {
	p := make([]float64, len(tested))
	for i, d := range tested {
		p[i] = *d.P
	}
	for i, q := range BenjaminiHochberg(p) {
		d := tested[i]
		d.Adjusted = &q
		switch {
		case q <= Alpha:
			d.Told = Beyond
		case *d.P <= Alpha:
			d.Told = Perhaps
		default:
			d.Told = Within
		}
	}
}

// diff compares two cells of a row. Told stands for itself unless there is a
// P.
func diff(r *Row, a, b *Cell) Diff {
	if r.Verdict() {
		return diffTally(a.Tally, b.Tally)
	}
	if len(a.Values) == 0 || len(b.Values) == 0 {
		return Diff{Told: NoMeasure}
	}
	first, other := Median(a.Values), Median(b.Values)
	d := Diff{Told: TooFew, Shift: ptr(other - first)}
	if first != 0 {
		d.Percent = ptr(100 * (other - first) / math.Abs(first))
	}
	d.Effect = effect(cmp.Compare(other, first) * direction(r, a))
	switch {
	case allEqual(a.Values, b.Values):
		d.Told = Same
	case min(len(a.Values), len(b.Values)) >= MinRuns:
		d.P = ptr(MannWhitney(a.Values, b.Values))
	}
	return d
}

func diffTally(a, b *Tally) Diff {
	if a.Pass+a.Fail == 0 || b.Pass+b.Fail == 0 {
		if *a == *b {
			return Diff{Told: Same}
		}
		return Diff{Told: NoMeasure}
	}
	if open := func(t *Tally) bool { return t.Other > 0 }; open(a) != open(b) && (a.Fail+b.Fail == 0 || a.Pass+b.Pass == 0) {
		return Diff{Told: TooFew} // those that have a verdict are the same, and the others may not be
	}
	share := func(t *Tally) float64 { return 100 * float64(t.Pass) / float64(t.Pass+t.Fail) }
	d := Diff{Told: TooFew, Shift: ptr(share(b) - share(a))}
	d.Effect = effect(cmp.Compare(share(b), share(a)))
	switch {
	case a.Fail+b.Fail == 0, a.Pass+b.Pass == 0:
		d.Told = Same
	case min(a.Pass+a.Fail, b.Pass+b.Fail) >= MinRuns:
		d.P = ptr(Fisher(a.Pass, a.Fail, b.Pass, b.Fail))
	}
	return d
}

// goodWay has the figures of the load, and which way is good: 1 is up, 0
// neither.
var goodWay = map[string]int{
	"operations": 0,
	"ok":         1, "good_percent": 1, "throughput_per_second": 1,
	"fail": -1, "info": -1, "dropped": -1, "late": -1,
	"latency_p50_ms": -1, "latency_p99_ms": -1, "latency_p999_ms": -1, "latency_max_ms": -1,
}

// direction is which way is good: 1 is up, -1 is down, 0 is not known.
func direction(r *Row, c *Cell) int {
	switch c.Op {
	case "<=":
		return -1
	case ">=":
		return 1
	}
	if r.Assertion != "" {
		return 0
	}
	_, last, dotted := strings.Cut(r.Figure, ".")
	if !dotted {
		last = r.Figure
	}
	return goodWay[last]
}

func effect(sign int) string {
	switch {
	case sign > 0:
		return "better"
	case sign < 0:
		return "worse"
	}
	return ""
}

func ptr(f float64) *float64 { return &f }
