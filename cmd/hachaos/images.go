package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/topology/docker"
)

func (a *app) imagesCmd() *cobra.Command {
	c := &cobra.Command{
		Use:   "images",
		Short: "Build, list or prune the images that hachaos makes",
	}
	group(c)
	c.AddCommand(a.imagesBuild(), a.imagesList(), a.imagesPrune())
	return c
}

func (a *app) imagesBuild() *cobra.Command {
	return &cobra.Command{
		Use:   "build [NAME…]",
		Short: "Build the images whose inputs have changed (all, if none is named)",
		RunE: onEngine(func(c *cobra.Command, d *docker.Driver, names []string) error {
			return asUsage(d.Builder().Build(c.Context(), names, func(line string) { fmt.Fprintln(a.err, line) }))
		}),
	}
}

func (a *app) imagesList() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List them",
		Args:  noArgs,
		RunE: onEngine(func(c *cobra.Command, d *docker.Driver, _ []string) error {
			images, err := d.Builder().List(c.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(a.out, images)
			}
			return a.printImages(images)
		}),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (a *app) imagesPrune() *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:   "prune",
		Short: "Remove images of hachaos that are out of date",
		Args:  noArgs,
		RunE: onEngine(func(c *cobra.Command, d *docker.Driver, _ []string) error {
			gone, err := d.Builder().Prune(c.Context(), all)
			if perr := a.printImages(gone); err == nil {
				err = perr
			}
			return err
		}),
	}
	c.Flags().BoolVar(&all, "all", false, "remove the current ones, too")
	return c
}

func (a *app) printImages(images []docker.Image) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 3, ' ', 0)
	for _, i := range images {
		state := "out of date"
		if i.Current {
			state = "current"
		}
		fmt.Fprintf(w, "%s\t%s\t%d MB\t%s\n", i.Name, i.Tag, i.Size/1e6, state)
	}
	return w.Flush()
}
