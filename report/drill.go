package report

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/gameday"
	"github.com/hachaos/hachaos/history"
)

// Files of a drill's review, in the folder of its run.
const (
	ReviewMarkdownFile = "review.md"
	ReviewHTMLFile     = "review.html"
)

// review is a drill as its pages show it.
type review struct {
	Title, About string
	Facts        [][2]string
	Moments      []clockRow
	Rows         []reviewRow
}

// clockRow is a moment of the clock: when, how long after the incident, and against
// what.
type clockRow struct {
	What, At, After, Note string
}

// reviewRow is a line of the timeline: what the system did, or people.
type reviewRow struct {
	at     time.Duration
	At     string // since the incident
	Clock  string // on the wall
	System string
	People string
	Output string
	Tone   string
}

// ReviewMarkdown writes a drill's review. h is the record of its run; nil is one
// that cannot be read, and then the timeline has people alone.
func ReviewMarkdown(w io.Writer, r *gameday.Review, h *history.History) error {
	v := reviewOf(r, h)
	p := &printer{w: w}
	p.line("# %s\n\n%s\n", md(v.Title), md(v.About))
	for _, f := range v.Facts {
		p.line("- %s: %s", md(f[0]), md(f[1]))
	}
	p.line("\n## The clock\n\n| moment | at | after the incident | |\n|---|---|---|---|")
	for _, m := range v.Moments {
		p.line("| %s | %s | %s | %s |", md(m.What), md(m.At), md(m.After), md(m.Note))
	}
	p.line("\n## Timeline\n\n| after the incident | clock | system | people |\n|---|---|---|---|")
	for _, row := range v.Rows {
		people := md(row.People)
		if row.Output != "" {
			people += "<br>" + md(strings.ReplaceAll(strings.TrimSpace(row.Output), "\n", " ⏎ "))
		}
		p.line("| %s | %s | %s | %s |", row.At, row.Clock, md(row.System), people)
	}
	return p.err
}

// ReviewHTML writes the same as a page.
func ReviewHTML(w io.Writer, r *gameday.Review, h *history.History) error {
	v := reviewOf(r, h)
	return plain(w, "review.html.tmpl", map[string]any{"Title": v.Title, "Review": v})
}

func reviewOf(r *gameday.Review, h *history.History) review {
	v := review{
		Title: cleanText("Drill: " + cmp.Or(r.Title, r.Runbook)),
		About: cleanText(fmt.Sprintf("The incident was %s, and %s was on duty. It ended as: %s.", r.Incident, r.Who, r.Closing)),
		Facts: [][2]string{
			{"runbook", cleanText(r.Runbook)},
			{"on duty", cleanText(r.Who)},
			{"began", r.Began.UTC().Format("2006-01-02 15:04:05 UTC")},
			{"users' data, and what was left behind", cleanText(fmt.Sprintf("%s: %s", r.Run, r.Reason))},
		},
	}
	if r.Missing != "" {
		v.Facts = append(v.Facts, [2]string{"not there at the end", cleanText(r.Missing)})
	}
	if r.Cause != "" {
		v.Facts = append(v.Facts, [2]string{"the cause, as it was named", cleanText(r.Cause)})
	}
	from := r.Struck
	if h != nil {
		if users, text := usersSaw(h); users {
			v.Facts = append(v.Facts, [2]string{"users", text})
		}
	}
	v.moments(r, from)
	rows := append(peopleRows(r), systemRows(h)...)
	slices.SortStableFunc(rows, func(a, b reviewRow) int { return cmp.Compare(a.at, b.at) })
	for _, row := range rows {
		row.At, row.Clock = afterIncident(row.at, from), r.Began.Add(row.at).UTC().Format("15:04:05")
		v.Rows = append(v.Rows, row)
	}
	return v
}

// afterIncident is a moment of the timeline, from the incident on.
func afterIncident(at, from time.Duration) string {
	if from < 0 {
		return fmt.Sprintf("%.1f s", at.Seconds())
	}
	return fmt.Sprintf("%+.1f s", (at - from).Seconds())
}

// moments are those of the clock.
func (v *review) moments(r *gameday.Review, from time.Duration) {
	add := func(what string, at time.Duration, note string) {
		m := clockRow{What: what, At: "-", After: "-", Note: note}
		if at >= 0 {
			m.At = r.Began.Add(at).UTC().Format("15:04:05")
			if from >= 0 {
				m.After = short(at - from)
			}
		}
		v.Moments = append(v.Moments, m)
	}
	add("the incident", from, r.Incident)
	add("the alert", r.Alerted, "when it fired: "+r.Alert)
	add("the first command", r.Looked, "")
	add("detection", r.Noticed, "when it was said to be seen (:noticed)")
	add("diagnosis", r.Named, "when a cause was first named (:cause)")
	repair := "when all was there again that the runbook restores"
	if r.Restored >= 0 && r.Alerted >= 0 && r.Within > 0 {
		repair += fmt.Sprintf(": %s after the alert, where the runbook promises %s", short(max(0, r.Restored-r.Alerted)), short(r.Within))
	}
	add("repair", r.Restored, repair)
	add("the word", r.Told, "when it was said to be mended (:done)")
}

// peopleRows are what was done and said.
func peopleRows(r *gameday.Review) []reviewRow {
	var out []reviewRow
	for _, a := range r.Acts {
		row := reviewRow{at: a.At}
		who := cmp.Or(a.Who, "hachaos")
		switch a.Kind {
		case gameday.ActState:
			row.System, row.Tone = cleanText(a.Text), "bad"
			if a.Good {
				row.Tone = "good"
			}
		case gameday.ActAlert:
			row.System, row.Tone = cleanText("alert "+a.Text), "bad"
		case gameday.ActCommand:
			row.People = cleanText(fmt.Sprintf("%s on %s", who, a.Node))
			if a.Code != 0 {
				row.People += fmt.Sprintf(" (status %d, after %s)", a.Code, short(a.Took))
			}
			row.Output = strings.TrimSuffix(cleanOutput("$ "+strings.ReplaceAll(a.Text, "\n", "\n  "))+"\n"+cleanOutput(a.Output), "\n")
		default:
			row.People = cleanText(strings.TrimSpace(fmt.Sprintf("%s, %s: %s", who, a.Kind, a.Text)))
			row.People = strings.TrimSuffix(row.People, ":")
		}
		out = append(out, row)
	}
	return out
}

// outputLines is how much of a command's output a timeline shows.
const outputLines = 8

// cleanOutput is the beginning of an output, line by line.
func cleanOutput(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(lines) == 1 && lines[0] == "" {
		return ""
	}
	more := len(lines) - outputLines
	lines = lines[:min(len(lines), outputLines)]
	for i := range lines {
		lines[i] = cleanText(lines[i])
	}
	if more > 0 {
		lines = append(lines, fmt.Sprintf("… and %d lines more", more))
	}
	return strings.Join(lines, "\n")
}

// maxSystemRows bounds the timeline's lines of one lane.
const maxSystemRows = 40

// systemRows are what the observers saw change: the faults, what the balancers
// hold of the nodes, who owns the VIP, what the nodes say of themselves, the
// database, the alerts on users' errors; and from when to when users were not
// served.
func systemRows(h *history.History) []reviewRow {
	if h == nil {
		return nil
	}
	var out []reviewRow
	add := func(at time.Duration, tone, format string, args ...any) {
		out = append(out, reviewRow{at: at, Tone: tone, System: cleanText(fmt.Sprintf(format, args...))})
	}
	for _, f := range h.Faults {
		if f.Kind == gameday.ActKind || f.Injected < 0 {
			continue
		}
		proof := "not proven"
		if f.Proof != nil {
			proof = f.Proof.Measured
		}
		add(f.Injected, "bad", "the incident: %s on %s (%s)", f.Kind, strings.Join(f.Nodes, ", "), proof)
	}
	for _, l := range lanes(h) {
		if l.Group == "run" || l.Group == "node" && !strings.HasSuffix(l.Name, " alive") && !strings.HasSuffix(l.Name, " ready") {
			continue
		}
		for i, s := range l.Spans {
			if i == 0 || i > maxSystemRows {
				continue // how it was before is no change
			}
			add(time.Duration(s.From*float64(time.Second)), s.Tone, "%s: %s", l.Name, s.State)
		}
	}
	for _, b := range unserved(h) {
		if b.n == 1 {
			add(b.from, "bad", "an operation of the users went wrong")
			continue
		}
		add(b.from, "bad", "%d operations of the users went wrong, within %s", b.n, short(b.to-b.from))
	}
	return out
}

// unservedGap is how long after one operation that went wrong another belongs to
// the same time without service.
const unservedGap = 2 * time.Second

// outage is a time in which operations went wrong.
type outage struct {
	from, to time.Duration
	n        int
}

func unserved(h *history.History) []outage {
	g := gradingOf(h)
	var at []time.Duration
	for i := range h.Ops {
		if o := &h.Ops[i]; g.bad(o) {
			at = append(at, o.Intended)
		}
	}
	slices.Sort(at)
	var out []outage
	for _, t := range at {
		if n := len(out) - 1; n >= 0 && t-out[n].to <= unservedGap {
			out[n].to, out[n].n = t, out[n].n+1
			continue
		}
		out = append(out, outage{t, t, 1})
	}
	return out[:min(len(out), maxSystemRows)]
}

// usersSaw says how many operations went wrong; false if there was none at all.
func usersSaw(h *history.History) (bool, string) {
	wrong, all := UsersBetween(h, math.MinInt64, math.MaxInt64)
	return all > 0, fmt.Sprintf("%d of %d operations went wrong", wrong, all)
}

// UsersBetween says how many of the users' operations went wrong that were due
// between two moments of the run's clock, as error-budget counts them.
func UsersBetween(h *history.History, from, to time.Duration) (wrong, all int) {
	g := gradingOf(h)
	for i := range h.Ops {
		if o := &h.Ops[i]; o.Intended >= from && o.Intended <= to {
			all += flag(g.counts(o))
			wrong += flag(g.bad(o))
		}
	}
	return wrong, all
}
