package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fixtures/example"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/report"
)

func (a *app) exampleCmd() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:         "example",
		Annotations: offline(),
		Short:       "Write a recorded run that failed, and its report, with no engine",
		Long: `example writes the folder of a run that was recorded on real containers and failed,
judges it again from its sealed journal, and renders its reports: what hachaos gives,
before anything is installed. It needs no engine and no network.

The folder is written whole or not at all. The exit code is 0, although the run failed;
'hachaos check' has the verdict's.`,
		Example: "  hachaos example\n  hachaos example --out failed",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.example(c.Context(), out, example.Unpack)
		},
	}
	c.Flags().StringVar(&out, "out", "hachaos-example", "the run's folder: a new or an empty one")
	return c
}

// example writes the run that unpack writes to a folder, with its reports, and
// prints what it came to.
func (a *app) example(ctx context.Context, out string, unpack func(ctx context.Context, dir string) error) error {
	if err := free(out); err != nil {
		return err
	}
	out = filepath.Clean(out)
	var r *harness.Result
	err := folder(out, func(dir string) (err error) {
		if err = unpack(ctx, dir); err != nil {
			return err
		}
		var h *history.History
		if r, h, err = judge(ctx, dir); err != nil {
			return err
		}
		r.Dir = out
		if err = report.Write(dir, r, h); err != nil {
			return err
		}
		return ctx.Err()
	})
	if err != nil {
		return notWritten(out, err)
	}
	o := a.tableOptions()
	o.Dir, o.Path, o.Next = out, filepath.Join(out, report.HTMLFile), next(r)
	if err := report.Table(a.out, r, o); err != nil {
		return err
	}
	return a.compare(out, r)
}

// free is a usage error of a path that no new folder can have: something is
// there, or there is nothing to hold it.
func free(path string) error {
	if path == "" {
		return usage("--out: want the path of a folder")
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		dir := filepath.Dir(filepath.Clean(path))
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return usage("--out %s: there is no folder %s: make it first", path, dir)
		}
		return nil
	}
	if err != nil {
		return usage("--out: %v", err)
	}
	if !info.IsDir() {
		return usage("--out %s: it is a file: want a new folder, or an empty one", path)
	}
	if here, err := os.Stat("."); err == nil && os.SameFile(here, info) {
		return usage("--out %s: it is the working directory: want a folder in it", path)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return usage("--out: %v", err)
	}
	if len(entries) > 0 {
		return usage("--out %s: the folder is not empty: want a new one, or an empty one", path)
	}
	return nil
}

// folder makes a folder whole or not at all: write fills one beside it, which
// then takes its place. An empty one may be there; a link to it stays.
func folder(path string, write func(dir string) error) (err error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	beside, err := os.MkdirTemp(filepath.Dir(path), ".hachaos-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(beside)) }()
	dir := filepath.Join(beside, filepath.Base(path))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if err := write(dir); err != nil {
		return err
	}
	if info, err := os.Lstat(path); err == nil && info.IsDir() {
		if err := os.Remove(path); err != nil { // it is empty no more
			return err
		}
	}
	return os.Rename(dir, path)
}

// notWritten says that there is no folder, and of a full disk what to do.
func notWritten(path string, err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%s was not written: %w: free the disk, or give a folder on another by --out", path, err)
	}
	return fmt.Errorf("%s was not written: %w", path, err)
}

// next are the commands to go on with from a recorded run.
func next(r *harness.Result) []string {
	dir := report.ShellWord(r.Dir)
	list := [][2]string{{"hachaos explain " + dir, "what happened, in words"}}
	if op := firstOp(r); op != 0 {
		list = append(list, [2]string{fmt.Sprintf("hachaos explain %s --op %d", dir, op), "one operation of it, from every side"})
	}
	list = append(list,
		[2]string{"hachaos check " + dir, "judge it again"},
		[2]string{"hachaos doctor", "what this machine lacks to run the like"},
		[2]string{"hachaos run " + r.Scenario, "the same on a system that should bear it"},
	)
	width := 0
	for _, l := range list {
		width = max(width, len(l[0]))
	}
	lines := []string{"", fmt.Sprintf("It was recorded on containers by hachaos %s, and judged here. To go on:", r.Version)}
	for _, l := range list {
		lines = append(lines, fmt.Sprintf("  %-*s  # %s", width, l[0], l[1]))
	}
	return lines
}

// firstOp is the operation that a failure names first; 0 if it names none.
func firstOp(r *harness.Result) uint64 {
	for _, v := range r.Assertions {
		if v.Status != assert.Fail {
			continue
		}
		for _, e := range v.Evidence {
			if e.Op != 0 {
				return e.Op
			}
		}
	}
	return 0
}
