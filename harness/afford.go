package harness

import (
	"context"
	"errors"
	"fmt"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/topology"
)

// Afford reports the faults of s with opts that this machine's kernel cannot
// carry out, by name, with what to do instead. What the driver starts to find
// out, it removes; a scenario that demands nothing of the kernel asks nothing.
// Its errors wrap ErrUsage, but for one that says that it could not be found
// out. A driver that cannot tell is taken to have everything.
func (r *Runner) Afford(ctx context.Context, s Scenario, opts Options) error {
	p, err := resolve(s, opts, r.lookup(), nil)
	if err != nil {
		return err
	}
	return r.afford(ctx, p)
}

func (r *Runner) afford(ctx context.Context, p *resolved) error {
	kernel, ok := r.Driver.(topology.Featured)
	if !ok {
		return nil
	}
	var errs []error
	for _, f := range p.demanding() {
		has, err := kernel.Has(ctx, f.Demands())
		if err != nil {
			return fmt.Errorf("scenario %s: fault %s: %w", p.Name, f.Kind(), err)
		}
		if !has {
			errs = append(errs, usage("scenario %s: fault %s needs %s, which this machine's kernel has not: %s; `hachaos doctor` tells more",
				p.Name, f.Kind(), f.Demands(), f.Instead()))
		}
	}
	return errors.Join(errs...)
}

// demanding are the faults that not every kernel can carry out.
func (r *resolved) demanding() []fault.Demanding {
	var all []fault.Demanding
	for _, p := range r.Phases {
		for _, in := range p.Faults {
			if f, ok := in.Fault.(fault.Demanding); ok {
				all = append(all, f)
			}
		}
	}
	return all
}
