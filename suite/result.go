package suite

import (
	"fmt"
	"slices"
	"time"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
)

// Schema names the version of Result's JSON form.
const Schema = "hachaos.suite/1"

// File is the suite's result in its folder; the runs' folders are beside it.
const File = "suite.json"

// Result is what a suite comes to.
type Result struct {
	Schema    string        `json:"schema"`
	ID        string        `json:"id"`
	Version   string        `json:"version"`
	Seed      uint64        `json:"seed"` // the base: see Seed
	StartedAt time.Time     `json:"startedAt"`
	Took      time.Duration `json:"took"`
	// Interrupted says that the user ended it; what was not run has no
	// verdict.
	Interrupted bool    `json:"interrupted"`
	Entries     []Entry `json:"entries"`
	// Leftovers is what of a shared topology could not be removed.
	Leftovers []history.Leftover `json:"leftovers,omitempty"`
	// Spreads are the figures of the scenarios that were run more than once.
	Spreads []Spread `json:"spreads,omitempty"`
}

// Entry is what became of a job.
type Entry struct {
	Scenario   string `json:"scenario"`
	Repetition int    `json:"repetition"`
	Of         int    `json:"of"`
	Seed       uint64 `json:"seed"`
	// Verdict is empty if it was not run.
	Verdict harness.Verdict `json:"verdict,omitempty"`
	Dirty   bool            `json:"dirty,omitempty"`
	Reason  string          `json:"reason"`
	// Took is wall time, with what was done to the topology before.
	Took time.Duration `json:"took"`
	// Dir is the run's folder; empty if there is none.
	Dir string `json:"dir,omitempty"`
	// Command repeats this run alone.
	Command string `json:"command,omitempty"`
	// Shared is the name of the topology that it shared with others; empty if
	// it had one of its own.
	Shared string `json:"shared,omitempty"`
	// Notes say what was done to the topology before the run.
	Notes []string `json:"notes,omitempty"`

	// Run is the whole result; nil if there is none.
	Run *harness.Result `json:"-"`

	unstarted bool // it was refused before anything was done to its topology
}

// Exit codes from the best to the worst: what a user must see first wins.
var byWeight = []int{harness.ExitPass, harness.ExitInconclusive, harness.ExitFail, harness.ExitError, harness.ExitDirty}

// ExitCode is the worst of the entries' codes: dirty, error, fail,
// inconclusive, pass, in this order. A job that was not run counts as
// inconclusive, and so does a suite with no entry at all.
func (r *Result) ExitCode() int {
	worst := 0
	if len(r.Entries) == 0 || r.Interrupted {
		worst = 1
	}
	for _, e := range r.Entries {
		worst = max(worst, slices.Index(byWeight, e.ExitCode()))
	}
	if len(r.Leftovers) > 0 {
		return harness.ExitDirty
	}
	return byWeight[worst]
}

// Result is that of the run. For a job that has none it is made of what is
// known, so that no list of results is whole without it: an error, or, if it
// was not run, inconclusive. What is dirty is so although the run's own record
// may lack it.
func (e *Entry) Result() *harness.Result {
	r := harness.Result{
		Schema: harness.ResultSchema, Scenario: e.Scenario, Verdict: e.Verdict, Reason: e.Reason, Seed: e.Seed, Command: e.Command,
	}
	if e.Run != nil {
		r = *e.Run
	}
	if r.Verdict == "" {
		r.Verdict = harness.VerdictInconclusive
	}
	r.Dirty = r.Dirty || e.Dirty
	return &r
}

// ExitCode is the entry's own.
func (e *Entry) ExitCode() int {
	if e.Verdict == "" && !e.Dirty {
		return harness.ExitInconclusive
	}
	return (&harness.Result{Verdict: e.Verdict, Dirty: e.Dirty}).ExitCode()
}

// Word is the verdict for people: "pass", "fail (dirty)", "not run".
func (e *Entry) Word() string {
	word := string(e.Verdict)
	if word == "" {
		word = "not run"
	}
	if e.Dirty {
		word += " (dirty)"
	}
	return word
}

// Name is the job's: "db-slow", or "db-slow 2/3".
func (e *Entry) Name() string {
	return Job{Scenario: harness.Scenario{Name: e.Scenario}, Repetition: e.Repetition, Of: e.Of}.Name()
}

// Counts says how many entries have each verdict, the good ones first: "11
// pass, 1 fail".
func Counts(entries []Entry) string {
	n := map[string]int{}
	var words []string
	for i := range entries {
		word := entries[i].Word()
		if n[word]++; n[word] == 1 {
			words = append(words, word)
		}
	}
	order := []string{"pass", "fail", "inconclusive", "error", "not run"}
	slices.SortStableFunc(words, func(a, b string) int { return rank(order, a) - rank(order, b) })
	text := ""
	for _, w := range words {
		if text != "" {
			text += ", "
		}
		text += fmt.Sprintf("%d %s", n[w], w)
	}
	return text
}

func rank(order []string, word string) int {
	if i := slices.Index(order, word); i >= 0 {
		return i
	}
	return len(order)
}
