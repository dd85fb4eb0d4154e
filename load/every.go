package load

import (
	"context"
	"time"
)

// every calls turn at each tick until ctx ends, with how often it was called before.
// Ticks that a turn outlasts are left out.
func every(ctx context.Context, d time.Duration, turn func(n int)) {
	tick := time.NewTicker(d)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			turn(n)
		}
	}
}
