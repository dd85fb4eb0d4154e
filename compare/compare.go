// Package compare says how groups of runs differ, and which of the differences
// are more than the noise between repeats. All of it is pure but for Reader,
// which reads folders.
package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
)

// What the tests are held to.
const (
	// MinRuns is how many runs each of two groups must have for a difference
	// to be tested: with three each even groups that do not overlap have
	// p = 0.1.
	MinRuns = 4
	// Alpha is the level of significance.
	Alpha = 0.05
)

// Method says in words how differences are tested, and what that assumes.
const Method = `Figures: two-sided Mann–Whitney U test, exact up to 25 runs a group, at least 4 a group. Verdicts: Fisher's exact test of pass against fail. ` +
	`Both assume that runs do not influence each other and were made under the same conditions but for what is compared; neither assumes how figures are distributed. ` +
	`p is adjusted for the number of rows after Benjamini and Hochberg: of the rows called "beyond noise" at most 5 % are chance, on average; ` +
	`"perhaps noise" is p ≤ 0.05 by itself, yet not among so many rows; "within noise" means that no difference was shown, not that there is none.`

// Told is what can be said of a difference.
type Told string

// The answers.
const (
	Beyond    Told = "beyond noise"    // adjusted p ≤ Alpha
	Perhaps   Told = "perhaps noise"   // p ≤ Alpha, but not when adjusted
	Within    Told = "within noise"    // p > Alpha
	Same      Told = "the same"        // all values are equal
	TooFew    Told = "too few repeats" // fewer than MinRuns in a group
	NoMeasure Told = "not in all"      // a group has no value
)

// Group is a number of runs under one name.
type Group struct {
	Name string
	// Source says what the name stands for, such as a folder; it may be empty.
	Source string
	Runs   []Run
}

// Options choose the rows. The zero value leaves the figures of single phases
// out.
type Options struct {
	// Phases also takes the figures of single phases.
	Phases bool
}

// Comparison is how the groups differ in one subject. The first group is what
// the others are compared with.
type Comparison struct {
	Subject string    `json:"subject"`
	Groups  []Summary `json:"groups"`
	Rows    []Row     `json:"rows"`
	// Tested counts the differences that a test was made of: p-values are
	// adjusted for that many.
	Tested int `json:"tested"`
	// Notes say what weakens the comparison.
	Notes []string `json:"notes,omitempty"`
}

// Summary is a group's part in a comparison.
type Summary struct {
	Name     string    `json:"name"`
	Source   string    `json:"source,omitempty"`
	Runs     int       `json:"runs"`
	Tally    Tally     `json:"tally"`
	Commands []string  `json:"commands"` // without seeds
	Profiles []string  `json:"profiles"`
	Versions []string  `json:"versions"`
	First    time.Time `json:"first"` // when its first run was started
	Last     time.Time `json:"last"`
}

// Tally counts verdicts. Other ones are inconclusive, errors, and what was not
// run.
type Tally struct {
	Pass  int `json:"pass"`
	Fail  int `json:"fail"`
	Other int `json:"other,omitempty"`
}

// String is "3 pass, 1 fail".
func (t Tally) String() string {
	var words []string
	for _, c := range []struct {
		n    int
		word string
	}{{t.Pass, "pass"}, {t.Fail, "fail"}, {t.Other, "without verdict"}} {
		if c.n > 0 {
			words = append(words, fmt.Sprintf("%d %s", c.n, c.word))
		}
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

// Row is a verdict or a figure, of all groups.
type Row struct {
	// Assertion is whose it is; empty is the run as a whole.
	Assertion string `json:"assertion,omitempty"`
	// Figure is empty for the verdict; that which an assertion is judged by
	// has the name "measured".
	Figure string `json:"figure,omitempty"`
	// Label is the figure's name for people.
	Label string `json:"label,omitempty"`
	Unit  string `json:"unit,omitempty"`
	// Cells are the groups', in their order.
	Cells []Cell `json:"cells"`
	// Diffs are those of the groups after the first to the first.
	Diffs []Diff `json:"diffs"`
}

// Verdict says that the row counts verdicts.
func (r *Row) Verdict() bool { return r.Figure == "" }

// Constant says that no group differs from the first in any way.
func (r *Row) Constant() bool {
	return !slices.ContainsFunc(r.Diffs, func(d Diff) bool { return d.Told != Same })
}

// Cell is what a group has in a row: a tally, or values.
type Cell struct {
	Tally  *Tally    `json:"tally,omitempty"`
	Values []float64 `json:"values,omitempty"` // ascending
	// Bound is what an assertion's figure is held to, where all runs of the
	// group have the same.
	Bound *float64 `json:"bound,omitempty"`
	// Op says how it is: "<=" or ">=".
	Op string `json:"op,omitempty"`
}

// Diff is a difference to the first group.
type Diff struct {
	Told Told `json:"told"`
	// Shift is that of the medians, in the row's unit; of verdicts, that of
	// the share that passed, in percent. It is nil if a group has none.
	Shift *float64 `json:"shift,omitempty"`
	// Percent is the shift's share of the first median; nil if that is 0.
	Percent *float64 `json:"percent,omitempty"`
	// P is the p-value of the test, and Adjusted what it is among so many;
	// both are nil if none was made.
	P        *float64 `json:"p,omitempty"`
	Adjusted *float64 `json:"adjusted,omitempty"`
	// Effect is "better" or "worse" where it is known which way is good.
	Effect string `json:"effect,omitempty"`
}

// Compare compares two or more groups, subject by subject, in the order in
// which the first group has them. A subject that only one group has is left
// out: see Missing.
func Compare(groups []Group, o Options) []Comparison {
	var out []Comparison
	for _, s := range subjects(groups) {
		var having []Group
		for _, g := range groups {
			own := slices.DeleteFunc(slices.Clone(g.Runs), func(r Run) bool { return r.Subject != s })
			if len(own) > 0 {
				having = append(having, Group{g.Name, g.Source, own})
			}
		}
		if len(having) > 1 {
			out = append(out, one(s, having, o))
		}
	}
	return out
}

// Missing are the subjects that are not in every group, with the groups that
// lack each.
func Missing(groups []Group) []string {
	var out []string
	for _, s := range subjects(groups) {
		var lack []string
		for _, g := range groups {
			if !slices.ContainsFunc(g.Runs, func(r Run) bool { return r.Subject == s }) {
				lack = append(lack, g.Name)
			}
		}
		if len(lack) > 0 {
			out = append(out, fmt.Sprintf("%s: not in %s", s, strings.Join(lack, ", ")))
		}
	}
	return out
}

func subjects(groups []Group) []string {
	var out []string
	for _, g := range groups {
		for _, r := range g.Runs {
			if !slices.Contains(out, r.Subject) {
				out = append(out, r.Subject)
			}
		}
	}
	return out
}

// one compares the groups in a subject that all of them have.
func one(subject string, groups []Group, o Options) Comparison {
	c := Comparison{Subject: subject, Rows: rows(groups, o), Notes: notes(groups)}
	for _, g := range groups {
		c.Groups = append(c.Groups, summarise(g))
	}
	var tested []*Diff
	for i := range c.Rows {
		r := &c.Rows[i]
		for g := 1; g < len(groups); g++ {
			r.Diffs = append(r.Diffs, diff(r, &r.Cells[0], &r.Cells[g]))
		}
		for d := range r.Diffs {
			if r.Diffs[d].P != nil {
				tested = append(tested, &r.Diffs[d])
			}
		}
	}
	c.Tested = len(tested)
	decide(tested)
	return c
}

// decide says of each difference that was tested whether it is beyond noise.
func decide(tested []*Diff) {
	p := make([]float64, len(tested))
	for i, d := range tested {
		p[i] = *d.P
	}
	for i, q := range BenjaminiHochberg(p) {
		d := tested[i]
		d.Adjusted = &q
		switch {
		case q <= Alpha:
			d.Told = Beyond
		case *d.P <= Alpha:
			d.Told = Perhaps
		default:
			d.Told = Within
		}
	}
}

// diff compares two cells of a row. Told stands for itself unless there is a
// P.
func diff(r *Row, a, b *Cell) Diff {
	if r.Verdict() {
		return diffTally(a.Tally, b.Tally)
	}
	if len(a.Values) == 0 || len(b.Values) == 0 {
		return Diff{Told: NoMeasure}
	}
	first, other := Median(a.Values), Median(b.Values)
	d := Diff{Told: TooFew, Shift: ptr(other - first)}
	if first != 0 {
		d.Percent = ptr(100 * (other - first) / math.Abs(first))
	}
	d.Effect = effect(cmp.Compare(other, first) * direction(r, a))
	switch {
	case allEqual(a.Values, b.Values):
		d.Told = Same
	case min(len(a.Values), len(b.Values)) >= MinRuns:
		d.P = ptr(MannWhitney(a.Values, b.Values))
	}
	return d
}

func diffTally(a, b *Tally) Diff {
	if a.Pass+a.Fail == 0 || b.Pass+b.Fail == 0 {
		if *a == *b {
			return Diff{Told: Same}
		}
		return Diff{Told: NoMeasure}
	}
	share := func(t *Tally) float64 { return 100 * float64(t.Pass) / float64(t.Pass+t.Fail) }
	d := Diff{Told: TooFew, Shift: ptr(share(b) - share(a))}
	d.Effect = effect(cmp.Compare(share(b), share(a)))
	switch {
	case a.Fail+b.Fail == 0, a.Pass+b.Pass == 0:
		d.Told = Same
	case min(a.Pass+a.Fail, b.Pass+b.Fail) >= MinRuns:
		d.P = ptr(Fisher(a.Pass, a.Fail, b.Pass, b.Fail))
	}
	return d
}

// goodWay has the figures of the load, and which way is good: 1 is up, 0
// neither.
var goodWay = map[string]int{
	"operations": 0,
	"ok":         1, "good_percent": 1, "throughput_per_second": 1,
	"fail": -1, "info": -1, "dropped": -1, "late": -1,
	"latency_p50_ms": -1, "latency_p99_ms": -1, "latency_p999_ms": -1, "latency_max_ms": -1,
}

// direction is which way is good: 1 is up, -1 is down, 0 is not known.
func direction(r *Row, c *Cell) int {
	switch c.Op {
	case "<=":
		return -1
	case ">=":
		return 1
	}
	if r.Assertion != "" {
		return 0
	}
	_, last, dotted := strings.Cut(r.Figure, ".")
	if !dotted {
		last = r.Figure
	}
	return goodWay[last]
}

func effect(sign int) string {
	switch {
	case sign > 0:
		return "better"
	case sign < 0:
		return "worse"
	}
	return ""
}

func ptr(f float64) *float64 { return &f }

// summarise tells a group's runs.
func summarise(g Group) Summary {
	s := Summary{Name: g.Name, Source: g.Source, Runs: len(g.Runs)}
	for i, r := range g.Runs {
		s.Tally.count(r.Verdict)
		s.Commands = with(s.Commands, r.Command)
		s.Profiles = with(s.Profiles, r.Profile)
		s.Versions = with(s.Versions, r.Version)
		if i == 0 || r.StartedAt.Before(s.First) {
			s.First = r.StartedAt
		}
		if r.StartedAt.After(s.Last) {
			s.Last = r.StartedAt
		}
	}
	return s
}

// with appends a word that is new and not empty.
func with(list []string, word string) []string {
	if word == "" || slices.Contains(list, word) {
		return list
	}
	return append(list, word)
}

func (t *Tally) count(v harness.Verdict) {
	switch v {
	case harness.VerdictPass:
		t.Pass++
	case harness.VerdictFail:
		t.Fail++
	default:
		t.Other++
	}
}

// notes are what weakens a comparison of the groups.
func notes(groups []Group) []string {
	var out []string
	seen := map[string]string{}
	for _, g := range groups {
		s := summarise(g)
		for _, mixed := range []struct {
			what string
			list []string
		}{{"commands", s.Commands}, {"versions of hachaos", s.Versions}, {"profiles", s.Profiles}} {
			if n := len(mixed.list); n > 1 {
				out = append(out, fmt.Sprintf("%s mixes %d %s (%s): its spread is not only noise", g.Name, n, mixed.what, strings.Join(mixed.list, "; ")))
			}
		}
		if s.Tally.Other > 0 {
			out = append(out, fmt.Sprintf("%s: %d of %d runs gave no verdict, and their figures do not count", g.Name, s.Tally.Other, s.Runs))
		}
		for _, r := range g.Runs {
			if before, twice := seen[r.Source]; twice && r.Source != "" {
				out = append(out, fmt.Sprintf("%s is in %s and in %s: the groups are not independent", r.Source, before, g.Name))
			}
			seen[r.Source] = g.Name
		}
	}
	return append(out, inTurn(groups)...)
}

// inTurn warns of groups that were made one after the other, where the machine
// may have changed in between.
func inTurn(groups []Group) []string {
	var out []string
	a := summarise(groups[0])
	for _, g := range groups[1:] {
		b := summarise(g)
		if min(a.Runs, b.Runs) < MinRuns || a.First.IsZero() || b.First.IsZero() {
			continue
		}
		first, then := a, b
		if b.Last.Before(a.First) {
			first, then = b, a
		}
		if first.Last.Before(then.First) {
			out = append(out, fmt.Sprintf("all runs of %s were made before those of %s: had the machine changed in between, it would look like a difference", first.Name, then.Name))
		}
	}
	return out
}

// Run is what of a run can be compared.
type Run struct {
	// Subject is what was run: the scenario, and behind a comma its case.
	Subject string
	// Source is the folder or file that tells of it.
	Source string
	// Command repeats it, without the seed.
	Command          string
	Profile, Version string
	StartedAt        time.Time
	// Verdict is empty if it was not run.
	Verdict harness.Verdict
	// Assertions in their order.
	Assertions []Assertion
	// Figures by their name in Result.Measures; without those of assertions
	// that could not be judged.
	Figures map[string]float64
}

// Assertion is what of an assertion can be compared.
type Assertion struct {
	Name string
	// Known says that Status is known.
	Known  bool
	Status assert.Status
	Unit   string
	Op     string
	Bound  *float64
	// Figures are its own, by their name in Result.Measures.
	Figures map[string]Figure
}

// Figure is what an assertion calls one of its figures, and its unit.
type Figure struct{ Name, Unit string }

// Of makes a Run of a result; the source is left to the caller.
func Of(r *harness.Result) Run {
	run := Run{
		Subject: r.Scenario, Command: withoutSeed(r.Command), Profile: r.Profile, Version: r.Version,
		StartedAt: r.StartedAt, Verdict: r.Verdict, Figures: map[string]float64{},
	}
	for name, v := range r.Measures {
		run.Figures[name] = v
	}
	for i := range r.Assertions {
		v := &r.Assertions[i]
		a := Assertion{Name: v.Name, Known: true, Status: v.Status, Unit: v.Unit, Op: v.Op, Bound: v.Bound, Figures: map[string]Figure{}}
		for _, m := range v.Measures {
			a.Figures[slug(v.Name)+"."+slug(m.Name)] = Figure{m.Name, m.Unit}
		}
		run.Assertions = append(run.Assertions, a)
		if v.Status == assert.Inconclusive {
			for name := range run.Figures {
				if owns(v.Name, name) {
					delete(run.Figures, name)
				}
			}
		}
	}
	return run
}

// owns says whether a figure is an assertion's.
func owns(assertion, figure string) bool {
	return figure == slug(assertion) || strings.HasPrefix(figure, slug(assertion)+".")
}

// slug makes a figure's name of words, as harness.Summarise does.
func slug(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '_'
	}, s)
}

// withoutSeed is what of a command is the same in all repeats.
func withoutSeed(command string) string {
	words := strings.Fields(command)
	for i := 0; i+1 < len(words); i++ {
		if words[i] == "--seed" {
			words = slices.Delete(words, i, i+2)
			break
		}
	}
	return strings.Join(words, " ")
}
