package harness

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
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
	phase  Tick            // what a tick tells of it
	ready  map[string]bool // by node, as polled last
	owners map[string]bool // by balancer, as asked last
	faults map[int]string  // those in place, by number
}

func newWatch() *watch {
	return &watch{ready: map[string]bool{}, owners: map[string]bool{}, faults: map[int]string{}}
}

// enter says which phase runs, the number-th from 1, and until when by plan.
func (w *watch) enter(phase string, number int, ends time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.phase = Tick{Phase: phase, Number: number, Ends: ends}
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
	if owners := w.holders(); len(owners) > 0 {
		return owners[0]
	}
	return ""
}

// holders are the balancers that owned it when last asked. The caller holds mu.
func (w *watch) holders() []string {
	var owners []string
	for lb, own := range w.owners {
		if own {
			owners = append(owners, lb)
		}
	}
	slices.Sort(owners)
	return owners
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

// tick is what is known of the phase, these nodes, the shared address and the
// faults.
func (w *watch) tick(nodes []topology.Node) Tick {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.phase
	for _, n := range nodes {
		t.Nodes = append(t.Nodes, NodeTick{Name: n.Name(), Ready: w.ready[n.Name()]})
	}
	t.Owners = w.holders()
	t.Faults = slices.Sorted(maps.Values(w.faults))
	return t
}

// tick shows the state of the run until ctx ends.
func (r *run) tick(ctx context.Context) {
	if r.Progress == nil {
		return
	}
	nodes := View{Nodes: r.cluster.Nodes()}.role(topology.Application)
	every := time.NewTicker(tickEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		t := r.watch.tick(nodes)
		t.At, t.Of, t.Load = r.clock.Now(), len(r.Phases), r.gen.Snapshot()
		r.progress.Tick(t)
	}
}
