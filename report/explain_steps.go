package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// failovers tell each fault, and what the system made of it.
func (e *explainer) failovers() {
	if len(e.h.Faults) == 0 {
		e.say(0, "No fault was injected.")
		return
	}
	steps := stepsOf(e.h)
	for _, f := range e.h.Faults {
		e.say(0, "%s", e.struck(&f))
		for _, n := range f.Nodes {
			e.victim(f, n, slices.DeleteFunc(slices.Clone(steps), func(s assert.Step) bool { return s.Fault != f.ID || s.Node != n }))
		}
	}
}

// struck says what a fault did.
func (e *explainer) struck(f *history.Fault) string {
	text := fmt.Sprintf("The fault: %s on %s", f.Kind, strings.Join(f.Nodes, ", "))
	if from, to := f.Took(); from >= 0 && to >= from {
		text += fmt.Sprintf(", in effect at %s", moment(from+(to-from)/2, (to-from+1)/2))
	} else {
		text += fmt.Sprintf(", begun at %s", clock(f.Injected))
	}
	switch {
	case f.Proof == nil:
		text += "; it was not proven to bite"
	case f.Proof.OK:
		text += "; proven: " + f.Proof.Measured
	default:
		text += fmt.Sprintf("; NOT proven: asked %s, measured %s", f.Proof.Asked, f.Proof.Measured)
	}
	if f.Healed >= 0 {
		return text + fmt.Sprintf("; seen to be healed at %s.", clock(f.Healed))
	}
	return text + "; not seen to have healed."
}

// stepWords say what a step is; the verbs are of what was seen.
var stepWords = map[string]string{
	assert.StepFault: "it took effect", assert.StepFirstBad: "the first operation of its users that went wrong was due",
	assert.StepDetected: "%s held it for down", assert.StepDiverted: "the last request was on its way to it",
	assert.StepLastBad: "the last operation of its users that went wrong was due", assert.StepSteady: "all went well again for its users",
	assert.StepRestarted: "it was started again", assert.StepReady: "it was ready", assert.StepUp: "%s held it for up again", assert.StepRouted: "it got requests again",
}

// victim tells the way of a node through a fault, in the order of time. What a standby balancer saw
// is left out where others were judged.
func (e *explainer) victim(f history.Fault, node string, steps []assert.Step) {
	if len(steps) == 0 {
		return
	}
	e.say(1, "%s:", node)
	from, to := f.Took()
	inTime := slices.Clone(steps)
	slices.SortStableFunc(inTime, func(a, b assert.Step) int {
		return cmp.Or(cmp.Compare(unseen(a), unseen(b)), cmp.Compare(a.At, b.At))
	})
	for _, s := range inTime {
		judged := slices.ContainsFunc(steps, func(o assert.Step) bool { return o.Name == s.Name && o.Judged })
		if s.Name == assert.StepFault || s.By != "" && judged && !s.Judged || s.Name == assert.StepLastBad && !s.Seen {
			continue
		}
		e.say(2, "%s", stepText(s, from+max(0, to-from)/2))
	}
}

// unseen sorts the steps that were not seen behind the others.
func unseen(s assert.Step) int {
	if s.Seen {
		return 0
	}
	return 1
}

// stepText is a step in words: when, what, how long it took, against what.
func stepText(s assert.Step, fault time.Duration) string {
	what := stepWords[s.Name]
	if what == "" {
		what = s.Name
	}
	if strings.Contains(what, "%s") {
		by := s.By
		if by == "" {
			by = "the balancers"
		}
		what = fmt.Sprintf(what, by)
	}
	if s.Name == assert.StepFirstBad && !s.Seen {
		return "no operation of its users went wrong while it was in effect"
	}
	if !s.Seen {
		text := "not seen that " + what
		if s.Note != "" {
			text += " (" + s.Note + ")"
		}
		return text + limitText(s)
	}
	text := clock(s.At) + " " + what
	switch since := s.At - fault; {
	case s.After == assert.StepFault && s.TookMax >= 0:
		text += fmt.Sprintf(", %s after the fault", fromTo(s.TookMin, s.TookMax))
	case since < 0:
		text += fmt.Sprintf(", %s before the fault took effect", short(-since))
	default:
		text += fmt.Sprintf(", %s after the fault", short(since))
	}
	if s.Op > 0 {
		text += fmt.Sprintf(" (operation %d)", s.Op)
	}
	if s.After != "" && s.After != assert.StepFault && s.TookMax >= 0 {
		text += fmt.Sprintf(", %s after it was %q", fromTo(s.TookMin, s.TookMax), s.After)
	}
	if s.Note != "" {
		text += "; " + s.Note
	}
	return text + limitText(s)
}

// fromTo is a time of which only its limits are known.
func fromTo(low, high time.Duration) string {
	if l, h := short(max(0, low)), short(high); l != h {
		return l + " to " + h
	}
	return short(high)
}

func limitText(s assert.Step) string {
	if s.Bound == nil {
		return ""
	}
	after := s.After
	if after == "" {
		after = assert.StepFault
	}
	text := fmt.Sprintf("; allowed: %s after the %s", short(*s.Bound), after)
	if after != assert.StepFault {
		text = fmt.Sprintf("; allowed: %s after it was %q", short(*s.Bound), after)
	}
	if !s.Judged {
		text += ", shown only"
	}
	return text
}
