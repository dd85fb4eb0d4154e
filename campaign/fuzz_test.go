package campaign

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
)

// FuzzGet wants of a result file the record of its own item and state, or an
// error that names the file.
func FuzzGet(f *testing.F) {
	i, hash := Item{Scenario: "instance-kill", Case: AsItStands, Repetition: 1}, "0123abcd"
	b, err := json.Marshal(Record{Schema: Schema, Item: i, Hash: hash, Verdict: harness.VerdictPass})
	require.NoError(f, err)
	f.Add(b)
	other, err := json.Marshal(Record{Schema: Schema, Item: i, Hash: "another"})
	require.NoError(f, err)
	f.Add(other)
	f.Add([]byte("null"))
	f.Add(b[:len(b)/2])
	s := Store{f.TempDir()}
	require.NoError(f, os.MkdirAll(filepath.Dir(s.path(i, hash)), 0o755))
	f.Fuzz(func(t *testing.T, b []byte) {
		require.NoError(t, os.WriteFile(s.path(i, hash), b, 0o644))
		r, err := s.Get(i, hash)
		if err != nil {
			require.Nil(t, r)
			require.ErrorContains(t, err, s.path(i, hash))
			return
		}
		require.Equal(t, hash, r.Hash)
		require.Equal(t, i.Name(), r.Item.Name())
		require.Equal(t, Schema, r.Schema)
	})
}
