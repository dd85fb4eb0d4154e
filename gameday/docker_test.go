//go:build docker

package gameday_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/gameday"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/runbook"
	"github.com/hachaos/hachaos/scenarios"
)

// TestMain lets the reaper be started from this binary.
func TestMain(m *testing.M) {
	wiring.Agent()
	os.Exit(m.Run())
}

// attempts is how often an inconclusive proof is made.
const attempts = 3

// TestDockerRunbooks proves the runbooks that come with hachaos, without their
// controls: one of them, by the rotation's seed, or all where there is no
// rotation. `make runbooks` makes the controls.
func TestDockerRunbooks(t *testing.T) {
	files, err := filepath.Glob("../runbooks/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	if seed, err := strconv.ParseUint(os.Getenv("HACHAOS_ROTATION"), 10, 64); err == nil {
		one := seed % uint64(len(files))
		files = files[one : one+1]
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { proves(t, file) })
	}
}

// staged is what a runbook's run takes: the runbook, its incident, and an engine.
func staged(t *testing.T, file string) (*runbook.Runbook, harness.Scenario, *wiring.Session) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	book, err := runbook.Parse(file, text)
	require.NoError(t, err)
	incident, err := scenarios.Lookup(book.Front.Incident)
	require.NoError(t, err)
	session, err := wiring.Open(t.Context(), t.TempDir(), "test")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, session.Close()) })
	return book, incident, session
}

func proves(t *testing.T, file string) {
	book, incident, session := staged(t, file)
	trial := gameday.Trial{
		Book: book, Incident: incident, Runner: *session.Runner, Options: harness.Options{Set: book.Front.Set, Short: true},
		Progress: func(e gameday.Entry) { t.Logf("line %d: %s %s %s", e.Line, e.Kind, e.Node, e.Err) },
	}
	for attempt := 1; ; attempt++ {
		r, err := gameday.Verify(t.Context(), trial, nil, nil, nil)
		require.NoError(t, err)
		t.Log(r.Reason)
		if r.Verdict == harness.VerdictPass {
			return
		}
		require.Equal(t, harness.VerdictInconclusive, r.Verdict, "%s: %s", file, r.Reason)
		if attempt == attempts {
			t.Skipf("no verdict on this machine: %s", r.Reason)
		}
	}
}
