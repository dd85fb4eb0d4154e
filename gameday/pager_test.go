package gameday

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/runbook"
)

// TestAlertsAreOfStates that can be looked at, and each runbook that comes with hachaos
// waits for one whose state it restores.
func TestAlertsAreOfStates(t *testing.T) {
	for _, a := range runbook.JettyHAAlerts() {
		require.True(t, CanLook(a.State), "%s: there is no state %s", a.Name, a.State)
	}
}

// TestAnAlertFires when its state has been missing for a second without a break.
func TestAnAlertFires(t *testing.T) {
	for name, tc := range map[string]struct {
		missing func(at time.Duration) bool
		want    time.Duration // 0: it does not in ten seconds
	}{
		"all is well":           {func(time.Duration) bool { return false }, 0},
		"it is gone":            {func(at time.Duration) bool { return at >= 2*time.Second }, 3 * time.Second},
		"it comes back in time": {func(at time.Duration) bool { return at%time.Second < 800*time.Millisecond }, 0},
		"it comes back once":    {func(at time.Duration) bool { return at != 500*time.Millisecond }, 1600 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, s := time.Now(), testSystem()
				s.lookers = map[string]looker{"nodes-routed": func(context.Context, *System) error {
					if tc.missing(time.Since(began)) {
						return errors.New("j1 is DOWN")
					}
					return nil
				}}
				p := pagerOf(&runbook.Runbook{Front: runbook.Front{Alert: "NodeDown"}})
				var fired time.Duration
				for fired == 0 && time.Since(began) < 10*time.Second {
					time.Sleep(100 * time.Millisecond)
					if p.fires(t.Context(), s) {
						fired = time.Since(began)
					}
				}
				require.Equal(t, tc.want, fired)
				require.Contains(t, p.silent(), "NodeDown does not fire, for nodes-routed")
			})
		})
	}
}

// TestALookThatWasCutOffRaisesNoAlert.
func TestALookThatWasCutOffRaisesNoAlert(t *testing.T) {
	s := testSystem()
	s.lookers = map[string]looker{"nodes-routed": func(ctx context.Context, _ *System) error { return ctx.Err() }}
	p := pagerOf(&runbook.Runbook{Front: runbook.Front{Alert: "NodeDown"}})
	p.missing = time.Now().Add(-time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.False(t, p.fires(ctx, s))
}
