package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/gameday"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/report"
)

// drillFlags are those of `runbook drill`.
type drillFlags struct {
	topologyFlags
	window, limit time.Duration
	hints         []time.Duration
	who           string
	unpaged       bool
	dir           string
	json          bool
}

// longestDrill is how long a drill's window and its limit may be.
const longestDrill = 2 * time.Hour

func (a *app) runbookDrill() *cobra.Command {
	var f drillFlags
	c := &cobra.Command{
		Use:         "drill FILE",
		Annotations: brings(),
		Short:       "A game day: mend the runbook's incident by hand, on the clock",
		Long: `drill brings the topology up, loads it, and gives you a shell in the operator's container and,
with :on NODE, in each node. At a moment of the window that nobody is told, the incident
comes that the runbook's front matter names. You are paged when the runbook's own checks show
its symptom, as its alert would do, or, with --unpaged, not at all. Mend it. What you do is
recorded with the time, but for secrets of the nodes' environments; :help lists what else you can
say: that you have noticed it, what the cause is, that you want a hint, that you are done, that it
must end.

It ends when you say so, when all that the runbook restores has been there for 20 s, or at the
limit; what was broken is healed then, and the topology is removed. Ctrl-C and :abort end it at
any time. The run's folder gets ` + report.ReviewMarkdownFile + ` and ` + report.ReviewHTMLFile + `: the system and people on one clock.

Your commands run in the containers, never on this machine.

Exit codes: 0 it was mended within the runbook's time and no session and no write was lost, 1 it was
not, 2 usage, 3 it was aborted, came back by itself, or has no verdict, 4 error, 5 dirty.`,
		Example: `  hachaos runbook drill runbooks/node-lost.md
  hachaos runbook drill --window 30m --hints 5m,10m,15m --as 'the night shift' runbooks/split-vip.md
  hachaos runbook drill --unpaged --limit 20m runbooks/disk-full.md`,
		Args:              oneRunbook,
		RunE:              func(c *cobra.Command, files []string) error { return a.drill(c.Context(), files[0], f) },
		ValidArgsFunction: completeRunbooks,
	}
	f.add(c)
	c.Flags().DurationVar(&f.window, "window", 5*time.Minute, "the incident comes at a moment of this time that is drawn")
	c.Flags().DurationVar(&f.limit, "limit", 30*time.Minute, "how long after the incident the drill ends by itself")
	c.Flags().DurationSliceVar(&f.hints, "hints", nil, "when you are told more of the runbook, after the alert, such as 3m,6m,9m (default: when you ask)")
	c.Flags().StringVar(&f.who, "as", "", "who is on duty (default: the name of your account)")
	c.Flags().BoolVar(&f.unpaged, "unpaged", false, "nobody is told of the alert")
	c.Flags().StringVar(&f.dir, "dir", runsDir, "where the run's folder goes")
	c.Flags().BoolVar(&f.json, "json", false, "print the review as JSON on standard output, and nothing else there")
	return c
}

// check holds the flags to what can be.
func (f drillFlags) check() error {
	if f.window < 0 || f.window > longestDrill {
		return usage("--window %v: want a time up to %v", f.window, longestDrill)
	}
	if f.limit <= 0 || f.limit > longestDrill {
		return usage("--limit %v: want a time up to %v", f.limit, longestDrill)
	}
	if f.unpaged && len(f.hints) > 0 {
		return usage("--unpaged tells nobody of the alert, and --hints would: want one of them")
	}
	for n, h := range f.hints {
		if h <= 0 || n > 0 && h <= f.hints[n-1] {
			return usage("--hints: want times that grow, such as 3m,6m,9m")
		}
	}
	return nil
}

func (a *app) drill(ctx context.Context, file string, f drillFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	book, incident, opts, err := incidentOf(file, f.topologyFlags, 0, false)
	if err != nil {
		return err
	}
	outliveReaders()
	session, err := wiring.Open(ctx, f.dir, buildVersion())
	if err != nil {
		return err
	}
	defer session.Close()
	session.Runner.Hurry = a.hurry // and no progress, which would tell the incident
	fmt.Fprintln(a.err, "bringing the system up …")
	r, err := gameday.Drill{
		Book: book, Incident: incident, Runner: *session.Runner, Options: opts,
		Who: cmp.Or(f.who, account()), In: os.Stdin, Out: a.err, Window: f.window, Hints: f.hints, Limit: f.limit, Unpaged: f.unpaged,
	}.Run(ctx)
	if r == nil {
		return asUsage(err)
	}
	a.code = drillCode(r)
	err = errors.Join(err, a.review(r))
	if f.json {
		return errors.Join(err, writeJSON(a.out, r))
	}
	return errors.Join(err, a.printDrill(r))
}

// account is the name of whoever calls hachaos.
func account() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "the operator"
}

// drillCode is the exit code of a drill.
func drillCode(r *gameday.Review) int {
	switch {
	case r.Dirty:
		return harness.ExitDirty
	case r.Run == harness.VerdictError:
		return harness.ExitError
	case r.Closing == gameday.Aborted, r.Closing == gameday.Unbegun, r.Closing == gameday.ByItself, r.Closing == gameday.Unseen:
		return harness.ExitInconclusive
	case r.Closing != gameday.Mended, r.Run == harness.VerdictFail:
		return harness.ExitFail
	case r.Restored >= 0 && r.Restored-max(r.Alerted, r.Struck) > r.Within:
		return harness.ExitFail
	case r.Restored < 0, r.Run != harness.VerdictPass:
		return harness.ExitInconclusive
	}
	return harness.ExitPass
}

// reviewFile has all that is known of a drill.
const reviewFile = "review.json"

// review writes the pages of a drill into the folder of its run, beside its
// reports.
func (a *app) review(r *gameday.Review) error {
	res, h, err := judge(context.Background(), r.Dir) // it was made, whatever ends meanwhile
	if err == nil {
		err = report.Write(r.Dir, res, h)
	} else {
		h = nil
	}
	err = errors.Join(err, report.Replace(filepath.Join(r.Dir, reviewFile), func(w io.Writer) error { return writeJSON(w, r) }))
	for name, write := range map[string]func(io.Writer, *gameday.Review, *history.History) error{
		report.ReviewMarkdownFile: report.ReviewMarkdown, report.ReviewHTMLFile: report.ReviewHTML,
	} {
		err = errors.Join(err, report.Replace(filepath.Join(r.Dir, name), func(w io.Writer) error { return write(w, r, h) }))
	}
	return err
}

// printDrill says what came of a drill.
func (a *app) printDrill(r *gameday.Review) error {
	text := fmt.Sprintf("%s: %s\n", r.Runbook, r.Closing)
	if r.Missing != "" {
		text += "not there at the end: " + r.Missing + "\n"
	}
	if r.Struck >= 0 {
		for _, m := range []struct {
			what string
			at   time.Duration
		}{{"alert", r.Alerted}, {"first command", r.Looked}, {"detection", r.Noticed}, {"diagnosis", r.Named}, {"repair", r.Restored}} {
			said := "-"
			if m.at >= 0 {
				said = (m.at - r.Struck).Round(10*time.Millisecond).String() + " after the incident"
			}
			text += fmt.Sprintf("  %-14s %s\n", m.what, said)
		}
	}
	text += fmt.Sprintf("users' data, and what was left behind: %s: %s\n", r.Run, r.Reason)
	text += "review: " + filepath.Join(r.Dir, report.ReviewHTMLFile) + "\n"
	return writeClean(a.out, text)
}
