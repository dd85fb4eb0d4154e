package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/calibrate"
	"github.com/hachaos/hachaos/campaign"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/report"
	"github.com/hachaos/hachaos/scenarios"
	"github.com/hachaos/hachaos/trust"
	"github.com/hachaos/hachaos/zoo"
)

func (a *app) trustPage() *cobra.Command {
	var (
		f    trustFlags
		html bool
	)
	c := &cobra.Command{
		Use:   "page",
		Short: "Make the page of all results: FOLDER.md, and its picture",
		Long: `page writes a page from the result files in the folder, and starts nothing: for
--dir docs/trust it is docs/trust.md, with the picture docs/trust/calibration.svg. What
has no result is there as "not measured yet". Results stay until they are measured again,
and the page says of each which hachaos it is of: of the zoo, too, whose results count for
'mutants matrix' only as long as nothing changes that they depend on.`,
		Example: "  hachaos trust page --dir docs/trust\n  hachaos trust page --dir docs/trust --html",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			if !exists(f.dir) {
				return usage("there is no folder %s: --dir says where the results are", f.dir)
			}
			return a.writePage(f, html)
		},
	}
	f.add(c)
	c.Flags().BoolVar(&html, "html", false, "write FOLDER.html, too")
	return c
}

func (a *app) writePage(f trustFlags, html bool) error {
	page, picture, err := trustSheet(f)
	if err != nil {
		return err
	}
	base := filepath.Clean(f.dir)
	if name := filepath.Base(base); name == "." || name == ".." {
		if base, err = filepath.Abs(base); err != nil {
			return err
		}
	}
	for _, ending := range []string{".md", ".html"} {
		if b, err := os.ReadFile(base + ending); err == nil && !strings.Contains(string(b), page.Title) && (html || ending == ".md") {
			return usage("%s%s is another page, which stays: --dir says where the results of 'hachaos trust' are", base, ending)
		}
	}
	files := map[string]func(io.Writer) error{base + ".md": func(w io.Writer) error { return report.SheetMarkdown(w, page) }}
	if html {
		files[base+".html"] = func(w io.Writer) error { return report.SheetHTML(w, page) }
	}
	if picture != nil {
		files[f.file(pictureFile)] = func(w io.Writer) error { return report.ScatterSVG(w, *picture) }
	}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if err := report.Replace(path, files[path]); err != nil {
			return err
		}
		fmt.Fprintln(a.out, path)
	}
	return nil
}

// trustSheet is the page, and the picture of the calibration if there is one.
// It is a function of the files and of what this program has mutants and points
// for.
func trustSheet(f trustFlags) (report.Sheet, *report.Scatter, error) {
	page := report.Sheet{
		Title: "Why the verdicts can be believed",
		About: "Written by 'hachaos trust page' from the result files beside it; not to be edited by hand. What has no result is said to be " +
			notMeasured + ". 'make trust' measures all of it, resumably.",
	}
	var picture *report.Scatter
	for _, part := range []func(trustFlags) (report.SheetSection, error){
		harnessPart, zooPart, soakPart,
		func(f trustFlags) (s report.SheetSection, err error) {
			s, picture, err = calibrationPart(f)
			return s, err
		},
		oraclesPart, mutationPart,
	} {
		s, err := part(f)
		if err != nil {
			return page, nil, err
		}
		page.Sections = append(page.Sections, s)
	}
	return page, picture, nil
}

// at is the part of a command that names the folder.
func (f trustFlags) at(sub ...string) string {
	return " --dir " + report.ShellWord(filepath.ToSlash(filepath.Join(append([]string{f.dir}, sub...)...)))
}

func harnessPart(f trustFlags) (report.SheetSection, error) {
	s := report.SheetSection{
		Title: "Harness mutants",
		About: "hachaos with one thing broken, as real harnesses break, over a system that is in order. Each must end as inconclusive, error or dirty, " +
			"with these words in its reason: never as a pass, and never as a failure blamed on the system. The same run without the mutation passes.",
		Said: notMeasured, Command: "hachaos trust harness" + f.at(),
	}
	all, err := trust.ReadShown(f.file(harnessFile))
	if err != nil {
		return s, err
	}
	mutants := slices.DeleteFunc(trust.Harness(), func(m trust.Mutant) bool { return m.Containers })
	outcomes := outcomesOf(mutants, all)
	if measured := slices.ContainsFunc(outcomes, func(o trust.Outcome) bool { return o.Wrong != notMeasured }); measured {
		s.Said = harnessCount(outcomes) + "."
	}
	var from provenance
	for _, m := range all {
		if m.Containers || slices.ContainsFunc(mutants, func(o trust.Mutant) bool { return o.Name == m.Name }) {
			from.add(m.Version, m.Machine, m.At)
		}
	}
	s.Provenance = from.String()
	s.Grid.Head = []string{"mutant", "what is broken", "as when", "must end as", "ended as", "the reason says"}
	for _, o := range outcomes {
		says := strings.Join(o.Mutant.Says, " … ")
		if !o.Good() {
			says = trust.Stable(o.Wrong)
		}
		s.Grid.Rows = append(s.Grid.Rows, []string{o.Mutant.Name, o.Mutant.Title, o.Mutant.Stands, string(o.Mutant.Ends), ofSeveral(o), says})
	}
	s.Notes = []string{containedNote(all)}
	return s, nil
}

// ofSeveral is how a mutant ended, in each of its runs.
func ofSeveral(o trust.Outcome) string {
	if o.Runs > 1 && o.Good() {
		return endedAs(o) + ", each of several"
	}
	return endedAs(o)
}

// containedNote tells of those that take an engine, which this program need
// not have.
func containedNote(all []trust.Shown) string {
	var words []string
	for _, name := range trust.ContainedNames() {
		word := name + ": " + notMeasured
		for _, s := range all {
			if !s.Containers || s.Name != name {
				continue
			}
			word = name + ": " + s.Ended()
			if !s.Good() {
				word += " ✗ (" + s.Wrong + ")"
			}
		}
		words = append(words, word)
	}
	return "Those that take an engine (hachaos trust harness --containers, built with -tags docker): " + strings.Join(words, "; ")
}

func zooPart(f trustFlags) (report.SheetSection, error) {
	s := report.SheetSection{
		Title: "The zoo: mutants of the system under test",
		About: "Systems with one planted defect each: the one assertion that it names must fire, three times in a row, and all but those that may must stay quiet. " +
			"A mended half must pass. " + report.ZooLegend + ".",
		Said: notMeasured, Command: "hachaos mutants campaign" + f.at(zooFolder),
	}
	mutants, err := zoo.BuiltIn()
	if err != nil {
		return s, err
	}
	halves, err := zoo.Halves(mutants, scenarios.Lookup)
	if err != nil {
		return s, err
	}
	last, err := lastRecords(f.file(zooFolder))
	if err != nil {
		return s, err
	}
	newest := map[string]*campaign.Record{}
	for _, r := range last {
		if before := newest[caseOf(r.Item)]; before == nil || r.StartedAt.After(before.StartedAt) {
			newest[caseOf(r.Item)] = r
		}
	}
	var entries []campaign.Entry
	byName, list, from := map[string]zoo.Half{}, []harness.Scenario{}, provenance{}
	for _, h := range halves {
		byName[h.Name] = h
		list = append(list, h.Scenario)
	}
	for _, item := range campaign.CaseItems(list, zoo.InARow) {
		e := campaign.Entry{Item: item, Record: last[item.Name()]}
		if e.Record != nil && e.Record.Hash != newest[caseOf(item)].Hash {
			e.Record, e.Earlier = nil, e.Record // of another state than its other repetitions
		}
		if e.Record != nil {
			e.Hash = e.Record.Hash
			from.add(e.Record.Version, e.Record.Machine, e.Record.StartedAt)
		}
		entries = append(entries, e)
	}
	if s.Provenance = from.String(); s.Provenance != "" {
		s.Said = campaign.Totals(entries) + "."
	}
	s.Grid = report.ZooGrid(zooRows(entries, byName))
	for _, u := range zoo.NotPlanted() {
		s.Notes = append(s.Notes, "Not planted: "+u.Defect+": "+u.Why+".")
	}
	for _, sum := range campaign.Summarise(entries) {
		s.Notes = append(s.Notes, sum.Unsettled()...)
	}
	return s, nil
}

// caseOf names an item's case: its repetitions count only if they are of one state
// of what they depend on.
func caseOf(i campaign.Item) string { return i.Scenario + "\x00" + i.Case + "\x00" + i.Profile }

// lastRecords are the last record of each item of a campaign's folder, by the
// item's name, whatever state of things it is of.
func lastRecords(dir string) (map[string]*campaign.Record, error) {
	out := map[string]*campaign.Record{}
	err := filepath.WalkDir(filepath.Join(dir, "items"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var r campaign.Record
		if err := json.Unmarshal(b, &r); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if r.Schema != campaign.Schema {
			return fmt.Errorf("%s: schema %q: want %s", path, r.Schema, campaign.Schema)
		}
		if before := out[r.Name()]; before == nil || r.StartedAt.After(before.StartedAt) {
			out[r.Name()] = &r
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return out, err
}

func soakPart(f trustFlags) (report.SheetSection, error) {
	all, err := trust.ReadFile[trust.Alarm](f.file(soakFile))
	s := soakSection(all)
	s.Command = "hachaos trust soak --budget 14m" + f.at()
	return s, err
}

func soakSection(all []trust.Alarm) report.SheetSection {
	s := report.SheetSection{
		Title: "False alarms",
		About: "Healthy systems, and faults that no user can notice, over and over: each run must pass. The bound is exact (Clopper and Pearson), at 95 % confidence; " +
			"it counts the runs that gave a verdict, of which at least 200 are wanted, and takes them for independent: those of one call share a topology.",
		Said: notMeasured,
	}
	s.Grid, s.Notes = soakGrid(all)
	var from provenance
	for _, alarm := range all {
		from.add(alarm.Version, alarm.Machine, alarm.At)
	}
	if s.Provenance = from.String(); s.Provenance != "" {
		s.Said = trust.SumUp(all).String() + "."
	}
	return s
}

func calibrationPart(f trustFlags) (report.SheetSection, *report.Scatter, error) {
	s := report.SheetSection{
		Title: "Calibration",
		About: "Known truths against what hachaos reports. Outages are cut between two times that the kernel holds every packet against; the reported one must be " +
			"within one interval between two operations and 5 ms. Worst error is the one farthest from 0, spread the largest report less the least.",
		Said: notMeasured, Command: "hachaos trust calibrate" + f.at(),
	}
	all, err := trust.ReadFile[calibrate.Measurement](f.file(calibrationFile))
	if err != nil {
		return s, nil, err
	}
	all, others := calibrate.Newest(all)
	if others > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%d measurements of earlier programs are left out.", others))
	}
	lines := calibrate.Lines(calibrate.Readings(calibrate.PointsAt(ratesOf(all)...), all))
	s.Grid = calibrationGrid(lines)
	var from provenance
	for _, m := range all {
		from.add(m.Version, m.Machine, m.At)
		if m.Unread != "" {
			s.Notes = append(s.Notes, fmt.Sprintf("%s, seed %d: nothing reported: %s", m.Point, m.Seed, trust.Stable(m.Unread)))
		}
	}
	if s.Provenance = from.String(); s.Provenance == "" {
		return s, nil, nil
	}
	s.Said = calibrationCount(lines) + "."
	s.Picture, s.PictureText = filepath.Base(filepath.Clean(f.dir))+"/"+pictureFile, "reported against true"
	picture := calibrationPicture(lines)
	return s, &picture, nil
}

// ratesOf are those that outages were cut at, the usual ones among them.
func ratesOf(all []calibrate.Measurement) []int {
	rates := slices.Clone(calibrate.Rates)
	for _, m := range all {
		var rate int
		_, text, ok := strings.Cut(m.Point, "-at-")
		if _, err := fmt.Sscan(text, &rate); ok && err == nil && rate >= 1 && rate <= 1000 {
			rates = append(rates, rate)
		}
	}
	slices.Sort(rates)
	return slices.Compact(rates)
}

func oraclesPart(f trustFlags) (report.SheetSection, error) {
	s := report.SheetSection{
		Title: "Checkers against oracles",
		About: "Each checker is held against slow, obviously right ones on random histories, finds violations that are planted in whole runs by their numbers, and " +
			"says the same of a record that is changed in a way that says nothing else.",
		Said: notMeasured, Command: "make oracles", See: "oracles.md",
	}
	made, lines, err := madeBy(f.file(oraclesFile))
	if err != nil || made == "" {
		return s, err
	}
	s.Provenance = made
	passed := 0
	s.Grid.Head = []string{"package", "its tests"}
	for _, l := range lines {
		words := strings.Fields(l)
		switch {
		case len(words) >= 2 && words[0] == "ok":
			passed++
			s.Grid.Rows = append(s.Grid.Rows, []string{words[1], "pass"})
		case len(words) >= 2 && words[0] == "FAIL":
			s.Grid.Rows = append(s.Grid.Rows, []string{words[1], "FAIL"})
		}
	}
	if len(s.Grid.Rows) == 0 {
		return s, fmt.Errorf("%s: no package in it: `make oracles` writes it", f.file(oraclesFile))
	}
	s.Said = fmt.Sprintf("The tests of %d of %d packages pass.", passed, len(s.Grid.Rows))
	return s, nil
}

func mutationPart(f trustFlags) (report.SheetSection, error) {
	s := report.SheetSection{
		Title: "Mutation of hachaos itself",
		About: "Small defects in hachaos's own code, one at a time: does a unit test of the package notice? What counts is the share that is noticed; of a sample, " +
			"with its interval at 95 %. Survivors that were explained count against it.",
		Said: notMeasured, Command: "make mutation mutation-result",
	}
	made, lines, err := madeBy(f.file(mutationFile))
	if err != nil || made == "" {
		return s, err
	}
	for _, l := range lines {
		cells, ok := cellsOf(l)
		switch {
		case strings.HasPrefix(l, "Sample: "):
			s.Notes = append(s.Notes, l)
		case !ok || strings.HasPrefix(cells[0], "-"): // the rule below the head
		case s.Grid.Head == nil:
			s.Grid.Head = cells
		case len(cells) == len(s.Grid.Head):
			s.Grid.Rows = append(s.Grid.Rows, cells)
		}
	}
	if len(s.Grid.Rows) == 0 {
		return s, fmt.Errorf("%s: no table in it: `make mutation` writes it", f.file(mutationFile))
	}
	scores, without := scoresOf(s.Grid.Rows)
	if len(scores) == 0 { // none was run
		s.Grid = report.Grid{}
		return s, nil
	}
	s.Said = "Score of " + strings.Join(scores, ", of ") + "."
	if len(without) > 0 {
		s.Said += " Not measured yet: " + strings.Join(without, ", ") + "."
	}
	s.Provenance = made
	return s, nil
}

// scoresOf are the scores of a table's rows in words: that of the last, which is all
// together, or else those of the packages that have one; without are the others.
func scoresOf(rows [][]string) (scores, without []string) {
	score := func(row []string) string { return row[len(row)-1] }
	total := rows[len(rows)-1]
	if score(total) != "-" {
		return []string{total[0] + ": " + score(total)}, nil
	}
	for _, row := range rows[:len(rows)-1] {
		if score(row) == "-" {
			without = append(without, row[0])
		} else {
			scores = append(scores, row[0]+": "+score(row))
		}
	}
	return scores, without
}

// cellsOf are a row of a table in Markdown.
func cellsOf(line string) ([]string, bool) {
	inner, ok := strings.CutPrefix(strings.TrimSpace(line), "|")
	if !ok {
		return nil, false
	}
	cells := strings.Split(strings.TrimSuffix(inner, "|"), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells, true
}

// madeBy reads a file of which the first line says what made the others:
// "hachaos v1; 2 processors; last on 2026-11-20". A file that is not there was
// made by nothing.
func madeBy(path string) (made string, lines []string, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	lines = strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	if !strings.HasPrefix(lines[0], "hachaos ") {
		return "", nil, fmt.Errorf("%s: its first line is %q: want what made it, such as \"hachaos v1; 2026-11-20\"", path, lines[0])
	}
	return lines[0], lines[1:], nil
}
