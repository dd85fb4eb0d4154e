package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/internal/live"
	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/report"
	"github.com/hachaos/hachaos/scenarios"
	"github.com/hachaos/hachaos/suite"
	"github.com/hachaos/hachaos/topology"
)

// runsDir is where runs' folders go unless something else is said.
const runsDir = "runs"

// runFlags are the flags of run and, in part, of up.
type runFlags struct {
	topologyFlags
	seed uint64
	on   string
	dir  string
	json bool
	// write are the values of --write, and outputs what they ask for.
	write   []string
	outputs outputs
	// short runs the short form.
	short bool
	// repeat is how often each scenario is run.
	repeat int
	tags   []string
}

func (a *app) runCmd() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:         "run SCENARIO…",
		Annotations: brings(),
		Short:       "Run scenarios and judge them",
		Long: `run brings the scenario's topology up, loads it, breaks what the scenario says,
heals it, takes everything down again, and judges the record.

It takes several names, patterns such as 'db-*', and 'all'; with --tag, those of
them (or, without a name, of all) that bear one of the tags. Several runs make a
suite: its folder has a folder for each run, suite.json, suite.html, junit.xml,
summary.md, metrics.prom and steps.log. Scenarios
that want the same topology share one, which is put back into a proven clean state
between them, or replaced.

Seeds: the first repetition uses --seed itself, each further one a seed derived
from it, which is printed, and repeats that run alone.

Exit codes: 0 pass, 1 fail, 2 usage, 3 inconclusive, 4 error, 5 dirty (something
could not be healed or removed). Of several runs the worst counts, in this order:
dirty, error, fail, inconclusive, pass; what was not run, because of an interrupt or
because the run before left the topology of --on dirty, counts as inconclusive.

Formats of --write:
` + aboutFormats() + `
A run that could not be carried out is written, too, as an error. A file is whole
or not there; if one cannot be written, the exit code is not 0.`,
		Example: `  hachaos run instance-kill
  hachaos run instance-kill --profile documented
  hachaos run instance-kill --set dedupe=off --seed 7
  hachaos run instance-kill --on blue --json | jq .verdict
  hachaos run 'db-*' instance-kill
  hachaos run all --tag process --short
  hachaos run instance-kill --write junit=hachaos.xml --write github=-
  hachaos run instance-kill --repeat 5`,
		RunE: func(c *cobra.Command, args []string) error {
			return a.runScenarios(c.Context(), args, f)
		},
		ValidArgsFunction: completeScenarios,
	}
	f.topologyFlags.add(c)
	c.Flags().Uint64Var(&f.seed, "seed", 0, "seed of all that is drawn (0: a random one, printed)")
	c.Flags().IntVar(&f.repeat, "repeat", 1, "how often each scenario is run; the figures' spread is printed")
	c.Flags().StringArrayVar(&f.tags, "tag", nil, "only scenarios with this tag, repeatable (see 'hachaos list')")
	c.Flags().BoolVar(&f.short, "short", false, "the scenario's short form: phases last 60 % of their time, but as long as their bounds demand, and the steady ones at least 1,100 operations")
	c.Flags().StringVar(&f.on, "on", "", "use the standing topology of this name (see 'hachaos up')")
	c.Flags().StringVar(&f.dir, "dir", runsDir, "where the run's folder goes")
	c.Flags().BoolVar(&f.json, "json", false, "print one JSON object (of several runs, a list of them) on standard output, and nothing else there")
	addWrite(c, &f.write)
	return c
}

// runScenarios runs what names and tags choose: a single run by itself,
// several as a suite.
func (a *app) runScenarios(ctx context.Context, names []string, f runFlags) error {
	if len(names) == 0 && len(f.tags) == 0 {
		return usage("hachaos run wants the names of scenarios, or --tag: `hachaos list` shows all")
	}
	if f.repeat < 1 {
		return usage("--repeat %d: want at least 1", f.repeat)
	}
	list, err := scenarios.Choose(names, f.tags)
	if err != nil {
		return usageError{err}
	}
	if f.outputs, err = outputsOf(f.write, f.json); err != nil {
		return err
	}
	single := len(names) == 1 && len(f.tags) == 0 && names[0] == list[0].Name
	if single && f.repeat == 1 {
		return a.runScenario(ctx, list[0], f)
	}
	return a.runSuite(ctx, list, names, f)
}

func (a *app) runScenario(ctx context.Context, s harness.Scenario, f runFlags) error {
	opts, err := f.options()
	if err != nil {
		return err
	}
	opts.Seed, opts.On, opts.Short, opts.Command = f.seed, f.on, f.short, a.command(s.Name, f)
	if err := new(harness.Runner).Validate(s, opts); err != nil {
		return usageError{err}
	}
	asked := time.Now()
	r, err := a.make(ctx, s, opts, f.dir)
	if r == nil {
		return a.notCarriedOut(asUsage(err), f, []suite.Entry{{Scenario: s.Name, Repetition: 1, Of: 1, Seed: opts.Seed, Command: opts.Command}}, func(e []suite.Entry) error {
			r := e[0].Result()
			r.Topology, r.Profile, r.Version, r.StartedAt = s.Topology, opts.Profile, buildVersion(), asked
			return a.writeRun(f.outputs, r, nil)
		})
	}
	if err != nil {
		fmt.Fprintln(a.err, "hachaos:", err)
	}
	r.Dirty = r.Dirty || errors.Is(err, harness.ErrDirty) // although the record lacks it
	a.finish(r, f)
	return nil
}

// onEngine makes a run in containers; its folder goes to dir.
func (a *app) onEngine(ctx context.Context, s harness.Scenario, opts harness.Options, dir string) (*harness.Result, error) {
	session, err := wiring.Open(ctx, dir, buildVersion())
	if err != nil {
		return nil, err
	}
	defer session.Close()
	p := a.progress()
	defer p.close()
	p.next("", s)
	session.Runner.Progress, session.Runner.Hurry = p, a.hurry
	return session.Runner.Run(ctx, s, opts)
}

// notCarriedOut ends runs that never came to a result. Unless nothing was
// started because of bad usage, what --write asks for says so, as errors: an
// old file must not be taken for this run's.
func (a *app) notCarriedOut(err error, f runFlags, entries []suite.Entry, write func([]suite.Entry) error) error {
	if _, bad := errors.AsType[usageError](err); bad || len(f.outputs) == 0 {
		return err
	}
	for i := range entries {
		e := &entries[i]
		e.Verdict, e.Dirty = harness.VerdictError, errors.Is(err, harness.ErrDirty)
		e.Reason = fmt.Sprintf("The run could not be carried out: %v.", err)
	}
	a.unwritten(write(entries))
	return err
}

// finish renders the run's folder, prints the result, writes what else was
// asked for, and sets the exit code: that of the run, which what cannot be written
// or printed does not change, but that a pass is none then.
func (a *app) finish(r *harness.Result, f runFlags) {
	h, err := render(r)
	a.code = r.ExitCode()
	a.unwritten(err)
	a.unwritten(a.printResult(a.people(f.outputs), r, r.Dir, f.json))
	a.unwritten(a.writeRun(f.outputs, r, h))
}

// printResult prints JSON, or the table for people.
func (a *app) printResult(w io.Writer, r *harness.Result, dir string, asJSON bool) error {
	shown := *r
	shown.Dir = dir
	if asJSON {
		return writeJSON(w, &shown)
	}
	o := tableOptions(w)
	o.Dir = dir
	if path := filepath.Join(dir, report.HTMLFile); exists(path) {
		o.Path = path
	}
	return report.Table(w, r, o)
}

// tableOptions suit standard output.
func (a *app) tableOptions() report.TableOptions { return tableOptions(a.out) }

// tableOptions suit what is written to.
func tableOptions(w io.Writer) report.TableOptions {
	o := report.TableOptions{}
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		o.Colour = live.Colour(os.Getenv)
		o.Width, _, _ = term.GetSize(int(file.Fd()))
	}
	return o
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// command is what repeats the run, without the seed, which the harness adds.
func (a *app) command(name string, f runFlags) string {
	words := []string{"hachaos", "run", name}
	if f.profile != "" {
		words = append(words, "--profile", f.profile)
	}
	if f.nodes != 0 {
		words = append(words, "--nodes", fmt.Sprint(f.nodes))
	}
	if f.short {
		words = append(words, "--short")
	}
	for _, s := range f.set {
		words = append(words, "--set", s)
	}
	for _, image := range f.images {
		words = append(words, "--image", image)
	}
	if f.on != "" {
		words = append(words, "--on", f.on)
	}
	return strings.Join(words, " ")
}

// topologyFlags choose among a topology's variants.
type topologyFlags struct {
	set     []string
	profile string
	nodes   int
	images  []string
	subnet  string
}

func (f *topologyFlags) add(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.set, "set", nil, "KEY=VALUE, repeatable: a switch of the scenario, the load or the topology (see 'hachaos describe')")
	c.Flags().StringVar(&f.profile, "profile", "", "the topology's profile (default: its first)")
	c.Flags().IntVar(&f.nodes, "nodes", 0, "application nodes (0: the topology's default)")
	c.Flags().StringArrayVar(&f.images, "image", nil, "NAME=REFERENCE, repeatable: use this image instead of the fixture's")
	c.Flags().StringVar(&f.subnet, "subnet", "", "pin the network, a /24 of 198.18.0.0/15 (default: a free one)")
}

// options turns the flags into the harness's options; what does not parse is
// a usage error.
func (f *topologyFlags) options() (harness.Options, error) {
	o := harness.Options{Profile: f.profile, Nodes: f.nodes}
	var err error
	if o.Set, err = pairs("--set", "KEY=VALUE", f.set); err != nil {
		return o, err
	}
	if o.Images, err = pairs("--image", "NAME=REFERENCE", f.images); err != nil {
		return o, err
	}
	if f.subnet != "" {
		if o.Subnet, err = netip.ParsePrefix(f.subnet); err != nil || !ours(o.Subnet) {
			return o, usage("--subnet %s: want a /24 of 198.18.0.0/15, such as 198.18.7.0/24", f.subnet)
		}
	}
	return o, nil
}

// benchmarks is RFC 2544's range, where hachaos's networks go.
var benchmarks = netip.MustParsePrefix("198.18.0.0/15")

// ours says whether p is a /24 of that range.
func ours(p netip.Prefix) bool {
	return p.Bits() == 24 && p == p.Masked() && benchmarks.Contains(p.Addr())
}

// pairs reads a repeatable flag's values; form is how one looks.
func pairs(flag, form string, list []string) (map[string]string, error) {
	m := map[string]string{}
	for _, s := range list {
		k, v, ok := strings.Cut(s, "=")
		if !ok || k == "" {
			return nil, usage("%s %q: want %s", flag, s, form)
		}
		if old, dup := m[k]; dup {
			return nil, usage("%s %s is given twice, as %q and as %q", flag, k, old, v)
		}
		m[k] = v
	}
	return m, nil
}

// asUsage makes the errors that precede any start usage errors.
func asUsage(err error) error {
	if errors.Is(err, harness.ErrUsage) || errors.Is(err, topology.ErrNotFound) {
		return usageError{err}
	}
	return err
}
