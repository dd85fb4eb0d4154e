package scenarios

import (
	"fmt"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/topology"
)

// SchemaExpandContract migrates the schema in step with a deployment.
func SchemaExpandContract() harness.Scenario {
	return harness.Scenario{
		Name:  "schema-expand-contract",
		About: "A column gets another name in three steps, under load: the schema is expanded, version 2 is deployed, the schema is contracted. In step nobody notices; out of step nobody can order.",
		Story: `Version 2 keeps an order's quantity in a column of another name. No moment exists
at which all nodes change at once, so the change is made in the steps of seed 003
§14.1: expand (the new column beside the old, each kept in step with the other by
a trigger, and filled in from it), deploy what uses the new column, and contract
(trigger and old column go) only when no version is left that needs it. Each
statement holds its lock for as long as it runs and waits at most 3 s for it.

In step, both versions work at every moment: orders are placed and read by each,
whoever wrote them, and 99.9 % of all operations are good, as in a steady phase. The two cases are the two ways out of step. Deployed first,
version 2 writes a column that is not there. Contracted first, version 1, which
still serves, writes one that is gone. In both, "deploy and migrate in one
irreversible step" (seed 003 §28.7) is what it comes from.

After the load everything is taken back the other way round: the old column
returns, filled in from the new, version 1 is deployed, and the new column goes.`,
		Tags:       []string{"deployment", "database"},
		Topology:   "jetty-ha",
		Load:       load.Default(),
		Companions: []load.Companion{load.CrossReader{}},
		Set:        map[string]string{"v2-row": "new"},
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "expand", Kind: history.PhaseBreak, For: 2 * time.Second, Await: true, Faults: []harness.Injection{schemaStep(fault.StepExpand)}},
			{Name: "deploying", Kind: history.PhaseBreak, For: 3 * time.Second, Await: true, Faults: []harness.Injection{
				{Label: "deploy", Fault: fault.Deploy{Version: "2", Rollout: baked()}, Aim: everyNode()},
			}},
			{Name: "contract", Kind: history.PhaseBreak, For: 2 * time.Second, Await: true, Faults: []harness.Injection{schemaStep(fault.StepContract)}},
			{Name: "steady on version 2", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"version-skew"},
		Asserts:   deployed(assert.ErrorBudget{Overall: assert.DefaultSteady}, assert.VersionSkew{}),
		Settings: []topology.Switch{
			{Key: "order", Values: []string{"in-step", "deploy-first", "contract-first"}, Default: "in-step", About: "expand, deploy, contract; or deploy before the schema is expanded; or contract before version 1 is gone"},
		},
		Apply: applySchemaOrder,
		Cases: []harness.Case{
			{
				Name: "deployed before it is expanded", Set: map[string]string{"order": "deploy-first"}, Fails: []string{"version-skew", "error-budget"}, Evidence: "errors of a version",
				Because: "no order can be placed at version 2, while version 1 still takes them",
			},
			{
				Name: "contracted before it is deployed", Set: map[string]string{"order": "contract-first"}, Fails: []string{"version-skew", "error-budget"}, Evidence: "errors of a version",
				Because: "no order can be placed at version 1, while version 2 already takes them",
			},
		},
	}
}

// schemaStep is the injection of a step, under its own name.
func schemaStep(step string) harness.Injection {
	return harness.Injection{Label: step, Fault: fault.SchemaChange{Step: step}, Aim: harness.All(topology.Database)}
}

// applySchemaOrder changes which phase does what: the phases are expand,
// deploying and contract, from the third on.
func applySchemaOrder(s harness.Scenario, set map[string]string) (harness.Scenario, error) {
	expand, deploy, contract := &s.Phases[2], &s.Phases[3], &s.Phases[4]
	switch order := set["order"]; order {
	case "", "in-step":
	case "deploy-first":
		*expand, *deploy = *deploy, *expand
	case "contract-first":
		*deploy, *contract = *contract, *deploy
	default:
		return s, fmt.Errorf("--set order=%s: want in-step, deploy-first or contract-first", order)
	}
	return s, nil
}
