package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	sources "github.com/hachaos/hachaos"
	"github.com/hachaos/hachaos/campaign"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/report"
	"github.com/hachaos/hachaos/scenarios"
	"github.com/hachaos/hachaos/suite"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/docker"
)

// campaignFlags are those of all the campaign's commands.
type campaignFlags struct {
	dir     string
	tags    []string
	profile string
	// goVersion is the toolchain's whose results are looked at; empty is the
	// one that built this program.
	goVersion string
}

func (f *campaignFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.dir, "dir", filepath.Join(".cache", "catalogue"), "the campaign's folder")
	c.Flags().StringArrayVar(&f.tags, "tag", nil, "only scenarios with this tag, repeatable")
}

func (a *app) campaignCmd() *cobra.Command {
	c := &cobra.Command{
		Use:   "campaign",
		Short: "Run the whole catalogue over hours, resumably, and show where it stands",
		Long: `A campaign's items are every scenario as it stands, three times, and each of its
cases, once, in its short form. Each item has one result file, named after a hash of
all that its result depends on: the resolved scenario and topology, the images, and
the sources of what runs and judges it, without comments and tests, with the versions
of their modules and of Go. An item whose file is there is not run again: a campaign
that was broken off goes on where it was, and after a change only what it touches is
run. An inconclusive run is repeated; a result that is not as expected never is.

The results of hachaos's own repository are in docs/campaign: from a clone, say
--dir docs/campaign to see them, or to add to them.`,
		Example: `  hachaos campaign run --budget 20m
  hachaos campaign status --dir docs/campaign`,
	}
	group(c)
	c.AddCommand(a.campaignRun(), a.campaignStatus(), a.campaignProfiles(), a.campaignPrune())
	return c
}

func (a *app) campaignRun() *cobra.Command {
	var (
		f      campaignFlags
		budget time.Duration
	)
	c := &cobra.Command{
		Use:         "run [SCENARIO…]",
		Annotations: brings(),
		Short:       "Run what is missing",
		Long: `run runs the items that have no result yet, and ends when all have one, when the
budget is spent, or at an interrupt; it can be called again. While it runs it has
the campaign's folder to itself.

Exit codes: 0 all items are as expected, 1 one is not, 2 usage, 3 some are not run or
have no verdict yet, 4 error, 5 one was dirty.`,
		Example: "  hachaos campaign run --budget 20m\n  hachaos campaign run 'db-*'\n  hachaos campaign run --profile documented",
		RunE: func(c *cobra.Command, names []string) error {
			if err := budgetOf(budget); err != nil {
				return err
			}
			return a.runCampaign(c.Context(), names, f, budget)
		},
		ValidArgsFunction: completeScenarios,
	}
	f.add(c)
	c.Flags().StringVar(&f.profile, "profile", "", "run each scenario as it stands, once, on this profile instead (see 'campaign profiles')")
	c.Flags().DurationVar(&budget, "budget", 0, "stop between two items once this long has passed, such as 20m (0: never)")
	return c
}

func (a *app) campaignStatus() *cobra.Command {
	var (
		f                campaignFlags
		asJSON, markdown bool
	)
	c := &cobra.Command{
		Use:   "status [SCENARIO…]",
		Short: "Show which items are done, which are not as expected, and which are missing",
		Long:  "status reads the result files, starts nothing and needs no engine. Its exit codes are those of 'campaign run'.",
		RunE: func(_ *cobra.Command, names []string) error {
			if asJSON && markdown {
				return errBothForms
			}
			entries, err := a.entries(names, f)
			if err != nil {
				return err
			}
			a.code = campaign.ExitCode(entries)
			if !exists(f.dir) {
				fmt.Fprintf(a.err, "hachaos: there is no folder %s, and so no result: --dir says where the campaign's are\n", f.dir)
			}
			switch {
			case asJSON:
				return writeJSON(a.out, campaign.Summarise(entries))
			case markdown:
				return report.CampaignMarkdown(a.out, entries)
			}
			return report.CampaignTable(a.out, entries, a.tableOptions())
		},
		Example:           "  hachaos campaign status --dir docs/campaign\n  hachaos campaign status 'db-*' --markdown",
		ValidArgsFunction: completeScenarios,
	}
	f.add(c)
	c.Flags().StringVar(&f.profile, "profile", "", "show the items of this profile (default: the topology's first)")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&markdown, "markdown", false, "print a page in Markdown")
	return c
}

func (a *app) campaignProfiles() *cobra.Command {
	var f campaignFlags
	c := &cobra.Command{
		Use:   "profiles [SCENARIO…]",
		Short: "Print docs/profiles.md: what each profile costs users, scenario by scenario",
		Long: `profiles prints a page from the result files of the first profile's items and of
those that 'campaign run --profile NAME' made. It starts nothing.`,
		Example: "  hachaos campaign run && hachaos campaign run --profile documented\n  hachaos campaign profiles > docs/profiles.md",
		RunE: func(_ *cobra.Command, names []string) error {
			entries, err := a.onEveryProfile(names, f)
			if err != nil {
				return err
			}
			return report.Profiles(a.out, topology.All()[0].Profiles, entries)
		},
		ValidArgsFunction: completeScenarios,
	}
	f.add(c)
	return c
}

func (a *app) campaignPrune() *cobra.Command {
	var (
		f   campaignFlags
		dry bool
	)
	c := &cobra.Command{
		Use:   "prune",
		Short: "Remove the result files that no item has any more",
		Long: `prune lists and removes the result files that this program, as it was built, would
not look at: those of another state of what an item depends on, and of items that are
no more. What an item depends on is in the name of its file, so a file that another
version of hachaos or of Go made is among them. The runs' folders stay.`,
		Example: "  hachaos campaign prune --dir docs/campaign --dry-run",
		Args:    noArgs,
		RunE:    func(*cobra.Command, []string) error { return a.prune(f, dry) },
	}
	c.Flags().StringVar(&f.dir, "dir", filepath.Join(".cache", "catalogue"), "the campaign's folder")
	c.Flags().BoolVar(&dry, "dry-run", false, "list them only")
	return c
}

func (a *app) prune(f campaignFlags, dry bool) error {
	if !exists(f.dir) {
		return usage("there is no folder %s: --dir says where the campaign's is", f.dir)
	}
	store := campaign.Store{Dir: f.dir}
	if !dry {
		unlock, err := store.Lock()
		if err != nil {
			return err
		}
		defer unlock()
	}
	profiles, err := a.onEveryProfile(nil, f)
	if err != nil {
		return err
	}
	entries := slices.Concat(slices.Collect(maps.Values(profiles))...)
	files, err := store.Obsolete(entries)
	if err != nil {
		return err
	}
	for _, name := range files {
		if ofMutants(name) {
			return usage("%s is a result of 'hachaos mutants campaign', whose files prune does not know: give the folder of a campaign", name)
		}
	}
	for _, name := range files {
		fmt.Fprintln(a.out, name)
	}
	verb := "would be removed"
	if !dry {
		verb = "removed"
		if err := store.Remove(files); err != nil {
			return err
		}
	}
	kept := slices.DeleteFunc(entries, func(e campaign.Entry) bool { return e.Record == nil })
	_, err = fmt.Fprintf(a.out, "%d result files %s, %d stay\n", len(files), verb, len(kept))
	return err
}

// ofMutants says whether a file is the result of a mutant: those have the same form.
func ofMutants(file string) bool {
	b, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	var rec campaign.Record
	return json.Unmarshal(b, &rec) == nil && strings.HasPrefix(rec.Command, "hachaos mutants ")
}

// onEveryProfile are the items that names and tags choose, by profile.
func (a *app) onEveryProfile(names []string, f campaignFlags) (map[string][]campaign.Entry, error) {
	entries := map[string][]campaign.Entry{}
	for _, name := range topology.All()[0].Profiles {
		f.profile = name
		var err error
		if entries[name], err = a.entries(names, f); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// entries are the items that names and flags choose, as they stand.
func (a *app) entries(names []string, f campaignFlags) ([]campaign.Entry, error) {
	list, err := scenarios.Choose(names, f.tags)
	if err != nil {
		return nil, usageError{err}
	}
	if f.profile == topology.All()[0].Profiles[0] {
		f.profile = "" // it is what an item is run on that names none
	}
	depends, err := dependencies(cmp.Or(f.goVersion, runtime.Version()))
	if err != nil {
		return nil, err
	}
	var r harness.Runner
	entries, err := campaign.Look(campaign.Store{Dir: f.dir}, campaign.Items(list, f.profile), func(i campaign.Item) (string, error) {
		return i.Hash(&r, depends)
	})
	if errors.Is(err, harness.ErrUsage) {
		return nil, usageError{err}
	}
	return entries, err
}

// dependencies are what this program's results depend on, as this version of Go
// builds it.
func dependencies(goVersion string) (campaign.Depends, error) {
	own, err := campaign.ReadSources(sources.Sources, goVersion)
	if err != nil {
		return campaign.Depends{}, err
	}
	images, err := docker.Tags()
	if err != nil {
		return campaign.Depends{}, err
	}
	return campaign.Depends{Sources: own.Fingerprint, Images: func(name string) (string, error) {
		if ref := images[name]; ref != "" {
			return ref, nil
		}
		return "", fmt.Errorf("image %s: %w", name, topology.ErrNotFound)
	}}, nil
}

func (a *app) runCampaign(ctx context.Context, names []string, f campaignFlags, budget time.Duration) error {
	entries, err := a.entries(names, f)
	if err != nil {
		return err // before anything is made
	}
	return a.carryOut(ctx, f.dir, entries, budget, func(session *wiring.Session, c *campaign.Campaign) {
		keeper := a.keeper(session, c.Store.Runs())
		c.Runner = &suite.Runner{Run: a.rendered(session), Topologies: keeper}
		c.Afford = func(ctx context.Context, j suite.Job) error { return session.Runner.Afford(ctx, j.Scenario, j.Options) }
		c.Shape = func(j suite.Job) string { return keeper.Shape(j).Key() }
	})
}

// carryOut runs what is missing of a campaign; with sets the campaign's Runner
// and Shape.
func (a *app) carryOut(ctx context.Context, dir string, entries []campaign.Entry, budget time.Duration, with func(*wiring.Session, *campaign.Campaign)) error {
	session, err := wiring.Open(ctx, campaign.Store{Dir: dir}.Runs(), buildVersion())
	if err != nil {
		return err
	}
	defer session.Close()
	store, unlock, err := exclusively(dir)
	if err != nil {
		return err
	}
	defer unlock()
	if err := campaign.Reread(store, entries); err != nil { // nobody else changes them now
		return err
	}
	lines := newSuiteLines(a.progress(), io.Discard)
	defer lines.close()
	session.Runner.Progress, session.Runner.Hurry = lines, a.hurry
	c := campaign.Campaign{
		Store: store, Budget: budget, Machine: wiring.Machine(),
		Alive: alive(store),
		Says: func(e campaign.Entry, run suite.Entry, done, of int) {
			lines.says(run.Notes, fmt.Sprintf("[%d/%d] %-44s %-8s %4.0fs  %s", done+1, of, e.Name(), e.State(), run.Took.Seconds(), report.Clean(said(e, run))))
			for _, text := range leftBehind(run.Run.Leftovers) {
				lines.says(nil, text)
			}
		},
	}
	with(session, &c)
	out, err := c.Run(ctx, entries)
	lines.close()
	if out == nil {
		return err
	}
	a.code = campaign.ExitCode(out.Entries)
	a.leftOut(out.Without)
	switch {
	case out.Interrupted:
		fmt.Fprintln(a.err, "hachaos: interrupted: call it again to go on")
	case out.Spent:
		fmt.Fprintf(a.err, "hachaos: the budget of %v is spent: call it again to go on\n", budget)
	}
	for _, text := range leftBehind(out.Leftovers) {
		a.code = harness.ExitDirty
		fmt.Fprintln(a.err, text)
	}
	return errors.Join(err, report.CampaignTable(a.out, out.Entries, a.tableOptions()))
}

// alive says whether the engine still answers, by opening it anew.
func alive(store campaign.Store) func(context.Context) error {
	return func(ctx context.Context) error {
		session, err := wiring.Open(ctx, store.Runs(), buildVersion())
		if err != nil {
			return err
		}
		return session.Close()
	}
}

// leftBehind says of each leftover what it is and, if it is known, what
// removes it.
func leftBehind(list []history.Leftover) []string {
	var out []string
	for _, l := range list {
		text := fmt.Sprintf("hachaos: left behind: %s %s (%s)", l.Kind, l.Name, l.Detail)
		if l.Remove != "" {
			text += "; remove it with: " + l.Remove
		}
		out = append(out, report.Clean(text))
	}
	return out
}

// said is what is worth saying of an item's run.
func said(e campaign.Entry, run suite.Entry) string {
	if e.Record != nil && e.Record.Unlike != "" {
		return e.Record.Unlike
	}
	return run.Reason
}
