package runbook

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// roles are the places but the operator's.
func (l *linter) roles() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(l.known.Places)), func(p string) bool { return p == Operator })
}

// places asks whether there is such a place.
func (l *linter) places() {
	if l.known.Places == nil {
		return
	}
	for _, r := range l.runs() {
		for _, c := range commandsOf(r.blocks) {
			_, known := l.known.Places[c.On]
			_, variable := c.variable()
			if !known && !variable && !slices.Contains(l.known.Nodes, c.On) {
				l.find(c.Line, "place", "no place %s: there are %s, %s, and a variable that names a node, such as $node", c.On, Operator, strings.Join(l.roles(), ", "))
			}
		}
	}
}

// wordsOf are what a text may call a place.
func wordsOf(place string) []string {
	if place == "application" {
		return []string{"application", "node"}
	}
	return []string{place}
}

// said asks whether the text before a command says where it runs: a rendered
// page does not show it otherwise. Commands one after the other at one place
// need it once, and the operator is who reads.
func (l *linter) said() {
	for _, r := range l.runs() {
		before, text := Operator, r.part.Title
		for _, b := range r.blocks {
			switch b := b.(type) {
			case *Prose:
				text += "\n" + b.Text
			case *Command:
				if b.On != before && !says(text, b.On) {
					l.find(b.Line, "said", "the text before it does not say that it runs on %s, which a rendered page does not show", b.On)
				}
				before, text = b.On, ""
			}
		}
	}
}

func says(text, place string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(wordsOf(place), func(word string) bool { return strings.Contains(text, strings.ToLower(word)) })
}

// builtins are of the shell itself.
var builtins = strings.Fields(`: . [ alias bg break builtin caller cd command compgen complete continue declare dirs disown echo
	enable eval exec exit export false fc fg getopts hash help history jobs kill let local logout mapfile popd printf pushd pwd
	read readarray readonly return set shift shopt source suspend test time times trap true type typeset ulimit umask unalias
	unset wait`)

// commands asks whether what is called is there.
func (l *linter) commands() {
	if l.known.Places == nil {
		return
	}
	for _, r := range l.runs() {
		for _, c := range commandsOf(r.blocks) {
			there, ok := l.programs(c)
			if !ok {
				continue
			}
			for _, call := range l.look(c).calls {
				if name := path.Base(call.name); !slices.Contains(builtins, name) && !slices.Contains(there, name) {
					l.find(call.line, "command", "%s is not there on %s: use what is", name, c.On)
				}
			}
		}
	}
}

// programs are those of a command's place: of a node that a variable names,
// those of all roles. A place that is not known has none to ask for.
func (l *linter) programs(c *Command) (names []string, ok bool) {
	if p, ok := l.known.Places[c.On]; ok {
		return p.Commands, true
	}
	if _, variable := c.variable(); !variable {
		return nil, false
	}
	for _, role := range l.roles() {
		names = append(names, l.known.Places[role].Commands...)
	}
	return names, true
}

// always are variables that every shell has.
var always = strings.Fields(`HOME PATH PWD OLDPWD IFS OPTARG OPTIND PPID HOSTNAME USER LANG TMPDIR TERM SHELL
	BASH_VERSION BASHPID EPOCHREALTIME EPOCHSECONDS LINENO RANDOM SECONDS UID EUID PIPESTATUS REPLY FUNCNAME`)

// variables asks whether each was captured before it is used.
func (l *linter) variables() {
	known := map[string]bool{}
	for _, in := range l.book.Front.Inputs {
		known[in.Name] = true
	}
	for _, r := range l.runs() {
		there := known
		if r.undo {
			there = maps.Clone(known) // what an undo captures is its own
		}
		for _, c := range commandsOf(r.blocks) {
			l.used(c, there)
		}
	}
}

// used asks it of one command, and notes what that captures.
func (l *linter) used(c *Command, known map[string]bool) {
	if name, ok := c.variable(); ok && !known[name] {
		l.find(c.Line, "variable", "on=$%s: no command before captures %s, and it is no input", name, name)
	}
	f := l.look(c)
	for _, use := range f.uses {
		set := slices.ContainsFunc(f.sets, func(s mention) bool {
			return s.name == use.name && (s.offset <= use.offset || use.late) && use.offset < s.until
		})
		if !set && !known[use.name] && !slices.Contains(always, use.name) && !l.given(c, use.name) {
			l.find(use.line, "variable", "%s is used here, and no command before captures it (one in a pipe or a subshell does not), nor is it an input", use.name)
		}
	}
	for _, s := range f.sets {
		if s.until == everywhere {
			known[s.name] = true
		}
	}
}

// given says whether the command's place has the variable.
func (l *linter) given(c *Command, name string) bool {
	if p, ok := l.known.Places[c.On]; ok {
		return slices.Contains(p.Variables, name)
	}
	return slices.ContainsFunc(l.roles(), func(role string) bool { return slices.Contains(l.known.Places[role].Variables, name) })
}
