package report

import (
	"fmt"
	"io"
	"strings"
)

// Grid is a table of texts. Each row has as many as the head.
type Grid struct {
	Head []string
	Rows [][]string
}

// Sheet is a page of parts that are measured, each by a command of its own.
// Its texts are shown as they are written: neither Markdown nor HTML is
// understood in them.
type Sheet struct {
	Title, About string
	Sections     []SheetSection
}

// SheetSection is one part.
type SheetSection struct {
	Title string
	About string // what is asked
	// Said is what was measured, in a sentence.
	Said string
	// Provenance says what measured it, on what, and when.
	Provenance string
	// Command measures it again.
	Command string
	// Picture is a path from the page, and PictureText what it shows.
	Picture, PictureText string
	Grid                 Grid
	Notes                []string
	// See is a page to read, by its path from this one; empty is none.
	See string
}

// GridTable writes a table for a terminal; widths are those of all columns but
// the last, which gets what they leave.
func GridTable(w io.Writer, g Grid, o TableOptions, widths ...int) error {
	if o.Width <= 0 {
		o.Width = 120
	}
	t := newTable(w, o, widths...)
	t.Header(g.Head)
	for _, row := range g.Rows {
		clean := make([]string, len(row))
		for i, cell := range row {
			clean[i] = Clean(cell)
		}
		if err := t.Append(clean); err != nil {
			return fmt.Errorf("table row of %s: %w", row[0], err)
		}
	}
	return t.Render()
}

// SheetMarkdown writes the page as Markdown.
func SheetMarkdown(w io.Writer, s Sheet) error {
	p := &printer{w: w}
	p.line("# %s\n\n%s", md(s.Title), md(s.About))
	for _, c := range s.Sections {
		p.line("\n## %s\n\n%s\n\n**%s**", md(c.Title), md(c.About), md(c.Said))
		if c.Provenance != "" {
			p.line("\nMeasured by %s.", md(c.Provenance))
		}
		if c.Command != "" {
			p.line("Again: `%s`", strings.ReplaceAll(c.Command, "`", "'"))
		}
		if c.Picture != "" {
			p.line("\n![%s](%s)", md(c.PictureText), c.Picture)
		}
		p.grid(c.Grid)
		if len(c.Notes) > 0 {
			p.line("")
		}
		for _, n := range c.Notes {
			p.line("- %s", md(n))
		}
		if c.See != "" {
			p.line("\nMore: [%s](%s)", md(c.See), c.See)
		}
	}
	return p.err
}

// grid writes a table as Markdown; nothing if it has no row.
func (p *printer) grid(g Grid) {
	if len(g.Rows) == 0 {
		return
	}
	row := func(cells []string) string {
		out := make([]string, len(cells))
		for i, c := range cells {
			out[i] = md(c)
		}
		return "| " + strings.Join(out, " | ") + " |"
	}
	p.line("\n%s\n%s|", row(g.Head), strings.Repeat("|---", len(g.Head)))
	for _, r := range g.Rows {
		p.line("%s", row(r))
	}
}

// SheetHTML writes the page as HTML, which opens offline but for its pictures,
// which are beside it.
func SheetHTML(w io.Writer, s Sheet) error {
	clean := cleanSheet(s)
	return plain(w, "sheet.html.tmpl", map[string]any{"Title": clean.Title, "Pictures": true, "Sheet": clean})
}

// cleanSheet is the page without control characters.
func cleanSheet(s Sheet) Sheet {
	out := Sheet{Title: Clean(s.Title), About: Clean(s.About)}
	for _, c := range s.Sections {
		for _, text := range []*string{&c.Title, &c.About, &c.Said, &c.Provenance, &c.Command, &c.Picture, &c.PictureText, &c.See} {
			*text = Clean(*text)
		}
		c.Notes, c.Grid = cleanAll(c.Notes), Grid{Head: cleanAll(c.Grid.Head), Rows: cleanRows(c.Grid.Rows)}
		out.Sections = append(out.Sections, c)
	}
	return out
}

func cleanRows(rows [][]string) [][]string {
	out := make([][]string, len(rows))
	for i, r := range rows {
		out[i] = cleanAll(r)
	}
	return out
}

func cleanAll(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = Clean(s)
	}
	return out
}

// ZooGrid is the matrix of mutants and assertions.
func ZooGrid(rows []ZooRow) Grid {
	columns := firing(rows)
	g := Grid{Head: append([]string{"area", "mutant", "scenario", "caught"}, columns...)}
	for _, r := range rows {
		name := r.Name + ": " + r.Title
		if r.Bug != "" {
			name += " (" + r.Bug + ")"
		}
		row := []string{r.Area, name, r.Scenario, of(r.caught(), len(r.Entries))}
		for _, c := range columns {
			row = append(row, r.mark(c))
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}

// ZooLegend says what the matrix's marks are.
const ZooLegend = zooLegend
