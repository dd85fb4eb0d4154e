package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/compare"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/internal/serve"
	"github.com/hachaos/hachaos/report"
	"github.com/hachaos/hachaos/topology"
)

// compareFlags are how runs are grouped, and how it is printed.
type compareFlags struct {
	by                  string
	all, json, markdown bool
	html                string
}

func (a *app) compareCmd() *cobra.Command {
	var f compareFlags
	c := &cobra.Command{
		Use:         "compare [NAME=]DIR [NAME=]DIR…",
		Annotations: offline(),
		Short:       "Say how groups of runs differ, and which differences are beyond noise",
		Long: `compare reads two or more folders and compares what is in each with the first:
verdicts, each assertion's, and every figure, with the spread over the repeats. A
folder is that of a run, of a suite ('run --repeat 5' makes one), of a campaign, or
one that holds such folders. With --by, the runs of all folders are pooled and split
by their profile, their version of hachaos, or their command.

A run is judged again from its record, so that all are judged by the same program; a
campaign's records are taken as they are. Only runs with a verdict count.

` + method() + `

The exit code is 0 whatever differs.`,
		Example: `  hachaos compare runs/before-suite runs/after-suite
  hachaos compare tuned=runs/…-suite-1a2b documented=runs/…-suite-3c4d --html difference.html
  hachaos compare --by profile docs/campaign
  hachaos compare --by version runs --markdown`,
		RunE: func(c *cobra.Command, args []string) error {
			return a.compareFolders(c.Context(), args, f)
		},
		ValidArgsFunction: completeDirs,
	}
	c.Flags().StringVar(&f.by, "by", "", "split the runs of all folders by this: "+strings.Join(compare.Attributes, ", "))
	c.Flags().BoolVar(&f.all, "all", false, "also what is the same everywhere, and the figures of single phases")
	c.Flags().BoolVar(&f.json, "json", false, "print JSON: a list with a comparison a scenario")
	c.Flags().BoolVar(&f.markdown, "markdown", false, "print Markdown, for a merge request")
	c.Flags().StringVar(&f.html, "html", "", "also write a page with a picture of each figure to this file")
	return c
}

// errBothForms: standard output has only room for one.
var errBothForms = usage("--json and --markdown: want one of them")

// method is the tests in words, in lines.
func method() string { return report.Wrap(compare.Method, 84) }

func (a *app) compareFolders(ctx context.Context, args []string, f compareFlags) error {
	if f.json && f.markdown {
		return errBothForms
	}
	if f.html != "" {
		if err := writable("--html "+f.html, f.html); err != nil {
			return err
		}
	}
	judged := func(dir string) (*harness.Result, error) {
		r, _, err := judge(ctx, dir)
		return r, err
	}
	list, missing, err := compared(judged, args, f.by, f.all)
	if err != nil {
		return err
	}
	for _, m := range missing {
		fmt.Fprintln(a.err, "hachaos: left out:", report.Clean(m))
	}
	if f.html != "" {
		page := func(w io.Writer) error {
			return report.CompareHTML(w, list, report.ComparePage{All: f.all, Missing: missing})
		}
		if err := report.Replace(f.html, page); err != nil {
			return err
		}
		fmt.Fprintln(a.err, "hachaos: wrote", f.html)
	}
	switch {
	case f.json:
		return writeJSON(a.out, list)
	case f.markdown:
		return report.CompareMarkdown(a.out, list, f.all)
	}
	return report.CompareTable(a.out, list, f.all, a.tableOptions())
}

// compared compares what the folders hold, with all figures or those of whole
// runs; missing are the subjects that are not in every group.
func compared(judge serve.Judge, args []string, by string, all bool) (list []compare.Comparison, missing []string, err error) {
	groups, left, err := groupsOf(judge, args, by)
	if err != nil {
		return nil, nil, err
	}
	list, missing = compare.Compare(groups, compare.Options{Phases: all}), append(compare.Missing(groups), left...)
	if len(list) == 0 {
		return nil, nil, usage("there is nothing to compare: no scenario is in two groups (%s)", strings.Join(missing, "; "))
	}
	return list, missing, nil
}

// groupsOf reads the folders: a group each, or those that they are split into. What
// in them cannot be read is left out, and told.
func groupsOf(judge serve.Judge, args []string, by string) (list []compare.Group, left []string, err error) {
	if len(args) == 0 || len(args) == 1 && by == "" {
		return nil, nil, usage("hachaos compare wants two folders or more, or --by %s with one: see 'hachaos compare --help'", strings.Join(compare.Attributes, "|"))
	}
	reader := compare.Reader{Profile: topology.All()[0].Profiles[0], Judge: judge, LeaveOut: func(dir string, why error) {
		left = append(left, fmt.Sprintf("%s: %v", dir, why))
	}}
	var (
		groups []compare.Group
		pool   []compare.Run
	)
	names, dirs, err := named(args)
	if err != nil {
		return nil, nil, err
	}
	for i, dir := range dirs {
		runs, err := reader.Read(dir)
		if errors.Is(err, compare.ErrNoRuns) {
			if len(left) > 0 {
				err = fmt.Errorf("%w (%s)", err, strings.Join(left, "; "))
			}
			return nil, nil, usageError{err}
		}
		if err != nil {
			return nil, nil, err
		}
		groups = append(groups, compare.Group{Name: names[i], Source: dir, Runs: runs})
		pool = append(pool, runs...)
	}
	if by == "" {
		return groups, left, nil
	}
	split, err := compare.By(pool, by)
	if err != nil {
		return nil, nil, usage("--by %v", err)
	}
	if len(split) < 2 {
		return nil, nil, usage("--by %s: all runs have the same, %s", by, split[0].Name)
	}
	for i := range split {
		if utf8.RuneCountInString(split[i].Name) > longName {
			split[i].Source, split[i].Name = split[i].Name, letter(i)
		}
	}
	return split, left, nil
}

// longName is how long a group's name may be before a letter stands for it.
const longName = 16

// named splits each NAME=DIR; a folder without a name gets the next letter that is none's.
// A folder that has an equals sign in its name is taken as it is.
func named(args []string) (names, dirs []string, err error) {
	names, dirs = make([]string, len(args)), slices.Clone(args)
	taken := map[string]bool{}
	for i, arg := range args {
		name, dir, ok := strings.Cut(arg, "=")
		if !ok || name == "" || exists(arg) || strings.ContainsRune(name, filepath.Separator) {
			continue
		}
		if taken[name] {
			return nil, nil, usage("two groups have the name %s", name)
		}
		names[i], dirs[i], taken[name] = name, dir, true
	}
	for i := range names {
		for n := i; names[i] == ""; n++ {
			if !taken[letter(n)] {
				names[i], taken[letter(n)] = letter(n), true
			}
		}
	}
	return names, dirs, nil
}

// letter is A, B, …, Z, A1, …
func letter(i int) string {
	s := string(rune('A' + i%26))
	if i >= 26 {
		s += fmt.Sprint(i / 26)
	}
	return s
}
