package scenarios

import (
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/topology"
)

// CacheStaleness changes values that every node caches, and crashes one.
func CacheStaleness() harness.Scenario {
	return harness.Scenario{
		Name:  "cache-staleness",
		About: "Values change that each node caches for itself: no read is older than the stated tolerance, on any node, through a crash.",
		Story: `Each node has a cache of its own, and a change is made through one of them: the others
do not know of it until what they hold has lived its life (seed 003 §19, §23 "cache
inconsistent"). That is allowed for as long as the bound "stale" says, which is the life of
two seconds that is stated for a cached price, and no longer: --set price-life does not
move it.

Prices are raised once a second and read all the time, each time on a connection of
its own, so that any node may answer; one node crashes and comes back with an empty
cache. A cache whose values live for ever, with only a node's own changes put in, is
right in every test with one node.`,
		Tags:       []string{"process", "cache"},
		Topology:   "jetty-ha",
		Load:       load.Default(),
		Companions: []load.Companion{load.Prices{Items: 10, Every: time.Second, Reads: 40}},
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "crashed", Kind: history.PhaseBreak, For: 5 * time.Second, Cover: []string{topology.BoundOutageRefused}, Faults: []harness.Injection{
				{Label: "crash", Fault: fault.ProcessCrash{}, Aim: harness.OneApplication()},
			}},
			{Name: "restarted", Kind: history.PhaseRecover, For: 7 * time.Second, Cover: []string{topology.BoundRecovered}, Heal: []string{"crash"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"staleness"},
		Asserts: []assert.Checker{
			assert.Staleness{Bound: topology.BoundStale},
			assert.ErrorBudget{OutageBound: topology.BoundOutageRefused},
			assert.Leftovers{},
		},
		Cases: []harness.Case{
			{Name: "a cache without end", Set: map[string]string{"price-life": "0s"}, Fails: []string{"staleness"}, Evidence: "stale read"},
		},
	}
}
