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

// watch keeps what people are shown, and where faults aim. Nothing that a
// verdict rests on passes through it. It is safe for concurrent use.
type watch struct {
	mu     sync.Mutex
	phase  string
	ready  map[string]bool // by node, as polled last
	owners map[string]bool // by balancer, as asked last
	faults map[int]string  // those in place, by number
}

func newWatch() *watch {
	return &watch{ready: map[string]bool{}, owners: map[string]bool{}, faults: map[int]string{}}
}

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

// owner is the balancer that owned the shared address when last asked; empty
// if none did.
func (w *watch) owner() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, lb := range slices.Sorted(maps.Keys(w.owners)) {
		if w.owners[lb] {
			return lb
		}
	}
	return ""
}

// see learns from an observation which nodes are ready, and who owns the
// shared address.
func (w *watch) see(e history.Event) {
	if e.Name == history.StreamVIP {
		var seen history.VIP
		if json.Unmarshal(e.Data, &seen) == nil && seen.Known {
			w.mu.Lock()
			w.owners[seen.Balancer] = seen.Owner
			w.mu.Unlock()
		}
		return
	}
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
