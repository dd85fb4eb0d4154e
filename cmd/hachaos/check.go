package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
)

func (a *app) checkCmd() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:         "check DIR",
		Annotations: offline(),
		Short:       "Judge a run's folder again, with no engine",
		Long: `check reads the sealed journal of a run and judges it again. It changes nothing
in the folder, needs no engine, and gives the same result byte for byte.

Exit codes: 0 pass, 1 fail, 2 usage, 3 inconclusive, 4 error (of the run, or because the
record cannot be read or was altered), 5 dirty.`,
		Example: "  hachaos check runs/20261120T081500Z-instance-kill-1a2b3c4d",
		Args:    oneArg("a run's folder"),
		RunE: func(c *cobra.Command, args []string) error {
			r, _, err := judge(c.Context(), args[0])
			if err != nil {
				return err
			}
			a.code = r.ExitCode()
			if err := a.printResult(a.out, r, args[0], asJSON); err != nil {
				return err
			}
			return a.compare(args[0], r)
		},
		ValidArgsFunction: completeDirs,
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// judge reads a run's folder; one that is none is a usage error. An interrupt
// ends it: there is nothing to be cleared away.
func judge(ctx context.Context, dir string) (*harness.Result, *history.History, error) {
	if _, err := os.Stat(filepath.Join(dir, harness.JournalFile)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil, usage("%s is not a run's folder: it has no %s", dir, harness.JournalFile)
		}
		return nil, nil, usage("%s: %v", dir, err)
	}
	type judged struct {
		r *harness.Result
		h *history.History
	}
	j, err := unlessInterrupted(ctx, func() (j judged, err error) {
		j.r, j.h, err = harness.Judge(dir)
		return j, err
	})
	if ctx.Err() != nil {
		err = fmt.Errorf("judge %s: %w", dir, err)
	}
	return j.r, j.h, err
}

// unlessInterrupted returns what f does, or ctx's error as soon as ctx ends;
// then f is left to itself, and the program is about to end. An interrupt
// counts even if f has ended meanwhile.
func unlessInterrupted[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
		panic any
	}
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			if p := recover(); p != nil {
				r.panic = fmt.Sprintf("%v\n\n%s", p, debug.Stack())
			}
			done <- r
		}()
		r.value, r.err = f()
	}()
	var r result
	select {
	case r = <-done:
	case <-ctx.Done():
	}
	if r.panic != nil {
		panic(r.panic) // where it is told
	}
	if ctx.Err() != nil {
		return *new(T), ctx.Err()
	}
	return r.value, r.err
}

// compare says whether the saved result is the one just computed. A saved
// result that differs was edited, or judged by another version.
func (a *app) compare(dir string, r *harness.Result) error {
	saved, err := os.ReadFile(filepath.Join(dir, harness.ResultFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the run broke off before it was judged
	}
	if err != nil {
		return err
	}
	now, err := harness.Encode(r)
	if err != nil {
		return err
	}
	if bytes.Equal(saved, now) {
		fmt.Fprintln(a.err, "hachaos: the saved result agrees, byte for byte")
		return nil
	}
	fmt.Fprintf(a.err, "hachaos: %s differs from this result: it was edited, or judged by another version of hachaos\n",
		filepath.Join(dir, harness.ResultFile))
	return nil
}

func completeDirs(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}
