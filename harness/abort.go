package harness

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

// interrupted begins the reason of a run that its caller broke off: it is
// inconclusive. A run that broke off by itself is an error.
const interrupted = "interrupted"

// wasInterrupted tells the two apart, from the record alone.
func wasInterrupted(aborted string) bool { return strings.HasPrefix(aborted, interrupted) }

// abort journals, once, why the run broke off.
func (r *run) abort(ctx context.Context, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.aborted || err == nil {
		return
	}
	r.aborted = true
	reason := err.Error()
	if ctx.Err() != nil {
		reason = fmt.Sprintf("%s: %v", interrupted, context.Cause(ctx))
	}
	r.step("%s", reason)
	r.journal.Put(history.Event{At: r.clock.Now(), Kind: history.Aborted, Err: reason})
}

// brokenOff says whether the run was.
func (r *run) brokenOff() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.aborted
}

// engineGone ends the phases and aborts the run if err says that the engine
// does not answer any more: nothing can be carried out then.
func (r *run) engineGone(ctx context.Context, err error) {
	if lost := engineLost(err); lost != nil {
		r.lose(lost)
		r.abort(ctx, lost)
	}
}

// engineLost is err if it says so, in words; else nil.
func engineLost(err error) error {
	if !errors.Is(err, topology.ErrNoEngine) {
		return nil
	}
	return fmt.Errorf("the engine was lost: %w", err)
}

// urgency says what a closed Hurry does to a step.
type urgency bool

const (
	skip urgency = false // it is given up at once
	must urgency = true  // it keeps Budgets.Hurried
)

// within carries out a step that an ended ctx does not stop: it has a budget
// of its own, which Hurry shortens.
func (r *run) within(ctx context.Context, budget time.Duration, u urgency, f func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), budget)
	defer cancel()
	if r.Hurry != nil {
		go r.hurry(bounded, cancel, u)
	}
	return f(bounded)
}

// hurry cancels a step once the user will wait no longer.
func (r *run) hurry(step context.Context, cancel func(), u urgency) {
	select {
	case <-step.Done():
		return
	case <-r.Hurry:
	}
	if u == must {
		select {
		case <-step.Done():
		case <-time.After(r.budgets.Hurried):
		}
	}
	cancel()
}

// inBackground runs f until the returned function is called, which waits for
// its end.
func (r *run) inBackground(f func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

func (r *run) step(format string, args ...any) { r.progress.Step(fmt.Sprintf(format, args...)) }
