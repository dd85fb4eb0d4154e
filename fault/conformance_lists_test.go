package fault_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/fault/faulttest"
)

// aimed is a fault and the nodes that it is tested on.
type aimed struct {
	fault.Fault
	nodes []string
}

// vipOwner stands for the balancer that owns the VIP.
const vipOwner = "the VIP's owner"

// jettyPort is where the fixture's application serves.
const jettyPort = 8080

// onStack are the faults that TestDockerConformance holds to the suite.
func onStack() (all []aimed) {
	for _, f := range []fault.Fault{
		fault.InstanceKill{Port: jettyPort},
		fault.ProcessCrash{Port: jettyPort},
		fault.PowerLoss{Port: jettyPort},
		fault.InstanceFreeze{Port: jettyPort},
		fault.ProcessFreeze{Port: jettyPort},
		fault.InstanceStop{Port: jettyPort},
		fault.InstanceRestart{Port: jettyPort},
		fault.InstanceRestart{Port: jettyPort, Kill: true},
		fault.CrashLoop{Port: jettyPort, Life: time.Second, Rest: 300 * time.Millisecond},
		fault.SlowStart{Delay: 10 * time.Second},
	} {
		all = append(all, aimed{f, []string{"j1"}})
	}
	for _, f := range []fault.Fault{
		fault.Drain{Server: "j1"},
		fault.Maintenance{Server: "j1"},
		fault.Weight{Server: "j1", Weight: 20},
		fault.HealthCheckLiar{Server: "j1"},
	} {
		all = append(all, aimed{f, []string{"lb1", "lb2"}})
	}
	for _, f := range []fault.Fault{
		fault.DatabaseBlackHole{},
		fault.DatabaseCrash{},
		fault.DatabaseDown{},
		fault.DatabaseDown{Stop: true},
		fault.DatabaseFreeze{},
		fault.DatabaseRestart{Pause: time.Second},
	} {
		all = append(all, aimed{f, []string{"db"}})
	}
	for _, f := range []fault.Fault{
		fault.DatabaseCut{},
		fault.Latency{Delay: 100 * time.Millisecond, Jitter: 20 * time.Millisecond},
		fault.Stall{},
		fault.NetworkCut{Peers: []string{"balancer"}},
		fault.NetworkCut{Peers: []string{"db", "toxi"}, Way: fault.Incoming},
		fault.PacketLoss{Peers: []string{"balancer"}, Percent: 5},
		fault.PacketLoss{Peers: []string{"balancer"}, Percent: 5, Way: fault.Outgoing},
		fault.ConnectionReset{Peers: []string{"balancer"}},
		fault.Bandwidth{KBit: 4000},
		fault.StaleARP{Peers: []string{"balancer", "db"}},
		fault.LinkLatency{Delay: 100 * time.Millisecond},
	} {
		all = append(all, aimed{f, []string{"j1"}})
	}
	all = append(all, aimed{fault.SessionCleanup{}, []string{"db"}})
	for _, f := range []fault.Fault{
		fault.BalancerKill{},
		fault.BalancerFreeze{},
		fault.BalancerReload{},
		fault.BalancerReload{Restart: true},
		fault.KeepalivedKill{},
		fault.KeepalivedFreeze{},
	} {
		all = append(all, aimed{f, []string{"lb1"}})
	}
	return append(all,
		aimed{fault.AddressRemoved{}, []string{vipOwner}},
		aimed{fault.ClockMoved{By: time.Minute, Port: jettyPort}, []string{"j1"}},
		aimed{fault.OutOfMemory{Port: jettyPort}, []string{"j1"}},
		aimed{fault.MemorySqueeze{Port: jettyPort}, []string{"j1"}},
		aimed{fault.CPUStarvation{Port: jettyPort}, []string{"j1"}},
		aimed{fault.VRRPCut{}, []string{"lb1", "lb2"}},
		aimed{fault.VRRPCut{}, []string{vipOwner}},
		aimed{fault.Drain{}, []string{"j1", "lb1", "lb2"}},
		aimed{fault.Weight{Weight: 20}, []string{"j1", "lb1", "lb2"}},
		aimed{fault.NetworkCut{Peers: []string{fault.Clients}}, []string{"j1"}},
		aimed{fault.LinkLatency{Delay: 200 * time.Millisecond, Jitter: 100 * time.Millisecond}, []string{"j1"}},
	)
}

// onResources are those that TestDockerConformanceOfResources does.
func onResources() []aimed {
	return []aimed{
		{fault.PoolLeak{Connections: 9}, []string{"j1"}},
		{fault.ThreadsExhausted{}, []string{"j1"}},
		{fault.ThreadsExhausted{Threads: 40}, []string{"j1"}},
		{fault.DependencySlow{Delay: 200 * time.Millisecond}, []string{"price"}},
		{fault.DependencyDown{}, []string{"price"}},
		{fault.RowLock{}, []string{"db"}},
		{fault.DatabaseSlowInside{Delay: 300 * time.Millisecond}, []string{"db"}},
		{fault.DatabaseReadOnly{}, []string{"db"}},
		{fault.ConnectionsUsedUp{}, []string{"db"}},
		{fault.DiskSlow{Writes: 100}, []string{"db"}},
		{fault.DiskFull{}, []string{"db"}},
	}
}

// deployments are those that TestDockerDeployments does.
func deployments() (all []aimed) {
	quick := fault.Rollout{Linger: 100 * time.Millisecond}
	for _, f := range []fault.Fault{
		fault.Deploy{Version: "2", Rollout: quick},
		fault.RollBack{Rollout: quick},
		fault.ConfigDrift{Set: map[string]string{"POOL_SIZE": "8"}, Rollout: quick},
		fault.Canary{Version: "2", Share: 20, Rollout: quick},
	} {
		all = append(all, aimed{f, []string{"j1", "lb1", "lb2"}})
	}
	return append(all,
		aimed{fault.BlueGreen{Version: "2", Rollout: quick}, []string{"j1", "j2", "lb1", "lb2"}},
		aimed{fault.SchemaChange{Step: fault.StepExpand}, []string{"db"}},
		aimed{fault.SchemaChange{Step: fault.StepContract}, []string{"db"}})
}

// amidOrders are those that TestDockerTransactionKill does.
func amidOrders() (all []aimed) {
	for _, point := range []string{fault.AfterCommit, fault.BeforeCommit} {
		all = append(all, aimed{fault.TransactionKill{Point: point, Port: jettyPort}, []string{"j1"}})
	}
	return all
}

// TestEveryKindConforms: each kind of fault, and each of its modes that acts by
// other means, is held to the suite on containers.
func TestEveryKindConforms(t *testing.T) {
	var kinds []string
	all := slices.Concat(onStack(), onResources(), deployments(), amidOrders())
	for _, one := range all {
		require.NoError(t, one.Validate(), one.Kind())
		kinds = append(kinds, one.Kind())
	}
	slices.Sort(kinds)
	require.Equal(t, fault.Kinds(), slices.Compact(kinds))
	for _, mode := range []fault.Fault{
		fault.SchemaChange{Step: fault.StepContract},
		fault.TransactionKill{Point: fault.BeforeCommit, Port: jettyPort},
		fault.DatabaseDown{Stop: true},
		fault.BalancerReload{Restart: true},
		fault.ThreadsExhausted{Threads: 40},
	} {
		require.True(t, slices.ContainsFunc(all, func(one aimed) bool { return one.Fault == mode }), "%+v", mode)
	}
}

// beside is the fault that another is tested to overlap with: the maintenance of a
// second node, which the most of them leave alone.
func beside(f fault.Fault) *faulttest.Other {
	balancers := []string{"lb1", "lb2"}
	switch f.(type) {
	case fault.Deploy, fault.RollBack, fault.Canary, fault.BlueGreen, fault.ConfigDrift:
		return nil // they give the balancers orders of their own
	case fault.BalancerKill, fault.BalancerFreeze, fault.BalancerReload:
		// HAProxy's orders end with it.
		return &faulttest.Other{Fault: fault.DatabaseBlackHole{}, On: []string{"db"}}
	case fault.Drain, fault.HealthCheckLiar: // maintenance would hide the latter
		return &faulttest.Other{Fault: fault.Weight{Server: "j1", Weight: 30}, On: balancers}
	case fault.Maintenance: // of a server that drains
		return &faulttest.Other{Fault: fault.Drain{Server: "j1"}, On: balancers}
	case fault.DatabaseCut, fault.Latency, fault.Stall, fault.StaleARP:
		return &faulttest.Other{Fault: fault.NetworkCut{Peers: []string{"j2"}}, On: []string{"j1"}}
	case fault.NetworkCut, fault.PacketLoss, fault.ConnectionReset:
		return &faulttest.Other{Fault: fault.StaleARP{Peers: []string{"j2"}}, On: []string{"j1"}}
	case fault.RowLock:
		return &faulttest.Other{Fault: fault.DatabaseReadOnly{}, On: []string{"db"}}
	}
	return &faulttest.Other{Fault: fault.Maintenance{Server: "j2"}, On: balancers}
}
