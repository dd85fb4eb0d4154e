package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/campaign"
)

// ZooRow is a mutant's system with its results.
type ZooRow struct {
	Name, Area, Title, Bug, Scenario string
	// Fails must fire; empty on a mended half, on which nothing may. Also may,
	// and Quiet must not.
	Fails       string
	Also, Quiet []string
	Entries     []campaign.Entry // its repetitions
}

// marks of the matrix.
const (
	zooFired  = "●" // fired, as it must
	zooAlso   = "○" // fired, as it may
	zooQuiet  = "·" // was tested, and stayed quiet
	zooIdle   = "◌" // met no occasion to be tested
	zooOpen   = "~" // could not be judged in one of the runs
	zooWrong  = "✗" // fired where it must not, or did not where it must
	zooAbsent = ""  // not an assertion of the scenario
)

const zooLegend = zooFired + " fired, as it must; " + zooAlso + " fired on the same cause, as it may; " + zooQuiet +
	" was tested and stayed quiet; " + zooIdle + " met no occasion to be tested; " + zooOpen + " could not be judged in one of the runs; " + zooWrong + " not as it must be; ? no run yet; empty: the scenario does not ask it"

// mark is what the runs of the row say of an assertion.
func (r ZooRow) mark(assertion string) string {
	must, may := assertion == r.Fails, slices.Contains(r.Also, assertion)
	if !must && !may && !slices.Contains(r.Quiet, assertion) {
		return zooAbsent
	}
	ran, fired, idle, open := 0, 0, 0, 0
	for _, e := range r.Entries {
		if s := e.State(); s != campaign.Good && s != campaign.Bad {
			continue
		}
		ran++
		if slices.Contains(e.Record.Failed, assertion) {
			fired++
		}
		for _, s := range e.Record.Assertions {
			switch {
			case s.Name != assertion:
			case s.Status == assert.Inconclusive:
				open++
			case s.NotExercised:
				idle++
			}
		}
	}
	switch {
	case ran == 0:
		return "?"
	case must && fired < ran, !must && !may && fired > 0:
		return zooWrong
	case must:
		return zooFired
	case fired > 0:
		return zooAlso
	case open > 0:
		return zooOpen
	case idle > 0:
		return zooIdle
	}
	return zooQuiet
}

// zooStayedQuiet says what was seen of the assertions that must stay quiet; empty where
// nothing has been run.
func zooStayedQuiet(rows []ZooRow) string {
	seen, all := map[string]int{}, 0
	for _, r := range rows {
		for _, name := range r.Quiet {
			if m := r.mark(name); m != "?" {
				seen[m]++
				all++
			}
		}
	}
	if all == 0 {
		return ""
	}
	return fmt.Sprintf(" Of %s that had to stay quiet %d were tested in every run, %d met no occasion in one of them, %d could not be judged in one, and %d fired.",
		plural(all, "assertion"), seen[zooQuiet], seen[zooIdle], seen[zooOpen], seen[zooWrong])
}

// caught counts the repetitions that are as they must be.
func (r ZooRow) caught() int {
	n := 0
	for _, e := range r.Entries {
		if e.State() == campaign.Good {
			n++
		}
	}
	return n
}

// firing are the rows' assertions that must fire on one of them, sorted.
func firing(rows []ZooRow) []string {
	var out []string
	for _, r := range rows {
		if r.Fails != "" && !slices.Contains(out, r.Fails) {
			out = append(out, r.Fails)
		}
	}
	slices.Sort(out)
	return out
}

func zooEntries(rows []ZooRow) []campaign.Entry {
	var out []campaign.Entry
	for _, r := range rows {
		out = append(out, r.Entries...)
	}
	return out
}

// ZooTable writes for a terminal how often each mutant was caught, and what is
// not as it must be.
func ZooTable(w io.Writer, rows []ZooRow, o TableOptions) error {
	if o.Width <= 0 {
		o.Width = 120
	}
	p := &printer{w: w}
	t := newTable(p, o, 34, 22, 22, 10)
	t.Header([]string{"mutant", "scenario", "must fire", "as it must", "what is left"})
	for _, r := range rows {
		sum := campaign.Summarise(r.Entries)
		what := "-"
		if len(sum) > 0 {
			what = left(sum[0])
		}
		fails := r.Fails
		if fails == "" {
			fails = "nothing: it is mended"
		}
		if err := t.Append([]string{Clean(r.Name), Clean(r.Scenario), Clean(fails), of(r.caught(), len(r.Entries)), what}); err != nil {
			return fmt.Errorf("table row of %s: %w", r.Name, err)
		}
	}
	if err := t.Render(); err != nil {
		return err
	}
	p.zooOpen(rows, Clean)
	p.line("%s", campaign.Totals(zooEntries(rows)))
	return p.err
}

// zooOpen writes what is not as it must be.
func (p *printer) zooOpen(rows []ZooRow, escape func(string) string) {
	for _, s := range campaign.Summarise(zooEntries(rows)) {
		for _, l := range s.Unsettled() {
			p.line("- %s", escape(l))
		}
	}
}

// ZooMarkdown writes the matrix of mutants and assertions as a part of a page.
func ZooMarkdown(w io.Writer, rows []ZooRow) error {
	p := &printer{w: w}
	provenance(p, zooEntries(rows))
	p.line("%s.%s %s.\n", campaign.Totals(zooEntries(rows)), zooStayedQuiet(rows), zooLegend)
	columns := firing(rows)
	p.line("| area | mutant | scenario | caught | %s |\n|---|---|---|---|%s", strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
	for _, r := range rows {
		name := "`" + md(r.Name) + "`: " + md(r.Title)
		if r.Bug != "" {
			name += " (" + md(r.Bug) + ")"
		}
		row := fmt.Sprintf("| %s | %s | %s | %s |", md(r.Area), name, md(r.Scenario), of(r.caught(), len(r.Entries)))
		for _, c := range columns {
			row += " " + r.mark(c) + " |"
		}
		p.line("%s", row)
	}
	p.line("")
	p.zooOpen(rows, md)
	return p.err
}
