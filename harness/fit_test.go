package harness

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func TestFitted(t *testing.T) {
	spec := topology.Spec{Bounds: []topology.Bound{
		{Name: "fast", Limit: 900 * time.Millisecond},
		{Name: "slow", Limit: 12100 * time.Millisecond},
	}}
	for name, tc := range map[string]struct {
		cover []string
		want  time.Duration
	}{
		"nothing to cover":    {nil, 8 * time.Second},
		"short bound":         {[]string{"fast"}, 8 * time.Second},
		"long bound, rounded": {[]string{"slow"}, 25 * time.Second},
		"the largest decides": {[]string{"slow", "fast"}, 25 * time.Second},
		"a bound it has not":  {[]string{"none"}, 8 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			s := Scenario{Phases: []Phase{{Name: "killed", For: 8 * time.Second, Cover: tc.cover}}}
			require.Equal(t, tc.want, s.Fitted(spec).Phases[0].For)
			require.Equal(t, 8*time.Second, s.Phases[0].For, "the original is unchanged")
		})
	}
}
