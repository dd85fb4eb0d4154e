package scenarios

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/hachaos/hachaos/harness"
)

// Everything is the name that stands for every scenario.
const Everything = "all"

// Choose returns the scenarios that names ask for, each once, in the order of
// the registry: names, shell patterns such as "db-*", or Everything; none is
// Everything. With tags, only those that bear at least one of them. A name or
// a tag that there is not, and a choice of nothing, are errors that name the
// nearest; all of them are told at once.
func Choose(names, tags []string) ([]harness.Scenario, error) {
	return choose(All(), names, tags)
}

func choose(all []harness.Scenario, names, tags []string) ([]harness.Scenario, error) {
	if len(names) == 0 {
		names = []string{Everything}
	}
	wanted, errs := map[string]bool{}, []error{}
	for _, name := range names {
		if err := want(wanted, all, name); err != nil {
			errs = append(errs, err)
		}
	}
	known := tagsOf(all)
	for _, tag := range tags {
		if !slices.Contains(known, tag) {
			errs = append(errs, fmt.Errorf("no scenario has the tag %q: %s", tag, hint(tag, known)))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	chosen := slices.DeleteFunc(slices.Clone(all), func(s harness.Scenario) bool {
		tagged := len(tags) == 0 || slices.ContainsFunc(tags, func(t string) bool { return slices.Contains(s.Tags, t) })
		return !wanted[s.Name] || !tagged
	})
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no scenario of %s has the tag %s", strings.Join(names, ", "), strings.Join(tags, " or "))
	}
	return chosen, nil
}

// want marks what one name or pattern asks for.
func want(wanted map[string]bool, all []harness.Scenario, name string) error {
	found, names := false, []string{}
	for _, s := range all {
		match := s.Name == name || name == Everything
		if !match && strings.ContainsAny(name, "*?[") {
			var err error
			if match, err = path.Match(name, s.Name); err != nil {
				return fmt.Errorf("pattern %q: %w", name, err)
			}
		}
		if match {
			wanted[s.Name], found = true, true
		}
		names = append(names, s.Name)
	}
	switch {
	case found:
		return nil
	case strings.ContainsAny(name, "*?["):
		return fmt.Errorf("no scenario matches %q: `hachaos list` shows all", name)
	}
	return fmt.Errorf("no scenario %q: %s", name, hint(name, names))
}

// Tags are those that scenarios bear, sorted.
func Tags() []string { return tagsOf(All()) }

func tagsOf(all []harness.Scenario) []string {
	set := map[string]bool{}
	for _, s := range all {
		for _, t := range s.Tags {
			set[t] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}
