package harness

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

// tickEvery is how often people are shown the state of the run.
const tickEvery = 250 * time.Millisecond

// watch keeps what people are shown. Nothing that a verdict rests on passes
// through it. It is safe for concurrent use.
type watch struct {
	mu     sync.Mutex
	phase  string
	ready  map[string]bool // by node, as polled last
	faults map[int]string  // those in place, by number
}

func newWatch() *watch { return &watch{ready: map[string]bool{}, faults: map[int]string{}} }

// enter says which phase runs.
func (w *watch) enter(phase string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.phase = phase
}

// fault says whether one is in place.
func (w *watch) fault(in *injection, on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if on {
		w.faults[in.number] = in.Fault.Kind() + " " + names(in.nodes)
	} else {
		delete(w.faults, in.number)
	}
}

// see learns from an observation which nodes are ready.
func (w *watch) see(e history.Event) {
	if e.Name != history.StreamReadiness {
		return
	}
	var seen history.Readiness
	if json.Unmarshal(e.Data, &seen) != nil || seen.Probe != "ready" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ready[seen.Node] = seen.Up
}

// fill puts what is known into a tick.
func (w *watch) fill(t *Tick) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t.Phase = w.phase
	for _, up := range w.ready {
		if up {
			t.Up++
		}
	}
	t.Fault = strings.Join(slices.Sorted(maps.Values(w.faults)), ", ")
}

// tick shows the state of the run until ctx ends.
func (r *run) tick(ctx context.Context) {
	if r.Progress == nil {
		return
	}
	nodes := len(View{Nodes: r.cluster.Nodes()}.role(topology.Application))
	every := time.NewTicker(tickEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		s := r.gen.Snapshot()
		t := Tick{At: r.clock.Now(), Rate: float64(s.LastSecond.Sent), Errors: s.Failed + s.Info, Nodes: nodes}
		r.watch.fill(&t)
		r.progress.Tick(t)
	}
}
