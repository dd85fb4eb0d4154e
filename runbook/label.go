package runbook

import (
	"regexp"
	"strings"
)

// The words that a paragraph may begin with, in bold.
const (
	labelExpect = "Expect"
	labelDecide = "Decide"
	labelCall   = "Call"
	labelUndo   = "Undo"
)

func isLabel(word string) bool {
	switch word {
	case labelExpect, labelDecide, labelCall, labelUndo:
		return true
	}
	return false
}

// meant is the label that a word like it was meant for, empty if it is like
// none.
func meant(word string) string {
	word = strings.ToLower(word)
	for begin, label := range map[string]string{"expect": labelExpect, "deci": labelDecide, "call": labelCall, "undo": labelUndo} {
		if strings.HasPrefix(word, begin) {
			return label
		}
	}
	return ""
}

// bold is a paragraph that begins with a word in bold and a colon.
var bold = regexp.MustCompile(`^(?s)(?:\*\*|__)([A-Za-z]+)(?::(?:\*\*|__)|(?:\*\*|__):)(.*)$`)

// cutLabel parts a text from the bold word that it begins with.
func cutLabel(text string) (word, rest string, ok bool) {
	m := bold.FindStringSubmatch(text)
	if m == nil {
		return "", "", false
	}
	return m[1], strings.Join(strings.Fields(m[2]), " "), true
}

// label takes a paragraph that begins with one of the words, and says whether
// it does.
func (p *parser) label(b piece) bool {
	word, rest, ok := cutLabel(b.raw)
	switch {
	case !ok || meant(word) == "":
		p.second(b)
		return false
	case !isLabel(word):
		p.fail(b.line, "**%s:** is not read: did you mean **%s:**?", word, meant(word))
		return true
	}
	p.second(b)
	if !p.here(b.line, "**"+word+":**") {
		return true
	}
	switch word {
	case labelExpect:
		p.expect(b.line, rest)
	case labelDecide:
		p.decide(b.line, rest)
	case labelCall:
		p.call(b.line, rest)
	case labelUndo:
		p.undo(b.line, rest)
	}
	return true
}

// second refuses a label in a later line of a paragraph, which Markdown makes
// one text with what is before.
func (p *parser) second(b piece) {
	line := b.line
	for s := range strings.Lines(b.raw) {
		if word, _, ok := cutLabel(strings.TrimSpace(s)); ok && isLabel(word) && line > b.line {
			p.fail(line, "**%s:** within a paragraph: leave a blank line before it", word)
		}
		line++
	}
}

// Parts of labelled paragraphs.
var (
	stateWithin = regexp.MustCompile("^`([a-z][a-z0-9-]*)` within `([^`]+)`")
	goOnWith    = regexp.MustCompile("Go on with `([^`]+)`\\.?")
	inCI        = regexp.MustCompile("In CI: `([^`]+)`\\.?")
)

func (p *parser) expect(line int, text string) {
	m := stateWithin.FindStringSubmatch(text)
	if m == nil {
		p.fail(line, "**Expect:** wants a state and a limit of time, such as **Expect:** `nodes-routed` within `30s`.")
		return
	}
	within, err := parseLimit(m[2])
	if err != nil {
		p.fail(line, "**Expect:** `%s` within `%s`: %v", m[1], m[2], err)
		return
	}
	*p.into = append(*p.into, &Expect{line, m[1], within})
}

func (p *parser) decide(line int, text string) {
	goOn := goOnWith.FindStringSubmatch(text)
	question := strings.TrimSpace(inCI.ReplaceAllString(goOnWith.ReplaceAllString(text, ""), ""))
	if goOn == nil || question == "" {
		p.fail(line, "**Decide:** wants a question and the answer with which it goes on, such as **Decide:** Is anybody at work on it? Go on with `no`.")
		return
	}
	*p.into = append(*p.into, &Decide{line, question, goOn[1], answer(text)})
}

func (p *parser) call(line int, text string) {
	what := strings.TrimSpace(inCI.ReplaceAllString(text, ""))
	if what == "" {
		p.fail(line, "**Call:** wants to know whom, and what to tell them")
		return
	}
	*p.into = append(*p.into, &Call{line, what, answer(text)})
}

// answer is the one for CI, empty if there is none.
func answer(text string) string {
	if m := inCI.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// undo begins the undo of a step.
func (p *parser) undo(line int, text string) {
	switch {
	case p.section.Title != Steps:
		p.fail(line, "**Undo:** in section %q: only a step is undone", p.section.Title)
		return
	case p.part.Undo != nil:
		p.fail(line, "a second **Undo:** of the step: the first is in line %d", p.part.Undo.Line)
		return
	}
	p.part.Undo = &Undo{Line: line}
	p.into, p.command = &p.part.Undo.Blocks, nil
	p.prose(line, text)
}
