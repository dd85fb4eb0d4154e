package scenarios_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/scenarios"
)

// A value that a scenario offers is its default or one of its cases, so that it
// is known what must be said of it: one that does its harm where nothing looks
// would be offered as if it were borne.
func TestEveryValueOfASettingIsJudged(t *testing.T) {
	unseen := map[string]bool{"slow-network delay-by=netem": true} // not every kernel has it
	met := 0
	for _, s := range scenarios.All() {
		for _, setting := range s.Settings {
			for _, value := range setting.Values {
				item := s.Name + " " + setting.Key + "=" + value
				if value == setting.Default || unseen[item] {
					continue
				}
				met++
				require.True(t, slices.ContainsFunc(s.Cases, func(c harness.Case) bool { return c.Set[setting.Key] == value }), "no case has %s", item)
			}
		}
	}
	require.NotZero(t, met)
}
