package harness

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

// healLabels undoes, in the background, the faults of these labels; "*" is
// all that were injected. It closes what it returns when that is over.
func (r *run) healLabels(ctx context.Context, labels []string) <-chan struct{} {
	over := make(chan struct{})
	if len(labels) == 0 {
		close(over)
		return over
	}
	chosen := r.faults.chosen(func(in *injection) bool {
		return slices.Contains(labels, healAll) || slices.Contains(labels, in.Label)
	})
	r.faults.wg.Go(func() {
		defer close(over)
		for _, in := range chosen {
			r.heal(ctx, in)
		}
	})
	return over
}

// healAll undoes everything that still has to be, and waits for it. Acts that
// are under way are awaited, since they are part of the run, unless that was
// broken off: then they are ended.
func (r *run) healAll(ctx context.Context) {
	if r.brokenOff() {
		for _, in := range r.faults.chosen(func(*injection) bool { return true }) {
			in.cancel()
		}
	}
	r.faults.wg.Wait()
	for _, in := range r.faults.chosen(func(*injection) bool { return true }) {
		r.heal(ctx, in)
	}
}

// chosen are the faults that keep says, last in first out.
func (f *injections) chosen(keep func(*injection) bool) []*injection {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []*injection
	for _, in := range slices.Backward(f.all) {
		if keep(in) {
			out = append(out, in)
		}
	}
	return out
}

// heal undoes a fault, last entry first, and awaits the proof of it. A run
// that was cancelled heals no less. What is healed already is left alone; an
// undo that failed is tried again. Of several heals of one fault, each begins
// when the one before is over.
func (r *run) heal(ctx context.Context, in *injection) {
	in.cancel()
	<-in.acted
	in.heals <- struct{}{}
	defer func() { <-in.heals }()
	entries, first := in.toUndo()
	if len(entries) == 0 && !first {
		return
	}
	in.healAt = time.Now()
	r.put(in, history.FaultHeal, nil)
	for _, e := range slices.Backward(entries) {
		err := r.within(ctx, r.budgets.Undo, must, func(ctx context.Context) error {
			return fault.Undo(ctx, r.cluster.Nodes(), e)
		})
		if err != nil {
			r.failed(in, err, true)
			continue
		}
		in.undone(e)
		if err := r.undo.Done(e); err != nil {
			r.step("%v", err)
		}
	}
	if len(in.nodes) > 0 {
		r.proveHealed(ctx, in)
	}
	r.watch.fault(in, false)
}

func (r *run) proveHealed(ctx context.Context, in *injection) {
	var p fault.Proof
	err := r.within(ctx, r.budgets.Heal, skip, func(ctx context.Context) (err error) {
		p, err = in.Fault.Healed(ctx, in.nodes)
		return err
	})
	r.proof(ctx, in, history.FaultHealed, p, err)
}

// toUndo are the entries that are left; first says that no heal was tried
// before.
func (in *injection) toUndo() (entries []fault.Entry, first bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	first, in.healing = !in.healing, true
	return slices.Clone(in.entries), first
}

func (in *injection) undone(e fault.Entry) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for i := len(in.entries) - 1; i >= 0; i-- {
		if same(in.entries[i], e) {
			in.entries = slices.Delete(in.entries, i, i+1)
			return
		}
	}
}

// names lists nodes in words.
func names(nodes []topology.Node) string {
	if len(nodes) == 0 {
		return "nothing"
	}
	list := make([]string, len(nodes))
	for i, n := range nodes {
		list[i] = n.Name()
	}
	return strings.Join(list, ", ")
}
