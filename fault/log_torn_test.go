package fault

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// full is a file whose disk has room for a few bytes of the next line only.
type full struct {
	*os.File
	room int
}

func (f *full) Write(b []byte) (int, error) {
	if f.room < 0 {
		return f.File.Write(b)
	}
	n, err := f.File.Write(b[:f.room])
	f.room = -1
	if err == nil {
		err = syscall.ENOSPC
	}
	return n, err
}

// TestATornLineTakesNoOtherWithIt: the disk was full for a moment.
func TestATornLineTakesNoOtherWithIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "undo.jsonl")
	log, err := OpenLog(path)
	require.NoError(t, err)
	first, lost, last := Entry{Undo: Unpaused, Node: "j1"}, Entry{Undo: Unpaused, Node: "j2"}, Entry{Undo: Unpaused, Node: "j3"}
	require.NoError(t, log.Record(first))
	log.f = &full{log.f.(*os.File), 12}
	require.ErrorIs(t, log.Record(lost), syscall.ENOSPC)
	require.NoError(t, log.Record(last))
	require.NoError(t, log.Close())
	got, err := ReadLog(path)
	require.NoError(t, err)
	require.Equal(t, []Entry{first, last}, got)
}
