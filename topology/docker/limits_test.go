package docker

import (
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func TestLimitsAreTheEnginesResources(t *testing.T) {
	for name, tc := range map[string]struct {
		limits topology.Limits
		want   container.Resources
	}{
		"none":   {topology.Limits{}, container.Resources{Memory: 1 << 60, MemorySwap: 1 << 60, CPUQuota: -1, CPUPeriod: 100_000}},
		"memory": {topology.Limits{Memory: 64 << 20}, container.Resources{Memory: 64 << 20, MemorySwap: 64 << 20, CPUQuota: -1, CPUPeriod: 100_000}},
		"both":   {topology.Limits{Memory: 64 << 20, CPU: 0.25}, container.Resources{Memory: 64 << 20, MemorySwap: 64 << 20, CPUQuota: 25_000, CPUPeriod: 100_000}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tc.want, resourcesOf(tc.limits))
			require.Equal(t, tc.limits, limitsOf(tc.want))
		})
	}
	require.Equal(t, topology.Limits{CPU: 1.5}, limitsOf(container.Resources{NanoCPUs: 1_500_000_000}))
	require.Equal(t, topology.Limits{}, limitsOf(container.Resources{}))
}
