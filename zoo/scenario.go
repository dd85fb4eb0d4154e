package zoo

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hachaos/hachaos/harness"
)

// Halves of a pair: the planted defect, and the same system with it mended.
const (
	Broken = "broken"
	Mended = "mended"
)

// Half is one system of a mutant, with what must be said of it.
type Half struct {
	Mutant Mutant
	Planted
	// Name is the mutant's, and for the mended half followed by "-mended".
	Name string
	// Scenario is the mutant's, under this name, with one case: Case.
	Scenario harness.Scenario
	Case     harness.Case
	// Folder is the zoo's, if it is not the one that comes with hachaos: its command
	// names it.
	Folder string
}

// Halves are the mutant's systems: the broken one, and the mended one if it is
// a pair. base is its scenario.
func (m Mutant) Halves(base harness.Scenario) ([]Half, error) {
	broken := harness.Case{
		Name: Broken, Set: m.Set, Nodes: m.Nodes, Fails: []string{m.Fails}, Evidence: m.Says,
		Also: sorted(m.Also), Because: m.Because, Says: said(m.Also),
	}
	out := []Half{m.half(base, m.Name, m.Planted, broken)}
	if m.Fixed != nil {
		out = append(out, m.half(base, m.Name+"-"+Mended, *m.Fixed, harness.Case{Name: Mended, Set: m.Fixed.Set, Nodes: m.Nodes}))
	}
	return out, m.fits(base)
}

func (m Mutant) half(base harness.Scenario, name string, p Planted, c harness.Case) Half {
	s := base
	s.Name = name
	s.About = m.Title + " (a planted defect; scenario " + base.Name + ")."
	if c.Name == Mended {
		s.About = m.Title + ": mended (scenario " + base.Name + ")."
	}
	s.Story = strings.TrimSpace(m.Stands)
	if m.Bug != "" {
		s.Story += "\n\nAfter " + m.Bug + "."
	}
	s.Story += "\n\n" + base.Story
	s.Cases = []harness.Case{c}
	if c.Name == Mended && !slices.Contains(s.Exercises, m.Fails) {
		// A mended half on which the assertion met no occasion was not tried.
		s.Exercises = append(slices.Clip(s.Exercises), m.Fails)
	}
	return Half{Mutant: m, Planted: p, Name: name, Scenario: s, Case: c}
}

// Quiet are the assertions of the scenario that must not fire on it.
func (h Half) Quiet() []string {
	var out []string
	for _, a := range h.Scenario.Asserts {
		if !h.Case.Bears(a.Name()) {
			out = append(out, a.Name())
		}
	}
	return out
}

// fits reports an assertion that the scenario does not have.
func (m Mutant) fits(base harness.Scenario) error {
	has := map[string]bool{}
	for _, a := range base.Asserts {
		has[a.Name()] = true
	}
	for _, name := range append([]string{m.Fails}, sorted(m.Also)...) {
		if !has[name] {
			return fmt.Errorf("scenario %s does not have the assertion %q: it has %s", base.Name, name, strings.Join(slices.Sorted(maps.Keys(has)), ", "))
		}
	}
	return nil
}

// said are the words that are asked for.
func said(also map[string]string) map[string]string {
	out := map[string]string{}
	for name, words := range also {
		if words != "" {
			out[name] = words
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
