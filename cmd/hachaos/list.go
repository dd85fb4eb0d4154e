package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
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
	// Tags are a scenario's.
	Tags []string `json:"tags,omitempty"`
}

func (a *app) listCmd() *cobra.Command {
	var (
		asJSON bool
		tags   []string
	)
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the scenarios and the topologies",
		Example: "  hachaos list\n  hachaos list --tag process\n  hachaos list --json | jq -r '.[].name'",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			all, err := tagged(tags)
			if err != nil {
				return usageError{err}
			}
			if asJSON {
				return writeJSON(a.out, all)
			}
			w := tabwriter.NewWriter(a.out, 0, 0, 3, ' ', 0)
			for _, l := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", l.Kind, l.Name, strings.Join(l.Tags, ","), l.About)
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().StringArrayVar(&tags, "tag", nil, "only scenarios with this tag, repeatable")
	return c
}

// tagged is the catalogue, or the scenarios of it that bear one of the tags.
func tagged(tags []string) ([]listed, error) {
	if len(tags) == 0 {
		return catalogue(), nil
	}
	list, err := scenarios.Choose(nil, tags)
	var out []listed
	for _, s := range list {
		out = append(out, listed{"scenario", s.Name, s.About, s.Tags})
	}
	return out, err
}

func catalogue() []listed {
	var all []listed
	for _, s := range scenarios.All() {
		all = append(all, listed{"scenario", s.Name, s.About, s.Tags})
	}
	for _, t := range topology.All() {
		all = append(all, listed{"topology", t.Name, t.About, nil})
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
