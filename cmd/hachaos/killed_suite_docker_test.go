//go:build docker

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology/docker"
)

// TestDockerKilledSuiteLeavesNothing: hachaos dies by SIGKILL while a fault is
// in place on a topology that its runs share: its reapers remove that, too.
func TestDockerKilledSuiteLeavesNothing(t *testing.T) {
	d, dir := engine(t), t.TempDir()
	before, err := suites(t, d)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), program(t), "run", "instance-kill", "--repeat", "2", "--short", "--dir", dir)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool { return bites(dir) }, 3*time.Minute, 100*time.Millisecond, "its fault is seen to bite")
	during, err := suites(t, d)
	require.NoError(t, err)
	var own []string
	for name := range during {
		if !before[name] {
			own = append(own, name)
		}
	}
	require.NotEmpty(t, own, "the topology stands for both runs")
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	began := time.Now()
	require.Eventually(t, func() bool {
		left, err := suites(t, d)
		return err == nil && !slices.ContainsFunc(own, func(name string) bool { return left[name] })
	}, time.Minute, 100*time.Millisecond, "the reaper removes what the runs shared")
	t.Logf("removed %v after the kill", time.Since(began).Round(100*time.Millisecond))
}

// bites says whether the steps of a suite tell of a fault that bites.
func bites(dir string) bool {
	logs, _ := filepath.Glob(filepath.Join(dir, "*", "steps.log"))
	for _, name := range logs {
		if text, err := os.ReadFile(name); err == nil && strings.Contains(string(text), "bites") {
			return true
		}
	}
	return false
}

// suites are the topologies that stand for suites.
func suites(t *testing.T, d *docker.Driver) (map[string]bool, error) {
	t.Helper()
	list, err := d.Standing(t.Context())
	names := map[string]bool{}
	for _, s := range list {
		if strings.HasPrefix(s.Name, "suite-") {
			names[s.Name] = true
		}
	}
	return names, err
}
