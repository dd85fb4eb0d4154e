package scenarios_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/scenarios"
	"github.com/hachaos/hachaos/topology"
)

const (
	// longest is what a run may take on a topology that stands.
	longest = 90 * time.Second
	// around is what a run takes before and after its phases: it looks at the
	// topology, begins the load and ends it, reads the databases and the logs,
	// judges and writes its report. Six to nine seconds of it were measured in
	// runs of 33 to 43 s.
	around = 10 * time.Second
	// takenOut is what a node of a deployment takes from its drain until it is
	// empty: its sessions linger for a second, and what has begun by then is
	// answered within a quarter, which an order works, and a little. The grace
	// period is for requests that are not.
	takenOut = 1500 * time.Millisecond
)

// No scenario lasts longer than 90 s as it stands on its first profile, however
// long its warm-up and its deployments may be. Other profiles extend phases by
// what they cost.
func TestNoScenarioLastsLongerThanNinetySeconds(t *testing.T) {
	awaited := 0
	for _, s := range scenarios.All() {
		phases, at := phasesOf(t, s, false), acts(t, s)
		lasts := around
		for i, p := range phases {
			lasts += p.For
			if p.Kind == history.PhaseWarmUp {
				lasts += 2 * p.For // it is prolonged by at most this
			}
			if !s.Phases[i].Await {
				continue // it does not wait for what it begins
			}
			for _, in := range s.Phases[i].Faults {
				lasts += at[in.Label]
			}
			for _, label := range s.Phases[i].Heal {
				require.Contains(t, at, label, "%s: phase %q", s.Name, s.Phases[i].Name)
				lasts += at[label]
			}
			awaited++
		}
		require.LessOrEqual(t, lasts, longest, "%s: its phases, its deployments, and what is around them", s.Name)
	}
	require.Greater(t, awaited, 10, "the phases that wait are not found")
}

// acts are how long each fault's act, and its heal, take if all is well, by the
// fault's label: what the topology's bounds say of it, and never more than the
// fault itself is given, which is for the largest topology at the end of its
// patience.
func acts(t *testing.T, s harness.Scenario) map[string]time.Duration {
	t.Helper()
	var r harness.Runner
	resolved, err := r.Resolved(s, harness.Options{})
	require.NoError(t, err)
	recovered, ok := resolved.Spec.Bound(topology.BoundRecovered)
	require.True(t, ok)
	served, ok := resolved.Spec.Bound(topology.BoundReady)
	require.True(t, ok)
	each := takenOut + recovered.Limit + served.Limit
	applications := 0
	for _, n := range resolved.Spec.Nodes {
		if n.Role == topology.Application {
			applications++
		}
	}
	out := map[string]time.Duration{}
	for _, p := range s.Phases {
		for _, in := range p.Faults {
			out[in.Label] = 0
			if l, ok := in.Fault.(fault.Lasting); ok {
				n, pause := oneByOne(in, applications)
				out[in.Label] = min(l.Takes(), time.Duration(n)*each+time.Duration(n-1)*pause)
			}
		}
	}
	return out
}

// oneByOne is how many application nodes a fault has in hand one after the
// other, and for how long it waits between two.
func oneByOne(in harness.Injection, applications int) (int, time.Duration) {
	n := 1
	if strings.HasPrefix(in.Aim.Name, "every "+string(topology.Application)) {
		n = applications
	}
	switch f := in.Fault.(type) {
	case fault.Deploy:
		return n, f.Pause
	case fault.RollBack:
		return n, f.Pause
	case fault.BlueGreen:
		return 2, 0 // a half at once
	}
	return n, 0
}
