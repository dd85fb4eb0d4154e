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

// UploadNodeLoss kills a node that has taken files.
func UploadNodeLoss() harness.Scenario {
	return harness.Scenario{
		Name:  "upload-node-loss",
		About: "A node is killed that has taken files: each file that was acknowledged is there through every other node.",
		Story: `A file that is kept on the disk of the node that took it is there until the next
request goes to another node, or until that node is gone (seed 003 §20, §29.1). While
files come in, each is looked at once more by another connection; then the node of
some of them is killed, and started again. In the end every node is asked for every
file, and must have it byte for byte.`,
		Tags:       []string{"process", "writes"},
		Topology:   "jetty-ha",
		Load:       load.Default(),
		Companions: []load.Companion{load.Uploads{Rate: 8, Size: 16 << 10}},
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "killed", Kind: history.PhaseBreak, For: 5 * time.Second, Cover: []string{topology.BoundOutageVanished}, Faults: []harness.Injection{
				{Label: "kill", Fault: fault.InstanceKill{}, Aim: harness.OneApplication()},
			}},
			{Name: "restarted", Kind: history.PhaseRecover, For: 7 * time.Second, Cover: []string{topology.BoundRecovered}, Heal: []string{"kill"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"upload-durability"},
		Asserts: []assert.Checker{
			assert.UploadDurability{},
			assert.WriteLedger{},
			assert.ErrorBudget{OutageBound: topology.BoundOutageVanished},
			assert.Leftovers{},
		},
		Cases: []harness.Case{
			{Name: "files on the node's disk", Set: map[string]string{"uploads": "disk"}, Fails: []string{"upload-durability"}, Evidence: "lost"},
		},
	}
}
