package suite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/clean"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

// Keeper is the Topologies of a suite. It brings up a topology for a group of
// jobs of the same shape, and lends it to one after the other:
//
//	start ─▶ remember ─▶ lend ─▶ restore ─▶ lend … ─▶ remove
//	             ▲                  │
//	             └── start anew ◀───┘ not proven to be as it was when new
//
// A job of a shape of its own brings up its own, as a single run does. Driver,
// Shape and Probes are required.
type Keeper struct {
	Driver topology.Driver
	// Shape is what a job runs on.
	Shape func(Job) harness.Shape
	// Start is what the user chose about starts; its Standing is not used.
	Start topology.StartOptions
	// Probes look at whether a topology is as new.
	Probes []clean.Probe
	// Settle bounds how long what changes by itself may take to be as it
	// should be; 0 is clean.DefaultSettle.
	Settle time.Duration
	// Guard makes sure that what bears the label is removed should this
	// process die; nil does not.
	Guard func(ctx context.Context, id string) (release func(context.Context) error, err error)
	// Hurry is closed when the user will wait no longer; nil never is.
	Hurry <-chan struct{}

	now  *kept
	left []history.Leftover
}

// kept is the topology that stands.
type kept struct {
	name, key string
	cluster   topology.Cluster
	state     *clean.State
	release   func(context.Context) error
	spoiled   string // why it must not be lent again
}

// Budgets of the keeper's own waits.
const (
	keeperReady  = 90 * time.Second
	keeperRemove = 60 * time.Second
)

// Provide implements Topologies.
func (k *Keeper) Provide(ctx context.Context, j Job, left []Job) (on string, notes []string) {
	key := k.Shape(j).Key()
	if k.now != nil && k.now.key == key {
		note, ok := k.restore(ctx)
		if notes = append(notes, note); ok {
			return k.now.name, notes
		}
	}
	if err := k.remove(ctx); err != nil {
		notes = append(notes, err.Error())
	}
	if ctx.Err() != nil || !slices.ContainsFunc(left, func(l Job) bool { return k.Shape(l).Key() == key }) {
		return "", notes
	}
	if err := k.start(ctx, k.Shape(j)); err != nil {
		notes = append(notes, fmt.Sprintf("no topology to share (%v): the run brings up its own", err))
		return "", notes
	}
	notes = append(notes, fmt.Sprintf("topology %s is new (%s): %d facts are remembered", k.now.name, key, k.now.state.Facts()))
	return k.now.name, notes
}

// restore puts back what was lent, and says in words whether it is as new.
func (k *Keeper) restore(ctx context.Context) (note string, ok bool) {
	if k.now.spoiled != "" {
		return fmt.Sprintf("topology %s is replaced: %s", k.now.name, k.now.spoiled), false
	}
	did, err := k.now.state.Restore(ctx)
	what := "nothing had to be put back"
	if len(did) > 0 {
		what = strings.Join(did, ", ")
	}
	if err != nil {
		return fmt.Sprintf("topology %s could not be put back (%s) and is replaced: %v", k.now.name, what, err), false
	}
	return fmt.Sprintf("topology %s is as new, by %d facts (%s)", k.now.name, k.now.state.Facts(), what), true
}

// Used implements Topologies. What a run left dirty, or broke off on, or did not
// see heal, is not lent again.
func (k *Keeper) Used(r *harness.Result) {
	switch {
	case k.now == nil:
	case r == nil || r.Verdict == harness.VerdictError:
		k.now.spoiled = "the run before could not be carried out"
	case r.BrokenOff != "":
		k.now.spoiled = "the run before broke off"
	case r.Dirty:
		k.now.spoiled = "the run before was dirty"
	case slices.ContainsFunc(r.Faults, func(f harness.FaultResult) bool { return f.HealedAt < 0 }):
		k.now.spoiled = "a fault of the run before was not seen to heal"
	}
}

// start brings a topology up and remembers what it is like. If it fails it
// leaves nothing, but for what is then in left.
func (k *Keeper) start(ctx context.Context, shape harness.Shape) error {
	id := fmt.Sprintf("%08x", rand.Uint32())
	now := &kept{name: "suite-" + id, key: shape.Key()}
	if k.Guard != nil {
		release, err := k.Guard(ctx, id)
		if err != nil {
			return fmt.Errorf("guard: %w", err)
		}
		now.release = release
	}
	k.now = now
	opts := k.Start
	opts.Standing, opts.Lent = now.name, true
	c, err := k.Driver.Start(ctx, id, shape.Plan, opts)
	if errors.Is(err, topology.ErrLeftBehind) {
		k.now = nil // and the guard sees to it when this process ends
		k.left = append(k.left, history.Leftover{Kind: "topology", Name: now.name, Detail: err.Error(), Remove: "hachaos down " + now.name})
		return err
	}
	if err == nil {
		now.cluster = c
		now.state, err = k.remember(ctx, c)
	}
	if err != nil {
		if gone := k.remove(ctx); gone != nil {
			return fmt.Errorf("%w; and %w", err, gone)
		}
	}
	return err
}

func (k *Keeper) remember(ctx context.Context, c topology.Cluster) (*clean.State, error) {
	ready, cancel := context.WithTimeout(ctx, keeperReady)
	defer cancel()
	if err := c.Ready(ready); err != nil {
		return nil, err
	}
	state, err := clean.Remember(ctx, c, k.Probes)
	if err == nil && k.Settle > 0 {
		state.Settle = k.Settle
	}
	return state, err
}

// remove removes what stands, if anything does. What cannot be removed is in
// left, and its guard's to remove.
func (k *Keeper) remove(ctx context.Context) error {
	now := k.now
	if now == nil {
		return nil
	}
	k.now = nil
	ctx, cancel := k.patience(ctx)
	defer cancel()
	if now.cluster != nil {
		if err := now.cluster.Close(ctx); err != nil {
			k.left = append(k.left, history.Leftover{
				Kind: "topology", Name: now.name, Detail: err.Error(), Remove: "hachaos down " + now.name,
			})
			return fmt.Errorf("topology %s could not be removed: %w", now.name, err)
		}
	}
	if now.release == nil {
		return nil
	}
	if err := now.release(ctx); err != nil {
		return fmt.Errorf("guard of topology %s: %w", now.name, err)
	}
	return nil
}

// patience is a context for removing, which only Hurry ends early.
func (k *Keeper) patience(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keeperRemove)
	go func() {
		select {
		case <-k.Hurry:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// Close implements Topologies.
func (k *Keeper) Close(ctx context.Context) []history.Leftover {
	if err := k.remove(ctx); err != nil && len(k.left) == 0 {
		k.left = append(k.left, history.Leftover{Kind: "guard", Name: "reaper", Detail: err.Error(), Remove: "hachaos gc"})
	}
	return k.left
}
