package fault

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// Deploy rolls the application nodes among its targets to another version, one
// after the other: drain at every balancer, wait until empty, stop, replace,
// start, wait for readiness, serve again, next. The balancers are targets,
// too, and all of them must be: one that is not told goes on sending.
//
// A version is a variable of the node's environment, by which the image's one
// application behaves as that version (see the image's Release.java).
type Deploy struct {
	// Version is what the nodes are to name in their answers afterwards;
	// required.
	Version string `json:"version"`
	// Set are further variables of the environment.
	Set map[string]string `json:"set,omitempty"`
	Rollout
}

// Kind is "deploy".
func (Deploy) Kind() string { return "deploy" }

// Suffers says that the application nodes do; balancers are the means.
func (Deploy) Suffers(n topology.Node) bool { return suffers(n) }

// Takes is what the largest topology may take.
func (f Deploy) Takes() time.Duration { return f.takes(mostNodes) }

// Validate reports a version without a name, and what no environment can
// hold.
func (f Deploy) Validate() error {
	if err := validVersion(f.Kind(), f.Version); err != nil {
		return err
	}
	if err := validEnvironment(f.Kind(), f.Set); err != nil {
		return err
	}
	return f.validate(f.Kind())
}

func validVersion(kind, version string) error {
	if version == "" || strings.ContainsAny(version, " \t\r\n'") {
		return fmt.Errorf("%s: version %q: want a word, such as 2 or 2-incompatible", kind, version)
	}
	return nil
}

func (f Deploy) env() map[string]string { return releaseEnv(f.Version, f.Set) }

// Inject rolls the nodes; the undo takes each out, restores what its
// container was made with, and has it served again.
func (f Deploy) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	fl, err := runningFleet(ctx, f.Kind(), nodes, !f.NoDrain)
	if err != nil {
		return err
	}
	return fl.roll(ctx, f.Rollout, f.env(), log)
}

// Active holds when every node names the new version in its own answer, its
// process was started by this deployment, and every balancer serves it.
func (f Deploy) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	fl, err := newFleet(f.Kind(), nodes, !f.NoDrain)
	if err != nil {
		return Proof{}, err
	}
	return fl.prove(ctx, fmt.Sprintf("version %s on %d nodes", f.Version, len(fl.units)), func(ctx context.Context, u unit, s *sight) error {
		return u.seeRelease(ctx, s, f.Kind(), f.Version)
	}, served)
}

// Healed holds when no node has a release left and every balancer serves it.
func (f Deploy) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	fl, err := newFleet(f.Kind(), nodes, !f.NoDrain)
	if err != nil {
		return Proof{}, err
	}
	return fl.healed(ctx)
}
