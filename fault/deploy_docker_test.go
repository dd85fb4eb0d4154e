//go:build docker

package fault_test

import (
	"testing"
	"time"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/fault/faulttest"
	"github.com/hachaos/hachaos/topology"
)

// TestDockerDeployments holds the deployments to the suite, over containers
// alone: a release is what the image's own scripts make of an environment,
// which a node in memory could only pretend, and a step of the schema is the
// database's own. A rotation takes one of them by its seed.
func TestDockerDeployments(t *testing.T) {
	quick := fault.Rollout{Linger: 100 * time.Millisecond}
	var all []aimed
	for _, f := range []fault.Fault{
		fault.Deploy{Version: "2", Rollout: quick},
		fault.RollBack{Rollout: quick},
		fault.ConfigDrift{Set: map[string]string{"POOL_SIZE": "8"}, Rollout: quick},
		fault.Canary{Version: "2", Share: 20, Rollout: quick},
	} {
		all = append(all, aimed{f, []string{"j1", "lb1", "lb2"}})
	}
	all = append(all,
		aimed{fault.BlueGreen{Version: "2", Rollout: quick}, []string{"j1", "j2", "lb1", "lb2"}},
		aimed{fault.SchemaChange{Step: fault.StepExpand}, []string{"db"}})
	turn := drawn(t, len(all))
	c := standing(t)
	for i, one := range all {
		t.Run(one.Kind(), func(t *testing.T) {
			if turn >= 0 && i != turn {
				t.Skip("left out by the rotation: `make test-all` runs it")
			}
			faulttest.Suite{
				New:    func() fault.Fault { return one.Fault },
				Wrong:  wrongUnlessDrawn(one.Fault, turn),
				Nodes:  func(t *testing.T) []topology.Node { return readyNodes(t, c, one.nodes) },
				Settle: 30 * time.Second,
			}.Run(t)
		})
	}
}
