package gameday

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/runbook"
)

// Control is what is done besides the proof, to show that this is worth
// something.
type Control string

// The controls.
const (
	// WithoutIt: nobody does anything. What then comes back by itself, the
	// runbook did not restore.
	WithoutIt Control = "without"
	// OnHealthy: it is carried out where nothing is wrong, and must do no harm.
	OnHealthy Control = "healthy"
	// StepLeftOut: each step is left out in turn; one without which all comes
	// back is idle.
	StepLeftOut Control = "left-out"
	// StepsSwapped: each two steps that follow each other are swapped.
	StepsSwapped Control = "swapped"
)

// Controls are all of them, in the order in which they are made.
func Controls() []Control { return []Control{WithoutIt, OnHealthy, StepLeftOut, StepsSwapped} }

// Result is a runbook's verdict with all that was tried.
type Result struct {
	Runbook  string          `json:"runbook"`
	Incident string          `json:"incident"`
	Verdict  harness.Verdict `json:"verdict"`
	// Reason is the verdict in a sentence.
	Reason string `json:"reason"`
	// Notes are what a control found that refuses nothing: idle steps, steps
	// whose order does not matter.
	Notes []string `json:"notes,omitempty"`
	// Within is what the runbook promises.
	Within   time.Duration `json:"within"`
	Proof    *Outcome      `json:"proof"`
	Controls []*Outcome    `json:"controls,omitempty"`
}

// Names of the controls' outcomes that are one each.
const (
	nameWithout = "without the runbook"
	nameHealthy = "on a healthy system"
)

// Verify proves a runbook: it carries it out during its incident, twice, and
// then makes the controls. A proof that is no pass ends it at once. Progress of
// the trials is told by t's own; its Variant, Patience, Healthy and Again count
// for nothing. An error is one that kept a trial from being made.
func Verify(ctx context.Context, t Trial, controls []Control, began func(name string)) (*Result, error) {
	if began == nil {
		began = func(string) {}
	}
	front := t.Book.Front
	r := &Result{Runbook: t.Book.Name, Incident: front.Incident, Within: front.Within}
	t.Variant, t.Patience, t.Healthy, t.Again = Written(t.Book), front.Within, false, true
	began("the runbook, during " + front.Incident)
	var err error
	if r.Proof, err = t.Run(ctx); err != nil {
		return r, err
	}
	r.judge()
	if r.Verdict != harness.VerdictPass {
		return r, nil
	}
	t.Again, t.Patience = false, r.patience()
	for _, c := range controls {
		for _, v := range variants(t.Book, c) {
			t.Healthy = c == OnHealthy
			if t.Healthy {
				v.Name = nameHealthy
			}
			t.Variant = v
			began(v.Name)
			o, err := t.Run(ctx)
			if err != nil {
				return r, err
			}
			r.Controls = append(r.Controls, o)
		}
	}
	r.judge()
	return r, nil
}

// variants are the runbooks of a control.
func variants(book *runbook.Runbook, c Control) []Variant {
	switch c {
	case WithoutIt:
		return []Variant{Nothing()}
	case OnHealthy:
		return []Variant{Written(book)}
	case StepLeftOut:
		return LeftOut(book)
	case StepsSwapped:
		return Swapped(book)
	}
	return nil
}

// leastPatience is how long a control waits at least.
const leastPatience = 20 * time.Second

// patience is how long a control waits for what the runbook restored: three
// times as long as that took, and no longer than the runbook promises.
func (r *Result) patience() time.Duration {
	return min(r.Within, max(leastPatience, 3*r.Proof.Restored))
}

// judge makes the verdict of what there is so far. It is pure.
func (r *Result) judge() {
	r.Verdict, r.Reason = r.proven()
	if r.Verdict == harness.VerdictPass {
		r.controlled()
	}
}

func (r *Result) proven() (harness.Verdict, string) {
	o := r.Proof
	if o.Symptom < 0 {
		return harness.VerdictInconclusive, fmt.Sprintf("the incident did not show the runbook's symptom: %s", o.NoSymptom)
	}
	if o.Run != harness.VerdictPass && o.Run != harness.VerdictFail {
		return o.Run, o.Reason
	}
	t := o.Transcript
	switch {
	case t == nil:
		return harness.VerdictInconclusive, "the runbook was not carried out"
	case t.Ending == Unanswered, t.Ending == Declined, t.Ending == Interrupted:
		return harness.VerdictInconclusive, fmt.Sprintf("line %d: %s", t.Line, t.Reason)
	case t.Ending == NotThis:
		return harness.VerdictFail, fmt.Sprintf("its diagnosis does not know its own incident: line %d: %s", t.Line, t.Reason)
	case t.Ending == Failed:
		return harness.VerdictFail, fmt.Sprintf("line %d: %s", t.Line, t.Reason)
	case o.Restored < 0:
		return harness.VerdictFail, fmt.Sprintf("what it is to restore was not there: %s", o.Missing)
	case o.Restored > r.Within:
		return harness.VerdictFail, fmt.Sprintf("what it is to restore was there %s after the symptom, and it promises %s", sayTime(o.Restored), sayTime(r.Within))
	case o.Run == harness.VerdictFail:
		return harness.VerdictFail, "meanwhile " + o.Reason
	case o.Lost != "":
		return harness.VerdictFail, "carried out twice it does harm: " + o.Lost
	}
	return harness.VerdictPass, fmt.Sprintf("It restored what it promises %s after the symptom (within %s), nothing was lost, and twice does no harm.", sayTime(o.Restored), sayTime(r.Within))
}

// controlled holds a proof to its controls.
func (r *Result) controlled() {
	r.Notes = nil
	if o := r.control(nameWithout); o != nil {
		switch {
		case o.Symptom < 0 || o.Run == harness.VerdictError:
			r.inconclusive("the control without the runbook did not come to the incident: %s", o.NoSymptom)
		case o.Restored >= 0:
			r.inconclusive("without the runbook all came back by itself, %s after the symptom: it proves nothing", sayTime(o.Restored))
		}
	}
	if o := r.control(nameHealthy); o != nil {
		switch {
		case o.Restored < 0:
			r.fail("on a healthy system it does harm: %s", o.Missing)
		case o.Run == harness.VerdictFail:
			r.fail("on a healthy system it does harm: %s", o.Reason)
		case o.Transcript == nil || o.Transcript.Ending != NotThis:
			r.fail("its symptom and diagnosis do not tell a healthy system from the incident")
		}
	}
	for _, o := range r.Controls {
		name := o.Variant
		if o.Restored < 0 || o.Transcript == nil || o.Symptom < 0 {
			continue
		}
		switch {
		case strings.HasPrefix(name, "without step"):
			r.Notes = append(r.Notes, "all came back "+name+": it is idle")
		case strings.HasPrefix(name, "with step") && o.Transcript.Ending == Done:
			r.Notes = append(r.Notes, "all came back "+name+": their order does not matter")
		}
	}
}

// control is the outcome of that name; nil if that control was not made.
func (r *Result) control(name string) *Outcome {
	for _, o := range r.Controls {
		if o.Variant == name {
			return o
		}
	}
	return nil
}

func (r *Result) inconclusive(format string, args ...any) {
	if r.Verdict == harness.VerdictPass {
		r.Verdict, r.Reason = harness.VerdictInconclusive, fmt.Sprintf(format, args...)
	}
}

func (r *Result) fail(format string, args ...any) {
	if r.Verdict != harness.VerdictFail {
		r.Verdict, r.Reason = harness.VerdictFail, fmt.Sprintf(format, args...)
	}
}
