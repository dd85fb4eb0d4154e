package runbook

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// facts are what a command's script says of itself. Lines are the document's,
// offsets those in the command's text.
type facts struct {
	calls  []call
	uses   []mention
	sets   []mention
	writes []mention // paths that it writes
}

// everywhere is beyond every command.
const everywhere = 2 * MaxSize

// call is a program that is called, or a builtin.
type call struct {
	name string
	// args are its words, without their quotes; source is all of it.
	args   []string
	source string
	line   int
}

// mention is a name at a place.
type mention struct {
	name         string
	line, offset int
	// until is the offset where the subshell ends that a variable is set in;
	// one that is set in none outlives the command.
	until int
	// late is whether it is in a function, whose body is run later.
	late bool
}

// look takes a command's script apart.
func look(c *Command) *facts {
	l := &looker{text: c.Text, first: c.Line, facts: &facts{}, functions: map[string]bool{}}
	l.walk(c.script)
	l.facts.calls = slices.DeleteFunc(l.facts.calls, func(c call) bool { return l.functions[c.name] })
	return l.facts
}

type looker struct {
	text      string
	first     int // the line before the text's first
	facts     *facts
	functions map[string]bool
	subshells []int // where those end that are around
	function  int   // how many functions are around
	depth     int   // of scripts in arguments
}

// walk visits a node with all below it.
func (l *looker) walk(root syntax.Node) {
	var around []syntax.Node
	syntax.Walk(root, func(n syntax.Node) bool {
		if n == nil {
			l.leave(around[len(around)-1])
			around = around[:len(around)-1]
			return true
		}
		l.enter(n)
		around = append(around, n)
		return true
	})
}

// forks says whether variables that are set below do not outlive it.
func forks(n syntax.Node) bool {
	switch n := n.(type) {
	case *syntax.Subshell, *syntax.CmdSubst, *syntax.ProcSubst, *syntax.CoprocClause:
		return true
	case *syntax.BinaryCmd:
		return n.Op == syntax.Pipe || n.Op == syntax.PipeAll
	case *syntax.Stmt:
		return n.Background
	}
	return false
}

func (l *looker) leave(n syntax.Node) {
	if forks(n) {
		l.subshells = l.subshells[:len(l.subshells)-1]
	}
	if _, ok := n.(*syntax.FuncDecl); ok {
		l.function--
	}
}

func (l *looker) enter(n syntax.Node) {
	if forks(n) {
		l.subshells = append(l.subshells, int(n.End().Offset()))
	}
	switch n := n.(type) {
	case *syntax.FuncDecl:
		l.function++
		if n.Name != nil {
			l.functions[n.Name.Value] = true
		}
	case *syntax.CallExpr:
		l.call(n)
	case *syntax.DeclClause:
		for _, a := range n.Args {
			l.assign(a)
		}
	case *syntax.WordIter:
		l.set(n.Name.Value, n.Name)
	case *syntax.ParamExp:
		l.param(n)
	case *syntax.Redirect:
		l.redirect(n)
	}
}

// at is a mention of a name at the end of a node, where a value is known that
// the node gives.
func (l *looker) at(name string, n syntax.Node) mention {
	m := mention{name, l.first + int(n.Pos().Line()), int(n.End().Offset()), everywhere, l.function > 0}
	if around := len(l.subshells); around > 0 {
		m.until = l.subshells[around-1]
	}
	return m
}

func (l *looker) set(name string, n syntax.Node) {
	l.facts.sets = append(l.facts.sets, l.at(name, n))
}

func (l *looker) assign(a *syntax.Assign) {
	if a.Name != nil && !a.Naked {
		l.set(a.Name.Value, a)
	}
}

// source is the text of a node.
func (l *looker) source(n syntax.Node) string {
	from, to := int(n.Pos().Offset()), int(n.End().Offset())
	if from > to || to > len(l.text) {
		return ""
	}
	return l.text[from:to]
}

// unquoted is the text of a word without its quotes.
func (l *looker) unquoted(w *syntax.Word) string {
	var b strings.Builder
	for _, part := range w.Parts {
		switch part := part.(type) {
		case *syntax.Lit:
			b.WriteString(part.Value)
		case *syntax.SglQuoted:
			b.WriteString(part.Value)
		case *syntax.DblQuoted:
			b.WriteString(strings.Trim(l.source(part), `"`))
		default:
			b.WriteString(l.source(part))
		}
	}
	return b.String()
}

// call notes what a simple command calls, and what it sets.
func (l *looker) call(n *syntax.CallExpr) {
	if len(n.Args) == 0 {
		for _, a := range n.Assigns {
			l.assign(a)
		}
		return
	}
	var words []string
	for _, w := range n.Args {
		words = append(words, l.unquoted(w))
	}
	c := call{words[0], words[1:], l.source(n), l.first + int(n.Pos().Line())}
	l.builtin(c, n)
	for {
		if !strings.Contains(c.name, "$") && !strings.Contains(c.name, "`") && c.name != "" {
			l.facts.calls = append(l.facts.calls, c)
		}
		inner, ok := wrapped(path.Base(c.name), c.args)
		if !ok {
			break
		}
		c = call{inner[0], inner[1:], c.source, c.line}
	}
	l.script(c)
}

// builtin notes the variables that a builtin sets.
func (l *looker) builtin(c call, n syntax.Node) {
	switch c.name {
	case "export", "readonly", "local", "declare", "typeset":
		for _, a := range c.args {
			if name, _, ok := strings.Cut(a, "="); ok {
				l.set(name, n)
			}
		}
	case "read", "mapfile", "readarray":
		for _, a := range c.args {
			if !strings.HasPrefix(a, "-") {
				l.set(a, n)
			}
		}
	case "getopts":
		if len(c.args) > 1 {
			l.set(c.args[1], n)
		}
	case "printf":
		if len(c.args) > 1 && c.args[0] == "-v" {
			l.set(c.args[1], n)
		}
	}
}

// wrappers are programs that call what their arguments name, each with those
// of its flags that take a value, and how many operands come before.
var wrappers = map[string]struct {
	valued   string
	operands int
}{
	"command": {}, "builtin": {}, "exec": {valued: "a"}, "nohup": {}, "time": {}, "setsid": {}, "xargs": {valued: "nPIdLsE"},
	"env": {valued: "uC"}, "nice": {valued: "n"}, "ionice": {valued: "cn"}, "sudo": {valued: "ugCDhpRTU"}, "watch": {valued: "n"},
	"timeout": {valued: "sk", operands: 1}, "stdbuf": {valued: "ioe"}, "chroot": {operands: 1}, "nsenter": {valued: "tSG"}, "unshare": {valued: "SGRw"},
}

// wrapped are the words of what a wrapper calls.
func wrapped(name string, args []string) (inner []string, ok bool) {
	w, ok := wrappers[name]
	if !ok || name == "command" && len(args) > 0 && strings.EqualFold(args[0], "-v") {
		return nil, false // command -v only asks
	}
	operands := w.operands
	for len(args) > 0 {
		a := args[0]
		switch {
		case len(a) == 2 && a[0] == '-' && strings.Contains(w.valued, a[1:]) && len(args) > 1:
			args = args[2:]
		case strings.HasPrefix(a, "-"), strings.Contains(a, "=") && (name == "env" || name == "sudo"):
			args = args[1:]
		case operands > 0:
			operands--
			args = args[1:]
		default:
			return args, true
		}
	}
	return nil, false
}

// maxNested bounds scripts within scripts.
const maxNested = 3

// script looks into sh -c '…', and into what eval is given. What it sets is its own.
func (l *looker) script(c call) {
	text := strings.Join(c.args, " ")
	if c.name != "eval" {
		at := slices.IndexFunc(c.args, func(a string) bool { return strings.HasPrefix(a, "-") && strings.HasSuffix(a, "c") })
		if !isShell(path.Base(c.name)) || at < 0 || at+1 >= len(c.args) {
			return
		}
		text = c.args[at+1]
	}
	if l.depth >= maxNested {
		return
	}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), "")
	if err != nil {
		return
	}
	inner := &looker{text: text, first: c.line - 1, facts: &facts{}, functions: l.functions, depth: l.depth + 1}
	inner.walk(file)
	l.facts.calls = append(l.facts.calls, inner.facts.calls...)
	l.facts.writes = append(l.facts.writes, inner.facts.writes...)
}

// param notes a variable that is used, but where it may be unset.
func (l *looker) param(n *syntax.ParamExp) {
	if n.Param == nil {
		return
	}
	name := n.Param.Value
	if n.Exp != nil {
		switch n.Exp.Op {
		case syntax.AssignUnset, syntax.AssignUnsetOrNull:
			l.set(name, n)
			return
		case syntax.AlternateUnset, syntax.AlternateUnsetOrNull, syntax.DefaultUnset, syntax.DefaultUnsetOrNull,
			syntax.ErrorUnset, syntax.ErrorUnsetOrNull:
			return
		}
	}
	if named.MatchString(name) {
		m := l.at(name, n)
		m.offset = int(n.Pos().Offset())
		l.facts.uses = append(l.facts.uses, m)
	}
}

// named is what a variable may be called; others are the shell's own: $1, $?.
var named = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (l *looker) redirect(n *syntax.Redirect) {
	switch n.Op {
	case syntax.RdrOut, syntax.AppOut, syntax.RdrClob, syntax.RdrAll, syntax.AppAll:
		if n.Word != nil {
			l.facts.writes = append(l.facts.writes, l.at(l.unquoted(n.Word), n))
		}
	}
}

// Sets are the variables that the command gives a value which outlives it: one
// that is set in a pipe or a subshell does not. Each is there once,
// in the command's order; the caller owns the result.
func (c *Command) Sets() []string {
	var names []string
	for _, m := range look(c).sets {
		if m.until == everywhere && !slices.Contains(names, m.name) && named.MatchString(m.name) {
			names = append(names, m.name)
		}
	}
	return names
}
