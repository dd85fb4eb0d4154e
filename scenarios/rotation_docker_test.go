//go:build docker

package scenarios_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// rotation runs part of a list of container tests: all of it, unless
// HACHAOS_ROTATION holds a seed. Then the first core cases always run, and the
// others in the seed's order until HACHAOS_BUDGET is spent; what is left out
// is skipped by name.
type rotation struct {
	core   int
	seed   uint64
	whole  bool
	until  time.Time
	budget time.Duration
}

func newRotation(t *testing.T, core int) rotation {
	t.Helper()
	text, set := os.LookupEnv("HACHAOS_ROTATION")
	if !set {
		return rotation{whole: true}
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	require.NoError(t, err, "HACHAOS_ROTATION wants a number")
	budget, err := time.ParseDuration(os.Getenv("HACHAOS_BUDGET"))
	require.NoError(t, err, "HACHAOS_BUDGET wants a duration")
	t.Logf("rotation: seed %d, budget %v", seed, budget)
	return rotation{core: core, seed: seed, budget: budget, until: time.Now().Add(budget)}
}

// order returns the indices of n cases in the order in which they run.
func (r rotation) order(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	if !r.whole && r.core < n {
		rest := all[r.core:]
		rng := rand.New(rand.NewPCG(r.seed, 0))
		rng.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	}
	return all
}

// admit skips t if it is no core case and the budget is spent.
func (r rotation) admit(t *testing.T, position int) {
	t.Helper()
	if !r.whole && position >= r.core && time.Now().After(r.until) {
		t.Skipf("left out by the rotation (seed %d, budget %v is spent): `make test-all` runs it", r.seed, r.budget)
	}
}
