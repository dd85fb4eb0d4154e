package trust

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
)

func TestStable(t *testing.T) {
	for text, want := range map[string]string{
		"Dirty: run 0123abcd.":                                       "Dirty: run <id>.",
		"container 0123abcd-lb2":                                     "container <id>-lb2",
		"in 20261120T081328Z-instance-kill-70e5d110 it":              "in <run> it",
		"open /tmp/x1/y_2/journal.jsonl: no":                         "open .../journal.jsonl: no",
		"await http://198.18.0.22:8080/health/ready: 503":            "await http://198.18.0.22:8080/health/ready: 503",
		"asked 200 weight, measured lb1: 20":                         "asked 200 weight, measured lb1: 20",
		"was " + string(make64('a')) + ", is " + string(make64('7')): "was <digest>, is <digest>",
	} {
		require.Equal(t, want, Stable(text))
	}
}

func make64(c byte) []byte {
	out := make([]byte, 64)
	for i := range out {
		out[i] = c
	}
	return out
}

func TestShownIsKeptByName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "harness.jsonl")
	at := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	shown := func(name, wrong, version string) Shown {
		return ShownOf(Outcome{Mutant: Mutant{Name: name, Ends: Dirty}, Verdict: harness.VerdictError, Dirty: true, Reason: "run 0123abcd", Runs: 2, Wrong: wrong}, version, "m", at)
	}
	none, err := ReadShown(path)
	require.NoError(t, err)
	require.Empty(t, none)
	require.NoError(t, KeepShown(path, []Shown{shown("a", "", "v1"), shown("b", "it ends as pass", "v1")}))
	require.NoError(t, KeepShown(path, []Shown{shown("b", "", "v2"), shown("c", "", "v2")}))
	all, err := ReadShown(path)
	require.NoError(t, err)
	require.Equal(t, []Shown{shown("a", "", "v1"), shown("b", "", "v2"), shown("c", "", "v2")}, all)
	require.Equal(t, "run <id>", all[0].Reason)
	require.Equal(t, "error, dirty", all[0].Ended())
	require.True(t, all[0].Good())
	require.False(t, shown("b", "it ends as pass", "v1").Good())
	require.Equal(t, "not shown", Shown{Name: "a"}.Ended())
	require.False(t, Shown{Name: "a"}.Good(), "without a verdict nothing is shown")

	require.NoError(t, os.WriteFile(path, []byte(`{"name":"a"}`), 0o644))
	_, err = ReadShown(path)
	require.ErrorContains(t, err, path+": line 1: ")
	require.ErrorContains(t, KeepShown(path, nil), "line 1: ", "what cannot be read is not replaced")
}
