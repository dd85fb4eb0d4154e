package compare

import (
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/campaign"
	"github.com/hachaos/hachaos/harness"
)

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
		StartedAt: r.StartedAt, Verdict: r.Verdict,
	}
	for i := range r.Assertions {
		v := &r.Assertions[i]
		a := Assertion{Name: v.Name, Known: true, Status: v.Status, Unit: v.Unit, Op: v.Op, Bound: v.Bound, Figures: map[string]Figure{}}
		for _, m := range v.Measures {
			a.Figures[harness.FigureName(v.Name)+"."+harness.FigureName(m.Name)] = Figure{m.Name, m.Unit}
		}
		run.Assertions = append(run.Assertions, a)
	}
	run.Figures = campaign.Decided(r.Measures, func(name string) bool {
		return slices.ContainsFunc(r.Assertions, func(v assert.Verdict) bool {
			return harness.FigureName(v.Name) == name && v.Status == assert.Inconclusive
		})
	})
	return run
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
