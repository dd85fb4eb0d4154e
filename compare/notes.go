package compare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hachaos/hachaos/harness"
)

// summarise tells a group's runs.
func summarise(g Group) Summary {
	s := Summary{Name: g.Name, Source: g.Source, Runs: len(g.Runs)}
	for i, r := range g.Runs {
		s.Tally.count(r.Verdict)
		s.Commands = with(s.Commands, r.Command)
		s.Profiles = with(s.Profiles, r.Profile)
		s.Versions = with(s.Versions, r.Version)
		if i == 0 || r.StartedAt.Before(s.First) {
			s.First = r.StartedAt
		}
		if r.StartedAt.After(s.Last) {
			s.Last = r.StartedAt
		}
	}
	return s
}

// with appends a word that is new and not empty.
func with(list []string, word string) []string {
	if word == "" || slices.Contains(list, word) {
		return list
	}
	return append(list, word)
}

func (t *Tally) count(v harness.Verdict) {
	switch v {
	case harness.VerdictPass:
		t.Pass++
	case harness.VerdictFail:
		t.Fail++
	default:
		t.Other++
	}
}

// notes are what weakens a comparison of the groups.
func notes(groups []Group) []string {
	var out []string
	seen := map[string]string{}
	for _, g := range groups {
		s := summarise(g)
		for _, mixed := range []struct {
			what string
			list []string
		}{{"commands", s.Commands}, {"versions of hachaos", s.Versions}, {"profiles", s.Profiles}} {
			if n := len(mixed.list); n > 1 {
				out = append(out, fmt.Sprintf("%s mixes %d %s (%s): its spread is not only noise", g.Name, n, mixed.what, strings.Join(mixed.list, "; ")))
			}
		}
		if s.Tally.Other > 0 {
			out = append(out, fmt.Sprintf("%s: %d of %d runs gave no verdict, and their figures do not count", g.Name, s.Tally.Other, s.Runs))
		}
		for _, r := range g.Runs {
			if before, twice := seen[r.Source]; twice && r.Source != "" {
				out = append(out, fmt.Sprintf("%s is in %s and in %s: the groups are not independent", r.Source, before, g.Name))
			}
			seen[r.Source] = g.Name
		}
	}
	return append(out, inTurn(groups)...)
}

// inTurn warns of groups that were made one after the other, where the machine
// may have changed in between.
func inTurn(groups []Group) []string {
	var out []string
	a := summarise(groups[0])
	for _, g := range groups[1:] {
		b := summarise(g)
		if min(a.Runs, b.Runs) < MinRuns || a.First.IsZero() || b.First.IsZero() {
			continue
		}
		first, then := a, b
		if b.Last.Before(a.First) {
			first, then = b, a
		}
		if first.Last.Before(then.First) {
			out = append(out, fmt.Sprintf("all runs of %s were made before those of %s: had the machine changed in between, it would look like a difference", first.Name, then.Name))
		}
	}
	return out
}
