// Command hachaos breaks highly available systems on purpose and says, with
// evidence, whether users would have noticed.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/internal/live"
	"github.com/hachaos/hachaos/internal/wiring"
)

// version is set by the linker; see Makefile.
var version = "devel"

func main() {
	wiring.Agent() // takes over, and does not return, in a re-executed binary
	os.Exit(unpanicked(os.Stderr, func() int { return run(os.Args[1:], os.Stdout, os.Stderr) }))
}

// unpanicked gives f's exit code, and for a panic the one of an error: Go's
// own, 2, would say that nothing was started. What exists then is the reaper's
// to heal and remove.
func unpanicked(stderr io.Writer, f func() int) (code int) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(stderr, "hachaos: a defect of its own: panic: %v\n\n%s", p, debug.Stack())
			code = harness.ExitError
		}
	}()
	return f()
}

// run is the whole program; it returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	screen := live.New(stderr) // whatever is said does not meet a block that is drawn
	defer func() { _ = screen.Clear() }()
	a := &app{out: stdout, err: screen}
	a.make = a.onEngine
	return a.execute(args)
}

// execute carries out a command line.
func (a *app) execute(args []string) int {
	root := a.root()
	root.SetArgs(args)
	ctx, hurry, stop := signals(context.Background(), a.err, farewellOf(root, args))
	defer stop()
	a.hurry = hurry
	root.SetOut(a.out)
	root.SetErr(a.err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return a.code
	}
	if _, _, unknown := root.Find(args); unknown != nil {
		err = unknownCommand(root, args[0])
	}
	if !errors.Is(err, errSaid) {
		_ = writeClean(a.err, fmt.Sprintf("hachaos: %v\n", err)) // it may tell of what others have written
	}
	if a.code == harness.ExitDirty {
		return a.code // whatever came after it
	}
	return exitCode(err)
}

// app is what the commands share.
type app struct {
	out, err io.Writer
	// hurry is closed by a second interrupt.
	hurry <-chan struct{}
	// make makes a run, whose folder goes to dir; without a result it was not
	// carried out.
	make func(ctx context.Context, s harness.Scenario, opts harness.Options, dir string) (*harness.Result, error)
	// code is the exit code of a command that succeeded in saying something
	// unpleasant.
	code int
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "hachaos",
		Short: "Break a highly available system on purpose, and say with evidence whether users noticed",
		Long: `hachaos brings a real stack up in containers, loads it, breaks a part of it,
and judges from the recorded history whether users would have noticed.`,
		Example: `  hachaos example                            # a recorded run that failed; needs no engine
  hachaos doctor                             # what this machine lacks, and how to mend it
  hachaos run instance-kill                  # a minute; a verdict, and a report to open
  hachaos run instance-kill --set dedupe=off # the same on a system that writes twice
  hachaos list                               # what else there is to break
  hachaos describe instance-kill             # what it does and expects, and every --set
  hachaos check runs/20261120T081500Z-instance-kill-1a2b3c4d`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       buildVersion(),
	}
	root.SetVersionTemplate("hachaos {{.Version}}\n")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage("%s: see '%s --help'", flagError(err), c.CommandPath())
	})
	root.AddCommand(
		a.runCmd(), a.listCmd(), a.describeCmd(), a.runbookCmd(), a.auditCmd(), a.campaignCmd(), a.mutantsCmd(), a.trustCmd(),
		a.upCmd(), a.downCmd(), a.statusCmd(),
		a.checkCmd(), a.explainCmd(), a.reportCmd(), a.compareCmd(), a.serveCmd(), a.exampleCmd(),
		a.imagesCmd(), a.doctorCmd(), a.gcCmd(), a.versionCmd(),
	)
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			group(c)
		}
	}
	return root
}

// group makes c a command that has others and does nothing by itself: without
// a word it shows its help, and with one that is none of them it says so.
func group(c *cobra.Command) {
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(c, args[0])
		}
		return nil
	}
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
}

// unknownCommand is the usage error of a word that is no command of c's; it
// names the nearest.
func unknownCommand(c *cobra.Command, word string) error {
	c.SuggestionsMinimumDistance = 2
	hint := ""
	if near := c.SuggestionsFor(word); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "? "
	}
	return usage("unknown command %q for %q: %s'%s --help' shows all", word, c.CommandPath(), hint, c.CommandPath())
}

// flagError says in words what a flag's value has to be.
func flagError(err error) string {
	invalid, ok := errors.AsType[*pflag.InvalidValueError](err)
	if !ok {
		return err.Error()
	}
	want, ok := map[string]string{
		"int":      "a whole number",
		"uint":     "a whole number, 0 or more",
		"duration": "a time, such as 20m or 1h30m",
	}[strings.TrimSuffix(invalid.GetFlag().Value.Type(), "64")]
	if !ok {
		return err.Error()
	}
	return fmt.Sprintf("--%s %s: want %s", invalid.GetFlag().Name, invalid.GetValue(), want)
}

func (a *app) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(a.out, "hachaos %s\n", buildVersion())
			return err
		},
	}
}

// buildVersion is the linker's, or the module's if hachaos was installed by
// `go install`.
func buildVersion() string {
	if version != "devel" {
		return version
	}
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" && b.Main.Version != "(devel)" {
		return b.Main.Version
	}
	return version
}

// usageError is bad input: nothing was started.
type usageError struct{ error }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errSaid ends a command whose message was printed already.
var errSaid = errors.New("said")

func exitCode(err error) int {
	if errors.Is(err, harness.ErrDirty) {
		return harness.ExitDirty
	}
	if _, ok := errors.AsType[usageError](err); ok {
		return harness.ExitUsage
	}
	return harness.ExitError
}

func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage("%s takes no argument, and got %q", c.CommandPath(), args[0])
	}
	return nil
}

func oneArg(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != 1 {
			got := ""
			if len(args) > 1 {
				got = fmt.Sprintf(", one at a time, and got %q too", args[1])
			}
			return usage("%s wants %s%s: see '%s --help'", c.CommandPath(), what, got, c.CommandPath())
		}
		return nil
	}
}
