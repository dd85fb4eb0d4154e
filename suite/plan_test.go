package suite_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/suite"
)

func names(jobs []suite.Job) []string {
	var out []string
	for _, j := range jobs {
		out = append(out, j.Name())
	}
	return out
}

func TestPlan(t *testing.T) {
	list := []harness.Scenario{{Name: "a"}, {Name: "b", Nodes: 3}, {Name: "c"}, {Name: "d", Nodes: 3}}
	options := func(s harness.Scenario) harness.Options { return harness.Options{Command: "run " + s.Name} }
	shape := func(j suite.Job) string { return string(rune('0' + j.Scenario.Nodes)) }
	once := suite.Plan(list, options, 7, 0, shape)
	require.Equal(t, []string{"a", "c", "b", "d"}, names(once), "the same shape together, else in order")
	require.Equal(t, "run b", once[2].Options.Command)
	twice := suite.Plan(list, options, 7, 2, shape)
	require.Equal(t, []string{"a 1/2", "a 2/2", "c 1/2", "c 2/2", "b 1/2", "b 2/2", "d 1/2", "d 2/2"}, names(twice))
	require.Equal(t, uint64(7), twice[0].Options.Seed)
	require.Equal(t, suite.Seed(7, 2), twice[1].Options.Seed)
}

func TestSeed(t *testing.T) {
	require.Equal(t, uint64(7), suite.Seed(7, 1), "the first repetition is the seed itself")
	require.Equal(t, suite.Seed(7, 3), suite.Seed(7, 3))
	seen := map[uint64]bool{}
	for base := range uint64(20) {
		for i := 1; i <= 20; i++ {
			s := suite.Seed(base, i)
			require.NotZero(t, s)
			require.Less(t, s, uint64(1)<<53, "exact in a floating-point number")
			if i > 1 {
				require.False(t, seen[s])
			}
			seen[s] = true
		}
	}
}
