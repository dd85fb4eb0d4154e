package main

import (
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/scenarios"
	"github.com/hachaos/hachaos/topology"
)

// description is what `describe --json` prints.
type description struct {
	Name     string            `json:"name"`
	About    string            `json:"about"`
	Story    string            `json:"story,omitempty"`
	Tags     []string          `json:"tags,omitempty"`
	Topology string            `json:"topology"`
	Profile  string            `json:"profile"`
	Profiles []string          `json:"profiles"`
	Phases   []phaseText       `json:"phases,omitempty"`
	Asserts  []assertText      `json:"asserts,omitempty"`
	Cases    []caseText        `json:"cases,omitempty"`
	Bounds   []topology.Bound  `json:"bounds"`
	Values   []topology.Value  `json:"values"`
	Settings []topology.Switch `json:"settings"`
}

type phaseText struct {
	Name   string        `json:"name"`
	Kind   string        `json:"kind"`
	For    time.Duration `json:"for"`
	Await  bool          `json:"await,omitempty"`
	Faults []string      `json:"faults,omitempty"`
	Heals  []string      `json:"heals,omitempty"`
}

type assertText struct {
	Name  string `json:"name"`
	About string `json:"about"`
}

// caseText is a system, made so by switches, and what must be said of it.
type caseText struct {
	Name string `json:"name"`
	// Command runs it.
	Command string   `json:"command"`
	Fails   []string `json:"fails,omitempty"`
	Also    []string `json:"also,omitempty"`
	Because string   `json:"because,omitempty"`
}

// expected says in words what must come of it.
func (c caseText) expected() string {
	if len(c.Fails) == 0 {
		return "passes"
	}
	text := "fails by " + strings.Join(c.Fails, " and ")
	if len(c.Also) > 0 {
		text += ", perhaps " + strings.Join(c.Also, " and ")
	}
	if c.Because != "" {
		text += " (" + c.Because + ")"
	}
	return text
}

func (a *app) describeCmd() *cobra.Command {
	var (
		asJSON bool
		opts   topology.Options
	)
	c := &cobra.Command{
		Use:   "describe SCENARIO|TOPOLOGY",
		Short: "Say what a scenario does and expects, and what the configuration implies",
		Example: `  hachaos describe instance-kill
  hachaos describe jetty-ha --profile documented`,
		Args: oneArg("the name of a scenario or a topology"),
		RunE: func(_ *cobra.Command, args []string) error {
			d, err := describe(args[0], opts)
			if err != nil {
				return usageError{err}
			}
			if asJSON {
				return writeJSON(a.out, d)
			}
			return printDescription(a.out, d)
		},
		ValidArgsFunction: completeNames,
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().StringVar(&opts.Profile, "profile", "", "the topology's profile")
	c.Flags().IntVar(&opts.Nodes, "nodes", 0, "application nodes (0: the topology's default)")
	return c
}

// anySubnet is for plans of which nothing is started.
var anySubnet = netip.MustParsePrefix("198.18.0.0/24")

func describe(name string, opts topology.Options) (*description, error) {
	s, serr := scenarios.Lookup(name)
	if serr != nil {
		def, err := topology.Lookup(name)
		if err != nil {
			return nil, serr
		}
		s = harness.Scenario{Name: def.Name, About: def.About, Topology: def.Name}
	}
	def, err := topology.Lookup(s.Topology)
	if err != nil {
		return nil, err
	}
	plan, err := def.Plan(opts)
	if err != nil {
		return nil, err
	}
	spec, err := plan(anySubnet)
	if err != nil {
		return nil, err
	}
	d := &description{
		Name: s.Name, About: s.About, Story: s.Story,
		Topology: def.Name, Profile: spec.Profile, Profiles: def.Profiles,
		Bounds: spec.Bounds, Values: spec.Values, Settings: def.Switches,
	}
	if serr == nil {
		d.Settings = append(append(append([]topology.Switch{}, s.Settings...), load.Switches()...), def.Switches...)
		d.Phases, d.Asserts = describePhases(s.Fitted(spec)), describeAsserts(s)
		d.Tags, d.Cases = s.Tags, describeCases(s)
	}
	return d, nil
}

func describePhases(s harness.Scenario) []phaseText {
	var out []phaseText
	for _, p := range s.Phases {
		t := phaseText{Name: p.Name, Kind: p.Kind, For: p.For, Await: p.Await, Heals: p.Heal}
		for _, in := range p.Faults {
			t.Faults = append(t.Faults, describeInjection(in))
		}
		out = append(out, t)
	}
	return out
}

// describeInjection says who suffers and who is aimed at: of a fault that names
// its victims, the targets are those that are told of them. One that names none
// takes them from the application nodes among its targets.
func describeInjection(in harness.Injection) string {
	f, ok := in.Fault.(fault.Indirect)
	if !ok {
		return in.Fault.Kind() + " on " + in.Aim.Name
	}
	if victims := f.Victims(); len(victims) > 0 {
		return in.Fault.Kind() + " of " + strings.Join(victims, ", ") + ", told to " + in.Aim.Name
	}
	return in.Fault.Kind() + " of the application nodes among " + in.Aim.Name + ", told to the balancers among them"
}

func describeAsserts(s harness.Scenario) []assertText {
	var out []assertText
	for _, c := range s.Asserts {
		out = append(out, assertText{c.Name(), c.About()})
	}
	return out
}

func describeCases(s harness.Scenario) []caseText {
	var out []caseText
	for _, c := range s.Cases {
		words := []string{"hachaos", "run", s.Name}
		if c.Nodes != 0 {
			words = append(words, "--nodes", fmt.Sprint(c.Nodes))
		}
		for _, key := range slices.Sorted(maps.Keys(c.Set)) {
			words = append(words, "--set", key+"="+c.Set[key])
		}
		out = append(out, caseText{c.Name, strings.Join(words, " "), c.Fails, c.Also, c.Because})
	}
	return out
}

func printDescription(out io.Writer, d *description) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s: %s\n", d.Name, d.About)
	if d.Story != "" {
		fmt.Fprintf(w, "\n%s\n", d.Story)
	}
	if len(d.Tags) > 0 {
		fmt.Fprintf(w, "\nTags: %s\n", strings.Join(d.Tags, ", "))
	}
	if len(d.Phases) > 0 {
		fmt.Fprintf(w, "\nPhases\n")
		for _, p := range d.Phases {
			what := strings.Join(p.Faults, ", ")
			if len(p.Heals) > 0 {
				what = "heal " + strings.Join(p.Heals, ", ")
			}
			if p.Await {
				what += ": until that is proven, and then as long as stated"
			}
			fmt.Fprintf(w, "  %s\t%v\t%s\t%s\n", p.Name, p.For, p.Kind, what)
		}
		fmt.Fprintf(w, "\nExpected\n")
		for _, c := range d.Asserts {
			fmt.Fprintf(w, "  %s\t%s\n", c.Name, c.About)
		}
		fmt.Fprintf(w, "\nCases: the same with something changed, and what must come of it\n")
		for _, c := range d.Cases {
			fmt.Fprintf(w, "  %s\t%s\t%s\n", c.Name, c.Command, c.expected())
		}
	}
	fmt.Fprintf(w, "\nTopology %s, profile %s (of %s)\n", d.Topology, d.Profile, strings.Join(d.Profiles, ", "))
	for _, v := range d.Values {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", v.Name, v.Value, v.Reason)
	}
	fmt.Fprintf(w, "\nBounds that follow\n")
	for _, b := range d.Bounds {
		limit := b.Limit.String()
		if b.Count != 0 {
			limit = fmt.Sprint(b.Count)
		}
		fmt.Fprintf(w, "  %s\t≤ %s\t%s (%s)\n", b.Name, limit, b.Formula, b.Source)
	}
	fmt.Fprintf(w, "\nSettings (--set KEY=VALUE)\n")
	for _, s := range d.Settings {
		values := strings.Join(s.Values, "|")
		fmt.Fprintf(w, "  %s\t%s\t%s (default %s)\n", s.Key, values, s.About, s.Default)
	}
	return w.Flush()
}

// completeScenarios offers what can be run.
func completeScenarios(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	names := []string{"all\tevery scenario"}
	for _, s := range scenarios.All() {
		names = append(names, s.Name+"\t"+s.About)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeNames offers what can be described.
func completeNames(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, l := range catalogue() {
		names = append(names, l.Name+"\t"+l.About)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
