package gameday

import (
	"fmt"
	"io"
	"strings"

	"github.com/hachaos/hachaos/runbook"
)

// DryRun prints what carrying the runbook out would do, in its order, and does
// none of it.
func DryRun(w io.Writer, book *runbook.Runbook) error {
	var b strings.Builder
	section := ""
	for _, p := range Whole(book) {
		if p.Section != section {
			section = p.Section
			fmt.Fprintf(&b, "%s\n", section)
		}
		if p.Title != "" {
			fmt.Fprintf(&b, "  %s\n", p.Title)
		}
		for _, block := range p.Blocks {
			b.WriteString(planned(block))
		}
		if p.Undo != nil {
			fmt.Fprintf(&b, "    line %d: how it is undone, which is not carried out\n", p.Undo.Line)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// planned is what would be done.
func planned(block runbook.Block) string {
	switch x := block.(type) {
	case *runbook.Command:
		text := fmt.Sprintf("    line %d: %s on %s, at most %v%s\n", x.Line, x.Shell, x.On, x.Timeout, expected(x.Output))
		for line := range strings.Lines(x.Text) {
			text += "      | " + strings.TrimRight(line, "\n") + "\n"
		}
		return text
	case *runbook.Expect:
		return fmt.Sprintf("    line %d: the state %s, within %v\n", x.Line, x.State, x.Within)
	case *runbook.Decide:
		return fmt.Sprintf("    line %d: a decision; %q goes on%s\n", x.Line, x.GoOn, inCI(x.CI))
	case *runbook.Call:
		return fmt.Sprintf("    line %d: a call%s\n", x.Line, inCI(x.CI))
	}
	return ""
}

func inCI(answer string) string {
	if answer == "" {
		return ", and only a person can answer"
	}
	return fmt.Sprintf("; where nobody can be asked, %q", answer)
}

func expected(o *runbook.Output) string {
	switch {
	case o == nil:
		return ""
	case len(o.Lines) == 0:
		return "; it prints nothing"
	case len(o.Lines) == 1:
		return "; it prints 1 line"
	}
	return fmt.Sprintf("; it prints %d lines", len(o.Lines))
}
