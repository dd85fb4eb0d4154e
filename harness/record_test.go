package harness

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// TestASeedIsDrawn: from what every reader of a result holds exactly.
func TestASeedIsDrawn(t *testing.T) {
	drawn := map[uint64]bool{}
	for range 100 {
		seed := Options{}.seed()
		require.NotZero(t, seed)
		require.LessOrEqual(t, seed, uint64(1<<53-1))
		drawn[seed] = true
	}
	require.Greater(t, len(drawn), 90)
	require.EqualValues(t, 5, Options{Seed: 5}.seed())
}

// TestAWeightThatNobodyKnows: a topology need not have weights.
func TestAWeightThatNobodyKnows(t *testing.T) {
	r := &resolved{opts: Options{Set: map[string]string{"weight.j1": "20"}}, switches: []topology.Switch{{Key: "dedupe", Default: "7"}}}
	require.Zero(t, r.weight("j1"))
	r.switches = append(r.switches, topology.Switch{Key: "weight.*", Default: "100"})
	require.Equal(t, 20, r.weight("j1"))
	require.Equal(t, 100, r.weight("j2"))
}

// TestAFolderThatCannotBeReadIsNoList of the files that the seal is of.
func TestAFolderThatCannotBeReadIsNoList(t *testing.T) {
	r := &run{dir: filepath.Join(t.TempDir(), "gone")}
	_, err := r.files()
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, os.MkdirAll(filepath.Join(r.dir, LogsDir), 0o755))
	for _, name := range []string{JournalFile, ResultFile, UndoFile, filepath.Join(LogsDir, "j1.log"), filepath.Join(LogsDir, JournalFile)} {
		require.NoError(t, os.WriteFile(filepath.Join(r.dir, name), nil, 0o600))
	}
	files, err := r.files()
	require.NoError(t, err)
	require.ElementsMatch(t, []string{UndoFile, LogsDir + "/j1.log", LogsDir + "/" + JournalFile}, files)
}
