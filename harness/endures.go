package harness

import (
	"context"
	"slices"
	"time"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/history"
)

// lastLook is how long before its undo a fault that endures is looked at once
// more, beside the load; the look has until lastWord before the undo, and delays
// nothing. A look that finds nothing looks until it has to end, and must still
// come to the record before the undo begins.
const (
	lastLook = 1500 * time.Millisecond
	lastWord = 250 * time.Millisecond
)

// lookAgain looks, shortly before a phase ends, at the faults that are undone
// by then and that should have endured: those that next heals, or all where no
// phase comes next.
func (r *run) lookAgain(ctx context.Context, end time.Duration, next *Phase) {
	undone := func(in *injection) bool {
		_, endures := in.Fault.(fault.Enduring)
		return endures && (next == nil || slices.Contains(next.Heal, healAll) || slices.Contains(next.Heal, in.Label))
	}
	for _, in := range r.faults.chosen(undone) {
		r.faults.wg.Go(func() { r.stillBites(ctx, in, end) })
	}
}

// stillBites journals whether a fault that was proven still is in place by the
// last look that could be finished in time before end. One that could not be
// finished says nothing.
func (r *run) stillBites(ctx context.Context, in *injection, end time.Duration) {
	wait := time.NewTimer(end - lastLook - r.clock.Now())
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
		return
	}
	select {
	case <-in.acted:
	default:
		return // its proof is not over
	}
	if !in.proven.Load() || in.begunHeal() {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, end-lastWord-r.clock.Now())
	defer cancel()
	p, err := in.Fault.Active(bounded, in.nodes)
	if err != nil || ctx.Err() != nil || in.begunHeal() {
		return
	}
	if !p.OK {
		r.step("  %s is over before its undo: %s", in.Fault.Kind(), p.Measured)
	}
	r.put(in, history.FaultHeld, &history.Event{Data: data(recorded(p))})
}

// begunHeal says whether its undo has begun.
func (in *injection) begunHeal() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.healing
}
