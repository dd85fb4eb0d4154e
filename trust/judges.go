package trust

import (
	"math"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// judges are mutants of what judges the record.
func judges() []Mutant {
	nodeKilled := control("node-killed", killed)
	return []Mutant{
		{
			Name: "checker-throws", Title: "A checker throws.",
			Stands:  "a record that its author did not think of",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"odd is inconclusive", "the checker panicked: runtime error: index out of range"},
			Run: once(killed, func(m *memory) { m.judge(odd{How: "throws"}) }),
		},
		{
			Name: "checker-measures-no-number", Title: "A checker passes, and measures what is no number.",
			Stands:  "a share of nothing",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"odd is inconclusive", "no number"},
			Run: once(killed, func(m *memory) { m.judge(odd{How: "divides"}) }),
		},
		{
			Name: "checker-says-nothing", Title: "A checker returns a status that does not exist.",
			Stands:  "an exit code that means something else in another version",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"odd is inconclusive", "does not exist"},
			Run: once(killed, func(m *memory) { m.judge(odd{How: "raves"}) }),
		},
		{
			Name: "checker-unknown", Title: "The record names a checker that this program does not have.",
			Stands:  "a folder that another version has written",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"odd is inconclusive", `checker "odd" is not known`},
			Run: once(killed, func(m *memory) {
				m.judge(odd{})
				m.runner.Checkers = nil
			}),
		},
		{
			Name: "checker-needs-unknown", Title: "A checker passes, and needs something of the record that this program does not know.",
			Stands:  "a need that was renamed",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"odd is inconclusive", "does not know this need"},
			Run: once(killed, func(m *memory) { m.judge(odd{How: "demands"}) }),
		},
		{
			Name: "checker-passes-nothing", Title: "A checker passes whatever it is given, and no operation was sent.",
			Stands:  "a query of a monitoring system that finds no series",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"holds no operation"},
			Run: once(killed, func(m *memory) {
				m.scenario.Asserts = nil
				m.judge(odd{})
				m.beforeTheLoad()
			}),
		},
		{
			Name: "nothing-asserted", Title: "The scenario asserts nothing.",
			Stands:  "a list of checks that is read from a file which is empty",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"no assertion"},
			Run: once(killed, func(m *memory) { m.scenario.Asserts = nil }),
		},
		{
			Name: "nothing-exercised", Title: "Nothing that is asserted met an occasion to be tested.",
			Stands:  "a test of retries in which nothing had to be tried again",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"No assertion met an occasion"},
			Run: once(killed, func(m *memory) {
				m.scenario.Asserts = []assert.Checker{assert.TimeoutOrder{}, assert.Leftovers{}}
			}),
		},
		{
			Name: "claim-not-exercised", Title: "The assertion that the scenario is about met no occasion; the others held.",
			Stands:  "a fault that hits a part which nobody uses",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"timeout-order met no occasion"},
			Run: once(killed, func(m *memory) {
				m.scenario.Asserts = append(m.scenario.Asserts, assert.TimeoutOrder{})
				m.scenario.Exercises = []string{"timeout-order"}
			}),
		},
	}
}

// judge adds a checker of somebody's own.
func (m *memory) judge(c odd) {
	m.scenario.Asserts = append(m.scenario.Asserts, c)
	m.runner.Checkers = assert.Table{c.Name(): assert.Typed[odd]()}
}

// odd is a checker that passes anything, in an odd way.
type odd struct {
	How string `json:"how,omitempty"`
}

// Name implements assert.Checker.
func (odd) Name() string { return "odd" }

// About implements assert.Checker.
func (odd) About() string { return "nothing" }

// Needs implements assert.Checker.
func (o odd) Needs() []assert.Need {
	if o.How == "demands" {
		return []assert.Need{{Kind: "good weather"}}
	}
	return nil
}

// Check implements assert.Checker.
func (o odd) Check(h *history.History) assert.Verdict {
	v := assert.Verdict{Status: assert.Pass, Summary: "It is well."}
	switch o.How {
	case "throws":
		v.Measured = &[]float64{}[len(h.Ops)]
	case "divides":
		share := math.NaN()
		v.Measured = &share
	case "raves":
		v.Status = 7
	}
	return v
}
