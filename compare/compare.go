// Package compare says how groups of runs differ, and which of the differences
// are more than the noise between repeats. All of it is pure but for Reader,
// which reads folders.
package compare

import (
	"fmt"
	"slices"
	"strings"
	"time"
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
	`p is adjusted for the number of rows after Benjamini and Hochberg: of the rows called "beyond noise" at most 5 % are chance, on average, in each subject by itself; ` +
	`"perhaps noise" is p ≤ 0.05 by itself, yet not among so many rows; "within noise" means that no difference was shown, not that there is none. ` +
	`Rows of one run hang together, and repeats of one suite share a topology, which is put back to a proven state between them: with few repeats one difference alone may well stay "perhaps noise".`

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
