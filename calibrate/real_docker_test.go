//go:build docker

package calibrate

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/internal/wiring"
)

// TestMain lets the agent's processes run.
func TestMain(m *testing.M) {
	wiring.Agent()
	os.Exit(m.Run())
}

// TestDockerPoint runs one point of each kind, on real containers.
func TestDockerPoint(t *testing.T) {
	session, err := wiring.Open(t.Context(), t.TempDir(), "test")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, session.Close()) })
	for _, p := range Points() {
		switch p.Name {
		case "outage-500ms-at-200", "outage-100ms-at-50", "lost-7", "duplicate-7", "no-owner-1.5s", "two-owners-1.5s":
		default:
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			r, err := session.Runner.Run(t.Context(), p.Scenario(), p.Options())
			require.NoError(t, err)
			require.NotEqual(t, harness.VerdictError, r.Verdict, r.Reason)
			got, err := p.Read(r)
			require.NoError(t, err, r.Reason)
			t.Logf("%s: truth %v, reported %v", p.Name, p.Truth, got)
			require.True(t, p.within(got-p.Truth), "%v", got)
		})
	}
}
