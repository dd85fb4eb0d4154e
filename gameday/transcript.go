package gameday

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/runbook"
)

// Ending is how the execution of a runbook ended.
type Ending string

// The endings.
const (
	// Done: everything was carried out, and all was as expected.
	Done Ending = "done"
	// NotThis: the symptom or the diagnosis did not show this incident, so that
	// no step was begun.
	NotThis Ending = "not this incident"
	// Declined: somebody's answer ended it.
	Declined Ending = "declined"
	// Unanswered: a person was needed, and there was none.
	Unanswered Ending = "unanswered"
	// Failed: a step, or the verification, was not as expected.
	Failed Ending = "failed"
	// Interrupted: whoever executed it ended it.
	Interrupted Ending = "interrupted"
)

// Transcript is what came of one execution.
type Transcript struct {
	Runbook string    `json:"runbook"`
	Variant string    `json:"variant,omitempty"` // what was changed of it; empty is nothing
	Began   time.Time `json:"began"`
	Entries []Entry   `json:"entries"`
	Ending  Ending    `json:"ending"`
	// Reason is why it did not end as Done, and Line where.
	Reason string `json:"reason,omitempty"`
	Line   int    `json:"line,omitempty"`
	// Undo is the line where the step's undo is that failed; 0 if none did, or
	// it has none.
	Undo int           `json:"undo,omitempty"`
	Took time.Duration `json:"took"`

	vars map[string]string // what was known at its end
}

// then is this transcript with another that goes on after it.
func (t *Transcript) then(next *Transcript) *Transcript {
	out := *next
	shift := next.Began.Sub(t.Began)
	out.Began, out.Took, out.Entries = t.Began, next.Took+shift, slices.Clone(t.Entries)
	for _, e := range next.Entries {
		e.At += shift
		out.Entries = append(out.Entries, e)
	}
	return &out
}

// steps says whether a command of a step was carried out.
func (t *Transcript) steps() bool {
	_, ok := t.acted()
	return ok
}

// Unmade says that it ended with a command that could not be carried out: then it
// says nothing of the system, nor of the runbook.
func (t *Transcript) Unmade() bool {
	n := len(t.Entries)
	return n > 0 && t.Ending != Done && t.Entries[n-1].Unmade
}

// untold says that it ended before it could tell anything of the runbook: a person
// ended it, or the want of one, or a command that could not be carried out.
func (t *Transcript) untold() bool {
	return t.Ending == Unanswered || t.Ending == Declined || t.Ending == Interrupted || t.Unmade()
}

// acted is when the first command of a step was begun, since the transcript's
// beginning.
func (t *Transcript) acted() (time.Duration, bool) {
	i := slices.IndexFunc(t.Entries, func(e Entry) bool { return e.Section == runbook.Steps && e.Kind == KindCommand })
	if i < 0 {
		return 0, false
	}
	return t.Entries[i].At, true
}

// Kinds of entries.
const (
	KindCommand = "command"
	KindExpect  = "expect"
	KindDecide  = "decide"
	KindCall    = "call"
)

// Entry is one thing that was done, or asked. Times are since the transcript's
// beginning. Secrets are masked, and long outputs cut.
type Entry struct {
	Kind    string        `json:"kind"`
	Section string        `json:"section"`
	Part    string        `json:"part,omitempty"` // the heading of level 3
	Line    int           `json:"line"`
	At      time.Duration `json:"at"`
	Took    time.Duration `json:"took"`
	Node    string        `json:"node,omitempty"` // where a command ran
	Text    string        `json:"text"`           // the command, the state, the question
	Stdout  string        `json:"stdout,omitempty"`
	Stderr  string        `json:"stderr,omitempty"`
	Code    int           `json:"code,omitempty"`
	Answer  string        `json:"answer,omitempty"`
	// Err says what was not as expected; empty if all was.
	Err string `json:"err,omitempty"`
	// Unmade says that the command could not be carried out, though its node runs:
	// Err says nothing of the system then. Overdue says that it was ended since it
	// took too long.
	Unmade  bool `json:"unmade,omitempty"`
	Overdue bool `json:"overdue,omitempty"`
}

// maxOutput is how much of each output a transcript keeps.
const maxOutput = 32 << 10

// mask takes secrets out of a text, and cuts it.
func mask(text string, secrets []string) string {
	for _, s := range secrets {
		text = strings.ReplaceAll(text, s, "•••")
	}
	if len(text) > maxOutput {
		text = strings.ToValidUTF8(text[:maxOutput], "") + fmt.Sprintf("\n(cut: %d more bytes)", len(text)-maxOutput)
	}
	return text
}

// Markdown is the transcript for people.
func (t *Transcript) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Transcript of %s\n\n", t.Runbook)
	if t.Variant != "" {
		fmt.Fprintf(&b, "Changed: %s.\n\n", t.Variant)
	}
	fmt.Fprintf(&b, "Begun %s, took %s: **%s**", t.Began.UTC().Format("2006-01-02 15:04:05 UTC"), sayTime(t.Took), t.Ending)
	if t.Reason != "" {
		fmt.Fprintf(&b, ", line %d: %s", t.Line, t.Reason)
	}
	b.WriteString(".\n")
	section, part := "", ""
	for _, e := range t.Entries {
		if e.Section != section {
			section, part = e.Section, ""
			fmt.Fprintf(&b, "\n## %s\n", section)
		}
		if e.Part != part {
			part = e.Part
			fmt.Fprintf(&b, "\n### %s\n", part)
		}
		b.WriteString("\n" + e.markdown())
	}
	return b.String()
}

func (e Entry) markdown() string {
	var b strings.Builder
	verdict := "as expected"
	if e.Err != "" {
		verdict = "**not as expected: " + e.Err + "**"
	}
	switch e.Kind {
	case KindCommand:
		fmt.Fprintf(&b, "+%s, line %d, on %s, %s, status %d: %s\n\n%s", sayTime(e.At), e.Line, e.Node, sayTime(e.Took), e.Code, verdict, fence("sh", e.Text))
		for _, out := range []string{e.Stdout, e.Stderr} {
			if out != "" {
				b.WriteString("\n" + fence("", out))
			}
		}
	case KindExpect:
		fmt.Fprintf(&b, "+%s, line %d, state %s, %s: %s\n", sayTime(e.At), e.Line, e.Text, sayTime(e.Took), verdict)
	default:
		fmt.Fprintf(&b, "+%s, line %d, %s: %s Answer: %q: %s\n", sayTime(e.At), e.Line, e.Kind, e.Text, e.Answer, verdict)
	}
	return b.String()
}

// fence is a text between fences that it does not hold itself.
func fence(language, text string) string {
	ticks := "```"
	for strings.Contains(text, ticks) {
		ticks += "`"
	}
	return ticks + language + "\n" + strings.TrimSuffix(text, "\n") + "\n" + ticks + "\n"
}

// sayTime is a duration for people.
func sayTime(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}
