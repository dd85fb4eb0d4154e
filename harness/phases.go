package harness

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hachaos/hachaos/history"
)

// runPhases follows the schedule. Faults are injected and healed beside it:
// nothing that they wait for delays a phase. It returns early if ctx ends,
// the load ends by itself, or the engine is lost.
func (r *run) runPhases(ctx context.Context, load <-chan error) error {
	next := r.clock.Now()
	for i, p := range r.Phases {
		r.phaseEdge(history.PhaseBegin, p, next)
		r.watch.enter(p.Name, i+1, next+p.For)
		r.step("%s: %v", p.Name, p.For)
		begun := []<-chan struct{}{r.healLabels(ctx, p.Heal)}
		for _, in := range p.Faults {
			begun = append(begun, r.inject(ctx, in))
		}
		err := r.awaitAll(ctx, p, begun, load)
		if p.Await {
			next = r.clock.Now()
		}
		next += p.For
		if err == nil {
			err = r.stay(ctx, next, r.following(i), load)
		}
		if err == nil && p.Kind == history.PhaseWarmUp {
			err = r.settle(ctx, p, load)
		}
		r.phaseEdge(history.PhaseEnd, p, r.clock.Now())
		if err != nil {
			return err
		}
		next = max(next, r.clock.Now())
	}
	return nil
}

// stay waits for a phase's end, and looks again at the faults that end with it. If
// the run ends sooner, so do the looks: they must not hold up the heals.
func (r *run) stay(ctx context.Context, end time.Duration, next *Phase, load <-chan error) error {
	looking, stop := context.WithCancel(ctx)
	defer stop()
	r.lookAgain(looking, end, next)
	return r.sleepUntil(ctx, end, load)
}

// following is the phase after that of the index; nil if there is none.
func (r *run) following(i int) *Phase {
	if i+1 == len(r.Phases) {
		return nil
	}
	return &r.Phases[i+1]
}

// settle prolongs a warm-up until a whole second of the load was calm, by
// at most twice its time: how long processors and compilers take to warm up is
// the machine's affair, and no part of what is judged. A system that does not
// settle shows so in the steady phase that comes next.
func (r *run) settle(ctx context.Context, p Phase, load <-chan error) error {
	for latest := r.clock.Now() + 2*p.For; r.clock.Now() < latest && !r.gen.Snapshot().LastSecond.Calm(); {
		if err := r.sleepUntil(ctx, r.clock.Now().Truncate(time.Second)+time.Second, load); err != nil {
			return err
		}
	}
	return nil
}

// awaitAll waits for what a phase has begun, if the phase awaits it. How long
// that may take, the budgets of acts and heals bound.
func (r *run) awaitAll(ctx context.Context, p Phase, begun []<-chan struct{}, load <-chan error) error {
	if !p.Await {
		return nil
	}
	for _, over := range begun {
		select {
		case <-over:
		case <-ctx.Done():
			return context.Cause(ctx)
		case err := <-r.faults.lost:
			return err
		case err := <-load:
			return fmt.Errorf("the load ended by itself: %w", errors.Join(err, r.journal.Err()))
		}
	}
	return nil
}

// phaseEdge journals a phase's beginning or end, with a reading of both
// clocks, and has the journal synced without waiting for it.
func (r *run) phaseEdge(kind history.Kind, p Phase, at time.Duration) {
	e := history.Event{At: at, Kind: kind, Name: p.Name}
	if kind == history.PhaseBegin {
		e.Data = data(history.PhaseMeta{Kind: p.Kind, For: p.For})
	}
	r.journal.Put(r.clock.Pair().Event())
	r.journal.Put(e)
	r.faults.wg.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), r.budgets.Hurried)
		defer cancel()
		if err := r.journal.Sync(ctx); err != nil {
			r.step("%v", err)
		}
		if err := r.journal.Err(); err != nil {
			r.lose(err) // what follows would not be recorded
		}
	})
}

// sleepUntil waits for a time of the run.
func (r *run) sleepUntil(ctx context.Context, at time.Duration, load <-chan error) error {
	t := time.NewTimer(at - r.clock.Now())
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case err := <-r.faults.lost:
		return err
	case err := <-load:
		return fmt.Errorf("the load ended by itself: %w", errors.Join(err, r.journal.Err()))
	}
}
