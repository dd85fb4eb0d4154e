package runbook

import (
	"bytes"
	"sort"
	"strings"

	"github.com/yuin/goldmark/ast"
	markdown "github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// document is a Markdown text taken apart.
type document struct {
	src    []byte // without the front matter
	first  int    // the line that src begins in
	ends   []int  // offsets of src's line ends
	pieces []piece
	links  []link
	// anchors are those of the headings, as GitHub makes them.
	anchors map[string]bool
}

// piece is a block at the top level.
type piece struct {
	node ast.Node
	line int
	raw  string // its source, without blank lines at the end
}

// link is one that leads somewhere, or an image.
type link struct {
	to   string
	line int
}

// readMarkdown takes src apart, whose first line is the document's first.
func readMarkdown(src []byte, first int) *document {
	d := &document{src: src, first: first, anchors: map[string]bool{}}
	for i, c := range src {
		if c == '\n' {
			d.ends = append(d.ends, i)
		}
	}
	root := markdown.NewParser(
		markdown.WithBlockParsers(markdown.DefaultBlockParsers()...),
		markdown.WithInlineParsers(markdown.DefaultInlineParsers()...),
		markdown.WithParagraphTransformers(markdown.DefaultParagraphTransformers()...),
	).Parse(text.NewReader(src))
	d.cut(root)
	d.survey(root)
	return d
}

// lineAt is the line of an offset in src.
func (d *document) lineAt(offset int) int { return d.first + sort.SearchInts(d.ends, offset) }

// lineText is the text of a line, without its end.
func (d *document) lineText(line int) string {
	i := line - d.first
	if i < 0 || i > len(d.ends) {
		return ""
	}
	from, to := 0, len(d.src)
	if i > 0 {
		from = d.ends[i-1] + 1
	}
	if i < len(d.ends) {
		to = d.ends[i]
	}
	return string(d.src[from:to])
}

// firstLine is the first line of a text, without what it is a list's or a
// quotation's by.
func (d *document) firstLine(n ast.Node) string {
	if n.Lines().Len() == 0 {
		return ""
	}
	segment := n.Lines().At(0)
	return string(segment.Value(d.src))
}

// begins is the line that a node begins in, otherwise the given one.
func (d *document) begins(n ast.Node, otherwise int) int {
	at := n.Pos()
	if at < 0 && n.Type() == ast.TypeBlock && n.Lines().Len() > 0 {
		at = n.Lines().At(0).Start
	}
	if at < 0 {
		return otherwise
	}
	return d.lineAt(at)
}

// cut notes the blocks at the top level.
func (d *document) cut(root ast.Node) {
	line := d.first
	for n := root.FirstChild(); n != nil; n = n.NextSibling() {
		line = max(line, d.begins(n, line))
		d.pieces = append(d.pieces, piece{node: n, line: line})
	}
	for i := range d.pieces {
		to := d.first + len(d.ends) + 1
		if i+1 < len(d.pieces) {
			to = d.pieces[i+1].line
		}
		var lines []string
		for at := d.pieces[i].line; at < to; at++ {
			lines = append(lines, d.lineText(at))
		}
		d.pieces[i].raw = strings.TrimRight(strings.Join(lines, "\n"), " \t\n")
	}
}

// survey notes links and anchors.
func (d *document) survey(root ast.Node) {
	line, seen := d.first, map[string]int{}
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		line = max(line, d.begins(n, line))
		switch n := n.(type) {
		case *ast.Link:
			d.links = append(d.links, link{string(n.Destination), line})
		case *ast.Image:
			d.links = append(d.links, link{string(n.Destination), line})
		case *ast.Heading:
			d.anchors[anchor(d.plain(n), seen)] = true
		}
		return ast.WalkContinue, nil
	})
}

// plain is the text of a heading without its markup.
func (d *document) plain(heading ast.Node) string {
	var b strings.Builder
	_ = ast.Walk(heading, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering {
			b.Write(t.Segment.Value(d.src))
		}
		return ast.WalkContinue, nil
	})
	return strings.TrimSpace(b.String())
}

// fence is the info string of a fenced block at the top level, its text, and
// whether it is closed: else it reaches to the document's end.
func (d *document) fence(n *ast.FencedCodeBlock) (info, body string, closed bool) {
	if n.Info != nil {
		info = string(n.Info.Segment.Value(d.src))
	}
	end := n.Pos()
	if i := bytes.IndexByte(d.src[end:], '\n'); i >= 0 {
		end += i + 1
	} else {
		end = len(d.src)
	}
	var b strings.Builder
	for i := range n.Lines().Len() {
		segment := n.Lines().At(i)
		b.Write(segment.Value(d.src))
		end = segment.Stop
	}
	return info, b.String(), end < len(d.src)
}
