//go:build docker

package trust_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/trust"
)

func init() { wiring.Agent() }

// TestDockerHarnessMutants is TestHarnessMutants for those that take an engine.
// `-run TestDockerHarnessMutants/NAME` runs one.
func TestDockerHarnessMutants(t *testing.T) {
	if _, rotation := os.LookupEnv("HACHAOS_ROTATION"); rotation {
		t.Skip("they take an engine each: `make test-all` and `make trust` run them")
	}
	trials := &trust.Trials{Dir: t.TempDir()}
	var (
		outcomes []trust.Outcome
		names    []string
	)
	for _, m := range trust.Harness() {
		if !m.Containers {
			continue
		}
		names = append(names, m.Name)
		t.Run(m.Name, func(t *testing.T) {
			o := trials.Try(t.Context(), m)
			outcomes = append(outcomes, o)
			require.Empty(t, o.Wrong, "%s, %s", o.Verdict, o.Reason)
		})
	}
	require.Equal(t, trust.ContainedNames(), names, "what the page of trust asks for")
	t.Log("\n" + trust.Markdown(outcomes))
}
