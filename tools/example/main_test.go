package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fixtures/example"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
)

// kept is the folder of the run that hachaos has.
func kept(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	require.NoError(t, example.Unpack(t.Context(), dir))
	return dir
}

// TestTheKeptRunIsFitToBeShown, and names nobody's machine. Packed again it is
// the same, to the byte, although its folder has a report now, and no result.
func TestTheKeptRunIsFitToBeShown(t *testing.T) {
	dir := kept(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "report.html"), []byte("a report"), 0o644))
	require.NoError(t, os.Remove(filepath.Join(dir, harness.ResultFile)))
	files, err := filesOf(dir)
	require.NoError(t, err)
	require.Empty(t, private(files, nil))
	if _, err := exec.LookPath("bzip2"); err != nil {
		t.Skip("there is no bzip2")
	}
	to := filepath.Join(t.TempDir(), "run.tar.bz2")
	size, err := keep(files, to)
	require.NoError(t, err)
	beside, err := os.ReadDir(filepath.Dir(to))
	require.NoError(t, err)
	require.Len(t, beside, 1, "something is left of the writing")
	want, err := os.ReadFile(filepath.Join("../..", packed))
	require.NoError(t, err)
	got, err := os.ReadFile(to)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got), "%d bytes, and %d are kept", size, len(want))
	require.Len(t, got, size)
}

// TestWhatIsNoExample: each of these differs in one thing from what is one.
func TestWhatIsNoExample(t *testing.T) {
	const second = time.Second
	for want, change := range map[string]func(*harness.Result, *history.History){
		"": func(*harness.Result, *history.History) {},
		"it ends in the middle": func(_ *harness.Result, h *history.History) {
			h.Integrity = history.Integrity{Reason: "it ends in the middle"}
		},
		"its verdict is pass":                         func(r *harness.Result, _ *history.History) { r.Verdict = harness.VerdictPass },
		"no failure names an operation":               func(r *harness.Result, _ *history.History) { r.Assertions[1].Status = assert.Pass },
		"it was broken off, or left something behind": func(r *harness.Result, _ *history.History) { r.Dirty = true },
		"a fault was not proven, or not seen to heal": func(r *harness.Result, _ *history.History) { r.Faults[0].HealedAt = -1 },
	} {
		r := &harness.Result{
			Verdict: harness.VerdictFail,
			Assertions: []assert.Verdict{
				{Status: assert.Fail, Evidence: []assert.Evidence{{Text: "no operation in particular"}}},
				{Status: assert.Fail, Evidence: []assert.Evidence{{Op: 7}}},
			},
			Faults: []harness.FaultResult{{Proven: true, HealedAt: second}},
		}
		h := &history.History{Integrity: history.Integrity{State: history.Whole}}
		change(r, h)
		require.Equal(t, want, unfit(r, h))
	}
}

// TestAnEditedRunIsRefused, and the run that is kept stays.
func TestAnEditedRunIsRefused(t *testing.T) {
	dir, to := kept(t), filepath.Join(t.TempDir(), "run.tar.bz2")
	path := filepath.Join(dir, harness.ScenarioFile)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append(text, '\n'), 0o644))
	require.ErrorContains(t, run(dir, to, io.Discard), "is not fit to be shown: file scenario.json has")
	require.NoFileExists(t, to)
}

func TestWhatIsPrivate(t *testing.T) {
	for text, want := range map[string][]string{
		`"entry":"http://198.18.7.100:80","listen":"0.0.0.0:15432","to":"127.0.0.1"`: nil,
		`/etc/haproxy/haproxy.cfg and /tmpfs, 3.0.11, at 05:38:44.019219`:            nil,
		`read /home/ann/src/hachaos/go.mod`:                                          {"  f: /home/ann/src/hachaos/go.mod"},
		`10.1.2.3, 10.1.2.3 and 198.20.0.1`:                                          {"  f: 10.1.2.3", "  f: 198.20.0.1"},
		`https://packages.example.com/debian`:                                        {"  f: packages.example.com"},
		`02:42:ac:11:00:02`:                                                          {"  f: 02:42:ac:11:00:02"},
		`"bind ipv4@0.0.0.0:80"`:                                                     nil,
		`Ann <ann@example.com>`:                                                      {"  f: ann@example.com"},
		`built on forge-7 for forge-70`:                                              {"  f: forge-7"},
		`built on forge-70`:                                                          nil,
	} {
		require.Equal(t, want, private([]file{{"f", []byte(text)}}, []string{"forge-7"}), text)
	}
}

func TestTheNamesOfThisMachine(t *testing.T) {
	dir, err := os.Getwd()
	require.NoError(t, err)
	require.Contains(t, here(), dir)
	require.NotContains(t, here(), "root")
	require.NotContains(t, here(), "")
}
