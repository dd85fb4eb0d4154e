package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/observe"
)

// observers are those of a run under way.
type observers struct {
	cancel context.CancelFunc
	sink   *gate
	all    []observe.Observer
	done   chan struct{} // closed when all have ended

	mu      sync.Mutex
	running []string
}

// observe starts the observers. They watch until endObservers.
func (r *run) observe() *observers {
	ctx, cancel := context.WithCancel(context.Background())
	o := &observers{cancel: cancel, sink: &gate{to: r.journal, watch: r.watch}, done: make(chan struct{})}
	all := r.suite.Observers(r.cluster, r.clock, filepath.Join(r.dir, LogsDir))
	o.all = all
	for _, one := range all { // before any of them can end
		o.running = append(o.running, one.Name())
	}
	var wg sync.WaitGroup
	for _, one := range all {
		wg.Go(func() {
			if err := watched(ctx, one, o.sink); err != nil {
				r.step("observer %s: %v", one.Name(), err)
				r.broke(one.Name(), err)
			}
			o.ended(one.Name())
		})
	}
	go func() {
		wg.Wait()
		close(o.done)
	}()
	return o
}

// begun waits, within a budget, until every observer that has to set something
// up first has seen something: the load is not to come before its witnesses. One
// that takes longer has missed a part, which is journalled.
func (r *run) begun(ctx context.Context, o *observers) {
	bounded, cancel := context.WithTimeout(ctx, r.budgets.Observe)
	defer cancel()
	var late []string
	for _, one := range o.all {
		b, ok := one.(observe.Beginner)
		if !ok {
			continue
		}
		select {
		case <-b.Begun():
		case <-bounded.Done():
			select {
			case <-b.Begun(): // both are so
			default:
				late = append(late, one.Name())
			}
		}
	}
	if len(late) > 0 && ctx.Err() == nil {
		r.uncovered(fmt.Sprintf("observer %s had seen nothing when the load began", strings.Join(late, ", ")), streams...)
	}
}

// panicked is an observer that gave no account of itself.
type panicked struct{ value any }

func (p panicked) Error() string { return fmt.Sprintf("it panicked: %v", p.value) }

// watched runs one observer, whose panic is an error.
func watched(ctx context.Context, o observe.Observer, sink history.Sink) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicked{v}
		}
	}()
	return o.Observe(ctx, sink)
}

// broke accounts for an observer that could not do so itself. One that
// returned an error has said in its coverage what it missed.
func (r *run) broke(name string, err error) {
	if _, ok := err.(panicked); ok {
		r.uncovered(fmt.Sprintf("observer %s: %v", name, err), streams...)
	}
}

func (o *observers) ended(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.running = slices.DeleteFunc(o.running, func(n string) bool { return n == name })
}

// endObservers ends the observers and waits, within a budget. What comes
// later is not taken any more, and its streams count as incomplete.
func (r *run) endObservers(ctx context.Context, o *observers) {
	o.cancel()
	_ = r.within(ctx, r.budgets.Observe, must, func(ctx context.Context) error {
		select {
		case <-o.done:
		case <-ctx.Done():
		}
		return nil
	})
	o.sink.close()
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.running) > 0 {
		r.uncovered(fmt.Sprintf("observer %s did not end in time", strings.Join(o.running, ", ")), streams...)
	}
}

// streams are what observers write. One that ends without an account spoils
// them all, since nobody knows which were its own.
var streams = []string{
	history.StreamReadiness, history.StreamTruth, history.StreamTransition, history.StreamReceipt, history.StreamDispatch,
	history.StreamServer, history.StreamBalancer, history.StreamVIP, history.StreamEngine, history.StreamNode, history.StreamConnections,
}

// uncovered journals that streams are incomplete.
func (r *run) uncovered(reason string, names ...string) {
	for _, s := range names {
		r.observed(history.StreamCoverage, history.Coverage{Stream: s, Source: "harness", Reason: reason})
	}
}

// observed journals an observation of the harness's own, now.
func (r *run) observed(stream string, v any) {
	r.journal.Put(history.Event{At: r.clock.Now(), Kind: history.Observed, Name: stream, Data: data(v)})
}

// gate passes events on until it is closed.
type gate struct {
	to    history.Sink
	watch *watch

	mu     sync.RWMutex
	closed bool
}

// Put implements history.Sink.
func (g *gate) Put(e history.Event) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.closed {
		return
	}
	g.to.Put(e)
	g.watch.see(e)
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}

// data is a payload; what the harness itself writes can be marshalled.
func data(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage(fmt.Sprintf("%q", err.Error()))
	}
	return b
}

func same(a, b fault.Entry) bool { return reflect.DeepEqual(a, b) }
