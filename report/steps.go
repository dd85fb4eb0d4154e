package report

import (
	"fmt"
	"slices"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// maxSteps bounds the steps of all failovers.
const maxSteps = 300

// stepViews are the failovers taken apart, each step with its bound.
func stepViews(h *history.History) []stepView {
	var out []stepView
	steps := stepsOf(h)
	for _, s := range steps[:min(len(steps), maxSteps)] {
		out = append(out, viewStep(h, s))
	}
	return out
}

// ofServers are the steps that only a server of the balancers takes: a database or a
// balancer is neither held for down nor sent requests by one.
var ofServers = map[string]bool{assert.StepDetected: true, assert.StepDiverted: true, assert.StepReady: true, assert.StepUp: true, assert.StepRouted: true}

// stepsOf are the steps of all failovers that their victims can take.
func stepsOf(h *history.History) []assert.Step {
	others := map[string]bool{}
	for _, n := range h.Meta.Nodes {
		others[n.Name] = n.Role != "application"
	}
	return slices.DeleteFunc(assert.Anatomise(h), func(s assert.Step) bool { return ofServers[s.Name] && others[s.Node] })
}

func viewStep(h *history.History, s assert.Step) stepView {
	v := stepView{Name: stepName(s), Formula: cleanText(s.Formula), Source: cleanText(s.Source), Note: cleanText(s.Note), Tone: "idle", At: "not seen", Op: s.Op}
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
	if s.Seen && s.TookMax >= 0 && *s.Bound > 0 {
		percent := func(d time.Duration) float64 { return min(100, 75*float64(max(0, d))/float64(*s.Bound)) }
		v.Scale, v.From, v.Width = true, percent(s.TookMin), percent(s.TookMax)-percent(s.TookMin)
	}
	if !s.Judged {
		v.Bound += " (shown only)"
		return v
	}
	switch s.Status(h) {
	case assert.Fail:
		v.Tone, v.Sign = "bad", "✕ "
	case assert.Pass:
		v.Tone = "good"
	default:
		v.Tone, v.Sign = "warn", "△ "
	}
	return v
}

func stepName(s assert.Step) string {
	name := cleanName(s.Name)
	if s.By != "" {
		name += " by " + cleanName(s.By)
	}
	if s.Node != "" {
		name += " (" + cleanName(s.Node) + ")"
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
