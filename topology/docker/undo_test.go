package docker

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheUndoLogOutlivesItsFolder: what stands is healed all the same.
func TestTheUndoLogOutlivesItsFolder(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("a file that was removed is read through /proc, which only Linux has")
	}
	dir := filepath.Join(t.TempDir(), "run")
	name := filepath.Join(dir, "undo.jsonl")
	late := holdUndo(name)
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.NoError(t, os.WriteFile(name, nil, 0o600))
	held := holdUndo(name)
	defer held.close()
	require.NoError(t, os.WriteFile(name, []byte("thaw a\n"), 0o600)) // after the reaper watches
	require.Equal(t, name, held.path())
	require.Equal(t, name, late.path())

	require.NoError(t, os.RemoveAll(dir))
	content, err := os.ReadFile(held.path())
	require.NoError(t, err)
	require.Equal(t, "thaw a\n", string(content))
	require.Equal(t, name, late.path())
	late.close()
}
