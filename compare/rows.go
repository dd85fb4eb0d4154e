package compare

import (
	"maps"
	"slices"
	"strings"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
)

// Measured is the name of the figure that an assertion is judged by.
const Measured = "measured"

// rows are the verdict of the run, each assertion's with its figures, in the
// order in which the runs have them, and last the figures of the load.
func rows(groups []Group, o Options) []Row {
	names := figures(groups)
	out := []Row{verdictRow(groups, "", func(r *Run) (harness.Verdict, bool) { return r.Verdict, true })}
	for _, a := range assertions(groups) {
		row := verdictRow(groups, a, func(r *Run) (harness.Verdict, bool) { return r.verdictOf(a) })
		if slices.ContainsFunc(row.Cells, func(c Cell) bool { return *c.Tally != Tally{} }) {
			out = append(out, row)
		}
		var rest []string
		for _, n := range names {
			if first, _, _ := strings.Cut(n, "."); first == harness.FigureName(a) {
				out = append(out, figureRow(groups, a, n))
			} else {
				rest = append(rest, n)
			}
		}
		names = rest
	}
	judged := slices.ContainsFunc(out, func(r Row) bool { return r.Assertion == assert.ErrorBudget{}.Name() && r.Figure == Measured })
	for _, n := range names {
		if !o.Phases && ofPhase(n, names) || n == "good_percent" && judged { // it is the error budget's own
			continue
		}
		out = append(out, figureRow(groups, "", n))
	}
	return out
}

// verdictOf is the assertion's verdict in a run, if the run tells of it.
func (r *Run) verdictOf(assertion string) (harness.Verdict, bool) {
	for _, a := range r.Assertions {
		if a.Name != assertion || !a.Known {
			continue
		}
		switch a.Status {
		case assert.Pass:
			return harness.VerdictPass, true
		case assert.Fail:
			return harness.VerdictFail, true
		}
		return harness.VerdictInconclusive, true
	}
	return "", false
}

func verdictRow(groups []Group, assertion string, of func(*Run) (harness.Verdict, bool)) Row {
	row := Row{Assertion: assertion}
	for _, g := range groups {
		t := &Tally{}
		for i := range g.Runs {
			if v, known := of(&g.Runs[i]); known {
				t.count(v)
			}
		}
		row.Cells = append(row.Cells, Cell{Tally: t})
	}
	return row
}

// assertions are all that the runs have, each once.
func assertions(groups []Group) []string {
	var out []string
	each(groups, func(r *Run) {
		for _, a := range r.Assertions {
			out = with(out, a.Name)
		}
	})
	return out
}

// figures are the names of all that the runs have, sorted.
func figures(groups []Group) []string {
	set := map[string]bool{}
	each(groups, func(r *Run) {
		for name := range r.Figures {
			set[name] = true
		}
	})
	return slices.Sorted(maps.Keys(set))
}

func each(groups []Group, f func(*Run)) {
	for _, g := range groups {
		for i := range g.Runs {
			f(&g.Runs[i])
		}
	}
}

// ofPhase says that a figure is of a single phase: "<phase>.<figure>" where
// the whole run has the figure, too.
func ofPhase(name string, names []string) bool {
	_, figure, dotted := strings.Cut(name, ".")
	return dotted && slices.Contains(names, figure)
}

// figureRow collects a figure's values. Only those of runs with a verdict
// count: what an inconclusive one measured is not known to be true.
func figureRow(groups []Group, assertion, name string) Row {
	row := Row{Assertion: assertion, Figure: name}
	if assertion != "" {
		row.Figure = strings.TrimPrefix(strings.TrimPrefix(name, harness.FigureName(assertion)), ".")
		if row.Figure == "" {
			row.Figure = Measured
		}
	}
	row.Label = strings.ReplaceAll(row.Figure, "_", " ")
	for _, g := range groups {
		var c Cell
		var judged []Assertion
		for i := range g.Runs {
			r := &g.Runs[i]
			v, has := r.Figures[name]
			if !has || r.Verdict != harness.VerdictPass && r.Verdict != harness.VerdictFail {
				continue
			}
			c.Values = append(c.Values, v)
			for _, a := range r.Assertions {
				if a.Name != assertion {
					continue
				}
				if f, known := a.Figures[name]; known {
					row.Label, row.Unit = f.Name, f.Unit
				}
				if row.Figure == Measured {
					row.Unit = a.Unit
					judged = append(judged, a)
				}
			}
		}
		slices.Sort(c.Values)
		c.Op, c.Bound = commonBound(judged)
		row.Cells = append(row.Cells, c)
	}
	return row
}

// commonBound is what all hold their figure to; nil where they differ.
func commonBound(all []Assertion) (op string, bound *float64) {
	for i, a := range all {
		switch {
		case a.Bound == nil:
			return a.Op, nil
		case i > 0 && (*a.Bound != *all[0].Bound || a.Op != all[0].Op):
			return a.Op, nil
		}
		op, bound = a.Op, a.Bound
	}
	return op, bound
}

// Values of a figure over the runs that have a verdict, ascending.
func Values(runs []Run, name string) []float64 {
	return figureRow([]Group{{Runs: runs}}, "", name).Cells[0].Values
}
