package harness

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/topology"
)

func TestALowRateHasLongSteadyPhases(t *testing.T) {
	const second = time.Second
	for name, tc := range map[string]struct {
		rate int
		want []time.Duration
	}{
		"as it was": {200, []time.Duration{6 * second, 8 * second, 70 * second}},
		"more":      {400, []time.Duration{6 * second, 8 * second, 70 * second}},
		"half":      {100, []time.Duration{12 * second, 8 * second, 70 * second}},
		"not even":  {90, []time.Duration{13400 * time.Millisecond, 8 * second, 70 * second}},
		"very low":  {1, []time.Duration{60 * second, 8 * second, 70 * second}},
		"none":      {0, []time.Duration{6 * second, 8 * second, 70 * second}},
	} {
		t.Run(name, func(t *testing.T) {
			was := []Phase{
				{Kind: history.PhaseSteady, For: 6 * second},
				{Kind: history.PhaseBreak, For: 8 * second},
				{Kind: history.PhaseSteady, For: 70 * second},
			}
			s := Scenario{Load: load.Config{Rate: tc.rate}, Phases: was}
			for i, p := range s.stretched(200).Phases {
				require.Equal(t, tc.want[i], p.For)
			}
			require.Equal(t, 6*second, was[0].For, "the original is unchanged")
		})
	}
}

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

// TestShortened: 60 % of each phase, but at least 3 s or as long as it was, and
// of a steady phase 1100 operations.
func TestShortened(t *testing.T) {
	for name, tc := range map[string]struct {
		kind      string
		rate      int
		was, want time.Duration
	}{
		"a share":                       {history.PhaseBreak, 100, 10 * time.Second, 6 * time.Second},
		"rounded":                       {history.PhaseRecover, 100, 5150 * time.Millisecond, 3100 * time.Millisecond},
		"the least":                     {history.PhaseBreak, 100, 4 * time.Second, 3 * time.Second},
		"shorter than that already":     {history.PhaseBreak, 100, 2 * time.Second, 2 * time.Second},
		"steady, for its operations":    {history.PhaseSteady, 100, 15 * time.Second, 11 * time.Second},
		"steady, up to a tenth":         {history.PhaseSteady, 90, 15 * time.Second, 12300 * time.Millisecond},
		"steady, exactly":               {history.PhaseSteady, 1000, 4 * time.Second, 3 * time.Second},
		"steady, long":                  {history.PhaseSteady, 200, 30 * time.Second, 18 * time.Second},
		"steady, shorter already":       {history.PhaseSteady, 100, 8 * time.Second, 8 * time.Second},
		"steady, without a rate":        {history.PhaseSteady, 0, 10 * time.Second, 6 * time.Second},
		"steady, without one and short": {history.PhaseSteady, 0, 4 * time.Second, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			s := Scenario{Load: load.Config{Rate: tc.rate}, Phases: []Phase{{Kind: tc.kind, For: tc.was}}}
			require.Equal(t, tc.want, s.shortened().Phases[0].For)
			require.Equal(t, tc.was, s.Phases[0].For, "the original is unchanged")
		})
	}
}
