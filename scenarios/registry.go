// Package scenarios holds the built-in scenarios, one file each: the file
// instance_kill.go holds the scenario "instance-kill".
package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hachaos/hachaos/harness"
)

// all is the one registry, in the order of `hachaos list`.
var all = []func() harness.Scenario{
	InstanceKill,
	SSEResume,
	UnknownOutcome,
	BalancerRetry,
	OutboxLoss,
	SessionNodeLoss,
	NoAffinity,
	FailBack,
	ZombieWrite,
	SessionStoreLoss,
	SessionExpiry,
	StickySkew,
	UploadNodeLoss,
	CacheStaleness,
	JobSingleOwner,
	WebSocketReconnect,
	InstanceFreeze,
	InstanceStop,
	InstanceCrashLoop,
	InstanceOOM,
	ColdStart,
	TwoNodesLost,
	AllNodesRestarted,
	Drain,
	RollingDeploy,
	RollingDeployNoDrain,
	Rollback,
	VersionSkew,
	SchemaExpandContract,
	BlueGreen,
	Canary,
	ConfigDrift,
	DBDown,
	DBRestart,
	DBBlackHole,
	DBPartitionOneNode,
	DBSlow,
	DBDiskSlow,
	BalancerKill,
	BalancerFreeze,
	BalancerReload,
	TimeoutsOutOfStep,
	VIPFailover,
	VIPSplitBrain,
	NetworkLoss,
	SlowNetwork,
	StaleARP,
	DependencySlow,
	DependencyDown,
	DBConnectionCeiling,
	DBDiskFull,
	DBPoolExhausted,
	ShallowHealthCheck,
	ConstantReady,
}

// All returns every scenario, in a fixed order.
func All() []harness.Scenario {
	list := make([]harness.Scenario, len(all))
	for i, make := range all {
		list[i] = make()
	}
	return list
}

// Lookup returns the scenario of that name. The error names the nearest ones.
func Lookup(name string) (harness.Scenario, error) {
	names := []string{}
	for _, s := range All() {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return harness.Scenario{}, fmt.Errorf("no scenario %q: %s", name, hint(name, names))
}

func hint(name string, names []string) string {
	near := harness.Nearest(name, names)
	if len(near) == 0 {
		slices.Sort(names)
		return "there are " + strings.Join(names, ", ")
	}
	return "did you mean " + strings.Join(near, " or ") + "? `hachaos list` shows all"
}
