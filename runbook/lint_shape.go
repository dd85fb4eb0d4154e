package runbook

import (
	"slices"
	"strings"
)

// sections asks whether all sections are there, once, in order, and say
// something. That the rollback is there is a rule of its own.
func (l *linter) sections() {
	met, last := map[string]bool{}, 0
	for _, s := range l.book.Sections {
		at := slices.Index(sectionOrder, s.Title)
		switch {
		case at < 0:
			continue
		case met[s.Title]:
			l.find(s.Line, "section", "a second section %q: join the two", s.Title)
		case at < last:
			l.find(s.Line, "section", "%q comes before %q: the order is %s", s.Title, sectionOrder[last], strings.Join(sectionOrder, ", "))
		case s.empty() && s.Title != Steps && s.Title != Rollback:
			l.find(s.Line, "section", "%q is empty", s.Title)
		}
		met[s.Title] = true
		last = max(last, at)
	}
	for _, title := range sectionOrder {
		if !met[title] && title != Rollback && (title == Verification || !l.book.Front.Checks) {
			l.find(1, "section", "no section %q: give it a heading of level 2", title)
		}
	}
}

// contents asks for what a runbook is nothing without.
func (l *linter) contents() {
	if l.book.Front.Checks {
		l.checks()
		return
	}
	if s := l.book.Section(Symptom); s != nil && len(commandsOf(s.Blocks)) == 0 && !slices.ContainsFunc(s.Parts, func(p *Part) bool {
		return len(commandsOf(p.Blocks)) > 0
	}) {
		l.find(s.Line, "symptom", "nothing shows the symptom: give a command whose output does")
	}
	if s := l.book.Section(Steps); s != nil && len(s.Parts) == 0 {
		l.find(s.Line, "step", "no step: give each a heading of level 3")
	}
	switch s := l.book.Section(Rollback); {
	case s == nil:
		l.find(1, "rollback", "no section %q: say how to go back, or why nothing has to", Rollback)
	case s.empty():
		l.find(s.Line, "rollback", "the rollback is empty: say how to go back, or why nothing has to")
	}
}

// checks asks of a document of checks that there are some, that each can fail and
// says something of the system, and that none changes it.
func (l *linter) checks() {
	for _, s := range l.book.Sections {
		if holdsCommands(s.Title) && s.Title != Verification {
			l.find(s.Line, "check", "checks stand below %q: this is a section of runbooks", Verification)
		}
	}
	s := l.book.Section(Verification)
	if s == nil {
		return // which another rule has said
	}
	if len(commandsOf(s.Blocks)) > 0 {
		l.find(s.Line, "check", "a command before the first check: give it a heading of level 3")
	}
	some := false
	for _, p := range s.Parts {
		if len(commandsOf(p.Blocks)) == 0 {
			continue
		}
		some = true
		if slices.ContainsFunc(p.Blocks, func(b Block) bool {
			switch b.(type) {
			case *Decide, *Call:
				return true
			}
			return false
		}) {
			l.find(p.Line, "check", "check %q asks a person: what is for people stands in a runbook", p.Title)
		}
		if !slices.ContainsFunc(p.Blocks, func(b Block) bool { c, ok := b.(*Command); return ok && c.Output != nil }) {
			l.find(p.Line, "check", "check %q expects no output, so that it says nothing: add a fence in output", p.Title)
		}
		if !slices.ContainsFunc(p.Blocks, func(b Block) bool { _, ok := b.(*Expect); return ok }) {
			l.find(p.Line, "check", "what is check %q taken to say of the system? Add **Expect:** a state", p.Title)
		}
	}
	if !some {
		l.find(s.Line, "check", "no check: give each a heading of level 3, and a command")
	}
}

// expected asks of each command, but of those that undo something, whether it
// is said what comes of it.
func (l *linter) expected() {
	for _, r := range l.runs() {
		if r.undo {
			continue
		}
		var open *Command
		for _, b := range r.blocks {
			switch b := b.(type) {
			case *Command:
				l.unexpected(open)
				open = b
			case *Expect:
				open = nil
			}
		}
		l.unexpected(open)
	}
}

func (l *linter) unexpected(c *Command) {
	if c != nil && c.Output == nil {
		l.find(c.Line, "expect", "it is not said what comes of it: add a fence in output, empty if it prints nothing, or **Expect:** a state")
	}
}

func (l *linter) states() {
	for _, r := range l.runs() {
		for _, b := range r.blocks {
			if e, ok := b.(*Expect); ok && !isState(e.State) {
				l.find(e.Line, "state", "no state %s: there are %s", e.State, strings.Join(stateNames(), ", "))
			}
		}
	}
}

// answers asks whether the runbook can go on where nobody can be asked.
func (l *linter) answers() {
	for _, r := range l.runs() {
		for _, b := range r.blocks {
			switch b := b.(type) {
			case *Decide:
				if b.CI == "" {
					l.find(b.Line, "answer", "no answer for CI: add In CI: `%s`.", b.GoOn)
				} else if b.CI != b.GoOn {
					l.find(b.Line, "answer", "in CI the answer is %s, and it goes on with %s alone: it would always end here", b.CI, b.GoOn)
				}
			case *Call:
				if b.CI == "" {
					l.find(b.Line, "answer", "no answer for CI: add In CI: `told`.")
				}
			}
		}
	}
}
