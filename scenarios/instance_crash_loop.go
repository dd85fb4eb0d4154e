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

// InstanceCrashLoop has one node's process die again and again.
func InstanceCrashLoop() harness.Scenario {
	return harness.Scenario{
		Name:  "instance-crash-loop",
		About: "One application node's process dies again and again, each time a moment after it became ready: users on the other node notice nothing, and nothing is lost at any of its deaths.",
		Story: `A supervisor that never gives up (Restart=always with RestartSec=1, or a
container platform) meets a process that dies at its first real request, or of a
bad configuration: it starts, warms up, says that it is ready, is given users,
and dies. That is worse than one death, since each return takes users from the
healthy node and drops them again. The process here lives for 3 s, which is
about a second of service after boot and warm-up, and is started again 1 s after
its death.

Expected: readiness holds users back while it is cold (seed 003 §9.3: a node
must not be sent traffic before its warm-up is over), each death is refused and
redispatched like a single crash, orders of unknown outcome are retried under
their key, and no death costs more than the bound "outage/refused". The other
node's users notice nothing. When the loop ends the node comes back with one
start and stays.`,
		Tags:     []string{"process"},
		Topology: "jetty-ha",
		Load:     load.Default(),
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "crashing", Kind: history.PhaseBreak, For: 20 * time.Second, Faults: []harness.Injection{
				{Label: "loop", Fault: fault.CrashLoop{}, Aim: harness.OneApplication()},
			}},
			{Name: "mended", Kind: history.PhaseRecover, For: 7 * time.Second, Cover: []string{topology.BoundRecovered}, Heal: []string{"loop"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"session-survival", "blast-radius"},
		Asserts: []assert.Checker{
			assert.SessionSurvival{Expect: "survive"},
			assert.WriteLedger{},
			assert.ErrorBudget{OutageBound: topology.BoundOutageRefused},
			assert.ReadinessGating{},
			assert.BlastRadius{},
			assert.Recovery{},
			assert.Leftovers{},
		},
		Cases: []harness.Case{
			{Name: "constant readiness", Set: map[string]string{"readiness": "constant"}, Fails: []string{"readiness-gating"}, Evidence: "before ready"},
		},
	}
}
