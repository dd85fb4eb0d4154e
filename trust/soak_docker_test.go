//go:build docker

package trust_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/hachaostest"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/trust"
)

// TestDockerSoak makes the harmless runs, or the rotation's one: none may fail, and
// none leave anything behind. `make soak` counts them.
func TestDockerSoak(t *testing.T) {
	list := trust.Harmless()
	if text, rotation := os.LookupEnv("HACHAOS_ROTATION"); rotation {
		seed, err := strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, "HACHAOS_ROTATION wants a number")
		one := seed % uint64(len(list))
		list = list[one : one+1]
	}
	session, err := wiring.Open(t.Context(), t.TempDir(), "test")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, session.Close()) })
	for _, s := range list {
		t.Run(s.Name, func(t *testing.T) {
			r, err := session.Runner.Run(t.Context(), s, harness.Options{Command: "hachaos trust soak"})
			require.NoError(t, err)
			require.False(t, r.Dirty, r.Reason)
			if r.Verdict == harness.VerdictInconclusive {
				require.True(t, hachaostest.ForWantOfMachine(r), "without a verdict, and not for want of machine: %s", r.Reason)
				t.Skipf("no verdict on this machine, seed %d: %s", r.Seed, r.Reason)
			}
			require.Equal(t, harness.VerdictPass, r.Verdict, "seed %d: %s", r.Seed, r.Reason)
		})
	}
}
