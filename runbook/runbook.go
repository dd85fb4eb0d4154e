// Package runbook reads runbooks: Markdown documents that a person can follow
// as they stand, with the few conventions of docs/runbooks.md. Parse takes a
// document apart, and Lint says what is wrong with one that can be read. Neither
// runs anything.
package runbook

import (
	"io/fs"
	"net/url"
	"path"
	"slices"
	"time"

	"mvdan.cc/sh/v3/syntax"
)

// Titles of the sections that a runbook has, in their order.
const (
	Symptom      = "Symptom"
	Impact       = "Impact"
	Diagnosis    = "Diagnosis"
	Steps        = "Steps"
	Verification = "Verification"
	Rollback     = "Rollback"
	Escalation   = "Escalation"
)

// sectionOrder are the titles in their order.
var sectionOrder = []string{Symptom, Impact, Diagnosis, Steps, Verification, Rollback, Escalation}

// holdsCommands says whether commands may stand in the section of that title.
func holdsCommands(title string) bool {
	switch title {
	case Symptom, Diagnosis, Steps, Verification, Rollback:
		return true
	}
	return false
}

// Runbook is a document as it was read. Lines count from 1. It is not to be
// changed; it is safe for concurrent use.
type Runbook struct {
	// Name is what Parse was given: the file's.
	Name string
	// Text is what it was read from.
	Text  []byte
	Front Front
	// Sections are all of the document, in its order.
	Sections []*Section

	doc *document
}

// Section returns the first section of that title, nil if there is none.
func (r *Runbook) Section(title string) *Section {
	for _, s := range r.Sections {
		if s.Title == title {
			return s
		}
	}
	return nil
}

// Neighbours are the documents that it leads to in its own folder and below, once each,
// in the order of their first link: relative to its own folder, with slashes.
func (r *Runbook) Neighbours() []string {
	var out []string
	for _, k := range r.doc.links {
		u, err := url.Parse(k.to)
		if err != nil || u.Scheme != "" || u.Host != "" {
			continue
		}
		if to := path.Clean(u.Path); path.Ext(to) == ".md" && fs.ValidPath(to) && !slices.Contains(out, to) {
			out = append(out, to)
		}
	}
	return out
}

// Front is what the front matter says. What it does not say is zero.
type Front struct {
	Title, Owner, Alert string
	// Checks says that it is no runbook but a document of checks: `kind: checks`.
	// Each heading of level 3 below Verification is one; what it expects is what it
	// is taken to say when all that it runs is as expected.
	Checks bool
	// Reviewed is the day of the last review, at midnight, UTC.
	Reviewed time.Time
	// Incident is the scenario that brings the incident about, and Set its
	// settings.
	Incident string
	Set      map[string]string
	// Restores are the names of the states that hold when it is done.
	Restores []Name
	// Within is how long that may take.
	Within time.Duration
	// Inputs are the variables that whoever follows it brings.
	Inputs []Input

	lines map[string]int
}

// Line is that of a key of the front matter, 1 if it is not there.
func (f Front) Line(key string) int { return max(f.lines[key], 1) }

// Name is a name with its line.
type Name struct {
	Name string
	Line int
}

// Input is a variable that comes from outside, with what it is.
type Input struct {
	Name, About string
	Line        int
}

// Section is a heading of level 2 with all below it. What stands before its
// first heading of level 3 are blocks of its own.
type Section struct {
	Part
	// Parts begin with headings of level 3; those of Steps are the steps.
	Parts []*Part
}

// Part is a heading with what stands below it, up to the next one.
type Part struct {
	Title  string
	Line   int
	Blocks []Block
	// Undo is how a step is undone, nil if it is not said.
	Undo *Undo
}

// Undo begins with the paragraph **Undo:** and reaches to the end of its step.
type Undo struct {
	Line   int
	Blocks []Block
}

// Block is one of *Prose, *Command, *Expect, *Decide and *Call.
type Block interface {
	// At is the line that it begins in.
	At() int
}

// Prose is for people.
type Prose struct {
	Line int
	Text string // Markdown
}

// Command is a fence in sh or bash.
type Command struct {
	Line  int    // of the fence; the first of Text is the next one
	Shell string // "sh" or "bash"
	Text  string
	// On is where it runs: Operator, a role, a node's name, or "$" and the name
	// of a variable that names the node.
	On      string
	Timeout time.Duration
	// Output is what it must print, nil if that is not said.
	Output *Output

	script *syntax.File
}

// Operator is the place where commands run that name no other.
const Operator = "operator"

// Output is the text that a command must print on standard output.
type Output struct {
	Line  int // of the fence
	Lines []OutputLine
}

// OutputLine is what one line must be, or, of kind Any, any number of lines.
type OutputLine struct {
	Kind LineKind
	Text string // the line, or the pattern
}

// LineKind is how a line is compared.
type LineKind string

// The kinds of lines.
const (
	Exact  LineKind = "exact"
	Any    LineKind = "any"    // any lines, or none
	Glob   LineKind = "glob"   // * and ? stand for anything
	Regexp LineKind = "regexp" // of the whole line, in RE2's syntax
)

// Expect is a state that the system must come to.
type Expect struct {
	Line   int
	State  string
	Within time.Duration
}

// Decide is a question to a person.
type Decide struct {
	Line     int
	Question string
	// GoOn is the answer with which the runbook goes on; any other ends it.
	GoOn string
	// CI is the answer where nobody can be asked; empty is none.
	CI string
}

// Call asks a person to tell somebody something.
type Call struct {
	Line int
	Text string
	// CI is what stands for the call where nobody can make it; empty is nothing.
	CI string
}

// At implements Block.
func (b *Prose) At() int { return b.Line }

// At implements Block.
func (b *Command) At() int { return b.Line }

// At implements Block.
func (b *Expect) At() int { return b.Line }

// At implements Block.
func (b *Decide) At() int { return b.Line }

// At implements Block.
func (b *Call) At() int { return b.Line }
