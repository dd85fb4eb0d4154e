package fault

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// Canary gives one application node another version and a small share of the
// new sessions, by its weight at every balancer: one application node and all
// balancers are its targets. Its undo is the abort: the node is taken out, put
// back to what it was, and served again with its old weight.
type Canary struct {
	// Version is what the node is to name in its answers; required.
	Version string `json:"version"`
	// Set are further variables of its environment.
	Set map[string]string `json:"set,omitempty"`
	// Share is the percentage of new sessions that it is to get; required,
	// below 100. Weights are whole numbers, and a share that they cannot
	// express within a tenth is refused when it is injected.
	Share float64 `json:"share"`
	Rollout
}

// Kind is "canary".
func (Canary) Kind() string { return "canary" }

// Suffers says that the application node does; balancers are the means.
func (Canary) Suffers(n topology.Node) bool { return suffers(n) }

// Takes is what one node may take.
func (f Canary) Takes() time.Duration { return f.takes(1) }

// Validate reports a version without a name, a share that is none, and what no
// environment can hold.
func (f Canary) Validate() error {
	switch {
	case !(f.Share > 0 && f.Share < 100):
		return fmt.Errorf("%s: share %g: want a percentage above 0 and below 100", f.Kind(), f.Share)
	case f.NoDrain:
		return fmt.Errorf("%s: without drain it would get its old share until the balancers know the new one", f.Kind())
	}
	if err := validVersion(f.Kind(), f.Version); err != nil {
		return err
	}
	if err := validEnvironment(f.Kind(), f.Set); err != nil {
		return err
	}
	return f.validate(f.Kind())
}

func (f Canary) env() map[string]string { return releaseEnv(f.Version, f.Set) }

// fleet are the targets, of which one is an application node.
func (f Canary) fleet(nodes []topology.Node) (fleet, error) {
	fl, err := newFleet(f.Kind(), nodes, true)
	if err == nil && len(fl.units) > 1 {
		err = fmt.Errorf("%s: %d application nodes among the targets: aim at one, and at every balancer", f.Kind(), len(fl.units))
	}
	return fl, err
}

// Inject replaces the node and gives it its share.
func (f Canary) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	if _, err := runningFleet(ctx, f.Kind(), nodes, true); err != nil {
		return err
	}
	fl, err := f.fleet(nodes)
	if err != nil {
		return err
	}
	u := fl.units[0]
	weights := make([]int, len(fl.directors))
	for i, d := range fl.directors {
		if weights[i], err = f.weight(ctx, d, u); err != nil {
			return fl.failed(u, err)
		}
	}
	if err := fl.record(log, u, ServerReady, ServerWeight); err != nil {
		return err
	}
	if err := fl.takeOut(ctx, f.Rollout, u); err != nil {
		return fl.failed(u, err)
	}
	for i, d := range fl.directors {
		if err := d.weigh(ctx, u.Name(), weights[i]); err != nil {
			return fl.failed(u, err)
		}
	}
	if err := fl.replace(ctx, u, f.env()); err != nil {
		return fl.failed(u, err)
	}
	if err := fl.takeIn(ctx, f.Rollout, u); err != nil {
		return fl.failed(u, err)
	}
	return nil
}

// weight is what gives the node its share beside what the others weigh now.
func (f Canary) weight(ctx context.Context, d director, u unit) (int, error) {
	others, _, err := d.weighed(ctx, u)
	if err != nil {
		return 0, err
	}
	w, got := weightOf(f.Share, others)
	if !f.near(got) {
		return 0, fmt.Errorf("%g %% beside a weight of %d would be a weight of %d, which is %.1f %%: give the others a weight that leaves room", f.Share, others, w, got)
	}
	return w, nil
}

// weightOf is the whole weight that comes nearest to a share beside the
// others' weight, and the share that it makes.
func weightOf(share float64, others int) (weight int, got float64) {
	const least, most = 1, 256 // HAProxy's own limits
	weight = min(max(int(math.Round(share/(100-share)*float64(others))), least), most)
	return weight, 100 * float64(weight) / float64(weight+others)
}

// near says that a share is the one asked for, within a tenth.
func (f Canary) near(got float64) bool { return math.Abs(got-f.Share) <= f.Share/10 }

// weighed is what the servers beside the unit weigh together that are served,
// and what the unit does.
func (d director) weighed(ctx context.Context, u unit) (others, own int, err error) {
	all, err := d.servers(ctx)
	for _, s := range all {
		switch {
		case s.Name == u.Name():
			own = s.Weight
		case s.Serves():
			others += s.Weight
		}
	}
	return others, own, err
}

// Active holds when the node names the version in its own answer, and at every
// balancer its share of the weights that are served is the one asked for,
// within a tenth.
func (f Canary) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	fl, err := f.fleet(nodes)
	if err != nil {
		return Proof{}, err
	}
	return await(ctx, func(ctx context.Context) (Proof, error) {
		u := fl.units[0]
		p := Proof{OK: true, Asked: fmt.Sprintf("version %s on %s, %g %% of new sessions", f.Version, u.Name(), f.Share)}
		s := sight{ok: true}
		if err := u.seeRelease(ctx, &s, f.Kind(), f.Version); err != nil {
			return Proof{}, fmt.Errorf("%s: %w", u.Name(), err)
		}
		p.add(u.Name(), s)
		p.Measured = s.measured
		for _, d := range fl.directors {
			s := sight{ok: true}
			if err := f.seeShare(ctx, d, u, &s); err != nil {
				return Proof{}, err
			}
			p.add(d.name, s)
			p.Measured += "; " + d.name + ": " + s.measured
		}
		return p, nil
	})
}

func (f Canary) seeShare(ctx context.Context, d director, u unit, s *sight) error {
	v, err := d.server(ctx, u.Name())
	if err != nil {
		return err
	}
	others, own, err := d.weighed(ctx, u)
	if err != nil {
		return err
	}
	got := 100 * float64(own) / float64(max(1, own+others))
	s.measured = fmt.Sprintf("%.1f %%", got)
	if !v.Serves() {
		s.measured += ", " + v.Status
	}
	s.see(f.near(got) && v.Serves(), "its view of %s is %s, weight %d beside %d of the others", u.Name(), v.Status, own, others)
	return nil
}

// Healed holds when the node runs as its container was made, and every
// balancer serves it with its full weight.
func (f Canary) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	fl, err := f.fleet(nodes)
	if err != nil {
		return Proof{}, err
	}
	return fl.healed(ctx)
}
