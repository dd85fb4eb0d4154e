package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/topology/docker"
)

func (a *app) doctorCmd() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Say what this machine lacks for hachaos, and how to mend it",
		Long: `doctor looks at the engine and at what runs need of the machine: processors, memory,
disk, clock, a free network, images, a route to the VIP, what the kernel has, and how fast
threads wake each other. It starts one small container, and builds nothing.

Exit codes: 0 nothing is lacking that every run needs, 2 usage, 4 something is.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			checks := append(docker.Doctor(c.Context(), docker.Options{}), wakeCheck())
			for _, k := range checks {
				if !k.OK && !k.Optional {
					a.code = harness.ExitError
				}
			}
			if asJSON {
				return writeJSON(a.out, checks)
			}
			return a.printChecks(checks)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (a *app) printChecks(checks []docker.Check) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 3, ' ', 0)
	for _, k := range checks {
		word := "ok"
		switch {
		case k.OK:
		case k.Optional:
			word = "absent"
		default:
			word = "LACKS"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", k.Name, word, k.Detail)
		if !k.OK && k.Mend != "" {
			fmt.Fprintf(w, "\t\t→ %s\n", k.Mend)
		}
	}
	return w.Flush()
}
