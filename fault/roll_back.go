package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// RollBack rolls the application nodes among its targets back to the version
// that their containers were made with, as Deploy rolls them forward. Its
// undo finds nothing more to restore than the note of it.
type RollBack struct {
	Rollout
}

// Kind is "roll-back".
func (RollBack) Kind() string { return "roll-back" }

// Suffers says that the application nodes do; balancers are the means.
func (RollBack) Suffers(n topology.Node) bool { return suffers(n) }

// Takes is what the largest topology may take.
func (f RollBack) Takes() time.Duration { return f.takes(mostNodes) }

// Validate reports times that make no sense.
func (f RollBack) Validate() error { return f.validate(f.Kind()) }

// Inject rolls the nodes back.
func (f RollBack) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	fl, err := runningFleet(ctx, f.Kind(), nodes, !f.NoDrain)
	if err != nil {
		return err
	}
	return fl.roll(ctx, f.Rollout, nil, log)
}

// Active holds when every node names the first version in its own answer, its
// process was started by this act, and every balancer serves it.
func (f RollBack) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	fl, err := newFleet(f.Kind(), nodes, !f.NoDrain)
	if err != nil {
		return Proof{}, err
	}
	return fl.prove(ctx, fmt.Sprintf("version %s on %d nodes", firstVersion, len(fl.units)), func(ctx context.Context, u unit, s *sight) error {
		return u.seeRelease(ctx, s, f.Kind(), firstVersion)
	}, served)
}

// Healed holds when nothing of it is noted any more.
func (f RollBack) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	fl, err := newFleet(f.Kind(), nodes, !f.NoDrain)
	if err != nil {
		return Proof{}, err
	}
	return fl.healed(ctx)
}
