package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// lastGo is the version of Go that the last result was made with, so that the
// page can be held to the results with any other; empty if there is none.
func lastGo(t *testing.T, dir string) string {
	t.Helper()
	last, err := lastRecords(dir)
	require.NoError(t, err)
	version, at := "", time.Time{}
	for _, r := range last {
		if r.StartedAt.After(at) {
			version, at = r.Go, r.StartedAt
		}
	}
	return version
}

// A result is found by who asks for the Go that it was made with.
func TestResultsAreOfTheGoThatMadeThem(t *testing.T) {
	var a app
	f := campaignFlags{dir: t.TempDir()}
	now, err := a.entries([]string{"instance-kill"}, f)
	require.NoError(t, err)
	f.goVersion = "go1.26.0-another"
	other, err := a.entries([]string{"instance-kill"}, f)
	require.NoError(t, err)
	require.Equal(t, now[0].Name(), other[0].Name())
	require.NotEqual(t, now[0].Hash, other[0].Hash)

	path := filepath.Join(f.dir, "items", "instance-kill", "one.json")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.Empty(t, lastGo(t, f.dir))
	require.NoError(t, os.WriteFile(path, []byte(`{"schema":"hachaos.item/1","scenario":"instance-kill","case":"as it stands","repetition":1,"hash":"h",
		"startedAt":"2026-11-20T08:00:00Z","go":"go1.26.0-another"}`), 0o644))
	require.Equal(t, f.goVersion, lastGo(t, f.dir))
}
