package trust

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzReadLines: a file of records is read whole, each line once, or the error
// names the line that has to be mended.
func FuzzReadLines(f *testing.F) {
	whole := `{"scenario":"soak","seed":7,"verdict":"pass","judged":3,"version":"v1","machine":"m","at":"2026-11-20T08:00:00Z"}` + "\n"
	for _, s := range []string{whole, whole + whole, whole[:len(whole)-1], whole + "{", "", "\n", "null\n", `{"stranger":1}` + "\n", "{}{}\n"} {
		f.Add([]byte(s))
	}
	path := filepath.Join(f.TempDir(), "soak.jsonl")
	f.Fuzz(func(t *testing.T, text []byte) {
		all, err := ReadAlarms(bytes.NewReader(text))
		lines := bytes.Count(text, []byte("\n"))
		if err != nil {
			require.ErrorContains(t, err, "mend or remove it by hand")
			require.LessOrEqual(t, len(all), lines)
			return
		}
		require.Len(t, all, lines)
		require.NoError(t, os.RemoveAll(path))
		for _, a := range all {
			require.NoError(t, a.Append(path))
		}
		again, err := ReadFile[Alarm](path)
		require.NoError(t, err)
		require.Equal(t, all, again, "what was written is read")
	})
}
