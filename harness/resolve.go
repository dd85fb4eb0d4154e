package harness

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/topology"
)

// resolved is a run that can be started: everything chosen and validated.
type resolved struct {
	Scenario // with its settings applied and its phases fitted
	opts     Options
	plan     topology.Plan
	switches []topology.Switch // the topology's
	spec     topology.Spec     // as planned, or that of the one that stands; the cluster's own counts once it runs
	known    bool              // spec is that of what the run will use
	set      map[string]string // what differs from the defaults
	asserts  []history.AssertMeta
	seed     uint64
	id       string
	command  string
}

// nominal is the subnet that plans are made for before one is chosen.
var nominal = netip.MustParsePrefix("198.18.0.0/24")

// resolve chooses and validates everything, and starts nothing. standing is
// what stands under the name opts.On; nil if that is not known. Its errors are
// ErrUsage.
func resolve(s Scenario, opts Options, lookup func(string) (topology.Definition, error), standing *topology.Spec) (*resolved, error) {
	def, err := lookup(s.Topology)
	if err != nil {
		return nil, usage("scenario %s: topology %s: %w", s.Name, s.Topology, err)
	}
	if opts.Seed > maxSeed {
		return nil, usage("--seed %d: want at most %d, which every reader of a result holds exactly", opts.Seed, uint64(maxSeed))
	}
	opts.Set = merged(s.Set, opts.Set)
	set, err := split(opts.Set, s, def)
	if err != nil {
		return nil, err
	}
	opts.Nodes = cmp.Or(opts.Nodes, s.Nodes)
	r := &resolved{
		Scenario: s, opts: opts, switches: def.Switches, set: set.changed, seed: opts.seed(),
		id: fmt.Sprintf("%08x", rand.Uint32()), known: opts.On == "",
	}
	if r.plan, err = def.Plan(topology.Options{Profile: opts.Profile, Nodes: opts.Nodes, Set: set.topology}); err != nil {
		return nil, usage("%w", err)
	}
	subnet := opts.Subnet
	if !subnet.IsValid() {
		subnet = nominal
	}
	if r.spec, err = r.plan(subnet); err != nil {
		return nil, usage("topology %s: %w", def.Name, err)
	}
	if err := r.spec.CheckImages(opts.Images); err != nil {
		return nil, usage("%w", err)
	}
	if opts.On != "" && (len(opts.Images) > 0 || opts.Subnet.IsValid()) {
		return nil, usage("--on %s: the topology stands already, so its images and subnet cannot be chosen: give them to `hachaos up`", opts.On)
	}
	if standing != nil {
		if err := r.onto(*standing, want{def.Name, opts.Profile, opts.Nodes, set.topology}); err != nil {
			return nil, err
		}
		set.topology = standing.Set
	}
	if err := r.apply(set); err != nil {
		return nil, err
	}
	r.command = strings.TrimSpace(fmt.Sprintf("%s --seed %d", opts.Command, r.seed))
	if opts.Command == "" {
		r.command = ""
	}
	return r, r.validate()
}

// apply puts the settings of the scenario and the load in.
func (r *resolved) apply(set settings) error {
	if r.Apply != nil {
		s, err := r.Apply(clone(r.Scenario), set.scenario)
		if err != nil {
			return usage("scenario %s: %w", r.Name, err)
		}
		r.Scenario = s
	}
	if r.Load == (load.Config{}) {
		r.Load = load.Default()
	}
	own := r.Load.Rate
	var err error
	if r.Load, err = r.Load.With(set.load); err != nil {
		return usage("%w", err)
	}
	r.Scenario = r.stretched(own)
	if r.opts.Short {
		r.Scenario = r.shortened()
	}
	r.Load.KeyPrefix = r.id
	if work, err := time.ParseDuration(set.topology["order-work"]); err == nil {
		r.Load.OrderWork = work // the load must know what a healthy order takes
	}
	r.Scenario = r.Fitted(r.spec)
	return nil
}

// merged are the scenario's own switches under the user's.
func merged(own, user map[string]string) map[string]string {
	out := maps.Clone(own)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, user)
	return out
}

// clone copies what an Apply may change in place.
func clone(s Scenario) Scenario {
	s.Phases = slices.Clone(s.Phases)
	for i := range s.Phases {
		s.Phases[i].Faults = slices.Clone(s.Phases[i].Faults)
		s.Phases[i].Heal = slices.Clone(s.Phases[i].Heal)
	}
	s.Asserts = slices.Clone(s.Asserts)
	s.Companions = slices.Clone(s.Companions)
	return s
}

// validate reports what makes no sense, before anything starts.
func (r *resolved) validate() error {
	if err := r.Load.Validate(); err != nil {
		return usage("scenario %s: %w", r.Name, err)
	}
	if err := r.validatePhases(); err != nil {
		return usage("scenario %s: %w", r.Name, err)
	}
	kinds := map[string]bool{}
	for _, c := range r.Companions {
		if kinds[c.Kind()] {
			return usage("scenario %s: companion %s is there twice", r.Name, c.Kind())
		}
		kinds[c.Kind()] = true
		if err := c.Validate(); err != nil {
			return usage("scenario %s: companion %s: %w", r.Name, c.Kind(), err)
		}
	}
	seen := map[string]bool{}
	for _, c := range r.Asserts {
		meta, err := assert.Encode(c)
		if err != nil {
			return usage("scenario %s: %w", r.Name, err)
		}
		if seen[meta.Name] {
			return usage("scenario %s: assertion %s is there twice", r.Name, meta.Name)
		}
		seen[meta.Name] = true
		r.asserts = append(r.asserts, meta)
	}
	return r.validateExercises(seen)
}

// validateExercises holds Exercises to what the scenario asserts.
func (r *resolved) validateExercises(asserted map[string]bool) error {
	for i, name := range r.Exercises {
		switch {
		case !asserted[name]:
			return usage("scenario %s: it is about assertion %s, which it does not have", r.Name, name)
		case name == assert.Leftovers{}.Name():
			return usage("scenario %s: assertion %s needs no occasion, so that no scenario can be about it", r.Name, name)
		case slices.Contains(r.Exercises[:i], name):
			return usage("scenario %s: it is about assertion %s twice", r.Name, name)
		}
	}
	return nil
}

func (r *resolved) validatePhases() error {
	if len(r.Phases) == 0 {
		return fmt.Errorf("it has no phase")
	}
	labels := map[string]bool{}
	for _, p := range r.Phases {
		switch p.Kind {
		case history.PhaseWarmUp, history.PhaseSteady, history.PhaseBreak, history.PhaseRecover:
		default:
			return fmt.Errorf("phase %q is of the unknown kind %q", p.Name, p.Kind)
		}
		if p.For <= 0 {
			return fmt.Errorf("phase %q lasts %v: it must last a while", p.Name, p.For)
		}
		for _, l := range p.Heal {
			if l != healAll && !labels[l] {
				return fmt.Errorf("phase %q heals %q, which no earlier phase injects", p.Name, l)
			}
		}
		for _, in := range p.Faults {
			if err := r.validateInjection(in, labels); err != nil {
				return fmt.Errorf("phase %q: %w", p.Name, err)
			}
			labels[in.Label] = true
		}
	}
	return nil
}

func (r *resolved) validateInjection(in Injection, labels map[string]bool) error {
	switch {
	case in.Fault == nil:
		return fmt.Errorf("injection %q has no fault", in.Label)
	case in.Aim.Pick == nil:
		return fmt.Errorf("injection %q aims at nothing", in.Label)
	case in.Label == "" || in.Label == healAll:
		return fmt.Errorf("fault %s: its label is %q: give it a name of its own", in.Fault.Kind(), in.Label)
	case labels[in.Label]:
		return fmt.Errorf("fault %s: another one has the label %q", in.Fault.Kind(), in.Label)
	}
	if err := in.Fault.Validate(); err != nil {
		return err
	}
	if _, err := fault.Encode(in.Fault); err != nil {
		return err
	}
	named := []string{in.Aim.Node}
	if f, ok := in.Fault.(fault.Indirect); ok {
		named = append(named, f.Victims()...)
	}
	for _, node := range named {
		if _, ok := r.spec.NodeByName(node); !ok && node != "" && r.known {
			var names []string
			for _, n := range r.spec.Nodes {
				names = append(names, n.Name)
			}
			return fmt.Errorf("fault %s: there is no node %q: topology %s has %s", in.Fault.Kind(), node, r.spec.Name, strings.Join(names, ", "))
		}
	}
	if n, ok := r.spec.NodeByName(in.Aim.Node); ok && in.Aim.Role != "" && n.Role != in.Aim.Role {
		return fmt.Errorf("fault %s: node %s has the role %s: name one of the role %s", in.Fault.Kind(), n.Name, n.Role, in.Aim.Role)
	}
	return nil
}

// faultless says that no phase asks for a fault.
func (r *resolved) faultless() bool {
	return !slices.ContainsFunc(r.Phases, func(p Phase) bool { return len(p.Faults) > 0 })
}

// length is how long the phases last together.
func (r *resolved) length() time.Duration {
	var d time.Duration
	for _, p := range r.Phases {
		d += p.For
	}
	return d
}

func mapKeys[V any](m map[string]V) iter.Seq[string] { return maps.Keys(m) }
