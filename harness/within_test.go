package harness

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestAStepOfTheEndHasItsOwnTime: an ended run's steps are carried out all the
// same, each within its budget; a user who will wait no longer ends at once what
// only makes the record better, and leaves what heals and removes a while.
func TestAStepOfTheEndHasItsOwnTime(t *testing.T) {
	const budget, hurried = 30 * time.Second, 5 * time.Second
	for name, tc := range map[string]struct {
		hurry time.Duration // from then on; 0: never
		u     urgency
		want  time.Duration
	}{
		"to the end of its budget":        {0, must, budget},
		"given up at once":                {2 * time.Second, skip, 2 * time.Second},
		"a while, for what must be":       {2 * time.Second, must, 2*time.Second + hurried},
		"no longer than its budget":       {28 * time.Second, must, budget},
		"the user was in a hurry already": {time.Nanosecond, must, hurried},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &run{Runner: &Runner{}, budgets: Budgets{Hurried: hurried}}
				if tc.hurry > 0 {
					hurry := make(chan struct{})
					time.AfterFunc(tc.hurry, func() { close(hurry) })
					r.Hurry = hurry
				}
				ended, cancel := context.WithCancel(t.Context())
				cancel()
				began := time.Now()
				err := r.within(ended, budget, tc.u, func(ctx context.Context) error {
					require.NoError(t, ctx.Err(), "it ended with the run")
					<-ctx.Done()
					return ctx.Err()
				})
				require.Error(t, err)
				require.InDelta(t, tc.want, time.Since(began), float64(time.Microsecond))
			})
		})
	}
}

func TestAStepsErrorIsItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := errors.New("device or resource busy")
		r := &run{Runner: &Runner{Hurry: make(chan struct{})}}
		require.Equal(t, busy, r.within(t.Context(), time.Second, must, func(context.Context) error { return busy }))
		require.NoError(t, r.within(t.Context(), time.Second, skip, func(context.Context) error { return nil }))
		synctest.Wait() // nothing of it goes on: the bubble would say so
	})
}

// TestStoppingWaitsForTheEnd: what runs beside a run has ended when its stop
// returns.
func TestStoppingWaitsForTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over := false
		stop := (&run{}).inBackground(func(ctx context.Context) {
			<-ctx.Done()
			time.Sleep(time.Second)
			over = true
		})
		synctest.Wait()
		require.False(t, over)
		stop()
		require.True(t, over)
	})
}
