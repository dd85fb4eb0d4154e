package observe

import (
	"context"
	"errors"
	"sync"
	"time"
)

// poller keeps a schedule of looks. A look that hangs does not hold up the
// next: with vanished packets each would take its whole timeout, and a node
// that comes back would be seen late.
type poller struct {
	every time.Duration
	// within bounds one look.
	within time.Duration
	// alone has a look wait for the one before it; the lost turns show in
	// the gap.
	alone bool
}

// patience is how many looks in a row may be missing before a stream counts
// as incomplete.
const patience = 5

// limit is the longest time between two looks that is still complete.
func (p poller) limit() time.Duration { return patience * p.every }

// errSlow is why the context of a look ended that took too long.
var errSlow = errors.New("the look took too long")

// brokenOff says that a look was ended by the run's end, and so says nothing.
func brokenOff(ctx context.Context) bool {
	return ctx.Err() != nil && !errors.Is(context.Cause(ctx), errSlow)
}

// atOnce is how many looks may be under way.
func (p poller) atOnce() int {
	if p.alone {
		return 1
	}
	return int(p.within/p.every) + patience
}

// run begins a look at once and then every interval until ctx ends, each in
// a goroutine of its own under a context that ends after p.within. It returns
// when all looks have ended, with the longest time that passed without
// beginning one.
func (p poller) run(ctx context.Context, look func(context.Context)) (gap time.Duration) {
	var (
		looks sync.WaitGroup
		last  = time.Now()
		tick  = time.NewTicker(p.every)
		slots = make(chan struct{}, p.atOnce())
	)
	defer looks.Wait()
	defer tick.Stop()
	for {
		select {
		case slots <- struct{}{}:
			now := time.Now()
			gap, last = max(gap, now.Sub(last)), now
			looks.Go(func() {
				defer func() { <-slots }()
				bounded, cancel := context.WithTimeoutCause(ctx, p.within, errSlow)
				defer cancel()
				look(bounded)
			})
		default: // too many hang: this turn is lost and shows in the gap
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return max(gap, time.Since(last))
		}
	}
}
