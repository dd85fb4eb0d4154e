package scenarios

import (
	"fmt"
	"time"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/topology"
)

// DBBlackHole has every packet to and from the database vanish.
func DBBlackHole() harness.Scenario {
	return harness.Scenario{
		Name:  "db-black-hole",
		About: "The database's packets vanish, so that nothing is refused and nothing answers: limits of time alone keep the nodes alive, and all recover by themselves.",
		Story: `A firewall's new rule, a dead switch, a host that lost its power: the database is
not down, it is silent. No connection is refused or reset; those that the pools
hold look alive, and a statement sent on one waits for an answer that never
comes. Without a limit of time on each of them (the driver's socketTimeout and
connectTimeout, the pool's wait) the pool's connections hang first, then the
threads that wait for one; TCP itself gives up after a quarter of an hour.

What is expected is the contract of db-down (seed 003 §27.3): clear refusals
within the stated time, no thread and no queue exhausted, liveness up, readiness
down, nobody restarted. When the packets flow again, what hangs on the old
connections is given up within the driver's limit, and all is steady within the
bound that follows from it.

With --set by=freeze the packets arrive, and the database's processes are frozen: its
kernel takes connections, and nobody answers on them. What was sent and given up is
carried out after the thaw, when nobody waits for it any more, so that the ledger has
to bear that, too.`,
		Tags:     []string{"database", "network"},
		Topology: "jetty-ha",
		Load:     load.Default(),
		Phases: []harness.Phase{
			{Name: "warm-up", Kind: history.PhaseWarmUp, For: 4 * time.Second},
			{Name: "steady", Kind: history.PhaseSteady, For: 9 * time.Second},
			{Name: "black hole", Kind: history.PhaseBreak, For: 9 * time.Second, Cover: []string{topology.BoundAnswered}, Faults: []harness.Injection{
				{Label: "hole", Fault: fault.DatabaseBlackHole{}, Aim: harness.All(topology.Database)},
			}},
			{Name: "back", Kind: history.PhaseRecover, For: 8 * time.Second, Cover: []string{topology.BoundReconnected}, Heal: []string{"hole"}},
			{Name: "steady again", Kind: history.PhaseSteady, For: 9 * time.Second},
		},
		Exercises: []string{"overload-contract"},
		Asserts:   judgedWithoutDatabase(),
		Settings: []topology.Switch{
			{Key: "by", Values: []string{"packets", "freeze"}, Default: "packets", About: "what is silent: the network, all packets of the database vanishing, or the database itself, frozen"},
		},
		Apply: applyBlackHole,
		Cases: []harness.Case{
			{
				Name: "no limits of the driver", Set: map[string]string{"db-timeouts": "off"}, Fails: []string{"overload-contract"}, Also: []string{"recovery"}, Evidence: "queue",
				Because: "statements hang on the old connections until TCP tries again, which is seconds after the heal",
			},
			{
				Name: "unbounded wait for the pool", Set: map[string]string{"pool-wait": "unbounded"}, Fails: []string{"overload-contract"}, Also: []string{"recovery"}, Evidence: "queue",
				Because: "requests whose users have gone hold threads until the pool's minute is over, which is after the heal",
			},
			{Name: "constant readiness", Set: map[string]string{"readiness": "constant", "warmup": "0s"}, Fails: []string{"readiness-gating"}, Evidence: "after unready"},
			{Name: "frozen", Set: map[string]string{"by": "freeze"}},
		},
	}
}

// applyBlackHole chooses what is silent.
func applyBlackHole(s harness.Scenario, set map[string]string) (harness.Scenario, error) {
	switch by := set["by"]; by {
	case "", "packets":
	case "freeze":
		s.Phases[2].Faults[0].Fault = fault.DatabaseFreeze{}
	default:
		return s, fmt.Errorf("--set by=%s: want packets or freeze", by)
	}
	return s, nil
}
