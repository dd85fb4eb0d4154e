//go:build docker

package zoo_test

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/hachaostest" // which lets the reaper be started from this binary, too
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/scenarios"
	"github.com/hachaos/hachaos/zoo"
)

// attempts is how often a run without a verdict is made.
const attempts = 3

// TestDockerMutants runs the mutants that come with hachaos, with their mended halves:
// each must be caught as it says. The rotation draws one of those that a quiet machine
// has shown to be; `hachaos mutants campaign` runs each three times.
func TestDockerMutants(t *testing.T) {
	all, err := zoo.BuiltIn()
	require.NoError(t, err)
	for _, m := range drawn(t, all) {
		halves, err := zoo.Halves([]zoo.Mutant{m}, scenarios.Lookup)
		require.NoError(t, err)
		for _, h := range halves {
			t.Run(h.Name, func(t *testing.T) { caught(t, h) })
		}
	}
}

// drawn are all mutants, or the rotation's one.
func drawn(t *testing.T, all []zoo.Mutant) []zoo.Mutant {
	t.Helper()
	text, rotation := os.LookupEnv("HACHAOS_ROTATION")
	if !rotation {
		return all
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	require.NoError(t, err, "HACHAOS_ROTATION wants a number")
	shown, err := os.ReadFile("testdata/shown.txt")
	require.NoError(t, err)
	names := strings.Fields(string(shown))
	all = slices.DeleteFunc(all, func(m zoo.Mutant) bool { return !slices.Contains(names, m.Name) })
	require.Len(t, all, len(names), "testdata/shown.txt names each mutant once, and no other")
	one := seed % uint64(len(all))
	t.Logf("mutant %s, by seed %d, of %d", all[one].Name, seed, len(all))
	return all[one : one+1]
}

// caught runs a half until it has a verdict.
func caught(t *testing.T, h zoo.Half) {
	session, err := wiring.Open(t.Context(), t.TempDir(), "test")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, session.Close()) })
	for attempt := 1; ; attempt++ {
		r, err := h.Runner(*session.Runner).Run(t.Context(), h.Scenario, h.Options())
		require.NoError(t, err)
		if r.Verdict == harness.VerdictInconclusive && !r.Dirty {
			t.Logf("attempt %d of %d has no verdict: %s", attempt, attempts, r.Reason)
			if attempt < attempts {
				continue
			}
			require.True(t, hachaostest.ForWantOfMachine(r), "without a verdict, and not for want of machine: %s", r.Reason)
			t.Skipf("no verdict on this machine: %s", r.Reason)
		}
		require.NoError(t, h.Case.Holds(r))
		return
	}
}
