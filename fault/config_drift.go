package fault

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// ConfigDrift gives the application nodes among its targets another
// configuration than their peers have, under the same version: a template
// rendered by hand, a node that missed a change. It arrives as changes do, by
// a restart in order; the balancers are targets for that, too.
type ConfigDrift struct {
	// Set are the variables of the environment that differ; required.
	Set map[string]string `json:"set"`
	Rollout
}

// Kind is "config-drift".
func (ConfigDrift) Kind() string { return "config-drift" }

// Suffers says that the application nodes do; balancers are the means.
func (ConfigDrift) Suffers(n topology.Node) bool { return suffers(n) }

// Takes is what the largest topology may take.
func (f ConfigDrift) Takes() time.Duration { return f.takes(mostNodes) }

// Validate reports a drift in nothing, and what no environment can hold.
func (f ConfigDrift) Validate() error {
	if len(f.Set) == 0 {
		return fmt.Errorf("%s: nothing is set: name at least one variable of the node's environment, such as POOL_SIZE", f.Kind())
	}
	if err := validEnvironment(f.Kind(), f.Set); err != nil {
		return err
	}
	return f.validate(f.Kind())
}

// Inject restarts the nodes with the other settings. A node that says that it has
// one of them already is an error, before any act: that would be no drift, and
// seem proven.
func (f ConfigDrift) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	fl, err := runningFleet(ctx, f.Kind(), nodes, !f.NoDrain)
	if err != nil {
		return err
	}
	for _, u := range fl.units {
		if err := u.differs(ctx, f.Set); err != nil {
			return fl.failed(u, err)
		}
	}
	return fl.roll(ctx, f.Rollout, f.Set, log)
}

// differs checks that the node has other settings than these.
func (u unit) differs(ctx context.Context, set map[string]string) error {
	all, err := u.settings(ctx)
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(set)) {
		if now, ok := all[key]; ok && now == set[key] {
			return fmt.Errorf("its %s is %q already: nothing would change", key, now)
		}
	}
	return nil
}

// Active holds when each node itself names the other settings, and its
// process was started by this act. Whether balancers still serve it is not
// part of it: a drift may well make a node unready.
func (f ConfigDrift) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	fl, err := newFleet(f.Kind(), nodes, !f.NoDrain)
	if err != nil {
		return Proof{}, err
	}
	return fl.prove(ctx, f.words(), func(ctx context.Context, u unit, s *sight) error {
		if err := u.seeRelease(ctx, s, f.Kind(), ""); err != nil || !s.ok {
			return err
		}
		return u.seeSettings(ctx, s, f.Set)
	}, nil)
}

// words are the settings: "POOL_SIZE=8".
func (f ConfigDrift) words() string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(f.Set)) {
		out = append(out, key+"="+f.Set[key])
	}
	return strings.Join(out, " ")
}

// settings are what the node says that it was told.
func (u unit) settings(ctx context.Context) (map[string]string, error) {
	status, _, body, err := u.get(ctx, "/health/settings")
	var all map[string]string
	if err == nil {
		err = json.Unmarshal(body, &all)
	}
	if err != nil {
		return nil, fmt.Errorf("its own account of its settings: status %d: %w", status, err)
	}
	return all, nil
}

// seeSettings asks the node whether it was told these.
func (u unit) seeSettings(ctx context.Context, s *sight, set map[string]string) error {
	all, err := u.settings(ctx)
	if err != nil {
		s.measured = "no answer"
		s.see(false, "%v", err)
		return ctx.Err()
	}
	var words []string
	for _, key := range slices.Sorted(maps.Keys(set)) {
		words = append(words, key+"="+all[key])
		s.see(all[key] == set[key], "it says that %s is %q", key, all[key])
	}
	s.measured = strings.Join(words, " ")
	return nil
}

// Healed holds when no node has other settings left and every balancer serves
// it.
func (f ConfigDrift) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	fl, err := newFleet(f.Kind(), nodes, !f.NoDrain)
	if err != nil {
		return Proof{}, err
	}
	return fl.healed(ctx)
}
