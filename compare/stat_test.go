package compare_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/compare"
)

// TestMannWhitneyIsExact compares with the definition: every way to choose
// the first group out of all values, with ties and without, for groups of
// unequal size, too.
func TestMannWhitneyIsExact(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	for n := 1; n <= 6; n++ {
		for m := 1; m <= 6; m++ {
			for _, kinds := range []int{1, 2, 3, 5, 1000} {
				x, y := values(draw, n, kinds), values(draw, m, kinds)
				require.InDelta(t, enumerated(x, y), compare.MannWhitney(x, y), 1e-9, "%v against %v", x, y)
			}
		}
	}
}

func values(draw *rand.Rand, n, kinds int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = float64(draw.IntN(kinds)) / 8
	}
	return out
}

// enumerated is the share of all choices whose U lies at least as far from
// the middle as that of x and y.
func enumerated(x, y []float64) float64 {
	all := append(append([]float64{}, x...), y...)
	middle := float64(len(x)*len(y)) / 2
	seen := math.Abs(rankSum(x, y) - middle)
	far, total := 0, 0
	for set := range 1 << len(all) {
		var a, b []float64
		for i, v := range all {
			if set>>i&1 == 1 {
				a = append(a, v)
			} else {
				b = append(b, v)
			}
		}
		if len(a) != len(x) {
			continue
		}
		total++
		if math.Abs(rankSum(a, b)-middle) >= seen {
			far++
		}
	}
	return float64(far) / float64(total)
}

func rankSum(a, b []float64) (u float64) {
	for _, v := range a {
		for _, w := range b {
			if v > w {
				u++
			} else if v == w {
				u += 0.5
			}
		}
	}
	return u
}

// TestMannWhitneyAgreesWithTheTable: the critical values of U at 5 %,
// two-sided, as printed in S. Siegel, N. J. Castellan: Nonparametric
// Statistics for the Behavioral Sciences, and most textbooks.
func TestMannWhitneyAgreesWithTheTable(t *testing.T) {
	for _, c := range []struct{ n, m, critical int }{
		{4, 4, 0}, {4, 5, 1}, {5, 5, 2}, {5, 6, 3}, {6, 6, 5}, {7, 7, 8}, {8, 8, 13}, {9, 9, 17}, {10, 10, 23}, {5, 10, 8}, {12, 12, 37}, {20, 20, 127},
	} {
		t.Run(fmt.Sprintf("%d and %d", c.n, c.m), func(t *testing.T) {
			x, y := withU(c.n, c.m, c.critical)
			require.LessOrEqual(t, compare.MannWhitney(x, y), 0.05)
			x, y = withU(c.n, c.m, c.critical+1)
			require.Greater(t, compare.MannWhitney(x, y), 0.05)
		})
	}
}

// withU gives two groups without ties whose U is u: the first of x are moved
// past as many of y as that takes.
func withU(n, m, u int) (x, y []float64) {
	for i := range m {
		y = append(y, float64(i+1))
	}
	for i := range n {
		past := min(m, u)
		u -= past
		x = append(x, float64(past)+0.5+float64(i)/1000)
	}
	return x, y
}

// TestThreeRunsEachCannotTell: even groups that do not overlap have p = 0.1.
func TestThreeRunsEachCannotTell(t *testing.T) {
	require.InDelta(t, 0.1, compare.MannWhitney([]float64{1, 2, 3}, []float64{4, 5, 6}), 1e-12)
	require.InDelta(t, 2.0/70, compare.MannWhitney([]float64{1, 2, 3, 4}, []float64{5, 6, 7, 8}), 1e-12)
}

func TestMannWhitneyOfLargeGroups(t *testing.T) {
	var x, y, far []float64
	for i := range 40 {
		x, y, far = append(x, float64(i)), append(y, float64(i)+0.5), append(far, float64(i+30))
	}
	require.Greater(t, compare.MannWhitney(x, y), 0.8)
	require.Less(t, compare.MannWhitney(x, far), 1e-6)
	require.Equal(t, 1.0, compare.MannWhitney(make([]float64, 30), make([]float64, 30)))
	require.Equal(t, 1.0, compare.MannWhitney(nil, x))
}

// TestFisher has the tea of R. A. Fisher (The Design of Experiments, 1935,
// chapter II), the twins of his "The Logic of Inductive Inference" (1935;
// 0.0005367, as R's fisher.test gives it), and tables told by hand.
func TestFisher(t *testing.T) {
	require.InDelta(t, 34.0/70, compare.Fisher(3, 1, 1, 3), 1e-9, "the lady's three of four cups")
	require.InDelta(t, 2.0/70, compare.Fisher(4, 0, 0, 4), 1e-9, "all four")
	require.InDelta(t, 0.0005367, compare.Fisher(2, 15, 10, 3), 1e-7)
	require.InDelta(t, 2.0/252, compare.Fisher(5, 0, 0, 5), 1e-9)
	require.InDelta(t, 1, compare.Fisher(2, 2, 2, 2), 1e-9)
	require.Equal(t, 1.0, compare.Fisher(5, 0, 5, 0))
	require.Equal(t, 1.0, compare.Fisher(0, 0, 1, 2))
}

// TestFisherIsExact compares with every way to give the passes to the runs.
func TestFisherIsExact(t *testing.T) {
	for a := range 5 {
		for b := range 5 {
			for c := range 5 {
				for d := range 5 {
					if a+b == 0 || c+d == 0 || a+c == 0 || b+d == 0 {
						continue
					}
					require.InDelta(t, dealt(a, b, c, d), compare.Fisher(a, b, c, d), 1e-9, "%d %d %d %d", a, b, c, d)
				}
			}
		}
	}
}

// dealt counts the choices of a+c passes among all runs by how many of them
// fall to the first group.
func dealt(a, b, c, d int) float64 {
	n, first := a+b+c+d, a+b
	ways := map[int]int{}
	total := 0
	for set := range 1 << n {
		passes, ofFirst := 0, 0
		for i := range n {
			if set>>i&1 == 1 {
				passes++
				if i < first {
					ofFirst++
				}
			}
		}
		if passes == a+c {
			ways[ofFirst]++
			total++
		}
	}
	sum := 0
	for _, w := range ways {
		if w <= ways[a] {
			sum += w
		}
	}
	return float64(sum) / float64(total)
}

// TestBenjaminiHochberg has the example of their paper's section 3.2: of
// fifteen p-values four are discoveries at 5 %.
func TestBenjaminiHochberg(t *testing.T) {
	p := []float64{
		0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000,
	}
	adjusted := compare.BenjaminiHochberg(p)
	for i := range p {
		require.Equal(t, i < 4, adjusted[i] <= 0.05, "number %d", i+1)
		require.GreaterOrEqual(t, adjusted[i], p[i])
	}
	require.InDelta(t, 0.0015, adjusted[0], 1e-12)
	require.Equal(t, []float64{0.04, 0.04}, compare.BenjaminiHochberg([]float64{0.04, 0.03}), "in the order given")
	require.Empty(t, compare.BenjaminiHochberg(nil))
}

func TestMedian(t *testing.T) {
	require.Equal(t, 2.0, compare.Median([]float64{3, 1, 2}))
	require.Equal(t, 2.5, compare.Median([]float64{4, 1, 2, 3}))
	require.True(t, math.IsNaN(compare.Median(nil)))
}
