package gameday

import (
	"fmt"
	"slices"

	"github.com/hachaos/hachaos/runbook"
)

// Variant is a runbook with something changed: what is carried out, and how
// that is called. No Plan is a runbook that nobody opens.
type Variant struct {
	Name string // empty is the runbook as it is
	Plan []Part
	// Amiss are variables that have another value than they were given in one command
	// alone, by its line.
	Amiss map[int]string
	// Next is what somebody else then carries out, who knows nothing of the first;
	// nil is nothing.
	Next []Part
}

// Written is the runbook as it is.
func Written(book *runbook.Runbook) Variant { return Variant{Plan: Whole(book)} }

// Nothing is the control: nobody does anything.
func Nothing() Variant { return Variant{Name: nameWithout} }

// LeftOut are the runbook without each of its steps in turn. A diagnosis stays:
// what it captures, the steps need.
func LeftOut(book *runbook.Runbook) []Variant {
	var out []Variant
	whole := Whole(book)
	for i, p := range whole {
		if p.Section == runbook.Steps && p.Title != "" {
			out = append(out, Variant{Name: fmt.Sprintf("without step %q", p.Title), Plan: slices.Delete(slices.Clone(whole), i, i+1)})
		}
	}
	return out
}

// NoSteps is the runbook of which no step is carried out; false if it has but one,
// which LeftOut leaves out.
func NoSteps(book *runbook.Runbook) (Variant, bool) {
	plan := slices.DeleteFunc(Whole(book), func(p Part) bool { return p.Section == runbook.Steps })
	return Variant{Name: nameNoSteps, Plan: plan}, len(LeftOut(book)) > 1
}

// Undone is the runbook whose steps are then undone, the last first, as far as they
// can be, and which somebody else carries out from its beginning; false if nothing of
// it can be undone by a command.
func Undone(book *runbook.Runbook) (Variant, bool) {
	whole := Whole(book)
	plan := Only(whole, runbook.Symptom, runbook.Diagnosis, runbook.Steps)
	steps := Only(whole, runbook.Steps)
	var back []Part
	for _, p := range slices.Backward(steps) {
		if p.Title == "" {
			continue
		}
		if p.Undo == nil || !slices.ContainsFunc(p.Undo.Blocks, isCommand) {
			break // what came before it stands on what stays
		}
		back = append(back, Part{p.Section, &runbook.Part{Title: "Undo of " + p.Title, Line: p.Undo.Line, Blocks: p.Undo.Blocks}})
	}
	return Variant{Name: "with its steps undone", Plan: append(plan, back...), Next: whole}, len(back) > 0
}

func isCommand(b runbook.Block) bool {
	_, ok := b.(*runbook.Command)
	return ok
}

// Swapped are the runbook with each two steps that follow each other swapped.
func Swapped(book *runbook.Runbook) []Variant {
	var out []Variant
	whole := Whole(book)
	for i := 1; i < len(whole); i++ {
		a, b := whole[i-1], whole[i]
		if a.Section == runbook.Steps && b.Section == runbook.Steps && a.Title != "" {
			plan := slices.Clone(whole)
			plan[i-1], plan[i] = b, a
			out = append(out, Variant{Name: fmt.Sprintf("with step %q before %q", b.Title, a.Title), Plan: plan})
		}
	}
	return out
}

// CutOff are the runbook that is broken off after each command of its steps in
// turn, before what is expected of it has come, and then carried out from its
// beginning.
func CutOff(book *runbook.Runbook) []Variant {
	var out []Variant
	whole := Whole(book)
	for i, p := range whole {
		if p.Section != runbook.Steps {
			continue
		}
		for j, b := range p.Blocks {
			c, ok := b.(*runbook.Command)
			if !ok {
				continue
			}
			part := *p.Part
			part.Blocks = p.Blocks[:j+1]
			plan := append(slices.Clone(whole[:i]), Part{p.Section, &part})
			out = append(out, Variant{Name: fmt.Sprintf("cut off after the command in line %d", c.Line), Plan: plan, Next: whole})
		}
	}
	return out
}

// Only keeps the parts of these sections.
func Only(plan []Part, sections ...string) []Part {
	return slices.DeleteFunc(slices.Clone(plan), func(p Part) bool { return !slices.Contains(sections, p.Section) })
}
