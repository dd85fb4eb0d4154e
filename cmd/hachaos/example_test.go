package main

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fixtures/example"
	"github.com/hachaos/hachaos/harness"
)

// names are what a folder holds.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	out := []string{}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// TestTheExampleFitsOnAScreen with the commands to go on with, and says that it
// is judged as it was recorded.
func TestTheExampleFitsOnAScreen(t *testing.T) {
	var out, said bytes.Buffer
	a := &app{out: &out, err: &said}
	dir := filepath.Join(t.TempDir(), "hachaos-example")
	require.NoError(t, a.example(t.Context(), dir, example.Unpack))
	require.Zero(t, a.code)
	require.LessOrEqual(t, strings.Count(out.String(), "\n"), 40, out.String())
	require.True(t, strings.HasPrefix(out.String(), "FAIL  "), out.String())
	require.Contains(t, out.String(), "\nreport: "+dir+"/report.html\n")
	require.Regexp(t, `\n  hachaos explain \S+ --op \d+ +# `, out.String())
	require.Contains(t, said.String(), "the saved result agrees, byte for byte")
	require.Equal(t, []string{"hachaos-example"}, names(t, filepath.Dir(dir)))
}

// TestTheREADMEShowsTheExample as it is.
func TestTheREADMEShowsTheExample(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out, err: io.Discard}
	require.NoError(t, a.example(t.Context(), filepath.Join(t.TempDir(), "hachaos-example"), example.Unpack))
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, block, found := strings.Cut(string(readme), "```\nhachaos example      # ")
	require.True(t, found)
	block = strings.Split(block, "```\n")[2]
	require.Greater(t, strings.Count(block, "\n"), 5)
	for line := range strings.Lines(block) {
		if strings.TrimSpace(line) != "…" {
			require.Contains(t, out.String(), line)
		}
	}
}

// TestTheExamplesFolder is a new one, or an empty one, which may be known by a
// link.
func TestTheExamplesFolder(t *testing.T) {
	run := recorded(t, harness.VerdictPass, assert.WriteLedger{}, assert.Leftovers{})
	copied := func(_ context.Context, dir string) error { return os.CopyFS(dir, os.DirFS(run)) }
	for name, make := range map[string]func(out string) error{
		"new":   func(string) error { return nil },
		"empty": func(out string) error { return os.Mkdir(out, 0o755) },
		"a link to an empty one": func(out string) error {
			if err := os.Mkdir(out+"-itself", 0o755); err != nil {
				return err
			}
			return os.Symlink(out+"-itself", out)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out, said bytes.Buffer
			a := &app{out: &out, err: &said}
			dir := filepath.Join(t.TempDir(), "run")
			require.NoError(t, make(dir))
			before := names(t, filepath.Dir(dir))
			require.NoError(t, a.example(t.Context(), dir+"/", copied))
			require.Subset(t, names(t, dir), []string{"journal.jsonl", "result.json", "report.html", "junit.xml", "summary.md", "metrics.prom"})
			require.Subset(t, names(t, filepath.Dir(dir)), before)
			require.NotContains(t, strings.Join(names(t, filepath.Dir(dir)), " "), ".hachaos-")
			junit, err := os.ReadFile(filepath.Join(dir, "junit.xml"))
			require.NoError(t, err)
			require.NotContains(t, string(junit), ".hachaos-", "the folder has the name that it was asked for")
		})
	}
}

// TestAnExampleThatCannotBeWrittenLeavesNothing behind: neither a part of it,
// nor what was written beside it.
func TestAnExampleThatCannotBeWrittenLeavesNothing(t *testing.T) {
	run := recorded(t, harness.VerdictPass, assert.WriteLedger{}, assert.Leftovers{})
	type unpack func(ctx context.Context, cancel func(), out, dir string) error
	for name, c := range map[string]struct {
		unpack unpack
		is     error
		says   string
	}{
		"the disk is full": {func(_ context.Context, _ func(), _, dir string) error {
			path := filepath.Join(dir, "journal.jsonl")
			if err := os.WriteFile(path, []byte(`{"seq":1`), 0o644); err != nil {
				return err
			}
			return &os.PathError{Op: "write", Path: path, Err: syscall.ENOSPC}
		}, syscall.ENOSPC, "journal.jsonl: no space left on device: free the disk, or give a folder on another by --out"},
		"an interrupt while it is written": {func(ctx context.Context, cancel func(), _, dir string) error {
			cancel()
			return ctx.Err()
		}, context.Canceled, "was not written"},
		"an interrupt while it is judged": {func(_ context.Context, cancel func(), _, dir string) error {
			cancel()
			return os.CopyFS(dir, os.DirFS(run))
		}, context.Canceled, "judge "},
		"a report cannot be written": {func(_ context.Context, _ func(), _, dir string) error {
			if err := os.MkdirAll(filepath.Join(dir, "report.html", "in its place"), 0o755); err != nil {
				return err
			}
			return os.CopyFS(dir, os.DirFS(run))
		}, nil, "report.html"},
	} {
		for _, empty := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var out, said bytes.Buffer
				a := &app{out: &out, err: &said}
				dir := filepath.Join(t.TempDir(), "run")
				want := []string{}
				if empty {
					require.NoError(t, os.Mkdir(dir, 0o755))
					want = []string{"run"}
				}
				err := a.example(ctx, dir, func(ctx context.Context, d string) error { return c.unpack(ctx, cancel, dir, d) })
				require.ErrorContains(t, err, dir+" was not written: ")
				require.ErrorContains(t, err, c.says)
				if c.is != nil {
					require.ErrorIs(t, err, c.is)
				}
				require.Equal(t, harness.ExitError, exitCode(err))
				require.Empty(t, out.String())
				require.Equal(t, want, names(t, filepath.Dir(dir)))
				if empty {
					require.Empty(t, names(t, dir))
				}
			})
		}
	}
}

// TestWhatComesMeanwhileStays: the folder was empty, and is not any more.
func TestWhatComesMeanwhileStays(t *testing.T) {
	run := recorded(t, harness.VerdictPass, assert.WriteLedger{}, assert.Leftovers{})
	var out, said bytes.Buffer
	a := &app{out: &out, err: &said}
	dir := filepath.Join(t.TempDir(), "run")
	err := a.example(t.Context(), dir, func(_ context.Context, d string) error {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o644); err != nil {
			return err
		}
		return os.CopyFS(d, os.DirFS(run))
	})
	require.ErrorIs(t, err, fs.ErrExist)
	require.Equal(t, []string{"mine"}, names(t, dir))
	require.Equal(t, []string{"run"}, names(t, filepath.Dir(dir)))
}
