package docker

import (
	"fmt"
	"testing"
	"time"

	"github.com/moby/moby/api/types/system"
	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func TestAPIBefore(t *testing.T) {
	for _, version := range []string{"1.40", "0.99", "", "x"} {
		require.True(t, apiBefore(version, "1.41"), version)
	}
	for _, version := range []string{"1.41", "1.100", "2.0"} {
		require.False(t, apiBefore(version, "1.41"), version)
	}
}

func TestCheckClock(t *testing.T) {
	asked := time.Date(2026, 11, 20, 12, 0, 1, 0, time.UTC)
	require.True(t, checkClock("2026-11-20T12:00:00.9Z", asked).OK)
	require.True(t, checkClock("2026-11-20T13:00:01.1+01:00", asked).OK)
	late := checkClock("2026-11-20T12:00:03Z", asked)
	require.False(t, late.OK)
	require.Contains(t, late.Detail, "2s")
	require.Contains(t, late.Mend, "chrony")
	require.False(t, checkClock("yesterday", asked).OK)
}

func TestChecksSayHowToMend(t *testing.T) {
	checks := []Check{checkCores(1), checkLimits(system.Info{MemoryLimit: true}), features[0].check(false), features[4].check(false)}
	for _, c := range checks {
		require.False(t, c.OK, c.Name)
		require.NotEmpty(t, c.Mend, c.Name)
		require.NotEmpty(t, c.Detail, c.Name)
	}
	require.False(t, features[0].check(false).Optional, "no faults without packet filters")
	require.True(t, features[4].check(false).Optional)
	disk := diskCheck(fmt.Errorf("%w: no such file", errUnlimited))
	require.False(t, disk.OK)
	require.True(t, disk.Optional, "every other fault does without")
	require.Contains(t, disk.Detail, "no such file")
	for _, c := range []Check{diskCheck(nil), checkCores(2), checkLimits(system.Info{MemoryLimit: true, CPUShares: true}), features[0].check(true)} {
		require.True(t, c.OK, c.Name)
		require.Empty(t, c.Mend, c.Name)
	}
}

func TestParseFeatures(t *testing.T) {
	require.Equal(t, map[string]bool{"packet filters": true, "addresses": true}, parseFeatures("packet filters\naddresses\n"))
	for _, f := range features {
		require.Contains(t, featureScript(), "echo '"+f.name+"'")
	}
}

func TestMemory(t *testing.T) {
	have, ok := parseAvailable([]byte("MemTotal:       24684544 kB\nMemFree: 1 kB\nMemAvailable:   2048 kB\n"))
	require.True(t, ok)
	require.EqualValues(t, 2<<20, have)
	_, ok = parseAvailable([]byte("MemTotal: 1 kB\n"))
	require.False(t, ok)
	_, ok = parseAvailable([]byte("MemAvailable: many kB\n"))
	require.False(t, ok)
	require.EqualValues(t, 364<<20, memoryNeeded(topology.Spec{Nodes: []topology.NodeSpec{{Memory: 300 << 20}, {}}}))
}
