package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/hachaos/hachaos/gameday"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/report"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/docker"
)

// executeFlags are those of `runbook run`.
type executeFlags struct {
	on         string
	inputs     []string
	transcript string
	dry, ci    bool
	step       bool
	json       bool
}

func (a *app) runbookRun() *cobra.Command {
	var f executeFlags
	c := &cobra.Command{
		Use:         "run FILE",
		Annotations: acts("--dry-run"),
		Short:       "Carry a runbook out on a standing topology",
		Long: `run carries a runbook out on a topology that stands, as it is written: what shows the symptom,
the diagnosis, the steps, the verification. It ends at the first thing that is not as the
runbook expects, which on a healthy system is its symptom: whatever is wrong is for you to
have brought about, by hand; 'hachaos runbook verify' does it itself. No undo is carried out;
where a step fails, it says where its undo is. Nor does an interrupt undo anything.

Its commands run in the nodes and in the operator's container (hachaos up --operator), never
on this machine. What is for a person is asked at this terminal; with --ci, or where there is
no terminal, it is answered as the runbook states for CI.

Exit codes: 0 all was as expected, and what the runbook restores is there, 1 it was not, 2 usage,
3 a person was needed, or ended it, 4 error, as of a command that could not be carried out.`,
		Example: `  hachaos up --operator
  hachaos runbook run --on jetty-ha runbooks/node-lost.md
  hachaos runbook run --dry-run runbooks/node-lost.md
  hachaos runbook run --on jetty-ha --step --transcript tonight.md runbooks/split-vip.md`,
		Args: oneRunbook,
		RunE: func(c *cobra.Command, files []string) error {
			return a.executeRunbook(c.Context(), files[0], f)
		},
		ValidArgsFunction: completeRunbooks,
	}
	c.Flags().StringVar(&f.on, "on", "", "the standing topology (see 'hachaos up --operator' and 'hachaos status')")
	c.Flags().StringArrayVar(&f.inputs, "input", nil, "NAME=VALUE, repeatable: a variable that the runbook asks for; VIP is known")
	c.Flags().StringVar(&f.transcript, "transcript", "", "also write the transcript to this file, as Markdown")
	c.Flags().BoolVar(&f.dry, "dry-run", false, "print what would be done, and do nothing")
	c.Flags().BoolVar(&f.ci, "ci", false, "ask nobody: answers are those that the runbook states for CI")
	c.Flags().BoolVar(&f.step, "step", false, "ask before each step")
	c.Flags().BoolVar(&f.json, "json", false, "print the transcript as JSON on standard output, and nothing else there")
	return c
}

func (a *app) executeRunbook(ctx context.Context, file string, f executeFlags) error {
	book, err := readRunbook(file)
	if err != nil {
		return err
	}
	inputs, err := pairs("--input", "NAME=VALUE", f.inputs)
	if err != nil {
		return err
	}
	switch {
	case f.dry && (f.json || f.step || f.transcript != ""):
		return usage("--dry-run does nothing, and prints text: --json, --step and --transcript are of no use with it")
	case f.dry:
		var plan strings.Builder
		if err := gameday.DryRun(&plan, book); err != nil {
			return err
		}
		return writeClean(a.out, plan.String())
	case f.on == "":
		return usage("hachaos runbook run wants --on NAME, a topology that stands: `hachaos up --operator` brings one up; or --dry-run")
	case f.ci && f.step:
		return usage("--ci asks nobody, and --step asks before each step: want one of them")
	case f.transcript != "":
		if err := writable("--transcript "+f.transcript, f.transcript); err != nil {
			return err
		}
	}
	outliveReaders() // what was begun is carried out, and told
	d, err := docker.Open(ctx, docker.Options{})
	if err != nil {
		return err
	}
	defer d.Close()
	c, err := d.Attach(ctx, f.on)
	if err != nil {
		return asUsage(err)
	}
	t, restored, err := a.follow(ctx, c, gameday.Execution{Book: book, Inputs: inputs}, f)
	clearing, cancel := a.clearing(ctx)
	defer cancel()
	closed := c.Close(clearing)
	if err != nil {
		return errors.Join(err, closed)
	}
	// What was done is told whatever else goes wrong.
	a.code = endingCode(t, restored)
	if f.transcript != "" {
		closed = errors.Join(closed, report.Replace(f.transcript, func(w io.Writer) error {
			_, err := io.WriteString(w, t.Markdown())
			return err
		}))
	}
	if f.json {
		return errors.Join(writeJSON(a.out, t), closed)
	}
	return errors.Join(a.printTranscript(t, restored), closed)
}

// follow carries a runbook out and, if all was as expected, looks whether what
// it restores is there: restored is what is not.
func (a *app) follow(ctx context.Context, c topology.Cluster, x gameday.Execution, f executeFlags) (t *gameday.Transcript, restored, err error) {
	x.System = gameday.NewSystem(c)
	x.Progress = func(e gameday.Entry) { fmt.Fprintln(a.err, entryLine(e)) }
	if !f.ci && (f.step || term.IsTerminal(int(os.Stdin.Fd()))) {
		person := gameday.NewTerminal(os.Stdin, a.err)
		x.Asker = person
		if f.step {
			x.Confirm = person.Confirm
		}
	}
	var states []string
	for _, s := range x.Book.Front.Restores {
		if !gameday.CanLook(s.Name) {
			return nil, nil, usage("%s:%d: there is no state %s: docs/runbooks.md has them", x.Book.Name, s.Line, s.Name)
		}
		states = append(states, s.Name)
	}
	t = x.Run(ctx)
	if t.Ending == gameday.Done && len(states) > 0 {
		_, restored = x.System.Await(ctx, x.Book.Front.Within, states...)
		if ctx.Err() != nil {
			t.Ending, t.Reason = gameday.Interrupted, "while what it restores was waited for"
		}
	}
	return t, restored, nil
}

// endingCode is the exit code of an execution.
func endingCode(t *gameday.Transcript, restored error) int {
	if t.Unmade() && t.Ending != gameday.Interrupted {
		return harness.ExitError
	}
	switch t.Ending {
	case gameday.Done:
		if restored == nil {
			return harness.ExitPass
		}
		return harness.ExitFail
	case gameday.Declined, gameday.Unanswered, gameday.Interrupted:
		return harness.ExitInconclusive
	}
	return harness.ExitFail
}

func (a *app) printTranscript(t *gameday.Transcript, restored error) error {
	text := fmt.Sprintf("%s: %s, after %s", t.Runbook, t.Ending, t.Took.Round(10*time.Millisecond))
	if t.Reason != "" {
		text += fmt.Sprintf("\nline %d: %s", t.Line, t.Reason)
	}
	if t.Undo != 0 {
		text += fmt.Sprintf("\nHow that step is undone is in line %d.", t.Undo)
	}
	if restored != nil {
		text += "\nWhat it is to restore is not there: " + restored.Error()
	}
	return writeClean(a.out, text+"\n")
}
