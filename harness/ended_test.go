package harness

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/load"
)

// TestALoadThatEndsByItselfIsNotAwaitedForEver although a phase has taken
// its error.
func TestALoadThatEndsByItselfIsNotAwaitedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("no more sockets")
		done := ended(func() error { time.Sleep(time.Second); return broken })
		r := &run{Runner: &Runner{}, resolved: &resolved{}, budgets: DefaultBudgets()}
		var err error
		r.gen, err = load.New(load.Default(), load.Target{URL: "http://198.18.0.100:80"}, r.clock, nil)
		require.NoError(t, err)
		require.Equal(t, broken, <-done, "as a phase does")
		began := time.Now()
		require.NoError(t, r.stopLoad(t.Context(), done, func(error) {}))
		require.Zero(t, time.Since(began))
	})
}
