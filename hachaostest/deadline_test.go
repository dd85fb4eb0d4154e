package hachaostest

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// hasty is a test that ends soon.
type hasty struct {
	*testing.T
	left time.Duration
}

func (h hasty) Deadline() (time.Time, bool) { return time.Now().Add(h.left), true }

func (h hasty) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func TestTheDeadlineLeavesTimeToCleanUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		require.PanicsWithValue(t, "hachaos: the test's deadline is in 20s, and the last 30s are kept for healing and removing: "+
			"give more time (go test -timeout 10m)", func() { bounded(hasty{t, 20 * time.Second}) })
		ctx, cancel := bounded(hasty{t, 10 * time.Minute})
		defer cancel()
		at, ok := ctx.Deadline()
		require.True(t, ok)
		require.Equal(t, 10*time.Minute-grace, time.Until(at))
	})
}
