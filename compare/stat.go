package compare

import (
	"math"
	"slices"

	"github.com/aclements/go-moremath/stats"
)

// exactLimit is the largest group whose Mann–Whitney distribution is computed
// exactly, ties included; beyond it a normal approximation does.
const exactLimit = 25

// MannWhitney gives the p-value of the two-sided Mann–Whitney U test: how
// likely it is that two random parts of all these values, of the sizes of x
// and y, differ in their ranks at least as much as x and y do. Groups of up
// to 25 values are exact, whatever is tied; larger ones use the normal
// approximation with corrections for ties and continuity. It is 1 if all
// values are equal or a group is empty.
//
// The library's own two-sided test doubles one tail, which is not exact where
// groups of unequal size have ties, so that both tails are added up here.
func MannWhitney(x, y []float64) float64 {
	if len(x) == 0 || len(y) == 0 || allEqual(x, y) {
		return 1
	}
	if len(x) > exactLimit || len(y) > exactLimit {
		r, err := stats.MannWhitneyUTest(x, y, stats.LocationDiffers)
		if err != nil { // all are equal: said above
			return 1
		}
		return min(1, r.P)
	}
	u := stats.UDist{N1: len(x), N2: len(y), T: ties(x, y)}
	middle := float64(len(x)*len(y)) / 2
	off := math.Abs(statistic(x, y) - middle)
	if off == 0 {
		return 1
	}
	// U goes by halves; by wholes if there are no ties.
	return min(1, u.CDF(middle-off)+1-u.CDF(middle+off-0.5))
}

// statistic is U: the number of pairs in which the value of x is the larger
// one, where a tie counts half.
func statistic(x, y []float64) (u float64) {
	for _, a := range x {
		for _, b := range y {
			switch {
			case a > b:
				u++
			case a == b:
				u += 0.5
			}
		}
	}
	return u
}

// ties counts how often each value occurs, in the order of the values.
func ties(x, y []float64) []int {
	all := slices.Concat(x, y)
	slices.Sort(all)
	var out []int
	for i, v := range all {
		if i == 0 || v != all[i-1] {
			out = append(out, 0)
		}
		out[len(out)-1]++
	}
	return out
}

func allEqual(x, y []float64) bool { return len(ties(x, y)) == 1 }

// Fisher gives the p-value of Fisher's exact test, two-sided, of the table
//
//	a  b
//	c  d
//
// that is how likely tables with the same sums are that are at most as likely
// as this one. It is 1 if a row or a column is empty.
func Fisher(a, b, c, d int) float64 {
	n := a + b + c + d
	if a+b == 0 || c+d == 0 || a+c == 0 || b+d == 0 {
		return 1
	}
	dist := stats.HypergeometicDist{N: n, K: a + c, Draws: a + b}
	seen := dist.PMF(float64(a))
	low, high := dist.Bounds()
	p := 0.0
	for k := low; k <= high; k++ {
		// Equal probabilities may differ in their last digits.
		if q := dist.PMF(k); q <= seen*(1+1e-7) {
			p += q
		}
	}
	return min(1, p)
}

// BenjaminiHochberg adjusts p-values for their number: where those of at most
// alpha are called discoveries, the share of false ones among them is at most
// alpha on average. It returns them in the order given.
//
// Y. Benjamini, Y. Hochberg: Controlling the False Discovery Rate. Journal of
// the Royal Statistical Society B 57 (1995), 289–300.
func BenjaminiHochberg(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case p[i] < p[j]:
			return -1
		case p[i] > p[j]:
			return 1
		}
		return 0
	})
	out := make([]float64, len(p))
	least := 1.0
	for rank := len(order); rank > 0; rank-- {
		i := order[rank-1]
		least = min(least, p[i]*float64(len(p))/float64(rank))
		out[i] = least
	}
	return out
}

// Median of the values, which need no order; that of an even number is the
// mean of the two in the middle. It is NaN for none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	v := slices.Sorted(slices.Values(values))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}
