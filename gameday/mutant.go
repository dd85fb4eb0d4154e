package gameday

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

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
					v := Variant{Name: fmt.Sprintf("%s in line %d", m.name, c.Line), Plan: plan}
					if m.variable != "" {
						v.Amiss = map[int]string{c.Line: m.variable}
					}
					out = append(out, v)
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
	// variable is one that has another value there: see Variant.Amiss.
	variable string
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
	out := []mistake{{name: "the wrong node", command: &wrong}}
	for _, m := range expansion.FindAllStringSubmatch(c.Text, -1) {
		if name := m[1]; set[name] {
			return append(out, mistake{"a wrong value of " + name, c, name})
		}
	}
	if text, ok := misspelt(c.Text); ok {
		value := *c
		value.Text = text
		out = append(out, mistake{name: "a wrong value", command: &value})
	}
	return out
}

// misspelt is a script whose last command has another last argument, by a letter
// behind its last word; false if no command has one. Behind a bracket a letter may
// mean nothing: SQL takes it for another name of what stands before it.
func misspelt(text string) (string, bool) {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), "")
	if err != nil {
		return "", false
	}
	at := -1
	syntax.Walk(file, func(n syntax.Node) bool {
		if call, ok := n.(*syntax.CallExpr); ok && len(call.Args) > 1 {
			last := call.Args[len(call.Args)-1]
			begin, end := int(last.Pos().Offset()), int(last.End().Offset())
			for end > begin && !wordy(text[end-1]) {
				end--
			}
			if end > begin {
				at = max(at, end)
			}
		}
		return true
	})
	if at < 0 {
		return "", false
	}
	return text[:at] + "x" + text[at:], true
}

func wordy(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '_'
}
