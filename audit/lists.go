package audit

import (
	"slices"
	"strings"

	"github.com/hachaos/hachaos/catalogue"
)

// List is a checklist.
type List struct {
	Title, About string
	Items        []catalogue.Item
}

// chapters are seed 003's lists that an audit fills in, by how their items' places
// begin.
var chapters = []struct{ prefix, title, about string }{
	{"§28.", "Anti-patterns", "Seed 003, §28: what a service must not rest on. Yes is that it does not."},
	{"§29.1", "Application", "Seed 003, §29.1: where state lives, and what may be done twice."},
	{"§29.2", "Runtime", "Seed 003, §29.2: whether the nodes are alike."},
	{"§29.3", "Load balancer", "Seed 003, §29.3: whom it sends users to, and when it stops."},
	{"§29.4", "Deployment", "Seed 003, §29.4: new versions beside old ones, and the way back."},
	{"§29.5", "Failure testing", "Seed 003, §29.5: failures that were brought about under load, and whether users would have noticed."},
	{"§30 ", "Review questions", "Seed 003, §30. Yes is that the answer holds, which stands before what shows it."},
}

// Lists are the checklists and the review questions.
func Lists() []List {
	var out []List
	for _, c := range chapters {
		l := List{Title: c.title, About: c.about}
		for _, list := range catalogue.Lists() {
			for _, i := range list.Items {
				if len(i.Refs) > 0 && strings.HasPrefix(i.Refs[0], c.prefix) {
					l.Items = append(l.Items, i)
				}
			}
		}
		out = append(out, l)
	}
	return out
}

// Choose are the lists' items that any of the places names; all, if none is
// given. A place is written as the page has it or with dots alone: "§29.3",
// "29.3", "§30 7", "30.7"; "30" is all of §30. The second result is the places
// that name nothing.
func Choose(lists []List, places []string) ([]List, []string) {
	if len(places) == 0 {
		return lists, nil
	}
	named := map[string]bool{}
	var out []List
	for _, l := range lists {
		kept := List{Title: l.Title, About: l.About}
		for _, i := range l.Items {
			met := false
			for _, p := range places {
				if isAt(i, p) {
					met, named[p] = true, true
				}
			}
			if met {
				kept.Items = append(kept.Items, i)
			}
		}
		if len(kept.Items) > 0 {
			out = append(out, kept)
		}
	}
	return out, slices.DeleteFunc(slices.Clone(places), func(p string) bool { return named[p] })
}

func isAt(i catalogue.Item, place string) bool {
	place = plain(place)
	return place != "" && slices.ContainsFunc(i.Refs, func(ref string) bool {
		return plain(ref) == place || strings.HasPrefix(plain(ref), place+".")
	})
}

// plain is a place without the sign, its number after a dot.
func plain(place string) string {
	return strings.ReplaceAll(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(place), "§")), " ", ".")
}

// Scenarios are those that the lists' items rest on, each once, sorted.
func Scenarios(lists []List) []string {
	var out []string
	for _, l := range lists {
		for _, i := range l.Items {
			for _, c := range i.Claims() {
				out = append(out, c.Scenario)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
