package report

import (
	"fmt"
	"strings"

	"github.com/hachaos/hachaos/audit"
)

// Files of an audit.
const (
	AuditMarkdownFile = "audit.md"
	AuditHTMLFile     = "audit.html"
)

// AuditSheet is an audit's page. system says what was audited, provenance by
// which program, on what machine and when, and command does it again.
func AuditSheet(system, provenance, command string, sections []audit.Section, runs []audit.Run) Sheet {
	s := Sheet{
		Title: "Audit: " + system,
		About: "The checklists and the review questions of a highly available system, filled in by what its runs showed: " + audit.Totals(sections) + ". " +
			"Yes is said only where every assertion that the item rests on was tested in a run and held, no where one was violated. " +
			"What nothing asks, or no run has shown, is not shown, which is no yes.",
	}
	for _, section := range sections {
		part := SheetSection{
			Title: section.Title, About: section.About, Said: audit.Totals([]audit.Section{section}) + ".",
			Grid: Grid{Head: []string{"item", "what is asked", "answer", "what shows it"}},
		}
		for _, f := range section.Findings {
			part.Grid.Rows = append(part.Grid.Rows, []string{f.Ref, f.Asks, auditAnswer(f), auditShows(f)})
		}
		s.Sections = append(s.Sections, part)
	}
	return Sheet{Title: s.Title, About: s.About, Sections: append(s.Sections, auditRuns(provenance, command, runs))}
}

// auditRuns are the runs that the answers rest on.
func auditRuns(provenance, command string, runs []audit.Run) SheetSection {
	part := SheetSection{
		Title: "The runs", About: "What the answers rest on.", Said: fmt.Sprintf("%d runs.", len(runs)), Provenance: provenance, Command: command,
		Grid: Grid{Head: []string{"scenario", "verdict", "began", "again"}},
	}
	for _, r := range runs {
		verdict := string(r.Verdict)
		if r.Dirty {
			verdict += ", dirty"
		}
		part.Grid.Rows = append(part.Grid.Rows, []string{r.Scenario, verdict, r.StartedAt.UTC().Format("2006-01-02 15:04 UTC"), r.Command})
	}
	return part
}

// auditAnswer is a finding's answer; of one that holds in part, that.
func auditAnswer(f audit.Finding) string {
	if f.Answer == audit.Yes && f.Part != "" {
		return "yes, in part"
	}
	return string(f.Answer)
}

// auditShows says what a finding rests on: of a no what was violated, and what
// would change it; of what is not shown what is missing.
func auditShows(f audit.Finding) string {
	var words []string
	if f.Holds != "" {
		words = append(words, sentence(f.Holds))
	}
	if f.Why != "" {
		words = append(words, sentence("not asked: "+f.Why))
	}
	for _, e := range f.Evidence {
		if f.Answer != audit.Yes && e.Answer != f.Answer {
			continue
		}
		text := fmt.Sprintf("%s, %s: %s", e.Scenario, e.Assertion, sentence(e.Text))
		if e.Fix != "" {
			text += " To change it: " + e.Fix + "."
		}
		words = append(words, text)
	}
	if f.Part != "" {
		words = append(words, sentence("Not asked: "+f.Part))
	}
	return strings.ReplaceAll(strings.Join(words, " "), "`", "")
}

// sentence begins with a capital and ends in a full stop.
func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return s
	}
	if !strings.ContainsAny(s[len(s)-1:], ".!?") {
		s += "."
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// AuditGrid are the findings as a table for a terminal.
func AuditGrid(sections []audit.Section) Grid {
	g := Grid{Head: []string{"item", "answer", "what is asked", "what shows it"}}
	for _, section := range sections {
		for _, f := range section.Findings {
			g.Rows = append(g.Rows, []string{f.Ref, auditAnswer(f), f.Asks, auditBrief(f)})
		}
	}
	return g
}

// auditBrief is the first thing that a finding rests on.
func auditBrief(f audit.Finding) string {
	if f.Why != "" && len(f.Evidence) == 0 {
		return "not asked: " + strings.ReplaceAll(f.Why, "`", "")
	}
	var names []string
	for _, e := range f.Evidence {
		if e.Answer != f.Answer {
			continue
		}
		if f.Answer != audit.Yes {
			return fmt.Sprintf("%s, %s: %s", e.Scenario, e.Assertion, e.Text)
		}
		names = append(names, e.Scenario+": "+e.Assertion)
	}
	return strings.Join(names, "; ")
}
