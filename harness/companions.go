package harness

import (
	"context"
	"fmt"
	"sync"

	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/observe"
)

// companions are the clients beside the mix of a run under way.
type companions struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when all have ended
	sink   *gate

	mu      sync.Mutex
	running map[string]load.Companion // by kind
	after   []aftermath
}

// aftermath is what one of them has to read in the end.
type aftermath struct {
	of   load.Companion
	read load.Aftermath
}

// accompany starts the companions. They live until endCompanions.
func (r *run) accompany(target load.Target) *companions {
	ctx, cancel := context.WithCancel(context.Background())
	all := &companions{
		cancel: cancel, done: make(chan struct{}), running: map[string]load.Companion{},
		sink: &gate{to: r.journal, watch: r.watch},
	}
	for _, c := range r.Companions { // before any of them can end
		all.running[c.Kind()] = c
	}
	var wg sync.WaitGroup
	for _, c := range r.Companions {
		wg.Go(func() {
			after, err := accompanied(ctx, c, target, r, all.sink)
			if err != nil {
				r.uncovered(fmt.Sprintf("companion %s: %v", c.Kind(), err), c.Streams()...)
			}
			all.ended(c, after)
		})
	}
	go func() {
		wg.Wait()
		close(all.done)
	}()
	return all
}

// accompanied runs one companion, whose panic is an error.
func accompanied(ctx context.Context, c load.Companion, target load.Target, r *run, sink *gate) (after load.Aftermath, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicked{v}
		}
	}()
	return c.Run(ctx, target, r.clock, sink)
}

func (all *companions) ended(c load.Companion, after load.Aftermath) {
	all.mu.Lock()
	defer all.mu.Unlock()
	delete(all.running, c.Kind())
	if after != nil {
		all.after = append(all.after, aftermath{c, after})
	}
}

// endCompanions ends them and waits, within the client's patience and a
// budget. What comes later is not taken any more, and its streams count as
// incomplete.
func (r *run) endCompanions(ctx context.Context, all *companions) {
	all.cancel()
	_ = r.within(ctx, r.Load.Resolved().Timeout+observe.Grace, must, func(ctx context.Context) error {
		select {
		case <-all.done:
		case <-ctx.Done():
		}
		return nil
	})
	all.mu.Lock()
	defer all.mu.Unlock()
	for kind, c := range all.running {
		r.uncovered(fmt.Sprintf("companion %s did not end in time", kind), c.Streams()...)
	}
	if len(all.running) > 0 {
		all.sink.close()
	}
}

// aftermath has the companions read what became of what they did.
func (r *run) aftermath(ctx context.Context) error {
	if r.company == nil {
		return nil
	}
	r.company.mu.Lock()
	after := r.company.after
	r.company.mu.Unlock()
	for _, a := range after {
		if err := r.readAfter(ctx, a); err != nil {
			r.uncovered(fmt.Sprintf("companion %s could not read the end: %v", a.of.Kind(), err), a.of.Streams()...)
		}
	}
	return nil
}

// readAfter is one companion's reading, whose panic is an error.
func (r *run) readAfter(ctx context.Context, a aftermath) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicked{v}
		}
	}()
	return a.read(ctx, r.cluster)
}
