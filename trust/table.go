package trust

import (
	"fmt"
	"slices"
	"strings"
)

// Markdown is the table of mutants and their verdicts. What is not as it must
// be stands first in its row.
func Markdown(outcomes []Outcome) string {
	var b strings.Builder
	b.WriteString("| mutant | what is broken | as when | control | ends as | reason |\n|---|---|---|---|---|---|\n")
	for _, o := range outcomes {
		ended := said(o.Verdict, o.Dirty)
		switch {
		case o.Verdict == "":
			ended = "**not shown**: " + cell(o.Wrong)
		case !o.Good():
			ended = "**" + ended + "**: " + cell(o.Wrong)
		}
		if o.Runs > 1 && o.Good() {
			ended += fmt.Sprintf(" (each of %d)", o.Runs)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n",
			cell(o.Mutant.Name), cell(o.Mutant.Title), cell(o.Mutant.Stands), cell(o.Mutant.Control.Name), ended, cell(o.Reason))
	}
	good := len(outcomes) - len(slices.DeleteFunc(slices.Clone(outcomes), Outcome.Good))
	fmt.Fprintf(&b, "\n%d of %d mutants end as they must.\n", good, len(outcomes))
	return b.String()
}

// cell is a text in one cell of a table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "*", `\*`, "_", `\_`, "`", "\\`").Replace(s)
}
