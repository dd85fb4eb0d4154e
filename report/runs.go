package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/compare"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/suite"
)

// RunLine is a line of the list of runs: the folder of a run, or of a suite.
// Its texts are as the files have them: the page cleans them.
type RunLine struct {
	// Name is the folder's path in the one that is listed.
	Name string
	// Suite says that it is a suite's folder.
	Suite bool
	// Report is the address of its page; empty if there is none. Files is that
	// of the list of its files, and Within that of the list of a suite's runs.
	Report, Files, Within string
	// Box is what its box of the list is sent as.
	Box string

	Scenario, Profile string
	// Verdict is empty if there is none. Of a suite it is the worst of its
	// runs', and empty if that one is dirty.
	Verdict harness.Verdict
	Dirty   bool
	// Reason is the verdict in a sentence, or why there is none.
	Reason  string
	Started time.Time
	Took    time.Duration
	Seed    uint64
	// Figures are the headlines of a run's Result.Measures.
	Figures map[string]float64
	// Advice is what to do about what it lacks.
	Advice []Advice
}

// Advice is a text, and a command that belongs to it; empty is none.
type Advice struct{ Text, Command string }

// headlines are the figures of a line, in the order of their columns.
var headlines = []struct{ name, title, unit string }{
	{"good_percent", "good", "% good"},
	{"latency_p99_ms", "p99", "ms"},
	{assert.ErrorBudget{}.Name() + "." + harness.FigureName("longest outage of the victim's share"), "longest outage", "ms"},
	{"operations", "operations", ""},
}

// LineOf makes a line of a run's result. It is no larger than a line has to
// be, whatever the result holds. Where the run is is left to the caller.
func LineOf(r *harness.Result) RunLine {
	l := RunLine{
		Scenario: cut(r.Scenario, maxName), Profile: cut(r.Profile, maxName), Verdict: r.Verdict, Dirty: r.Dirty, Reason: cut(r.Reason, maxText),
		Started: r.StartedAt, Took: r.Took, Seed: r.Seed, Figures: map[string]float64{},
	}
	for _, h := range headlines {
		if v, has := r.Measures[h.name]; has {
			l.Figures[h.name] = v
		}
	}
	return l
}

// LineOfSuite makes a line of a suite's result.
func LineOfSuite(s *suite.Result) RunLine {
	var names []string
	for _, e := range s.Entries {
		if !slices.Contains(names, e.Scenario) {
			names = append(names, e.Scenario)
		}
	}
	reason := fmt.Sprintf("%s of %s: %s.", plural(len(s.Entries), "run"), strings.Join(clip(names, 3), ", "), suite.Counts(s.Entries))
	if len(s.Entries) == 0 {
		reason = "It has no run."
	}
	if s.Interrupted {
		reason += " It was interrupted."
	}
	return RunLine{
		Suite: true, Reason: cut(reason, maxText), Started: s.StartedAt, Took: s.Took, Seed: s.Seed, Dirty: s.ExitCode() == harness.ExitDirty,
		Verdict: map[int]harness.Verdict{
			harness.ExitPass: harness.VerdictPass, harness.ExitFail: harness.VerdictFail,
			harness.ExitInconclusive: harness.VerdictInconclusive, harness.ExitError: harness.VerdictError,
		}[s.ExitCode()],
	}
}

// Verdicts that a list is filtered by, beside those of runs.
const (
	OnlyDirty    = "dirty"
	OnlyNoResult = "none"
)

// RunVerdicts are all that a list can be filtered by.
var RunVerdicts = []string{
	string(harness.VerdictPass), string(harness.VerdictFail), string(harness.VerdictInconclusive), string(harness.VerdictError), OnlyDirty, OnlyNoResult,
}

// Is says whether the line is of this one of RunVerdicts.
func (l *RunLine) Is(verdict string) bool {
	switch verdict {
	case OnlyDirty:
		return l.Dirty
	case OnlyNoResult:
		return l.Verdict == "" && !l.Dirty
	}
	return l.Verdict == harness.Verdict(verdict)
}

// Word is the verdict for people: "pass", "fail (dirty)", "no result".
func (l *RunLine) Word() string {
	switch {
	case l.Is(OnlyNoResult):
		return "no result"
	case l.Verdict == "":
		return OnlyDirty
	case l.Dirty:
		return string(l.Verdict) + " (dirty)"
	}
	return string(l.Verdict)
}

// toneOf is the colour of a verdict; none is empty.
func toneOf(v harness.Verdict, dirty bool) string {
	switch {
	case dirty, v == harness.VerdictFail, v == harness.VerdictError:
		return "bad"
	case v == harness.VerdictPass:
		return "good"
	case v == harness.VerdictInconclusive:
		return "warn"
	}
	return ""
}

// RunFilter is what a list was asked for. Its zero value is all.
type RunFilter struct {
	// Verdicts are some of RunVerdicts: any of them will do.
	Verdicts []string
	// Scenario is a pattern, such as db-*.
	Scenario string
	Profile  string
	// Text is to be found somewhere in the line.
	Text string
	// Within is the Box of the folder that the line is to be in, itself
	// included.
	Within string
}

// RunList is a page of the list of runs.
type RunList struct {
	// Dir is the folder that is listed.
	Dir string
	// Runs and Suites are how many it has, and Matched how many of both the
	// filter leaves.
	Runs, Suites, Matched int
	Filter                RunFilter
	// Inside is the name of the folder that the filter's Within stands for.
	Inside string
	// Counts say how many lines each of RunVerdicts would leave, with all
	// other filters as they are.
	Counts map[string]int
	// Scenarios and Profiles are those that there are.
	Scenarios, Profiles []string
	// Notes are what a reader must know of the list.
	Notes []string
	// Lines are those of this page; the first of them has the number First,
	// counted from 1.
	Lines []RunLine
	First int
	// Newer and Older are the addresses of the pages beside this one; empty is
	// none. Check is that of this page with all its boxes checked.
	Newer, Older, Check string
	// Checked says that they are.
	Checked bool
}

// lineView is what the page shows of a line.
type lineView struct {
	Name, Report, Files, Within, Box      string
	Suite                                 bool
	Scenario, Profile, Word, Tone, Reason string
	Started, Took, Seed                   string
	// About are the three, and the profile, in a row.
	About   string
	Figures []string
	Advice  []Advice
}

type verdictView struct {
	Value, Word string
	N           int
	On          bool
}

// RunsHTML writes a page of the list of runs. It needs no script, and asks no
// network; what it asks for by its form is "/", and "/compare" for boxes that
// are checked.
func RunsHTML(w io.Writer, l RunList) error {
	var verdicts []verdictView
	for _, v := range RunVerdicts {
		word := v
		if v == OnlyNoResult {
			word = new(RunLine).Word()
		}
		verdicts = append(verdicts, verdictView{v, word, l.Counts[v], slices.Contains(l.Filter.Verdicts, v)})
	}
	var lines []lineView
	for i := range l.Lines {
		lines = append(lines, viewLine(&l.Lines[i]))
	}
	var titles []string
	for _, h := range headlines {
		titles = append(titles, h.title)
	}
	f := l.Filter
	f.Scenario, f.Profile, f.Text, f.Within = Clean(f.Scenario), Clean(f.Profile), Clean(f.Text), Clean(f.Within)
	return plain(w, "runs.html.tmpl", map[string]any{
		"Title": "hachaos: runs", "Dir": Clean(l.Dir), "Count": l.count(), "Part": l.part(), "Notes": cleanAll(l.Notes),
		"Filter": f, "Inside": Clean(l.Inside), "Verdicts": verdicts, "Scenarios": cleanAll(l.Scenarios), "Profiles": cleanAll(l.Profiles),
		"Titles": titles, "Lines": lines, "Newer": l.Newer, "Older": l.Older, "Check": l.Check, "Checked": l.Checked, "Attributes": compare.Attributes,
	})
}

// count says how many runs there are.
func (l *RunList) count() string {
	text := plural(l.Runs, "run")
	if l.Suites > 0 {
		text += " and " + plural(l.Suites, "suite")
	}
	return text
}

// part says which lines of which are shown.
func (l *RunList) part() string {
	all := l.Runs + l.Suites
	switch n := len(l.Lines); {
	case all == 0:
		return "There is nothing here yet: `hachaos run` puts its folders here."
	case n == 0:
		return "Nothing matches."
	case n == all:
		return "All are shown, the newest first."
	case n == l.Matched:
		return fmt.Sprintf("%d of %d match, the newest first.", n, all)
	case l.Matched == all:
		return fmt.Sprintf("Shown are %d to %d, the newest first.", l.First, l.First+n-1)
	default:
		return fmt.Sprintf("%d of %d match; shown are %d to %d, the newest first.", l.Matched, all, l.First, l.First+n-1)
	}
}

func viewLine(l *RunLine) lineView {
	v := lineView{
		Name: Clean(l.Name), Report: l.Report, Files: l.Files, Within: l.Within, Box: Clean(l.Box), Suite: l.Suite,
		Scenario: Clean(l.Scenario), Profile: Clean(l.Profile), Word: Clean(l.Word()), Tone: toneOf(l.Verdict, l.Dirty), Reason: Clean(l.Reason),
		Advice: cleanAdvice(l.Advice),
	}
	if !l.Started.IsZero() {
		v.Started = l.Started.UTC().Format("2006-01-02 15:04:05")
	}
	if l.Took > 0 {
		v.Took = l.Took.Round(100 * time.Millisecond).String()
	}
	if l.Seed != 0 {
		v.Seed = strconv.FormatUint(l.Seed, 10)
	}
	var about []string
	for _, part := range []struct{ before, text, after string }{
		{"", v.Started, " UTC"}, {"profile ", v.Profile, ""}, {"took ", v.Took, ""}, {"seed ", v.Seed, ""},
	} {
		if part.text != "" {
			about = append(about, part.before+part.text+part.after)
		}
	}
	v.About = strings.Join(about, " · ")
	for _, h := range headlines {
		text := ""
		if value, has := l.Figures[h.name]; has {
			text = strings.TrimSuffix(withUnit(value, h.unit), " "+h.title) // which stands above it
		}
		v.Figures = append(v.Figures, text)
	}
	return v
}

func cleanAdvice(list []Advice) []Advice {
	out := make([]Advice, len(list))
	for i, a := range list {
		out[i] = Advice{Clean(a.Text), Clean(a.Command)}
	}
	return out
}

// RunFolder is the page of what a folder of a run or a suite holds.
type RunFolder struct {
	Name string
	// Line is that of the run or the suite itself; nil in a folder below it.
	Line *RunLine
	// Up is the address of the folder above; empty is none.
	Up    string
	Files []RunFile
	// More is how many files are left out.
	More int
}

// RunFile is a file or a folder in it.
type RunFile struct {
	Name string
	// Address is empty if it cannot be read; Note says why.
	Address string
	Folder  bool
	Size    int64
	Changed time.Time
	Note    string
}

// fileNotes say what the files of a run and of a suite are.
var fileNotes = map[string]string{
	HTMLFile: "the report", SuiteHTMLFile: "the suite's page", JUnitFile: "the result for CI", MarkdownFile: "the result for a merge request",
	MetricsFile: "the figures for Prometheus", harness.JournalFile: "the record that the verdict is made from", harness.ResultFile: "the result, for programs",
	suite.File: "the suite's result, for programs", harness.ScenarioFile: "the scenario as it was resolved", harness.UndoFile: "what had to be undone",
	harness.LogsDir: "what the components logged", harness.ConfigDir: "how they were configured",
}

type fileView struct{ Name, Address, Size, Changed, Note string }

// RunFolderHTML writes the page.
func RunFolderHTML(w io.Writer, f RunFolder) error {
	var files []fileView
	for _, file := range f.Files {
		v := fileView{Name: Clean(file.Name), Address: file.Address, Note: Clean(file.Note)}
		if v.Note == "" && f.Line != nil {
			v.Note = fileNotes[file.Name]
		}
		if file.Folder {
			v.Name += "/"
		} else if file.Address != "" {
			v.Size = sizeText(file.Size)
		}
		if !file.Changed.IsZero() {
			v.Changed = file.Changed.UTC().Format("2006-01-02 15:04:05")
		}
		files = append(files, v)
	}
	data := map[string]any{"Title": "hachaos: " + Clean(f.Name), "Name": Clean(f.Name), "Up": f.Up, "Files": files, "More": f.More}
	if f.Line != nil {
		data["Line"] = viewLine(f.Line)
	}
	return plain(w, "folder.html.tmpl", data)
}

// sizeText is a file's size for people.
func sizeText(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1e6:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// NoticeHTML writes a page that says why there is no other one.
func NoticeHTML(w io.Writer, title, text string, advice ...Advice) error {
	return plain(w, "notice.html.tmpl", map[string]any{"Title": "hachaos: " + Clean(title), "Heading": Clean(title), "Text": cleanText(text), "Advice": cleanAdvice(advice)})
}
