package catalogue

import (
	_ "embed"
	"fmt"
	"io"
	"strings"
)

// prose is what stands around the tables, which take the place of its line
// "(tables)".
//
//go:embed page.md
var prose string

// WritePage writes docs/catalogue.md. broken says whether a planted defect, be it
// a case of the scenario or a mutant, breaks its assertion: one that nothing
// breaks was only seen to hold.
func WritePage(w io.Writer, broken func(scenario, assertion string) bool) error {
	var b strings.Builder
	before, after, found := strings.Cut(prose, "(tables)\n")
	if !found {
		return fmt.Errorf("page.md: no line (tables)")
	}
	b.WriteString(before)
	for n, l := range Lists() {
		if n > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "## %s: %s\n\n| item | what is asked | tested by |\n|---|---|---|\n", l.Name, l.About)
		for _, i := range l.Items {
			ref := strings.Join(i.Refs, ", ")
			if ref == "" {
				ref = "-"
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", ref, i.Asks, i.answer(broken))
		}
	}
	b.WriteString(after)
	_, err := io.WriteString(w, b.String())
	return err
}

// answer is what the page says of who tests an item.
func (i Item) answer(broken func(scenario, assertion string) bool) string {
	switch {
	case i.Yet:
		return join("not tested yet: nothing stands in the way", "; ", i.Why)
	case !i.Tested():
		return "not tested: " + i.Why
	}
	var parts []string
	for _, j := range i.By {
		parts = append(parts, j.words(broken)...)
	}
	return join(strings.Join(parts, "; "), "; in part: ", i.Part)
}

// words are a judge's: "`a`, `b`: x, y (held)"; scenarios whose assertions differ
// in what was only seen to hold are apart.
func (j Judge) words(broken func(scenario, assertion string) bool) []string {
	if j.Mutant != "" {
		return []string{fmt.Sprintf("mutant `%s`: %s", j.Mutant, strings.Join(j.Assertions.List(), ", "))}
	}
	var out, names []string
	last := ""
	flush := func() {
		if len(names) > 0 {
			out = append(out, strings.Join(names, ", ")+": "+last)
		}
		names = nil
	}
	for _, s := range j.Scenarios.List() {
		var said []string
		for _, a := range j.Assertions.List() {
			if !broken(s, a) {
				a += " (held)"
			}
			said = append(said, a)
		}
		if text := strings.Join(said, ", "); text != last {
			flush()
			last = text
		}
		names = append(names, "`"+s+"`")
	}
	flush()
	return out
}

func join(a, between, b string) string {
	if b == "" {
		return a
	}
	return a + between + b
}
