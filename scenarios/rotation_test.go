package scenarios_test

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/scenarios"
)

// item is one system that a scenario is run on.
type item struct {
	scenario harness.Scenario
	harness.Case
}

// items are every scenario as it stands, which must pass, and each of its
// cases. The first three are in every build.
func items() []item {
	var all []item
	for _, s := range scenarios.All() {
		all = append(all, item{s, harness.Case{Name: "healthy"}})
		for _, c := range s.Cases {
			all = append(all, item{s, c})
		}
	}
	return all
}

// name is the item in a file's line: "db-slow/healthy".
func (i item) name() string { return i.scenario.Name + "/" + i.Name }

// shownFile lists the items that the rotation may draw.
const shownFile = "testdata/shown.txt"

// shown are the items that a quiet machine has shown to be judged as they
// should.
func shown(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(shownFile)
	require.NoError(t, err)
	out := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			out[line] = true
		}
	}
	return out
}

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

// leavesOut says whether the case at this position of the order is no core
// case and the budget is spent.
func (r rotation) leavesOut(position int) bool {
	return !r.whole && position >= r.core && time.Now().After(r.until)
}

func TestTheRotation(t *testing.T) {
	t.Setenv("HACHAOS_ROTATION", "20261120")
	t.Setenv("HACHAOS_BUDGET", "12m")
	synctest.Test(t, func(t *testing.T) {
		r := newRotation(t, 3)
		order := r.order(40)
		require.Equal(t, []int{0, 1, 2}, order[:3], "the core cases are in every build")
		require.Equal(t, order, r.order(40), "the seed decides")
		other := r
		other.seed++
		require.NotEqual(t, order, other.order(40))
		slices.Sort(order)
		for i, n := range order {
			require.Equal(t, i, n, "each is in it once")
		}
		require.False(t, r.leavesOut(39))
		time.Sleep(12*time.Minute + time.Second)
		require.True(t, r.leavesOut(3))
		require.False(t, r.leavesOut(2))
		require.Equal(t, []int{0, 1}, r.order(2))
		whole := rotation{whole: true}
		require.Equal(t, []int{0, 1, 2, 3, 4}, whole.order(5))
		require.False(t, whole.leavesOut(4))
	})
}

// TestTheCoreOfTheRotation: instance-kill as it stands and its first two
// cases come first.
func TestTheCoreOfTheRotation(t *testing.T) {
	all := items()
	require.Greater(t, len(all), 3)
	list := shown(t)
	for i, name := range []string{"healthy", "no deduplication", "sessions in memory"} {
		require.Equal(t, "instance-kill", all[i].scenario.Name)
		require.Equal(t, name, all[i].Name)
		require.True(t, list[all[i].name()])
	}
	for _, it := range all {
		delete(list, it.name())
	}
	require.Empty(t, list, "lines of %s that name no case", shownFile)
}
