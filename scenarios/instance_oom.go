package scenarios

import (
	"time"

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

Expected: the same as of any crash: the port refuses at once, requests are sent to
the other node, those in flight are of unknown outcome and are retried under their
key, sessions survive. The undo restores the limit and starts the process; the
node is served again once it is ready, and no memory, thread or connection is left
in use.`,
		Tags:     []string{"process", "load"},
		Topology: "jetty-ha",
		Load:     load.Default(),
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 5 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 8 * time.Second},
			{Name: "killed", Kind: history.PhaseBreak, For: 8 * time.Second, Cover: []string{topology.BoundOutageRefused}, Faults: []harness.Injection{
				{Label: "oom", Fault: fault.OutOfMemory{}, Aim: harness.OneApplication()},
			}},
			{Name: "restarted", Kind: history.PhaseRecover, For: 7 * time.Second, Cover: []string{topology.BoundRecovered}, Heal: []string{"oom"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 8 * time.Second},
		},
		Exercises: []string{"session-survival"},
		Asserts:   lostAndBack(topology.BoundDetectRefused, topology.BoundOutageRefused),
		Cases: []harness.Case{
			{
				Name: "no redispatch", Set: map[string]string{"redispatch": "off"}, Fails: []string{"error-budget"}, Evidence: "without service for",
			},
		},
	}
}
