package campaign

import "github.com/hachaos/hachaos/harness"

// CaseItems are each case of the scenarios, so many times in a row; the
// scenarios as they stand are not among them.
func CaseItems(list []harness.Scenario, times int) []Item {
	var out []Item
	for _, s := range list {
		for _, c := range s.Cases {
			for n := range times {
				out = append(out, Item{Scenario: s.Name, Case: c.Name, Repetition: n + 1, scenario: s, expect: c})
			}
		}
	}
	return out
}
