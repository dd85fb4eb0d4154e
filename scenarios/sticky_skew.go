package scenarios

import (
	"fmt"
	"strconv"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/topology"
)

// lightTenant and heavyTenant are requests a second beside the 125 of the
// mix: with two nodes they move a node's share by 4.4 and by 21.5 points.
const (
	lightTenant = 12
	heavyTenant = 94
	// maxLoadSkew is the bound on a node's share of all requests, in
	// percentage points.
	maxLoadSkew = 13
)

// StickySkew has one user with many requests, all of them bound to one node.
func StickySkew() harness.Scenario {
	mix := load.Default()
	mix.SessionOps = 10 // the more sessions, the more even is their share
	return harness.Scenario{
		Name:  "sticky-skew",
		About: "A large customer's single session sends many requests, and affinity binds them all to one node: no node may get more than 13 points beyond its share.",
		Story: `Affinity shares sessions, not work: a client that does much sticks to a node as
one that does little, and overloads it (seed 003 §6.2: "instance overload karena
client besar menempel di node tertentu", a large client that sticks to a node).
The balancer's own statistics of new sessions look even.

One customer's integration logs in once and then reads that session 12 times a
second, beside the mix of 125. New sessions must be shared evenly, and so must
the requests, whoever sends them, as the balancers' logs count them: with n
nodes, a mix of R requests a second and a tenant of t, its node is
t / (R + t) · (1 − 1/n) above its share: 4.4 points here. 13 are allowed, since
some 350 sessions that begin on nodes that are drawn differ by a few points
themselves. A tenant of 94 makes it 21.5, and then half of the users
share their node with it.

With affinity by the client's address (balance source) all users behind one
address are bound to one node: the whole mix, here. There is no fault at all.`,
		Tags:       []string{"session", "balancer"},
		Topology:   "jetty-ha",
		Load:       mix,
		Companions: []load.Companion{load.HeavyTenant{Rate: lightTenant}},
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 25 * time.Second},
		},
		Exercises: []string{"distribution"},
		Asserts: []assert.Checker{
			assert.Distribution{MaxLoadPercent: maxLoadSkew, Tenant: load.HeavyTenantUser},
			assert.SessionSurvival{Expect: assert.ExpectSurvive},
			assert.WriteLedger{},
			assert.ErrorBudget{},
			assert.Leftovers{},
		},
		Settings: []topology.Switch{
			{Key: "tenant-rate", Default: strconv.Itoa(lightTenant), About: "the large customer's requests a second, all in one session"},
		},
		Apply: applyStickySkew,
		Cases: []harness.Case{
			{
				Name: "a heavy tenant", Set: map[string]string{"tenant-rate": strconv.Itoa(heavyTenant)},
				Fails: []string{"distribution"}, Evidence: "load before",
			},
			{
				Name: "affinity by address", Set: map[string]string{"affinity": "source"},
				Fails: []string{"distribution"}, Evidence: "skew before",
			},
			{
				Name: "a heavy tenant without affinity", Set: map[string]string{"tenant-rate": strconv.Itoa(heavyTenant), "affinity": "off"},
			},
		},
	}
}

func applyStickySkew(s harness.Scenario, set map[string]string) (harness.Scenario, error) {
	text, ok := set["tenant-rate"]
	if !ok {
		return s, nil
	}
	rate, err := strconv.Atoi(text)
	if err != nil {
		return s, fmt.Errorf("--set tenant-rate=%s: want a whole number of requests a second, such as %d", text, lightTenant)
	}
	s.Companions[0] = load.HeavyTenant{Rate: rate}
	return s, nil
}
