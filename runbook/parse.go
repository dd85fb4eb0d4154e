package runbook

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
)

// Limits of a document.
const (
	// MaxSize is how many bytes it may have.
	MaxSize = 64 << 10
	// MaxLine is how many bytes a line may have.
	MaxLine = 4 << 10
)

// Parse reads the document of that name, which errors begin with. It is pure.
// What cannot be read is an error of the type Errors, with all reasons; then
// there is no runbook. What is read may still be wrong: see Lint.
func Parse(name string, text []byte) (*Runbook, error) {
	p := &parser{book: &Runbook{Name: name, Text: text}}
	text, ok := p.clean(text)
	if !ok {
		return nil, p.failed()
	}
	front, body, first := splitFront(text)
	p.front(front)
	p.book.doc = readMarkdown(body, first)
	for _, piece := range p.book.doc.pieces {
		p.piece(piece)
	}
	if err := p.failed(); err != nil {
		return nil, err
	}
	return p.book, nil
}

// clean checks that text is a small text of lines that are not too long, and
// gives it with line ends of one kind.
func (p *parser) clean(text []byte) (clean []byte, ok bool) {
	if len(text) > MaxSize {
		p.fail(1, "it has %d bytes: a runbook has %d at most", len(text), MaxSize)
		return nil, false
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	line := 0
	for s := range bytes.Lines(text) {
		line++
		switch {
		case len(s) > MaxLine:
			p.fail(line, "the line has %d bytes: break it, %d are the most", len(s), MaxLine)
		case !utf8.Valid(s):
			p.fail(line, "it is not UTF-8")
		case bytes.ContainsFunc(s, isControl):
			p.fail(line, "a control character: only tabs and line ends may be there")
		}
	}
	return text, len(p.errs) == 0
}

func isControl(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' || r >= 0x7f && r <= 0x9f
}

// parser is the state of a Parse.
type parser struct {
	book *Runbook
	errs Errors

	section *Section // nil before the first
	part    *Part    // where blocks go
	command *Command // the last of the part, to which an output belongs
	into    *[]Block // of the part, or of its undo
}

// piece takes the next block of the top level.
func (p *parser) piece(b piece) {
	switch n := b.node.(type) {
	case *ast.Heading:
		p.heading(n, b)
	case *ast.FencedCodeBlock:
		p.fence(n, b)
	case *ast.Paragraph:
		if !p.label(b) {
			p.prose(b.line, b.raw)
		}
	case *ast.LinkReferenceDefinition, *ast.ThematicBreak:
	default:
		p.nested(b)
		p.prose(b.line, b.raw)
	}
}

// prose notes a text for people; before the first section it is nobody's.
func (p *parser) prose(line int, text string) {
	if p.into != nil && strings.TrimSpace(text) != "" {
		*p.into = append(*p.into, &Prose{line, text})
	}
}

// heading begins a section or a part. One of level 1 is for people, and so is
// one below level 3.
func (p *parser) heading(n *ast.Heading, b piece) {
	title := p.book.doc.plain(n)
	switch {
	case n.Level == 2:
		p.section = &Section{Part: Part{Title: title, Line: b.line}}
		p.book.Sections = append(p.book.Sections, p.section)
		p.begin(&p.section.Part)
	case n.Level == 3 && p.section != nil:
		part := &Part{Title: title, Line: b.line}
		p.section.Parts = append(p.section.Parts, part)
		p.begin(part)
	default:
		p.prose(b.line, b.raw)
	}
}

func (p *parser) begin(part *Part) {
	p.part, p.into, p.command = part, &part.Blocks, nil
}

// here says whether what is read, and no person alone, may stand here.
func (p *parser) here(line int, what string) bool {
	switch {
	case p.section == nil:
		p.fail(line, "%s before the first section: it belongs below a heading of level 2", what)
	case !holdsCommands(p.section.Title):
		p.fail(line, "%s in section %q: only Symptom, Diagnosis, Steps, Verification and Rollback may hold it", what, p.section.Title)
	case p.section.Title == Steps && len(p.section.Parts) == 0:
		p.fail(line, "%s outside of a step: give it a heading of level 3 below Steps", what)
	default:
		return true
	}
	return false
}

// nested refuses what would be read at the top level, where it cannot be seen
// to be meant so.
func (p *parser) nested(b piece) {
	_ = ast.Walk(b.node, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		line := p.book.doc.begins(n, b.line)
		switch n := n.(type) {
		case *ast.FencedCodeBlock:
			info := ""
			if n.Info != nil {
				info = string(n.Info.Segment.Value(p.book.doc.src))
			}
			if language, _ := splitInfo(info); isShell(language) || language == outputLanguage {
				p.fail(line, "a fence in %s in a list or a quotation: let it stand by itself", language)
			}
		case *ast.Paragraph, *ast.TextBlock:
			if word, _, ok := cutLabel(p.book.doc.firstLine(n)); ok && isLabel(word) {
				p.fail(line, "**%s:** in a list or a quotation: let it begin a paragraph", word)
			}
		}
		return ast.WalkContinue, nil
	})
}
