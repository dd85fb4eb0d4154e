package harness

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hachaos/hachaos/topology"
)

// standing returns the spec of the topology of that name; nil if the driver
// cannot tell before it is taken into use, or none is asked for. A name that
// nothing stands under is ErrUsage.
func (r *Runner) standing(ctx context.Context, name string) (*topology.Spec, error) {
	d, ok := r.Driver.(topology.Describer)
	if name == "" || !ok {
		return nil, nil
	}
	spec, err := d.Describe(ctx, name)
	if errors.Is(err, topology.ErrNotFound) {
		return nil, usage("--on %s: %w", name, err)
	}
	if err != nil {
		return nil, fmt.Errorf("--on %s: %w", name, err)
	}
	return &spec, nil
}

// want is the topology that a run asks for, as far as it asks: empty fields
// and switches that are not named are left to what stands.
type want struct {
	topology, profile string
	nodes             int
	set               map[string]string
}

// differs says in words how what stands is not what is wanted; it is empty if
// it is so. switches are the topology's.
func (w want) differs(spec topology.Spec, switches []topology.Switch) []string {
	if spec.Name != w.topology {
		return []string{fmt.Sprintf("it is a %s, not a %s", spec.Name, w.topology)}
	}
	var out []string
	if w.profile != "" && w.profile != spec.Profile {
		out = append(out, fmt.Sprintf("profile %s instead of %s", spec.Profile, w.profile))
	}
	if n := spec.Count(topology.Application); w.nodes != 0 && w.nodes != n {
		out = append(out, fmt.Sprintf("%d application nodes instead of %d", n, w.nodes))
	}
	for _, key := range slices.Sorted(maps.Keys(w.set)) {
		stands, ok := spec.Set[key]
		if !ok {
			stands = topology.Default(switches, key)
		}
		if stands != w.set[key] {
			out = append(out, fmt.Sprintf("%s=%s instead of %s", key, stands, w.set[key]))
		}
	}
	return out
}

// command is what brings it up under that name.
func (w want) command(name string) string {
	words := []string{"hachaos", "up", w.topology, "--name", name}
	if w.profile != "" {
		words = append(words, "--profile", w.profile)
	}
	if w.nodes != 0 {
		words = append(words, "--nodes", fmt.Sprint(w.nodes))
	}
	for _, key := range slices.Sorted(maps.Keys(w.set)) {
		words = append(words, "--set", key+"="+w.set[key])
	}
	return strings.Join(words, " ")
}

// onto holds the run to the topology that stands: it must be what the
// scenario and the user ask for. What it has beyond that is the run's, too,
// and is in its record.
func (r *resolved) onto(spec topology.Spec, w want) error {
	if differs := w.differs(spec, r.switches); len(differs) > 0 {
		return usage("--on %s: it stands with %s, and %s cannot run on it: `hachaos down %s`, then `%s`",
			r.opts.On, strings.Join(differs, ", "), r.Name, r.opts.On, w.command(r.opts.On))
	}
	r.spec, r.known = spec, true
	r.opts.Set = merged(r.opts.Set, spec.Set)
	r.set = merged(r.set, spec.Set)
	return nil
}

// Shape is the topology that a run asks for, resolved: two runs of the same
// shape can use the same one.
type Shape struct {
	Topology, Profile string
	Nodes             int
	// Set are the topology's switches that differ from their defaults.
	Set map[string]string
	// Plan makes its spec.
	Plan topology.Plan
}

// Key tells shapes apart, in words: "jetty-ha, profile tuned, 2 nodes,
// dedupe=off".
func (s Shape) Key() string {
	text := fmt.Sprintf("%s, profile %s, %d nodes", s.Topology, s.Profile, s.Nodes)
	for _, key := range slices.Sorted(maps.Keys(s.Set)) {
		text += fmt.Sprintf(", %s=%s", key, s.Set[key])
	}
	return text
}

// Shape returns the topology that s with opts runs on. Its errors wrap
// ErrUsage.
func (r *Runner) Shape(s Scenario, opts Options) (Shape, error) {
	p, err := resolve(s, opts, r.lookup(), nil)
	if err != nil {
		return Shape{}, err
	}
	return Shape{
		Topology: p.spec.Name, Profile: p.spec.Profile, Nodes: p.spec.Count(topology.Application), Set: p.spec.Set, Plan: p.plan,
	}, nil
}
