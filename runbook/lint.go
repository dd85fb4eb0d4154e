package runbook

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Finding is something that is wrong with a runbook.
type Finding struct {
	Line int    `json:"line"`
	Rule string `json:"rule"`
	Text string `json:"text"` // what is wrong, and what to do
}

// Known is what a runbook is held against. What is nil is not looked at.
type Known struct {
	// Incident says why no scenario can be run by that name with these
	// settings.
	Incident func(name string, set map[string]string) error
	// Places are where commands can run: Operator, and the roles of nodes.
	Places map[string]Place
	// Nodes are the names of nodes, none of which is to be written out.
	Nodes []string
	// Alerts are those that can fire.
	Alerts []Alert
	// Inputs are the variables that can be brought.
	Inputs []string
	// Open reads what a link leads to, a path relative to the document. The
	// error of what is not there wraps fs.ErrNotExist; of a folder there is no
	// text.
	Open func(path string) ([]byte, error)
}

// Place is what commands find where they run.
type Place struct {
	// Commands are the programs that are there.
	Commands []string
	// Variables are those of its environment.
	Variables []string
}

// ReviewLife is how long a review holds.
const ReviewLife = 365 * 24 * time.Hour

// rules are what Lint asks, by name. A rule may have several names, where
// several questions are one.
var rules = []struct {
	names []string
	ask   func(*linter)
}{
	{[]string{"title", "owner", "alert", "restores", "within"}, (*linter).present},
	{[]string{"alert"}, (*linter).alerts},
	{[]string{"reviewed"}, (*linter).reviewed},
	{[]string{"incident"}, (*linter).incident},
	{[]string{"restores"}, (*linter).restores},
	{[]string{"input"}, (*linter).inputs},
	{[]string{"section"}, (*linter).sections},
	{[]string{"symptom", "step", "rollback", "check"}, (*linter).contents},
	{[]string{"expect"}, (*linter).expected},
	{[]string{"state"}, (*linter).states},
	{[]string{"answer"}, (*linter).answers},
	{[]string{"place"}, (*linter).places},
	{[]string{"said"}, (*linter).said},
	{[]string{"command"}, (*linter).commands},
	{[]string{"variable"}, (*linter).variables},
	{[]string{"destructive"}, (*linter).destructive},
	{[]string{"host"}, (*linter).hosts},
	{[]string{"secret"}, (*linter).secrets},
	{[]string{"link"}, (*linter).links},
}

// Rules are the names of the rules, sorted.
func Rules() []string {
	var out []string
	for _, r := range rules {
		out = append(out, r.names...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Lint says what is wrong with a runbook that Parse returned, on the day of
// now, in the order of the lines; nothing is an empty slice. But for what known
// asks it is pure.
func Lint(r *Runbook, known Known, now time.Time) []Finding {
	l := &linter{book: r, known: known, now: now, facts: map[*Command]*facts{}, found: []Finding{}}
	for _, rule := range rules {
		rule.ask(l)
	}
	slices.SortStableFunc(l.found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Text, b.Text))
	})
	return slices.Compact(l.found)
}

// linter is the state of a Lint.
type linter struct {
	book  *Runbook
	known Known
	now   time.Time
	facts map[*Command]*facts
	found []Finding
}

// find notes a finding.
func (l *linter) find(line int, rule, format string, args ...any) {
	l.found = append(l.found, Finding{line, rule, fmt.Sprintf(format, args...)})
}

// look takes a command apart, once.
func (l *linter) look(c *Command) *facts {
	if l.facts[c] == nil {
		l.facts[c] = look(c)
	}
	return l.facts[c]
}

// all are the section's own part and those below it.
func (s *Section) all() []*Part { return append([]*Part{&s.Part}, s.Parts...) }

// empty says whether nothing stands below the section's heading.
func (s *Section) empty() bool { return len(s.Blocks) == 0 && len(s.Parts) == 0 }

// variable is the name of the variable that names the node, if one does.
func (c *Command) variable() (name string, ok bool) { return strings.CutPrefix(c.On, "$") }

// run is a sequence of blocks that are carried out one after the other.
type run struct {
	section *Section
	part    *Part
	blocks  []Block
	undo    bool
}

// runs are all of them, in the document's order; the undo of a step follows it.
func (l *linter) runs() []run {
	var out []run
	for _, s := range l.book.Sections {
		for _, p := range s.all() {
			out = append(out, run{s, p, p.Blocks, false})
			if p.Undo != nil {
				out = append(out, run{s, p, p.Undo.Blocks, true})
			}
		}
	}
	return out
}

// commandsOf are the commands among blocks.
func commandsOf(blocks []Block) []*Command {
	var out []*Command
	for _, b := range blocks {
		if c, ok := b.(*Command); ok {
			out = append(out, c)
		}
	}
	return out
}
