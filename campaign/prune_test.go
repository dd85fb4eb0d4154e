package campaign

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
)

// TestObsolete: what is current stays, and so does what is no result file.
func TestObsolete(t *testing.T) {
	s := Store{t.TempDir()}
	none, err := s.Obsolete(nil)
	require.NoError(t, err, "a campaign that was never run")
	require.Empty(t, none)

	items := Items([]harness.Scenario{scenario("a", noDedupe), scenario("gone")}, "")
	put := func(i Item, hash string) string {
		require.NoError(t, s.Put(&Record{Schema: Schema, Item: i, Hash: hash, Verdict: harness.VerdictPass}))
		return s.path(i, hash)
	}
	current := put(items[0], "new")
	entries := []Entry{{Item: items[0], Hash: "new"}, {Item: items[3], Hash: "new"}}
	obsolete := []string{put(items[0], "old"), put(items[3], "old"), put(items[4], "new")}
	other := filepath.Join(s.Dir, "items", "a", "notes.txt")
	require.NoError(t, os.WriteFile(other, nil, 0o600))

	got, err := s.Obsolete(entries)
	require.NoError(t, err)
	require.ElementsMatch(t, obsolete, got)
	require.NoError(t, s.Remove(got))
	require.FileExists(t, current)
	require.FileExists(t, other)
	require.NoDirExists(t, filepath.Join(s.Dir, "items", "gone"))
	got, err = s.Obsolete(entries)
	require.NoError(t, err)
	require.Empty(t, got)
	require.Error(t, s.Remove(obsolete), "what is not there is told")
}
