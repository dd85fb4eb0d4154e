package trust_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/trust"
)

// TestHarnessMutants: none passes, and none blames the system under test.
func TestHarnessMutants(t *testing.T) {
	trials := &trust.Trials{Dir: t.TempDir()}
	var all []trust.Mutant
	for _, m := range trust.Harness() {
		if !m.Containers {
			all = append(all, m)
		}
	}
	outcomes := make([]trust.Outcome, len(all))
	t.Cleanup(func() { t.Log("\n" + trust.Markdown(outcomes)) })
	for i, m := range all {
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				outcomes[i] = trials.Try(t.Context(), m)
				time.Sleep(time.Hour) // virtual: what still waits has ended
			})
			o := outcomes[i]
			require.Empty(t, o.Wrong, "%s, %s", o.Verdict, o.Reason)
			require.Zero(t, o.Repeats, "in virtual time the machine is never short")
		})
	}
}

// TestTheListIsWhole: names are unique, and each mutant says what it must.
func TestTheListIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range trust.Harness() {
		require.NotEmpty(t, m.Name)
		require.False(t, seen[m.Name], "%s is there twice", m.Name)
		seen[m.Name] = true
		require.NotEmpty(t, m.Title, m.Name)
		require.NotEmpty(t, m.Stands, m.Name)
		require.NotEmpty(t, m.Says, m.Name)
		require.NotEmpty(t, m.Control.Name, m.Name)
		require.Contains(t, []trust.Ending{trust.Inconclusive, trust.Error, trust.Dirty}, m.Ends, m.Name)
	}
	require.GreaterOrEqual(t, len(seen), 25)
}
