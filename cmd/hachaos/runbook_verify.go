package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/gameday"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/report"
	"github.com/hachaos/hachaos/runbook"
	"github.com/hachaos/hachaos/scenarios"
)

// verifyFlags are those of `runbook verify`.
type verifyFlags struct {
	topologyFlags
	controls []string
	ask      bool
	short    bool
	seed     uint64
	dir      string
	json     bool
}

func (a *app) runbookVerify() *cobra.Command {
	var f verifyFlags
	c := &cobra.Command{
		Use:         "verify FILE",
		Annotations: brings(),
		Short:       "Prove a runbook during the incident that it is for",
		Long: `verify brings the topology up, loads it, brings about the incident that the runbook's front
matter names, waits until the runbook's own checks show the symptom, and carries it out as it
is written; nothing but the runbook heals the incident. It passes if the states that the
runbook names are restored within its time, no session or write was lost, nothing is left
behind, and carrying the steps out once more does no harm.

Then come the controls, each a run of about a minute: ` + controlNames() + `.
Of another, left-out, swapped and cut-off there are several runs each, so that all of them take
ten minutes and more.
  without   nobody does anything: if all comes back by itself, the runbook proves nothing
  healthy   on a healthy system it must see that nothing is wrong, and do no harm
  another   during other incidents it must make nothing worse
  left-out  each step is left out in turn: one without which all comes back is idle
            (and all of them: then it must not come back)
  swapped   each two steps that follow each other are swapped
  undone    its steps are carried out, undone, and then it must mend all anew
  cut-off   it is broken off after each command of its steps, and begun anew, which must mend all

Its commands run in the nodes and in a container for the operator, never on this machine.
What is for a person is answered as the runbook states for CI, or, with --ask, by you.

Exit codes: 0 pass, 1 fail, 2 usage, 3 inconclusive, 4 error, 5 dirty.`,
		Example: `  hachaos runbook verify runbooks/node-lost.md
  hachaos runbook verify --controls without,healthy runbooks/split-vip.md
  hachaos runbook verify --controls none --ask runbooks/slow-database.md`,
		Args: oneRunbook,
		RunE: func(c *cobra.Command, files []string) error {
			return a.verifyRunbook(c.Context(), files[0], f)
		},
		ValidArgsFunction: completeRunbooks,
	}
	f.add(c)
	c.Flags().StringSliceVar(&f.controls, "controls", nil, "which controls are made: "+controlNames()+", or none (default: all)")
	c.Flags().BoolVar(&f.ask, "ask", false, "ask at this terminal what is for a person")
	c.Flags().BoolVar(&f.short, "short", false, "the short form of the phases before the incident")
	c.Flags().Uint64Var(&f.seed, "seed", 0, "seed of all that is drawn (0: a random one, printed)")
	c.Flags().StringVar(&f.dir, "dir", runsDir, "where the runs' folders go")
	c.Flags().BoolVar(&f.json, "json", false, "print one JSON object on standard output, and nothing else there")
	return c
}

func controlNames() string {
	var names []string
	for _, c := range gameday.Controls() {
		names = append(names, string(c))
	}
	return strings.Join(names, ", ")
}

// controlsOf reads --controls.
func controlsOf(values []string) ([]gameday.Control, error) {
	all := gameday.Controls()
	if len(values) == 0 {
		return all, nil
	}
	if len(values) == 1 && values[0] == "none" {
		return nil, nil
	}
	var out []gameday.Control
	for _, c := range all { // in their own order, each once
		if slices.Contains(values, string(c)) {
			out = append(out, c)
		}
	}
	for _, v := range values {
		if !slices.Contains(all, gameday.Control(v)) {
			return nil, usage("--controls %s: want %s, or none", v, controlNames())
		}
	}
	return out, nil
}

// readRunbook reads a runbook that can be carried out.
func readRunbook(file string) (*runbook.Runbook, error) {
	text, err := readAtMost(file, runbook.MaxSize+1)
	if err != nil {
		return nil, usageError{err}
	}
	book, err := runbook.Parse(file, text)
	if err != nil {
		return nil, usage("%s cannot be read; `hachaos runbook lint %s` says where:\n%w", file, file, err)
	}
	return book, nil
}

func (a *app) verifyRunbook(ctx context.Context, file string, f verifyFlags) error {
	controls, err := controlsOf(f.controls)
	if err != nil {
		return err
	}
	book, incident, opts, err := incidentOf(file, f.topologyFlags, f.seed, f.short)
	if err != nil {
		return err
	}
	if err := sound(file, book); err != nil {
		return err
	}
	session, err := wiring.Open(ctx, f.dir, buildVersion())
	if err != nil {
		return err
	}
	defer session.Close()
	p := a.progress()
	defer p.close()
	session.Runner.Progress, session.Runner.Hurry = p, a.hurry
	t := gameday.Trial{Book: book, Incident: incident, Runner: *session.Runner, Options: opts, Progress: func(e gameday.Entry) { p.Step("  " + entryLine(e)) }}
	if f.ask {
		t.Asker = gameday.NewTerminal(os.Stdin, a.err)
	}
	r, err := gameday.Verify(ctx, t, controls, otherIncidents(file, book), func(name string) { p.next(name, incident) })
	p.close()
	if r != nil {
		a.keepTranscripts(r) // of what was made before an error, too
		a.code = exitOf(r)
	}
	if err != nil {
		return asUsage(err)
	}
	if f.json {
		return writeJSON(a.out, r)
	}
	return printVerification(a.out, r)
}

// incidentOf reads a runbook with its incident, and how that is to be run; nothing
// is started.
func incidentOf(file string, f topologyFlags, seed uint64, short bool) (*runbook.Runbook, harness.Scenario, harness.Options, error) {
	var none harness.Options
	book, err := readRunbook(file)
	if err != nil {
		return nil, harness.Scenario{}, none, err
	}
	front := book.Front
	if front.Incident == "" || len(front.Restores) == 0 || front.Within <= 0 {
		return nil, harness.Scenario{}, none, usage("%s:1: its front matter has to say incident, restores and within, or there is nothing to prove: see docs/runbooks.md", file)
	}
	incident, err := scenarios.Lookup(front.Incident)
	if err != nil {
		return nil, incident, none, usage("%s:%d: incident: %w", file, front.Line("incident"), err)
	}
	opts, err := f.options()
	if err != nil {
		return nil, incident, none, err
	}
	opts.Set = merge(front.Set, opts.Set)
	opts.Seed, opts.Short = seed, short
	if err := new(harness.Runner).Validate(incident, opts); err != nil {
		return nil, incident, none, usageError{err}
	}
	if err := (gameday.Trial{Book: book, Incident: incident, Options: opts}).Check(); err != nil {
		return nil, incident, none, asUsage(err)
	}
	return book, incident, opts, nil
}

// otherIncidents are those during which a runbook is carried out that is for another
// one: those of the runbooks that it leads to, which it must tell its own from, and
// then that a node is lost, the database is slow, the VIP has two owners.
func otherIncidents(file string, book *runbook.Runbook) []gameday.Incident {
	type incident struct {
		name string
		set  map[string]string
	}
	var all []incident
	for _, to := range book.Neighbours() {
		if b, err := readRunbook(filepath.Join(filepath.Dir(file), filepath.FromSlash(to))); err == nil {
			all = append(all, incident{b.Front.Incident, b.Front.Set})
		}
	}
	all = append(all, incident{"instance-kill", map[string]string{"kill": "process"}}, incident{"db-slow", nil}, incident{"vip-split-brain", map[string]string{"by": "freeze"}})
	known := []incident{{book.Front.Incident, book.Front.Set}}
	var out []gameday.Incident
	for _, o := range all {
		s, err := scenarios.Lookup(o.name)
		same := func(k incident) bool { return k.name == o.name && maps.Equal(k.set, o.set) }
		if err != nil || slices.ContainsFunc(known, same) {
			continue
		}
		known = append(known, o)
		out = append(out, gameday.Incident{Scenario: s, Set: o.set})
	}
	return out
}

// merge puts the second's values over the first's.
func merge(under, over map[string]string) map[string]string {
	out := map[string]string{}
	maps.Copy(out, under)
	maps.Copy(out, over)
	return out
}

// exitOf is the exit code of a verification.
func exitOf(r *gameday.Result) int {
	return (&harness.Result{Verdict: r.Verdict, Dirty: r.Dirty()}).ExitCode()
}

// entryLine is an entry of a transcript in one line.
func entryLine(e gameday.Entry) string {
	said := "as expected"
	if e.Err != "" {
		said = e.Err
	}
	where := ""
	if e.Node != "" {
		where = " on " + e.Node
	}
	return report.Clean(fmt.Sprintf("%s, line %d, %s%s: %s", e.Section, e.Line, e.Kind, where, said))
}

// transcriptFile is what a transcript is called in a run's folder.
const transcriptFile = "transcript.md"

// keepTranscripts writes each transcript beside the record of its run. What
// cannot be written is said.
func (a *app) keepTranscripts(r *gameday.Result) {
	for _, o := range append([]*gameday.Outcome{r.Proof}, r.Controls...) {
		if o == nil || o.Dir == "" || o.Transcript == nil {
			continue
		}
		text := o.Transcript.Markdown()
		if o.Second != nil {
			text += "\n" + o.Second.Markdown()
		}
		err := report.Replace(filepath.Join(o.Dir, transcriptFile), func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return err
		})
		if err != nil {
			fmt.Fprintln(a.err, "hachaos:", err)
		}
	}
}

// printVerification prints the verdict for people.
func printVerification(w io.Writer, r *gameday.Result) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n%s\n", strings.ToUpper(string(r.Verdict)), r.Runbook, r.Reason)
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "note: %s\n", n)
	}
	b.WriteString("\n")
	for i, o := range append([]*gameday.Outcome{r.Proof}, r.Controls...) {
		if o == nil {
			continue
		}
		name := o.Variant
		if i == 0 {
			name = "as it is, during " + r.Incident
		}
		fmt.Fprintf(&b, "%s: %s\n", name, outcomeLine(o))
		if o.Dir != "" {
			fmt.Fprintf(&b, "  record: %s\n", o.Dir)
		}
		if o.Dirty {
			b.WriteString("  dirty: something could not be healed or removed; the record names it, and `hachaos gc` removes what is left\n")
		}
	}
	return writeClean(w, b.String())
}

// writeClean writes lines without what a terminal would obey.
func writeClean(w io.Writer, text string) error {
	for line := range strings.Lines(text) {
		if _, err := fmt.Fprintln(w, report.Clean(strings.TrimSuffix(line, "\n"))); err != nil {
			return err
		}
	}
	return nil
}

// outcomeLine is what came of a trial.
func outcomeLine(o *gameday.Outcome) string {
	var parts []string
	if o.Alert >= 0 {
		parts = append(parts, "alert after "+o.Alert.Round(10*time.Millisecond).String())
	}
	if o.Symptom >= 0 {
		parts = append(parts, "symptom after "+o.Symptom.Round(10*time.Millisecond).String())
	} else {
		parts = append(parts, "no symptom: "+o.NoSymptom)
	}
	if t := o.Transcript; t != nil {
		parts = append(parts, fmt.Sprintf("runbook %s after %s", t.Ending, t.Took.Round(10*time.Millisecond)))
	}
	if o.Control == gameday.OnAnother {
		said := "nothing is worse"
		if o.Worse != "" {
			said = "worse: " + o.Worse
		}
		return strings.Join(append(parts[1:], said), ", ")
	}
	if o.Restored >= 0 {
		parts = append(parts, "restored after "+o.Restored.Round(10*time.Millisecond).String())
	} else {
		parts = append(parts, "not restored: "+strings.ReplaceAll(o.Missing, "\n", "; "))
	}
	return strings.Join(parts, ", ")
}
