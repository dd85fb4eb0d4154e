package load

import (
	"context"
	"sync"
	"time"
)

// free is when the way was free, on the run's clock, and how much of that the
// generator was late by.
type free struct{ at, late time.Duration }

// ready is from when on nothing but the generator kept an operation that was due.
// What it waited for its turn is the generator's as far as that was late, where
// this is most of it: the operation would have been sent on time, or nearly so.
// Else a stall of the generator would be charged to one operation a client, and
// the rest of what it held up to the system; and what is late by some
// milliseconds behind an answer that took seconds is not late.
func (f free) ready(due time.Duration) time.Duration {
	waited := max(0, f.at-due)
	if late := min(f.late, waited); 2*late >= waited {
		return max(due, f.at) - late
	}
	return f.at
}

// turnstile lets the operations of one client pass one at a time, in the
// order of the schedule and not of arrival: workers may swap two of them
// while they catch up. The zero value lets operation 0 pass first. It is safe
// for concurrent use.
type turnstile struct {
	mu      sync.Mutex
	next    uint64                   // whose turn it is
	free    free                     // when the last one left
	waiting map[uint64]chan struct{} // those that came before their turn
	gone    map[uint64]struct{}      // those that gave up before their turn
}

// enter waits until it is k's turn. It returns since when the way was free; false if the patience or ctx ended first, after
// which k must not leave. A turn that is free at once is taken whatever the
// patience.
func (t *turnstile) enter(ctx context.Context, k uint64, patience time.Duration) (way free, ok bool) {
	t.mu.Lock()
	if t.next == k {
		defer t.mu.Unlock()
		return t.free, true
	}
	if t.waiting == nil {
		t.waiting = map[uint64]chan struct{}{}
	}
	turn := make(chan struct{})
	t.waiting[k] = turn
	t.mu.Unlock()

	enough := time.NewTimer(patience)
	defer enough.Stop()
	select {
	case <-turn:
	case <-enough.C:
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next == k { // even if the patience ended in the same moment
		return t.free, true
	}
	delete(t.waiting, k)
	t.pass(k)
	return free{}, false
}

// skip gives up k's turn without waiting for it.
func (t *turnstile) skip(k uint64, now free) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next == k {
		t.advance(now)
		return
	}
	t.pass(k)
}

// leave ends k's turn, which enter gave, at now.
func (t *turnstile) leave(now free) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.advance(now)
}

// pass notes that k will not come. The caller holds mu.
func (t *turnstile) pass(k uint64) {
	if t.gone == nil {
		t.gone = map[uint64]struct{}{}
	}
	t.gone[k] = struct{}{}
}

// advance hands the turn to the next that has not given up. The caller holds
// mu.
func (t *turnstile) advance(now free) {
	t.free = now
	for t.next++; ; t.next++ {
		if _, ok := t.gone[t.next]; !ok {
			break
		}
		delete(t.gone, t.next)
	}
	if turn, ok := t.waiting[t.next]; ok {
		delete(t.waiting, t.next)
		close(turn)
	}
}
