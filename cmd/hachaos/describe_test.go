package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/topology"
)

func TestDescribeSaysWhoSuffers(t *testing.T) {
	balancers := harness.All(topology.Balancer)
	for want, in := range map[string]harness.Injection{
		"instance-kill on node j1":                 {Fault: fault.InstanceKill{}, Aim: harness.Named("j1")},
		"drain of j1, told to every balancer node": {Fault: fault.Drain{Server: "j1"}, Aim: balancers},
		"drain of the application nodes among the node that serves u1 and every balancer node, told to the balancers among them": {
			Fault: fault.Drain{}, Aim: harness.Together(harness.ServingUser("u1"), balancers),
		},
	} {
		require.Equal(t, want, describeInjection(in))
	}
}
