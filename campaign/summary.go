package campaign

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/harness"
)

// Summary is where a scenario stands.
type Summary struct {
	Scenario string `json:"scenario"`
	// InARow counts the passes as it stands, of Of; Longest is the longest of
	// its runs.
	InARow  int           `json:"inARow"`
	Of      int           `json:"of"`
	Longest time.Duration `json:"longest"`
	// Cases counts those that are as expected, of CasesOf.
	Cases   int `json:"cases"`
	CasesOf int `json:"casesOf"`
	// Repeated counts the runs that gave no verdict and were repeated.
	Repeated int `json:"repeated"`
	// Missing counts the items that have not been run as what they depend on is
	// now; Before, those of them that were good on an earlier state of it.
	Missing int `json:"missing"`
	Before  int `json:"before"`
	// Bad are those that are not as expected, Open those that have no verdict
	// yet, in words.
	Bad  []string `json:"bad,omitempty"`
	Open []string `json:"open,omitempty"`
	// Replaced are the topologies that were not lent to one of its runs after
	// another item's, because they were not as they had been when new, in words.
	Replaced []string `json:"replaced,omitempty"`
}

// Done says that every item of the scenario is as expected.
func (s Summary) Done() bool { return s.Missing == 0 && len(s.Unsettled()) == 0 }

// Unsettled are the items that are bad or open, in words.
func (s Summary) Unsettled() []string { return slices.Concat(s.Bad, s.Open) }

// Summarise tells where each scenario stands, in the entries' order.
func Summarise(entries []Entry) []Summary {
	var out []Summary
	at := map[string]int{}
	for _, e := range entries {
		n, ok := at[e.Scenario]
		if !ok {
			n = len(out)
			at[e.Scenario] = n
			out = append(out, Summary{Scenario: e.Scenario})
		}
		out[n].add(e)
	}
	return out
}

func (s *Summary) add(e Entry) {
	good := 0
	if e.State() == Good {
		good = 1
	}
	if e.Case == AsItStands {
		s.Of++
		s.InARow += good
		if e.Record != nil {
			s.Longest = max(s.Longest, e.Record.Took)
		}
	} else {
		s.CasesOf++
		s.Cases += good
	}
	if e.Record != nil {
		s.Repeated += len(e.Record.Before)
		s.Replaced = append(s.Replaced, e.replaced()...)
	}
	switch e.State() {
	case Missing:
		s.Missing++
		if e.before() {
			s.Before++
		}
	case Bad:
		s.Bad = append(s.Bad, e.words())
	case Open:
		s.Open = append(s.Open, e.words())
	}
}

// words say why an entry is not good.
func (e Entry) words() string {
	text := string(e.State()) + ": " + e.Name()
	switch r := e.Record; {
	case r.BrokenOff != "":
		text += ": it broke off: " + r.BrokenOff
	case r.Unlike != "":
		text += ": " + r.Unlike
	default:
		text += ": " + r.Reason
	}
	if len(e.Record.Undecided) > 0 {
		text += " It has no verdict of " + strings.Join(e.Record.Undecided, " and ") + "."
	}
	if e.Record.Folder != "" {
		text += " (" + e.Record.Folder + ")"
	}
	return text
}

// replacedNote is in what suite.Keeper notes of a topology that it does not
// lend again.
const replacedNote = " is replaced: "

// replaced are the topologies that were replaced before an entry's runs, and
// why, in words. The entry has a record.
func (e Entry) replaced() []string {
	notes := e.Record.Notes
	for _, a := range slices.Backward(e.Record.Before) {
		notes = slices.Concat(a.Notes, notes)
	}
	var out []string
	for _, n := range notes {
		if strings.Contains(n, replacedNote) {
			out = append(out, "before "+e.Name()+": "+n)
		}
	}
	return out
}

// Totals says how many entries are in each state: "120 good, 2 bad, 8
// missing (3 of them good before a change)".
func Totals(entries []Entry) string {
	n := map[State]int{}
	before := 0
	for _, e := range entries {
		n[e.State()]++
		if e.before() {
			before++
		}
	}
	var words []string
	for _, s := range []State{Good, Bad, Open, Missing} {
		if n[s] == 0 {
			continue
		}
		text := fmt.Sprintf("%d %s", n[s], s)
		if s == Missing && before > 0 {
			text += fmt.Sprintf(" (%d of them good before a change)", before)
		}
		words = append(words, text)
	}
	return strings.Join(words, ", ")
}

// before says that a missing item was good until something that it depends on
// changed.
func (e Entry) before() bool { return e.Earlier.State() == Good }

// Provenance are the versions and the machines that the entries' records are
// of, or where there is none the earlier ones, each once, sorted, and the time of
// the last run.
func Provenance(entries []Entry) (versions, machines []string, last time.Time) {
	for _, e := range entries {
		r := cmp.Or(e.Record, e.Earlier)
		if r == nil {
			continue
		}
		versions, machines = append(versions, r.Version), append(machines, r.Machine)
		if r.StartedAt.After(last) {
			last = r.StartedAt
		}
	}
	slices.Sort(versions)
	slices.Sort(machines)
	return slices.Compact(versions), slices.Compact(machines), last
}

// Cost is what a scenario does to users on one profile: the worst of its
// runs as it stands that have a verdict. A figure that no run has, or only ones
// whose assertion had no verdict, is missing.
type Cost struct {
	Verdicts string // "3 pass"
	// Held is how long a fault was in place, in seconds: an outage and a budget
	// grow with it. It follows the profile's bounds.
	Held *float64
	// Outage is the longest, in milliseconds, of the users of a victim if there
	// is one; OneOutage that of one session, or of one type of operation, of them.
	Outage, OneOutage *float64
	// Broken counts sessions that were not as their users had been told,
	// Duplicates writes.
	Broken, Duplicates *float64
	// Budget is the share of a 30-day budget at 99.9 % that the fault spends,
	// in percent.
	Budget *float64
}

// Names of the figures in Result.Measures: see harness.Summarise. Of several
// faults, the figures of those after the first have a number behind the name.
const (
	outageFigure     = "error-budget.longest_outage_of_the_victim_s_share"
	allOutageFigure  = "error-budget.longest_outage_of_all_traffic"
	sessionOutage    = "error-budget.longest_outage_of_one_session"
	operationsOutage = "error-budget.longest_outage_of_one_type_of_operation"
	brokenFigure     = "session-survival"
	duplicateFigure  = "write-ledger.duplicate"
	budgetFigure     = "error-budget.budget_spent"
)

// Costs is the cost of the entries' runs, which are those of one scenario on
// one profile.
func Costs(entries []Entry) Cost {
	var c Cost
	n, dirty := map[harness.Verdict]int{}, 0
	for _, e := range entries {
		r := e.Record
		if r == nil {
			continue
		}
		if r.Dirty {
			dirty++
		}
		if !r.settled() {
			v := r.Verdict
			if r.BrokenOff != "" {
				v = harness.VerdictInconclusive
			}
			n[v]++
			continue
		}
		n[r.Verdict]++
		known := r.Decided()
		if !worst(&c.Outage, known, outageFigure) {
			worst(&c.Outage, known, allOutageFigure)
		}
		worst(&c.OneOutage, known, sessionOutage)
		worst(&c.OneOutage, known, operationsOutage)
		worst(&c.Broken, known, brokenFigure)
		worst(&c.Duplicates, known, duplicateFigure)
		worst(&c.Budget, known, budgetFigure)
		if r.Held > 0 {
			worst(&c.Held, map[string]float64{"held": r.Held.Seconds()}, "held")
		}
	}
	var words []string
	for _, v := range []harness.Verdict{harness.VerdictPass, harness.VerdictFail, harness.VerdictInconclusive, harness.VerdictError} {
		if n[v] > 0 {
			words = append(words, fmt.Sprintf("%d %s", n[v], v))
		}
	}
	if dirty > 0 {
		words = append(words, fmt.Sprintf("%d dirty", dirty))
	}
	c.Verdicts = strings.Join(words, ", ")
	return c
}

// settled says whether a record has a verdict.
func (r *Record) settled() bool {
	return r.BrokenOff == "" && (r.Verdict == harness.VerdictPass || r.Verdict == harness.VerdictFail)
}

// worst takes over the largest of the figures of that name, and of those that have
// a number behind it; false if there is none.
func worst(to **float64, from map[string]float64, name string) bool {
	some := false
	for figure, v := range from {
		number, of := strings.CutPrefix(figure, name)
		if !of || strings.Trim(number, "_0123456789") != "" {
			continue
		}
		some = true
		if *to == nil || v > **to {
			*to = &v
		}
	}
	return some
}
