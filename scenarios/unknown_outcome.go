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

// UnknownOutcome kills a node after an order's commit and before its answer.
func UnknownOutcome() harness.Scenario {
	return harness.Scenario{
		Name:  "unknown-outcome",
		About: "A node dies after an order's commit and before its answer; the client retries with the same key: the order is there once.",
		Story: `The request was carried out and nobody was told: the client cannot know whether to
try again (seed 003 §10.2, §30 question 2). With an idempotency key that is written
in the order's own transaction it may: the second attempt meets the first one's
answer.

A kill from outside meets this moment by chance. Here the application dies by
itself at a crash point between the commit and the answer, and leaves behind which
operation it was at, so that the record shows the very order that it was about.
With --set point=before-commit it dies a moment earlier: that order must not be
there until the retry places it.

What makes the retry safe is what the key stands for: one request, of one tenant
(seed 003 §11: same key and same request, same result; same key and another request,
409; the table's primary key is tenant and key). So other clients use keys of their
own again all the while, in these ways, through whichever node the balancer takes.`,
		Tags:       []string{"process", "writes"},
		Topology:   "jetty-ha",
		Load:       load.Default(),
		Companions: []load.Companion{load.Keys{Rate: 4}},
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "died", Kind: history.PhaseBreak, For: 5 * time.Second, Cover: []string{topology.BoundOutageRefused}, Faults: []harness.Injection{
				{Label: "die", Fault: fault.TransactionKill{}, Aim: harness.OneApplication()},
			}},
			{Name: "restarted", Kind: history.PhaseRecover, For: 7 * time.Second, Cover: []string{topology.BoundRecovered}, Heal: []string{"die"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"write-ledger", "key-contract"},
		Asserts: []assert.Checker{
			assert.WriteLedger{Require: assert.RequireUnknown},
			assert.KeyContract{},
			assert.SessionSurvival{Expect: "survive"},
			assert.ErrorBudget{OutageBound: topology.BoundOutageRefused},
			assert.ReadinessGating{},
			assert.Leftovers{},
		},
		Settings: []topology.Switch{
			{Key: "point", Values: []string{fault.AfterCommit, fault.BeforeCommit}, Default: fault.AfterCommit, About: "where in an order's transaction the node dies"},
		},
		Apply: func(s harness.Scenario, set map[string]string) (harness.Scenario, error) {
			s.Phases[2].Faults[0].Fault = fault.TransactionKill{Point: set["point"]}
			return s, nil
		},
		Cases: []harness.Case{
			{
				Name: "no deduplication", Set: map[string]string{"dedupe": "off"}, Fails: []string{"write-ledger", "key-contract"}, Evidence: "duplicate",
				Says:    map[string]string{"key-contract": "got 201 and order"},
				Because: "a key that nobody keeps stands for nothing, whether its client heard an answer or not",
			},
			{Name: "key shared by the tenants", Set: map[string]string{"dedupe": "unscoped"}, Fails: []string{"key-contract"}, Evidence: "another tenant's order"},
			{Name: "request not compared", Set: map[string]string{"dedupe": "unhashed"}, Fails: []string{"key-contract"}, Evidence: "other request answered"},
			{Name: "key kept after the commit", Set: map[string]string{"dedupe": "late"}, Fails: []string{"write-ledger"}, Evidence: "duplicate"},
			{Name: "before the commit", Set: map[string]string{"point": fault.BeforeCommit}},
		},
	}
}
