package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/trust"
)

// The harness mutants are run in virtual time: they take seconds instead of a
// quarter of an hour, and the machine is never short. Only a test has it, and
// package testing ends the process that it runs tests in; so hachaos starts
// itself again to be a program of tests, whose words nobody sees, and reads the
// records from a file.

// virtualCmd is what hachaos is started again as.
const virtualCmd = "in-virtual-time"

func (a *app) trustVirtual() *cobra.Command {
	return &cobra.Command{
		Use: virtualCmd + " FOLDER MUTANT…", Hidden: true, Args: cobra.MinimumNArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			mutants := slices.DeleteFunc(trust.Harness(), func(m trust.Mutant) bool { return !slices.Contains(args[1:], m.Name) })
			testing.Init()
			if err := flag.CommandLine.Parse(nil); err != nil {
				return err
			}
			testing.Main(func(string, string) (bool, error) { return true, nil }, virtually(args[0], mutants), nil, nil)
			return nil // it is never reached: package testing ends the process
		},
	}
}

// shownFile is where the process keeps its records, in the folder that it is given.
const shownFile = "shown.jsonl"

// virtually are mutants as tests, which keep their records below dir.
func virtually(dir string, mutants []trust.Mutant) []testing.InternalTest {
	trials := &trust.Trials{Dir: filepath.Join(dir, "runs")}
	var out []testing.InternalTest
	for _, m := range mutants {
		out = append(out, testing.InternalTest{Name: m.Name, F: func(t *testing.T) {
			t.Parallel()
			var o trust.Outcome
			synctest.Test(t, func(t *testing.T) {
				o = trials.Try(t.Context(), m)
				time.Sleep(time.Hour) // virtual: what still waits has ended
			})
			if err := trust.AppendLine(filepath.Join(dir, shownFile), trust.ShownOf(o, buildVersion(), wiring.Machine(), time.Now())); err != nil {
				t.Error(err)
			}
		}})
	}
	return out
}

// inVirtualTime runs mutants in a process of its own, and returns the records
// in the order of the mutants; none is missing unless there is an error.
func inVirtualTime(ctx context.Context, mutants []trust.Mutant) (_ []trust.Shown, err error) {
	dir, err := os.MkdirTemp("", "hachaos-trust")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := []string{"trust", virtualCmd, dir}
	for _, m := range mutants {
		args = append(args, m.Name)
	}
	var words bytes.Buffer
	c := exec.CommandContext(ctx, self, args...)
	c.Args[0] = os.Args[0]
	c.Stdout, c.Stderr = &words, &words
	failed := c.Run()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("harness mutants: interrupted")
	}
	if failed != nil {
		return nil, fmt.Errorf("harness mutants in virtual time: %w: %s", failed, last(words.Bytes(), 2000))
	}
	all, err := trust.ReadShown(filepath.Join(dir, shownFile))
	if err != nil {
		return nil, err
	}
	return inOrder(mutants, all)
}

// inOrder are the records in the mutants' order.
func inOrder(mutants []trust.Mutant, all []trust.Shown) ([]trust.Shown, error) {
	var out []trust.Shown
	for _, m := range mutants {
		i := slices.IndexFunc(all, func(s trust.Shown) bool { return s.Name == m.Name })
		if i < 0 {
			return nil, fmt.Errorf("harness mutant %s: it was run, and there is no record of it", m.Name)
		}
		out = append(out, all[i])
	}
	return out, nil
}

// last is the end of a text, n bytes of it at most.
func last(b []byte, n int) []byte { return bytes.TrimSpace(b[max(0, len(b)-n):]) }
