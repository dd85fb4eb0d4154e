package suite

import (
	"maps"
	"slices"
	"strings"
)

// Spread is how the figures of one scenario differ between its repetitions.
type Spread struct {
	Scenario string `json:"scenario"`
	// Verdicts counts them, in words.
	Verdicts string `json:"verdicts"`
	// Measures are by name, sorted. Only runs with the verdict pass or fail
	// count: what an inconclusive one measured is not known to be true.
	Measures []Range `json:"measures"`
}

// Range is a measure's least, middle and largest value over N runs. The
// median of an even number of runs is the mean of the two in the middle.
type Range struct {
	Name   string  `json:"name"`
	N      int     `json:"n"`
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

// Spreads are those of the scenarios with more than one entry, in the order
// of the entries.
func Spreads(entries []Entry) []Spread {
	groups := map[string][]Entry{}
	var names []string
	for _, e := range entries {
		if len(groups[e.Scenario]) == 0 {
			names = append(names, e.Scenario)
		}
		groups[e.Scenario] = append(groups[e.Scenario], e)
	}
	var out []Spread
	for _, name := range names {
		if g := groups[name]; len(g) > 1 {
			out = append(out, Spread{Scenario: name, Verdicts: Counts(g), Measures: ranges(g)})
		}
	}
	return out
}

func ranges(entries []Entry) []Range {
	values := map[string][]float64{}
	for _, e := range entries {
		if e.Run == nil || e.Verdict != "pass" && e.Verdict != "fail" {
			continue
		}
		for name, v := range e.Run.Measures {
			values[name] = append(values[name], v)
		}
	}
	out := []Range{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		v := values[name]
		slices.Sort(v)
		middle := v[len(v)/2]
		if len(v)%2 == 0 {
			middle = (middle + v[len(v)/2-1]) / 2
		}
		out = append(out, Range{Name: name, N: len(v), Min: v[0], Median: middle, Max: v[len(v)-1]})
	}
	return out
}

// Whole leaves out the figures of single phases, which are named
// "<phase>.<figure>" after the figures of the whole run.
func (s Spread) Whole() []Range {
	of := map[string]bool{}
	for _, r := range s.Measures {
		of[r.Name] = true
	}
	return slices.DeleteFunc(slices.Clone(s.Measures), func(r Range) bool {
		_, figure, dotted := strings.Cut(r.Name, ".")
		return dotted && of[figure]
	})
}
