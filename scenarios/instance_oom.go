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

// InstanceOOM lets the kernel kill one node's process for want of memory.
func InstanceOOM() harness.Scenario {
	return harness.Scenario{
		Name:  "instance-oom",
		About: "The kernel kills one node's process because its container reached its limit of memory: users fail over as in a crash, and the node comes back when it is given memory again.",
		Story: `Seed 003 §4.2 counts among the costs of state in an instance that its memory may
leak, and its §26 wants the heap watched. What happens at the end is not the
process's choice: the container's cgroup reaches its limit, and the kernel kills
what holds most. Nothing is logged by the application, no hook runs, and since the
process is not the container's first, the container runs on and the engine marks
nothing: only the kernel's own count tells, and it is the proof here. The limit is
a real one, lowered to 16 MiB above what the container uses, and something beside
the application takes more.

Before the kernel kills it reclaims: the pages of the program's own files go, and
are read again at once, so that for a while the node does little else. Measured
here: nothing to be seen in some runs, a second of slow answers in others. Nobody
bounds that while but the balancers' checks, which find a node that does not answer
within "detected/frozen".

Expected: at worst as of a frozen node, then as of any crash: the port refuses at
once, requests are sent to the other node, those in flight are of unknown outcome
and are retried under their key, sessions survive, and the users of the other node
notice nothing. The undo restores the limit and starts the process; the node is
served again once it is ready, and no memory, thread or connection is left in use.

The objective over the whole run is that of instance-freeze, 90 %: half of the users
may be away for "outage/frozen".`,
		Tags:     []string{"process", "load"},
		Topology: "jetty-ha",
		Load:     load.Default(),
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "killed", Kind: history.PhaseBreak, For: 8 * time.Second, Cover: []string{topology.BoundOutageFrozen}, Faults: []harness.Injection{
				{Label: "oom", Fault: fault.OutOfMemory{}, Aim: harness.OneApplication()},
			}},
			{Name: "restarted", Kind: history.PhaseRecover, For: 7 * time.Second, Cover: []string{topology.BoundRecovered}, Heal: []string{"oom"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"session-survival"},
		Asserts: []assert.Checker{
			assert.SessionSurvival{Expect: assert.ExpectSurvive},
			assert.WriteLedger{},
			assert.ErrorBudget{Overall: 90, OutageBound: topology.BoundOutageFrozen},
			assert.ReadinessGating{},
			assert.FailoverAnatomy{DetectBound: topology.BoundDetectFrozen},
			assert.BlastRadius{},
			assert.Recovery{},
			assert.Distribution{},
			assert.Leftovers{},
		},
		Cases: []harness.Case{
			{
				Name: "lying health check", Set: map[string]string{"check": "liar"}, Fails: []string{"failover-anatomy"}, Also: []string{"readiness-gating"}, Evidence: "down (at most",
				Because: "a check that always answers neither takes the dead node out nor keeps the cold one out",
			},
			{
				Name: "sessions in memory", Set: map[string]string{"sessions": "memory"}, Fails: []string{"session-survival"}, Also: []string{"error-budget"}, Evidence: "replaced by a new session",
				Because: "a user whose session is gone reads nothing and cannot log out: 404 until the next write begins a new session",
			},
		},
	}
}
