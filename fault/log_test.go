package fault_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
)

func TestReadLog(t *testing.T) {
	start := fault.Entry{Undo: "container-running", Node: "j1"}
	open := fault.Entry{Undo: "filter-absent", Node: "j2", Params: map[string]string{"table": "hachaos_power_loss"}}
	for name, tc := range map[string]struct {
		text string
		want []fault.Entry
		err  string
	}{
		"empty":          {"", nil, ""},
		"in order":       {`{"entry":{"undo":"container-running","node":"j1"}}` + "\n" + `{"entry":{"undo":"filter-absent","node":"j2","params":{"table":"hachaos_power_loss"}}}` + "\n", []fault.Entry{start, open}, ""},
		"torn":           {`{"entry":{"undo":"container-running","node":"j1"}}` + "\n" + `{"entry":{"undo":"filt`, []fault.Entry{start}, ""},
		"torn at its LF": {`{"entry":{"undo":"container-running","node":"j1"}}`, nil, ""},
		"done":           {`{"entry":{"undo":"container-running","node":"j1"}}` + "\n" + `{"done":{"undo":"container-running","node":"j1"}}` + "\n", []fault.Entry{}, ""},
		"done once of two": {`{"entry":{"undo":"container-running","node":"j1"}}` + "\n" + `{"entry":{"undo":"container-running","node":"j1"}}` + "\n" +
			`{"done":{"undo":"container-running","node":"j1"}}` + "\n", []fault.Entry{start}, ""},
		"bad in the middle": {"nonsense\n" + `{"entry":{"undo":"container-running","node":"j1"}}` + "\n", []fault.Entry{start}, "line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "undo.jsonl")
			require.NoError(t, os.WriteFile(path, []byte(tc.text), 0o600))
			got, err := fault.ReadLog(path)
			if tc.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tc.err)
			}
			require.Equal(t, tc.want, got)
		})
	}
}

func TestReadLogThatIsMissing(t *testing.T) {
	got, err := fault.ReadLog(filepath.Join(t.TempDir(), "none"))
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestOpenLogCutsATornLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "undo.jsonl")
	a := fault.Entry{Undo: fault.ContainerRunning, Node: "j1"}
	b := fault.Entry{Undo: fault.Unpaused, Node: "j2"}
	for _, e := range []fault.Entry{a, b} {
		log, err := fault.OpenLog(path)
		require.NoError(t, err)
		require.NoError(t, log.Record(e))
		require.NoError(t, log.Close())
		tear(t, path)
	}
	got, err := fault.ReadLog(path)
	require.NoError(t, err)
	require.Equal(t, []fault.Entry{a, b}, got)
}

// tear appends the beginning of a line.
func tear(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(`{"entry":{"un`)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func TestRecordAfterCloseFails(t *testing.T) {
	log, err := fault.OpenLog(filepath.Join(t.TempDir(), "undo.jsonl"))
	require.NoError(t, err)
	require.NoError(t, log.Close())
	require.ErrorContains(t, log.Record(fault.Entry{}), "undo log")
}
