package runbook

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/yuin/goldmark/ast"
	"mvdan.cc/sh/v3/syntax"
)

// Time limits of commands and of states.
const (
	DefaultTimeout = 10 * time.Second
	MaxTimeout     = 10 * time.Minute
)

// outputLanguage is that of a fence that holds an expected output.
const outputLanguage = "output"

// notShells are languages that look like commands and are not run.
var notShells = []string{"shell", "console", "terminal", "zsh", "sh-session", "shell-session", "shellscript"}

func isShell(language string) bool { return language == "sh" || language == "bash" }

// fence takes a fenced block.
func (p *parser) fence(n *ast.FencedCodeBlock, b piece) {
	info, body, closed := p.book.doc.fence(n)
	language, attributes := splitInfo(info)
	switch {
	case isShell(language) || language == outputLanguage:
		if !closed {
			p.fail(b.line, "the fence is not closed")
			return
		}
		if !p.here(b.line, "a fence in "+language) {
			return
		}
		if language == outputLanguage {
			p.output(b.line, attributes, body)
			return
		}
		p.run(b.line, language, attributes, body)
	case slices.Contains(notShells, language):
		p.fail(b.line, "a fence in %s: a command is in sh or bash; one that is only to be read is in text", language)
	case language == "" && attributes != "":
		p.fail(b.line, "a fence with attributes %s and no language: a command is in sh or bash", attributes)
	default:
		p.prose(b.line, b.raw)
	}
}

// splitInfo parts a fence's info string.
func splitInfo(info string) (language, attributes string) {
	at := strings.IndexAny(info, " \t{")
	if at < 0 {
		return info, ""
	}
	return info[:at], strings.TrimSpace(info[at:])
}

// run takes a command.
func (p *parser) run(line int, shell, attributes, text string) {
	c := &Command{Line: line, Shell: shell, Text: text, On: Operator, Timeout: DefaultTimeout}
	for _, a := range p.attributes(line, attributes) {
		if err := c.set(a.key, a.value); err != nil {
			p.fail(line, "%v", err)
		}
	}
	variant := syntax.LangPOSIX
	if shell == "bash" {
		variant = syntax.LangBash
	}
	script, err := syntax.NewParser(syntax.Variant(variant)).Parse(strings.NewReader(text), "")
	if err != nil {
		at, what := badShell(err)
		p.fail(line+at, "%s: %s", shell, what)
		return
	}
	if len(script.Stmts) == 0 {
		p.fail(line, "an empty command")
		return
	}
	c.script = script
	p.command = c
	*p.into = append(*p.into, c)
}

// badShell is the line of a command, from 1, and what is wrong there.
func badShell(err error) (line int, text string) {
	if e, ok := errors.AsType[syntax.ParseError](err); ok {
		return int(e.Pos.Line()), e.Text
	}
	if e, ok := errors.AsType[syntax.LangError](err); ok {
		return int(e.Pos.Line()), e.Feature + " is not of this shell"
	}
	return 1, err.Error()
}

// place is what on= may be: a name, or a variable's.
var place = regexp.MustCompile(`^(\$[A-Za-z_][A-Za-z0-9_]*|[a-z][a-z0-9-]*)$`)

// set takes an attribute.
func (c *Command) set(key, value string) error {
	switch key {
	case "on":
		if !place.MatchString(value) {
			return fmt.Errorf("on=%s: want operator, a role such as balancer, or a variable that names a node, such as $node", value)
		}
		c.On = value
		return nil
	case "timeout":
		limit, err := parseLimit(value)
		if err != nil {
			return fmt.Errorf("timeout=%s: %w", value, err)
		}
		c.Timeout = limit
		return nil
	}
	return fmt.Errorf("attribute %s: there are on and timeout", key)
}

// parseLimit reads a time limit.
func parseLimit(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > MaxTimeout {
		return 0, fmt.Errorf("want a time up to %v, such as 30s", MaxTimeout)
	}
	return d, nil
}

// attribute is one of key=value, the value bare or in quotes.
var attribute = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9_-]*)=("[^"]*"|'[^']*'|[^\s"'{}]+)(\s+|$)`)

type keyValue struct{ key, value string }

// attributes reads {key=value key="value"}.
func (p *parser) attributes(line int, text string) (out []keyValue) {
	inner, begun := strings.CutPrefix(text, "{")
	inner, ended := strings.CutSuffix(inner, "}")
	seen := map[string]bool{}
	for rest := strings.TrimSpace(inner); rest != ""; {
		m := attribute.FindStringSubmatch(rest)
		if m == nil || !begun || !ended {
			p.fail(line, "attributes %s: want {on=PLACE timeout=TIME}", text)
			return nil
		}
		if seen[m[1]] {
			p.fail(line, "attribute %s is there twice", m[1])
		}
		seen[m[1]] = true
		out = append(out, keyValue{m[1], strings.Trim(m[2], `"'`)})
		rest = rest[len(m[0]):]
	}
	return out
}

// output takes what the last command must print.
func (p *parser) output(line int, attributes, text string) {
	switch {
	case attributes != "":
		p.fail(line, "attributes %s: an output has none", attributes)
	case p.command == nil:
		p.fail(line, "an output that is no command's: let it follow one")
		return
	case p.command.Output != nil:
		p.fail(line, "a second output of the command in line %d", p.command.Line)
		return
	}
	out := &Output{Line: line}
	for s := range strings.Lines(text) {
		one, err := readOutputLine(strings.TrimRight(s, " \t\n"))
		if err != nil {
			p.fail(line+1+len(out.Lines), "%v", err)
		}
		out.Lines = append(out.Lines, one)
	}
	p.command.Output = out
}

func readOutputLine(s string) (OutputLine, error) {
	if s == "..." {
		return OutputLine{Kind: Any}, nil
	}
	if text, ok := strings.CutSuffix(s, " (glob)"); ok {
		return OutputLine{Glob, text}, nil
	}
	if text, ok := strings.CutSuffix(s, " (re)"); ok {
		_, err := regexp.Compile(`^(?:` + text + `)$`)
		return OutputLine{Regexp, text}, err
	}
	return OutputLine{Exact, s}, nil
}
