package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/fake"
)

// TestMain makes the program itself a command of the scripts, and lets the
// test binary be executed again as the reaper of a run, and as a program whose
// output nobody reads.
func TestMain(m *testing.M) {
	wiring.Agent()
	if os.Getenv(unreadEnv) != "" {
		os.Exit(unread())
	}
	testscript.Main(m, map[string]func(){"hachaos": main, "hachaos-on-record": onRecord})
}

// TestScript runs testdata/*.txtar, which read as documentation. `exits N
// command…` wants that exit code; $WORK/saved is the folder of a run over the
// topology in memory.
func TestScript(t *testing.T) {
	run := record(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
			return os.CopyFS(filepath.Join(e.WorkDir, "saved"), os.DirFS(run))
		},
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
		Condition:           condition,
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("UPDATE") != "",
	})
}

// condition is `[docker]`, which holds in tests that were built with that tag.
func condition(name string) (bool, error) {
	if name != "docker" {
		return false, fmt.Errorf("condition %q is not known: there is docker", name)
	}
	return withDocker, nil
}

// exits runs a command through `exec` and compares its exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE command [args]")
	}
	got := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		got = exitStatus(err)
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

// inMemory runs scenarios over the topology in memory.
func inMemory(driver *fake.Driver, dir string) harness.Runner {
	return harness.Runner{
		Driver: driver, Dir: dir, Version: "test", Suite: fake.Suite{},
		Lookup: func(string) (topology.Definition, error) { return fake.Definition(driver.Options), nil },
	}
}

// memoryKill is a scenario for it, of twelve seconds.
func memoryKill(asserts ...assert.Checker) harness.Scenario {
	return harness.Scenario{
		Name: "memory-kill", Topology: "memory-ha", Load: load.Config{Rate: 100},
		Phases: []harness.Phase{
			{Name: "steady", Kind: history.PhaseSteady, For: 4 * time.Second},
			{Name: "killed", Kind: history.PhaseBreak, For: 4 * time.Second, Faults: []harness.Injection{
				{Label: "kill", Fault: fault.InstanceKill{}, Aim: harness.OneApplication()},
			}},
			{Name: "restarted", Kind: history.PhaseRecover, For: 4 * time.Second, Heal: []string{"*"}},
		},
		Asserts: asserts,
	}
}

// record makes a short run in memory and in virtual time, which passes.
func record(t *testing.T) (dir string) {
	t.Helper()
	return recorded(t, harness.VerdictPass, assert.WriteLedger{}, assert.Leftovers{})
}

// recorded is such a run that is judged by these, and comes to a verdict.
func recorded(t *testing.T, want harness.Verdict, asserts ...assert.Checker) (dir string) {
	t.Helper()
	root := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var driver fake.Driver
		runner := inMemory(&driver, root)
		r, err := runner.Run(t.Context(), memoryKill(asserts...), harness.Options{Seed: 7, Command: "hachaos run memory-kill"})
		driver.Last().Shut()
		time.Sleep(time.Hour) // virtual: what still waits has ended
		require.NoError(t, err)
		require.Equal(t, want, r.Verdict, r.Reason)
		dir = r.Dir
	})
	return dir
}
