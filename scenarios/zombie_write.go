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

// zombieBudget is what is asked of the whole run, in percent: half of the
// users wait for timeout server while their node is frozen, until it is
// detected.
const zombieBudget = 85

// ZombieWrite freezes a node in the middle of its requests and thaws it when
// its sessions have long gone on elsewhere.
func ZombieWrite() harness.Scenario {
	mix := load.Default()
	mix.SessionOps = 60
	return harness.Scenario{
		Name:  "zombie-write",
		About: "A node freezes in the middle of its requests and wakes up when its sessions have gone on elsewhere: nothing that it then does undoes an update that was acknowledged.",
		Story: `A long garbage collection, a virtual machine that is moved, a host that swaps: a
node stands still and does not know it. Its sessions go on at the other node.
Then it wakes up, finishes what it was about to do, and saves the sessions as it
remembers them, over the newer ones: a zombie. The client of the frozen request
is long gone, so no error tells of it, and the lost updates were acknowledged by
a healthy node. Seed 003 wants the pauses of garbage collection watched (§26), and says
of external sessions that their locking and concurrency can be intricate (§7.3); this
is how.

Measured with Jetty's default cache and store: a counter at 2, the node frozen
with a request under way, 3, 4 and 5 acknowledged by the other node; after the
thaw the row says 3. Forgetting a session with its last request (evictionPolicy
0, or no cache) narrows that to requests that were frozen between reading the
session and saving it, for which a write works 200 ms here; Jetty's store updates
a row by its id alone and cannot tell. The store of the tuned profile saves a
session only over what its node has read of it (a fence: the time of the last
save is the version), so that the zombie's save is refused. No lease or lock of the
node's own would do in its place: it may stand still between looking at it and saving,
and only the store can tell that a writer is late (M. Kleppmann, How to do distributed
locking, 2016, which calls this fencing).

With the default cache the harm is wider and less plain: the thawed node goes on
holding the old copies of all its sessions, the other one holds its own and saves
it over the zombie's with the next request, and whoever comes to the thawed node
reads the past.

A frozen process accepts connections and never answers, so its users wait for
timeout server and for the health check to notice: the outage is bounded by
outage/frozen, and over the whole run 85 % is asked, not 99.5 %. A session lives
for 60 operations, half a minute, so that it is still in use at the thaw.`,
		Tags:     []string{"session", "process"},
		Topology: "jetty-ha",
		Load:     mix,
		Set:      map[string]string{"session-work": "200ms"},
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "frozen", Kind: history.PhaseBreak, For: 8 * time.Second, Cover: []string{topology.BoundOutageFrozen}, Faults: []harness.Injection{
				{Label: "freeze", Fault: fault.InstanceFreeze{}, Aim: harness.MostSessions()},
			}},
			{Name: "thawed", Kind: history.PhaseRecover, For: 5 * time.Second, Cover: []string{topology.BoundReady}, Heal: []string{"freeze"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"session-survival"},
		Asserts: []assert.Checker{
			assert.SessionSurvival{Expect: assert.ExpectSurvive},
			assert.WriteLedger{},
			assert.ErrorBudget{Overall: zombieBudget, OutageBound: topology.BoundOutageFrozen},
			assert.Leftovers{},
		},
		Cases: []harness.Case{
			{
				Name: "no fence", Set: map[string]string{"fence": "off"},
				Fails: []string{"session-survival"}, Evidence: "lost update",
			},
			{
				Name: "Jetty's default cache and store", Set: map[string]string{"cache": "default"},
				Fails: []string{"session-survival"}, Evidence: "stale read",
			},
			{Name: "no cache at all", Set: map[string]string{"cache": "null"}},
		},
	}
}
