package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/scenarios"
	"github.com/hachaos/hachaos/topology"
)

// listed is one line of `list --json`.
type listed struct {
	Kind  string `json:"kind"` // scenario or topology
	Name  string `json:"name"`
	About string `json:"about"`
}

func (a *app) listCmd() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the scenarios and the topologies",
		Example: "  hachaos list\n  hachaos list --json | jq -r '.[].name'",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			all := catalogue()
			if asJSON {
				return writeJSON(a.out, all)
			}
			w := tabwriter.NewWriter(a.out, 0, 0, 3, ' ', 0)
			for _, l := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\n", l.Kind, l.Name, l.About)
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func catalogue() []listed {
	var all []listed
	for _, s := range scenarios.All() {
		all = append(all, listed{"scenario", s.Name, s.About})
	}
	for _, t := range topology.All() {
		all = append(all, listed{"topology", t.Name, t.About})
	}
	return all
}

// writeJSON prints one indented JSON value and a newline.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
