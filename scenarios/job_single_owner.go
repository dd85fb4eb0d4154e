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

// JobSingleOwner takes a scheduled job's owner out in three ways.
func JobSingleOwner() harness.Scenario {
	return harness.Scenario{
		Name:  "job-single-owner",
		About: "The owner of a scheduled job is frozen past its lease and woken, has its clock moved, and is killed: the job is never done by two, and never by nobody for long.",
		Story: `If all nodes run the same job, its side effects happen two and three times over
(seed 003 §18). The strategy for simple cluster jobs that it names is a lease in
the database, and its rules are what is tested here: the lock has an expiry, its
owner renews it, the operation stays right although the lock leaks, clock skew
is reckoned with, and the job leaves an audit record.

The job is due once in every slot of 500 ms; its effect is a row with the slot,
the owner and the owner's fencing token, and the rows are read from the database
in the end. Three times the node that owns the lease then is struck:

  frozen   its lease runs out and another takes over. Woken, it still believes
           that it is the owner, and would write at once: only the token that
           is looked at in the same statement as the write keeps it from that.
  clock    its wall clock is a minute ahead, and then right again. Leases and
           slots go by the database's clock, so that nothing happens; by the
           node's own, the job would be done ahead and then not for a minute.
  killed   its lease runs out and another takes over.

No slot may be done twice, no effect may come under an older token after one
under a newer, and the job may rest no longer than a slot, the lease, and the
poll of who takes it over: the bound "job". What the users notice of a frozen
or a killed node is for instance-freeze and instance-kill to say.`,
		Tags:       []string{"jobs", "process", "clock"},
		Topology:   "jetty-ha",
		Load:       load.Default(),
		Set:        map[string]string{"jobs": "lease", "clock": "movable"},
		Companions: []load.Companion{load.ScheduledJob{}},
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "frozen", Kind: history.PhaseBreak, For: 6 * time.Second, Cover: []string{topology.BoundJob}, Faults: []harness.Injection{
				{Label: "freeze", Fault: fault.InstanceFreeze{}, Aim: harness.JobOwner()},
			}},
			{Name: "woken", Kind: history.PhaseRecover, For: 5 * time.Second, Heal: []string{"freeze"}},
			{Name: "clock ahead", Kind: history.PhaseBreak, For: 6 * time.Second, Cover: []string{topology.BoundJob}, Faults: []harness.Injection{
				{Label: "clock", Fault: fault.ClockMoved{By: time.Minute}, Aim: harness.JobOwner()},
			}},
			{Name: "clock right", Kind: history.PhaseRecover, For: 6 * time.Second, Cover: []string{topology.BoundJob}, Heal: []string{"clock"}},
			{Name: "killed", Kind: history.PhaseBreak, For: 6 * time.Second, Cover: []string{topology.BoundJob}, Faults: []harness.Injection{
				{Label: "kill", Fault: fault.InstanceKill{}, Aim: harness.JobOwner()},
			}},
			{Name: "restarted", Kind: history.PhaseRecover, For: 8 * time.Second, Heal: []string{"kill"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"single-owner"},
		Asserts: []assert.Checker{
			assert.SingleOwner{Bound: topology.BoundJob},
			assert.WriteLedger{},
			assert.Leftovers{},
		},
		Cases: []harness.Case{
			{Name: "no lease", Set: map[string]string{"jobs": "every"}, Fails: []string{"single-owner"}, Evidence: "done twice"},
			{Name: "no fencing", Set: map[string]string{"jobs": "unfenced"}, Fails: []string{"single-owner"}, Evidence: "older token"},
			{Name: "by the node's own clock", Set: map[string]string{"jobs": "own-clock"}, Fails: []string{"single-owner"}, Evidence: "nobody did the job"},
		},
	}
}
