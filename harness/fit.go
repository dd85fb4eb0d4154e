package harness

import (
	"slices"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// Fitted returns the scenario with its phases extended to what the topology's
// bounds demand: a phase lasts at least twice the largest bound that it
// covers, rounded up to a second. s is not changed.
func (s Scenario) Fitted(spec topology.Spec) Scenario {
	s.Phases = slices.Clone(s.Phases)
	for i, p := range s.Phases {
		for _, name := range p.Cover {
			if b, ok := spec.Bound(name); ok {
				s.Phases[i].For = max(s.Phases[i].For, ceil(2*b.Limit, time.Second))
			}
		}
	}
	return s
}

func ceil(d, unit time.Duration) time.Duration {
	return (d + unit - 1) / unit * unit
}
