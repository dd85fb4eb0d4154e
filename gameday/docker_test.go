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
	for _, file := range runbooks(t) {
		t.Run(filepath.Base(file), func(t *testing.T) { proves(t, file) })
	}
}

// runbooks are those that come with hachaos, or the rotation's one of them.
func runbooks(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../runbooks/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	if seed, err := strconv.ParseUint(os.Getenv("HACHAOS_ROTATION"), 10, 64); err == nil {
		one := seed % uint64(len(files))
		files = files[one : one+1]
	}
	return files
}

// TestDockerChecks carries the health checks that come with hachaos out during a
// runbook's incident: each must be made, and have its states looked at. What they
// are worth is no matter of a test: `make checks` writes it down.
func TestDockerChecks(t *testing.T) {
	paths, err := filepath.Glob("../runbooks/checks/*.md")
	require.NoError(t, err)
	var documents []*runbook.Runbook
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		d, err := runbook.Parse(path, text)
		require.NoError(t, err)
		documents = append(documents, d)
	}
	require.NotEmpty(t, documents)
	file := runbooks(t)[0]
	book, incident, session := staged(t, file)
	check := gameday.Check{
		Book: book, Incident: incident, Runner: *session.Runner, Options: harness.Options{Set: book.Front.Set, Short: true}, Documents: documents,
	}
	for attempt := 1; ; attempt++ {
		c, err := check.Run(t.Context())
		require.NoError(t, err)
		require.False(t, c.Dirty, c.Reason)
		if why := c.Undecided(); why != "" {
			t.Logf("%s: %s", file, why)
			if attempt == attempts {
				t.Skipf("no result on this machine: %s", why)
			}
			continue
		}
		require.Len(t, c.Rounds, len(documents))
		for _, r := range c.Rounds {
			t.Logf("%s during %s: %s", r.Document, c.Incident, r.Sight())
			require.NotEmpty(t, r.Said)
			for _, s := range r.Said {
				require.Empty(t, s.Unmade, s.Check)
				for _, truth := range s.Of {
					require.Equal(t, 2, truth.Held+truth.Missed+truth.Unseen, "%s: %s", s.Check, truth.State)
				}
			}
		}
		return
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
