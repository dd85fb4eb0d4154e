package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/topology/docker"
)

func (a *app) statusCmd() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "status",
		Short: "Show the topologies that stand, and what nobody owns any more",
		Args:  noArgs,
		RunE: onEngine(func(c *cobra.Command, d *docker.Driver, _ []string) error {
			standing, err := d.Standing(c.Context())
			if err != nil {
				return err
			}
			garbage, err := d.Garbage(c.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(a.out, map[string]any{"standing": orEmpty(standing), "garbage": orEmpty(garbage)})
			}
			return a.printStatus(standing, len(garbage))
		}),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func (a *app) printStatus(standing []docker.Standing, garbage int) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 3, ' ', 0)
	if len(standing) == 0 {
		fmt.Fprintln(w, "no topology stands; `hachaos up` brings one up")
	}
	for _, s := range standing {
		fmt.Fprintf(w, "%s\t%s, profile %s\t%s\t%d of %d nodes run\n",
			s.Name, s.Spec.Name, s.Spec.Profile, s.Entry.URL, s.Running, len(s.Spec.Nodes))
	}
	if garbage > 0 {
		fmt.Fprintf(w, "%d things were left by runs that are gone; `hachaos gc` removes them\n", garbage)
	}
	return w.Flush()
}

// orEmpty makes a nil list an empty one, for JSON.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func (a *app) gcCmd() *cobra.Command {
	var dry bool
	c := &cobra.Command{
		Use:   "gc",
		Short: "Remove what runs left that are gone, such as after a reboot",
		Long: `gc removes the containers, networks and volumes that bear hachaos's label and
whose process is gone. Topologies that were left standing stay; see 'hachaos down'.`,
		Args: noArgs,
		RunE: onEngine(func(c *cobra.Command, d *docker.Driver, _ []string) error {
			act, word := d.Collect, "removed"
			if dry {
				act, word = d.Garbage, "would remove"
			}
			list, err := act(c.Context())
			for _, l := range list {
				fmt.Fprintf(a.out, "%s %s %s\n", word, l.Kind, l.Name)
			}
			if len(list) == 0 && err == nil {
				fmt.Fprintln(a.out, "nothing was left behind")
			}
			return err
		}),
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "only say what would be removed")
	return c
}
