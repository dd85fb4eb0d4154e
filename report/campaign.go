package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/campaign"
	"github.com/hachaos/hachaos/harness"
)

// CampaignTable writes where a campaign stands for a terminal: one row a
// scenario, then all that is not good, and which topologies were replaced.
func CampaignTable(w io.Writer, entries []campaign.Entry, o TableOptions) error {
	if o.Width <= 0 {
		o.Width = 120
	}
	p := &printer{w: w}
	t := newTable(p, o, 28, 18, 10, 10)
	t.Header([]string{"scenario", "passes", "cases", "longest", "what is left"})
	all := campaign.Summarise(entries)
	for _, s := range all {
		if err := t.Append([]string{Clean(s.Scenario), of(s.InARow, s.Of), of(s.Cases, s.CasesOf), whole(s.Longest), left(s)}); err != nil {
			return fmt.Errorf("table row of %s: %w", s.Scenario, err)
		}
	}
	if err := t.Render(); err != nil {
		return err
	}
	for _, s := range all {
		for _, l := range slices.Concat(s.Unsettled(), s.Replaced) {
			p.line("%s", Clean(l))
		}
	}
	p.line("%s", campaign.Totals(entries))
	return p.err
}

// left says in words what a scenario still lacks.
func left(s campaign.Summary) string {
	var words []string
	if s.Missing > 0 {
		words = append(words, fmt.Sprintf("%d missing", s.Missing))
		if s.Before > 0 {
			words[0] += fmt.Sprintf(" (%d good before a change)", s.Before)
		}
	}
	if len(s.Bad) > 0 {
		words = append(words, fmt.Sprintf("%d not as expected", len(s.Bad)))
	}
	if len(s.Open) > 0 {
		words = append(words, fmt.Sprintf("%d without a verdict", len(s.Open)))
	}
	if s.Repeated > 0 {
		words = append(words, fmt.Sprintf("repeated for want of a verdict: %d", s.Repeated))
	}
	if len(words) == 0 {
		return "-"
	}
	return strings.Join(words, "; ")
}

func of(n, total int) string {
	if total == 0 {
		return "-"
	}
	return fmt.Sprintf("%d of %d", n, total)
}

func whole(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}

// CampaignMarkdown writes the same as a page.
func CampaignMarkdown(w io.Writer, entries []campaign.Entry) error {
	p := &printer{w: w}
	p.line("# The campaign\n\nWritten by `hachaos campaign status --markdown` from result files; not to be edited by hand.\n")
	provenance(p, entries)
	p.line("%s. Each scenario must pass as it stands on its first profile %d times in a row, and each of its cases", campaign.Totals(entries), campaign.InARow)
	p.line("must end as the case says: `hachaos describe` shows them. An inconclusive run may be repeated, and is counted;")
	p.line("a result that is not as expected never is. An item is missing until it has been run with what it depends on")
	p.line("as it is now; \"good before a change\" are those that were as expected until something of that changed. It")
	p.line("is open while its runs have had no verdict on what it asks.\n")
	p.line("| scenario | passes | cases | longest | what is left |\n|---|---|---|---|---|")
	for _, s := range campaign.Summarise(entries) {
		p.line("| %s | %s | %s | %s | %s |", md(s.Scenario), of(s.InARow, s.Of), of(s.Cases, s.CasesOf), whole(s.Longest), md(left(s)))
	}
	p.line("")
	for _, s := range campaign.Summarise(entries) {
		for _, l := range slices.Concat(s.Unsettled(), s.Replaced) {
			p.line("- %s", md(l))
		}
	}
	return p.err
}

// provenance says what made the figures of a page, and where.
func provenance(p *printer, entries []campaign.Entry) {
	versions, machines, last := campaign.Provenance(entries)
	if len(versions) == 0 {
		p.line("Nothing has been run yet.\n")
		return
	}
	p.line("hachaos %s; %s; last run %s.\n", md(strings.Join(versions, ", ")), md(strings.Join(machines, "; ")), last.UTC().Format("2006-01-02 15:04 UTC"))
}

// Profiles writes, scenario by scenario, what each profile costs users, and
// below that why a run has no verdict. entries has, for each name of profiles,
// those of that profile; only those of scenarios as they stand count.
func Profiles(w io.Writer, profiles []string, entries map[string][]campaign.Entry) error {
	p := &printer{w: w}
	p.line("# The profiles, side by side\n\nWritten by `hachaos campaign profiles` from result files; not to be edited by hand.\n")
	var all, ran []campaign.Entry
	for _, name := range profiles {
		all = append(all, entries[name]...)
	}
	for _, e := range all {
		if e.Case == campaign.AsItStands && e.Record != nil {
			ran = append(ran, e)
		}
	}
	provenance(p, ran)
	p.line(`What each scenario costs users, by profile; the worst of the runs counts, of which a profile may
have more than another. A fault is held for as long as it takes to see what the profile's bounds
promise, so that it is held for longer where they are wider; while it is held an outage and a budget may
grow, and the two of one row are to be compared with that in mind. The outage is the longest time without
service of the users of the node that was broken (of all users, where the fault was aimed at none), and,
behind it, of one session or one type of operation, where that was longer. A session is broken that was
not as its user had been told: gone, replaced, or without what had been acknowledged. The budget is the
share of what 99.9 %% leaves over 30 days that this one fault spends. A fail means that the profile does
not bear the fault unnoticed: the run's report says which value to change. "-" is a figure that the
scenario does not ask for, or that no run with a verdict has.
`)
	head, rule := "| scenario |", "|---|"
	for _, name := range profiles {
		for _, column := range []string{"verdicts", "fault held", "longest outage", "broken sessions", "duplicates", "30-day budget"} {
			head += " " + md(name) + ": " + column + " |"
			rule += "---|"
		}
	}
	p.line("%s\n%s", head, rule)
	for _, s := range scenariosOf(all) {
		row := "| " + md(s) + " |"
		for _, name := range profiles {
			row += costs(campaign.Costs(standing(entries[name], s)))
		}
		p.line("%s", row)
	}
	if reasons := withoutVerdict(profiles, entries); len(reasons) > 0 {
		p.line("\nWithout a verdict, and so without figures:\n\n%s", strings.Join(reasons, "\n"))
	}
	return p.err
}

// withoutVerdict are the records of scenarios as they stand that have no
// verdict, as a list, each with its reason; by scenario, then by profile.
func withoutVerdict(profiles []string, entries map[string][]campaign.Entry) []string {
	var all []campaign.Entry
	for _, name := range profiles {
		all = append(all, entries[name]...)
	}
	var out []string
	for _, s := range scenariosOf(all) {
		for _, name := range profiles {
			for _, e := range standing(entries[name], s) {
				if e.Record == nil || e.Record.Verdict == harness.VerdictPass || e.Record.Verdict == harness.VerdictFail {
					continue
				}
				out = append(out, fmt.Sprintf("- %s, %s: %s: %s", md(s), md(name), e.Record.Verdict, md(e.Record.Reason)))
			}
		}
	}
	return out
}

// scenariosOf are the entries' scenarios, each once, in their order.
func scenariosOf(entries []campaign.Entry) []string {
	var out []string
	seen := map[string]bool{}
	for _, e := range entries {
		if !seen[e.Scenario] {
			seen[e.Scenario] = true
			out = append(out, e.Scenario)
		}
	}
	return out
}

// standing are the entries of a scenario as it stands.
func standing(entries []campaign.Entry, scenario string) []campaign.Entry {
	var out []campaign.Entry
	for _, e := range entries {
		if e.Scenario == scenario && e.Case == campaign.AsItStands {
			out = append(out, e)
		}
	}
	return out
}

func costs(c campaign.Cost) string {
	if c.Verdicts == "" {
		return " not run | - | - | - | - | - |"
	}
	return fmt.Sprintf(" %s | %s | %s | %s | %s | %s |", c.Verdicts, figure(c.Held, secondsText), outages(c), figure(c.Broken, number), figure(c.Duplicates, number), figure(c.Budget, percentText))
}

// outages are the longest, and that of one session or type where it was longer.
func outages(c campaign.Cost) string {
	text := figure(c.Outage, outageText)
	if c.OneOutage != nil && (c.Outage == nil || *c.OneOutage > *c.Outage) {
		text += ", of one " + outageText(*c.OneOutage)
	}
	return text
}

func secondsText(v float64) string { return fmt.Sprintf("%.1f s", v) }

func figure(v *float64, text func(float64) string) string {
	if v == nil {
		return "-"
	}
	return text(*v)
}

// outageText shows milliseconds.
func outageText(ms float64) string {
	if ms >= 1000 {
		return fmt.Sprintf("%.1f s", ms/1000)
	}
	return fmt.Sprintf("%.0f ms", ms)
}

// percentText shows a share, and that a small one is not none.
func percentText(v float64) string {
	if v > 0 && v < 0.01 {
		return "< 0.01 %"
	}
	return fmt.Sprintf("%.2f %%", v)
}
