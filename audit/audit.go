// Package audit answers the checklists and the review questions of a highly
// available system for one system, from what its runs showed. It is pure.
package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/catalogue"
	"github.com/hachaos/hachaos/harness"
)

// Answer is what is known of an item.
type Answer string

// The answers. Yes is never said without a run of each scenario that the item
// rests on, whose assertion met an occasion to be tested and held.
const (
	Yes      Answer = "yes"
	No       Answer = "no"
	NotShown Answer = "not shown"
)

// Run is a scenario's run on the system.
type Run struct {
	Scenario string          `json:"scenario"`
	Verdict  harness.Verdict `json:"verdict"`
	// Dirty says that something was left behind: such a run shows no good.
	Dirty      bool             `json:"dirty,omitempty"`
	Reason     string           `json:"reason"`
	Assertions []assert.Verdict `json:"-"`
	StartedAt  time.Time        `json:"startedAt"`
	// Command repeats it, and Dir is the folder of its record, if it was kept.
	Command string `json:"command"`
	Dir     string `json:"dir,omitempty"`
}

// Finding is an item, filled in.
type Finding struct {
	Ref    string `json:"ref"`
	Asks   string `json:"asks"`
	Answer Answer `json:"answer"`
	// Holds is what is so, where the answer is yes.
	Holds string `json:"holds,omitempty"`
	// Part is what of the item nothing asks, whatever the answer is.
	Part string `json:"part,omitempty"`
	// Why is why nothing asks it at all.
	Why      string     `json:"why,omitempty"`
	Evidence []Evidence `json:"evidence,omitempty"`
}

// Evidence is what one assertion of one scenario says of it.
type Evidence struct {
	Scenario  string `json:"scenario"`
	Assertion string `json:"assertion"`
	Answer    Answer `json:"answer"`
	Text      string `json:"text"`
	// Fix says which value would change a no.
	Fix string `json:"fix,omitempty"`
}

// Section is a list of items.
type Section struct {
	Title    string    `json:"title"`
	About    string    `json:"about,omitempty"`
	Findings []Finding `json:"findings"`
}

// Fill answers each list from the runs.
func Fill(lists []List, runs []Run) []Section {
	of := map[string][]Run{}
	for _, r := range runs {
		of[r.Scenario] = append(of[r.Scenario], r)
	}
	var out []Section
	for _, l := range lists {
		s := Section{Title: l.Title, About: l.About}
		for _, i := range l.Items {
			s.Findings = append(s.Findings, fill(i, of))
		}
		out = append(out, s)
	}
	return out
}

func fill(i catalogue.Item, runs map[string][]Run) Finding {
	f := Finding{Ref: strings.Join(i.Refs, ", "), Asks: i.Asks, Answer: NotShown, Part: i.Part, Why: i.Why}
	if i.Yet {
		f.Why = "no test is written yet"
		if i.Why != "" {
			f.Why += ": " + i.Why
		}
	}
	if !i.Tested() {
		return f
	}
	f.Answer = Yes
	for _, c := range i.Claims() {
		e := answer(c, runs[c.Scenario])
		f.Evidence = append(f.Evidence, e)
		switch {
		case e.Answer == No:
			f.Answer = No
		case e.Answer == NotShown && f.Answer == Yes:
			f.Answer = NotShown
		}
	}
	if f.Answer == Yes {
		f.Holds = i.Holds
	}
	return f
}

// answer is what the runs of a claim's scenario say of it: a no of any of them is
// one, and the first yes counts if there is no no.
func answer(c catalogue.Claim, runs []Run) Evidence {
	e := Evidence{Scenario: c.Scenario, Assertion: c.Assertion, Answer: NotShown, Text: "there is no run of it"}
	for _, r := range runs {
		one := look(c.Assertion, r)
		if e.Answer == NotShown || one.Answer == No && e.Answer != No {
			e.Answer, e.Text, e.Fix = one.Answer, one.Text, one.Fix
		}
	}
	return e
}

// look is what one run says of its assertion.
func look(name string, r Run) Evidence {
	e := Evidence{Answer: NotShown}
	at := slices.IndexFunc(r.Assertions, func(v assert.Verdict) bool { return v.Name == name })
	if at < 0 {
		e.Text = fmt.Sprintf("its run has no word of it: %s", r.Reason)
		return e
	}
	v := r.Assertions[at]
	switch {
	case v.Status == assert.Fail && r.Verdict == harness.VerdictFail:
		e.Answer, e.Text, e.Fix = No, v.Summary, v.Fix
	case r.Verdict != harness.VerdictPass && r.Verdict != harness.VerdictFail:
		e.Text = fmt.Sprintf("its run has no verdict: %s", r.Reason)
	case v.Status != assert.Pass:
		e.Text = v.Summary
	case v.NotExercised:
		e.Text = "it met no occasion to be tested: " + v.Summary
	case r.Dirty:
		e.Text = fmt.Sprintf("its run left something behind: %s", r.Reason)
	default:
		e.Answer, e.Text = Yes, v.Summary
	}
	return e
}

// Totals counts the answers: "31 yes, 2 no, 9 not shown".
func Totals(sections []Section) string {
	n := Count(sections)
	return fmt.Sprintf("%d yes, %d no, %d not shown", n[Yes], n[No], n[NotShown])
}

// Count says how many items have each answer.
func Count(sections []Section) map[Answer]int {
	n := map[Answer]int{}
	for _, s := range sections {
		for _, f := range s.Findings {
			n[f.Answer]++
		}
	}
	return n
}
