package zoo

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hachaos/hachaos/fixtures/mutants"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/topology"
)

// InARow is how often a mutant must be caught.
const InARow = 3

// BuiltIn are the mutants that come with hachaos.
func BuiltIn() ([]Mutant, error) { return Read(mutants.Files) }

// Choose returns the mutants that names ask for, each once, in their order:
// names, areas, or shell patterns such as "haproxy-*"; none is all.
func Choose(all []Mutant, names []string) ([]Mutant, error) {
	if len(names) == 0 {
		return all, nil
	}
	wanted := map[string]bool{}
	var errs []error
	for _, name := range names {
		found := false
		for _, m := range all {
			match, err := path.Match(name, m.Name)
			if err != nil {
				return nil, fmt.Errorf("pattern %q: %w", name, err)
			}
			if match || name == m.Area {
				wanted[m.Name], found = true, true
			}
		}
		if !found {
			errs = append(errs, fmt.Errorf("no mutant and no area %q: `hachaos mutants list` shows all", name))
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(m Mutant) bool { return !wanted[m.Name] }), errors.Join(errs...)
}

// Halves are those of all the mutants, validated as runs: lookup finds a
// mutant's scenario. All errors are told at once, each with its mutant's name.
func Halves(all []Mutant, lookup func(string) (harness.Scenario, error)) ([]Half, error) {
	var (
		out  []Half
		errs []error
	)
	for _, m := range all {
		base, err := lookup(m.Scenario)
		if err != nil {
			errs = append(errs, fmt.Errorf("mutant %s: %w", m.Name, err))
			continue
		}
		halves, err := m.Halves(base)
		if err != nil {
			errs = append(errs, fmt.Errorf("mutant %s: %w", m.Name, err))
		}
		valid := err == nil
		for _, h := range halves {
			if err := h.Runner(harness.Runner{}).Validate(h.Scenario, h.Options()); err != nil {
				errs, valid = append(errs, fmt.Errorf("mutant %s: %w", h.Name, err)), false
			}
		}
		if valid {
			if err := differ(m, base, halves); err != nil {
				errs = append(errs, fmt.Errorf("mutant %s: %w", m.Name, err))
			}
		}
		out = append(out, halves...)
	}
	return out, errors.Join(errs...)
}

// differ reports halves that are the same system as the scenario as it stands, or as
// each other, by what their runs resolve to: a switch may have been given its default,
// or an edit may have left its text.
func differ(m Mutant, base harness.Scenario, halves []Half) error {
	plain := m.half(base, m.Name, Planted{}, harness.Case{Name: Broken, Nodes: m.Nodes})
	system, err := plain.system()
	if err != nil {
		return err
	}
	seen := []string{system}
	for i, h := range halves {
		if system, err = h.system(); err != nil {
			return err
		}
		switch {
		case i == 0 && system == seen[0]:
			return errors.New("set, overlay: what is planted changes nothing: it is the scenario as it stands")
		case i > 0 && system == seen[1]:
			return errors.New("fixed: what is mended changes nothing: it is the same system")
		}
		seen = append(seen, system)
	}
	return nil
}

// system is what the half's run is made of, whatever it is called and however it was
// asked for.
func (h Half) system() (string, error) {
	r, err := h.Runner(harness.Runner{}).Resolved(h.Scenario, h.Options())
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(r.Scenario)
	if err != nil {
		return "", err
	}
	var record map[string]any
	if err := json.Unmarshal(text, &record); err != nil {
		return "", err
	}
	for _, words := range []string{"scenario", "set", "exercises"} {
		delete(record, words)
	}
	text, err = json.Marshal([]any{record, r.Load, r.Spec})
	return string(text), err
}

// Options are those of the half's run: the short form.
func (h Half) Options() harness.Options {
	return harness.Options{Set: h.Case.Set, Nodes: h.Case.Nodes, Short: true, Command: h.Command()}
}

// Command is what repeats the half's run.
func (h Half) Command() string {
	words := []string{"hachaos", "mutants", "run"}
	if h.Folder != "" {
		words = append(words, "--zoo", h.Folder)
	}
	return strings.Join(append(words, h.Name), " ")
}

// Runner is r with what is planted: its topologies and its driver.
func (h Half) Runner(r harness.Runner) *harness.Runner {
	lookup := r.Lookup
	if lookup == nil {
		lookup = topology.Lookup
	}
	r.Lookup = func(name string) (topology.Definition, error) {
		d, err := lookup(name)
		if err != nil {
			return d, err
		}
		return h.Topology(d), nil
	}
	if r.Driver != nil {
		r.Driver = h.Driver(r.Driver)
	}
	return &r
}
