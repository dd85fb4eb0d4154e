//go:build docker

package main

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/docker"
)

// TestDockerKilledRunLeavesNothing: hachaos dies by SIGKILL while its fault is
// in place, and its reaper removes all that was the run's.
func TestDockerKilledRunLeavesNothing(t *testing.T) {
	d := engine(t)
	garbage, err := d.Garbage(t.Context())
	require.NoError(t, err)
	before := map[string]bool{}
	for _, l := range garbage {
		before[l.Name] = true
	}
	killWhileBroken(t, "run", "instance-kill", "--dir", t.TempDir())
	began := time.Now()
	require.Eventually(t, func() bool {
		left, err := d.Garbage(t.Context())
		return err == nil && !slices.ContainsFunc(left, func(l topology.Leftover) bool { return !before[l.Name] })
	}, time.Minute, 100*time.Millisecond, "the reaper removes what the run made")
	t.Logf("removed %v after the kill", time.Since(began).Round(100*time.Millisecond))
}

// TestDockerKilledRunHealsWhatStands: on a topology that `up` left, the
// reaper heals and removes nothing.
func TestDockerKilledRunHealsWhatStands(t *testing.T) {
	const name = "killed-run"
	d := engine(t)
	hachaos(t, "up", "--name", name)
	t.Cleanup(func() {
		if err := d.Down(context.Background(), name); err != nil {
			t.Errorf("down: %v", err)
		}
	})
	killWhileBroken(t, "run", "instance-kill", "--on", name, "--set", "victim=j1", "--dir", t.TempDir())
	began := time.Now()
	c, err := d.Attach(t.Context(), name)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return allRun(t, c) }, time.Minute, 100*time.Millisecond, "the reaper starts the node again")
	t.Logf("healed %v after the kill", time.Since(began).Round(100*time.Millisecond))
	ready, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, c.Ready(ready))
	require.NoError(t, c.Close(t.Context()), "let go of it")
	require.Contains(t, hachaos(t, "status"), name)
}

func engine(t *testing.T) *docker.Driver {
	t.Helper()
	d, err := docker.Open(t.Context(), docker.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func allRun(t *testing.T, c topology.Cluster) bool {
	t.Helper()
	for _, n := range c.Nodes() {
		box, ok := n.(topology.Container)
		require.True(t, ok)
		if s, err := box.Inspect(t.Context()); err != nil || !s.Running {
			return false
		}
	}
	return true
}

// program is this test binary under the name by which it is hachaos: see
// TestMain.
func program(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "hachaos")
	require.NoError(t, os.Symlink(self, path))
	return path
}

// hachaos runs a command to its end and returns its standard output.
func hachaos(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t), args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err, "hachaos %s", strings.Join(args, " "))
	return string(out)
}

// killWhileBroken starts a run and kills it, with SIGKILL, once its fault was
// seen to bite.
func killWhileBroken(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t), args...)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "bites") {
			require.NoError(t, cmd.Process.Kill())
			require.Error(t, cmd.Wait())
			return
		}
		t.Log(lines.Text())
	}
	require.Fail(t, "the run ended before its fault was seen to bite", "%v", cmd.Wait())
}
