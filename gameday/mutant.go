package gameday

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hachaos/hachaos/runbook"
)

// Mutants are runbooks with one mistake, as they are made: a step dropped, two
// swapped, a command aimed at the wrong node, a wrong value. A proof that refuses
// them can tell a runbook that mends from one that does not.
func Mutants(book *runbook.Runbook) []Variant {
	out := append(LeftOut(book), Swapped(book)...)
	whole := Whole(book)
	set := map[string]bool{}
	for i, p := range whole {
		for j, b := range p.Blocks {
			c, ok := b.(*runbook.Command)
			if !ok {
				continue
			}
			if p.Section == runbook.Steps {
				for _, m := range mistakes(c, set) {
					plan := slices.Clone(whole)
					part := *p.Part
					part.Blocks = slices.Clone(p.Blocks)
					part.Blocks[j] = m.command
					plan[i] = Part{p.Section, &part}
					out = append(out, Variant{Name: fmt.Sprintf("%s in line %d", m.name, c.Line), Plan: plan})
				}
			}
			for _, name := range c.Sets() {
				set[name] = true
			}
		}
	}
	return out
}

// mistake is a command as it should not be.
type mistake struct {
	name    string
	command *runbook.Command
}

// elsewhere begins a place that is not the one that it names: another node of the
// role, or, where the role is one node, an application node; of a role's nodes all
// but the first.
const elsewhere = "!"

// expansion is a variable that is used.
var expansion = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*)`)

// mistakes are those that can be made in a command; set are the variables that
// commands before it have given a value.
func mistakes(c *runbook.Command, set map[string]bool) []mistake {
	wrong := *c
	wrong.On = elsewhere + c.On
	out := []mistake{{"the wrong node", &wrong}}
	for _, m := range expansion.FindAllStringSubmatch(c.Text, -1) {
		if name := m[1]; set[name] {
			value := *c
			value.Text = fmt.Sprintf("%s=${%s}0\n%s", name, name, c.Text)
			return append(out, mistake{"a wrong value of " + name, &value})
		}
	}
	value := *c
	first, rest, more := strings.Cut(c.Text, "\n")
	value.Text = strings.TrimRight(first, " ") + "0"
	if more {
		value.Text += "\n" + rest
	}
	return append(out, mistake{"a wrong value", &value})
}
