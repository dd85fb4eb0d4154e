package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/topology/docker"
)

// onEngine is a command that needs the engine: it opens it, acts, and lets
// go of it.
func onEngine(act func(*cobra.Command, *docker.Driver, []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		d, err := docker.Open(c.Context(), docker.Options{})
		if err != nil {
			return err
		}
		return errors.Join(act(c, d, args), d.Close())
	}
}
