package report

import (
	"fmt"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// stepViews are the failovers taken apart, each step with its bound.
func stepViews(h *history.History) []stepView {
	var out []stepView
	for _, s := range assert.Anatomise(h) {
		out = append(out, viewStep(s))
	}
	return out
}

func viewStep(s assert.Step) stepView {
	v := stepView{Name: stepName(s), Formula: Clean(s.Formula), Source: Clean(s.Source), Note: Clean(s.Note), Tone: "idle", At: "not seen"}
	if s.Seen {
		v.At = moment(s.At, s.Within)
	}
	if s.Seen && s.After != "" && s.TookMax >= 0 {
		v.After = fmt.Sprintf("%s after %s", interval(s.TookMin, s.TookMax), s.After)
	}
	if s.Bound == nil {
		return v
	}
	v.Bound = "≤ " + s.Bound.String()
	if !s.Judged {
		v.Bound += " (shown only)"
		return v
	}
	switch {
	case !s.Seen || s.TookMin > *s.Bound:
		v.Tone = "bad"
	case s.TookMax <= *s.Bound:
		v.Tone = "good"
	default:
		v.Tone = "warn"
	}
	return v
}

func stepName(s assert.Step) string {
	name := Clean(s.Name)
	if s.By != "" {
		name += " by " + Clean(s.By)
	}
	if s.Node != "" {
		name += " (" + Clean(s.Node) + ")"
	}
	return name
}

// moment is a time of the run with its uncertainty.
func moment(at, within time.Duration) string {
	if within < time.Millisecond {
		return clock(at)
	}
	return clock(at) + " ± " + within.Round(time.Millisecond).String()
}

func interval(low, high time.Duration) string {
	low, high = max(0, low).Round(time.Millisecond), high.Round(time.Millisecond)
	if low == high {
		return high.String()
	}
	return low.String() + " to " + high.String()
}
