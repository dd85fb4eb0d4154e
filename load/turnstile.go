package load

import (
	"context"
	"sync"
	"time"
)

// turnstile lets the operations of one client pass one at a time, in the
// order of the schedule and not of arrival: workers may swap two of them
// while they catch up. The zero value lets operation 0 pass first. It is safe
// for concurrent use.
type turnstile struct {
	mu      sync.Mutex
	next    uint64                   // whose turn it is
	free    time.Duration            // when the last one left
	waiting map[uint64]chan struct{} // those that came before their turn
	gone    map[uint64]struct{}      // those that gave up before their turn
}

// enter waits until it is k's turn. It returns since when, on the run's
// clock, the way was free; false if the patience or ctx ended first, after
// which k must not leave. A turn that is free at once is taken whatever the
// patience.
func (t *turnstile) enter(ctx context.Context, k uint64, patience time.Duration) (free time.Duration, ok bool) {
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
	return 0, false
}

// skip gives up k's turn without waiting for it.
func (t *turnstile) skip(k uint64, now time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next == k {
		t.advance(now)
		return
	}
	t.pass(k)
}

// leave ends k's turn, which enter gave, at now.
func (t *turnstile) leave(now time.Duration) {
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
func (t *turnstile) advance(now time.Duration) {
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
