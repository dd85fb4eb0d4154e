package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/report"
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
			return writeList(a.out, all, a.tableOptions().Width)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().StringArrayVar(&tags, "tag", nil, "only scenarios with this tag, repeatable")
	return c
}

// leastAbout is how many columns a list's last one must have to be wrapped in;
// with fewer it goes below the others.
const leastAbout = 40

// writeList prints a line each, for grep and awk; on a terminal of so many
// columns (0: no terminal) what does not fit goes on under its column.
func writeList(w io.Writer, all []listed, width int) error {
	var b bytes.Buffer
	t := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	for _, l := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t\n", l.Kind, l.Name, strings.Join(l.Tags, ","))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	var lines []string
	for i, head := range strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n") {
		about, indent := all[i].About, utf8.RuneCountInString(head)
		switch left := width - indent; {
		case width == 0:
		case left < leastAbout:
			lines, head, indent = append(lines, strings.TrimRight(head, " ")), "    ", 4
			about = report.Wrap(about, width-indent)
		default:
			about = report.Wrap(about, left)
		}
		lines = append(lines, head+strings.ReplaceAll(about, "\n", "\n"+strings.Repeat(" ", indent)))
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
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
