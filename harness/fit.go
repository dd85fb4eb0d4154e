package harness

import (
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

// Of the short form: see Options.Short.
const (
	shortShare = 0.6
	shortLeast = 3 * time.Second
	// shortSteady is how many operations a steady phase keeps: 99.9 % takes
	// at least 1000 to be judged.
	shortSteady = 1100
)

// longestSteady bounds what a low rate makes of a steady phase.
const longestSteady = time.Minute

// stretched returns the scenario with steady phases in which a load that was lowered
// from the rate sends as many operations as before, since with fewer nothing can be
// said of the objective: but it makes none longer than a minute. s is not changed.
func (s Scenario) stretched(from int) Scenario {
	if s.Load.Rate <= 0 || s.Load.Rate >= from {
		return s
	}
	s.Phases = slices.Clone(s.Phases)
	for i, p := range s.Phases {
		if p.Kind == history.PhaseSteady {
			long := ceil(p.For*time.Duration(from)/time.Duration(s.Load.Rate), 100*time.Millisecond)
			s.Phases[i].For = max(p.For, min(long, longestSteady))
		}
	}
	return s
}

// shortened returns the scenario's short form. s is not changed.
func (s Scenario) shortened() Scenario {
	s.Phases = slices.Clone(s.Phases)
	for i, p := range s.Phases {
		least := shortLeast
		if p.Kind == history.PhaseSteady && s.Load.Rate > 0 {
			least = max(least, ceil(time.Second*shortSteady/time.Duration(s.Load.Rate), 100*time.Millisecond))
		}
		short := time.Duration(float64(p.For) * shortShare).Round(100 * time.Millisecond)
		s.Phases[i].For = min(p.For, max(short, least))
	}
	return s
}

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
