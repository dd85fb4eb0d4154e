package gameday

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/harness"
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
	// BrokenOff: it is broken off after each command of its steps in turn, and then
	// carried out from its beginning, which must bear what it finds.
	BrokenOff Control = "cut-off"
	// OnAnother: it is carried out during other incidents, and must make nothing
	// worse.
	OnAnother Control = "another"
	// StepsSwapped: each two steps that follow each other are swapped.
	StepsSwapped Control = "swapped"
	// StepsUndone: its steps are carried out and then undone, the last first, by what
	// it says of that, after which it must mend all anew.
	StepsUndone Control = "undone"
)

// Controls are all of them, in the order in which they are made.
func Controls() []Control {
	return []Control{WithoutIt, OnHealthy, OnAnother, StepLeftOut, StepsSwapped, StepsUndone, BrokenOff}
}

// Incident is another incident than the runbook's: a scenario with its settings.
type Incident struct {
	Scenario harness.Scenario
	Set      map[string]string
}

// name is the scenario's, with its settings.
func (i Incident) name() string {
	if len(i.Set) == 0 {
		return i.Scenario.Name
	}
	var set []string
	for _, key := range slices.Sorted(maps.Keys(i.Set)) {
		set = append(set, key+"="+i.Set[key])
	}
	return fmt.Sprintf("%s with %s", i.Scenario.Name, strings.Join(set, ", "))
}

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
	nameNoSteps = "without any step"
)

// Verify proves a runbook: it carries it out during its incident, twice, and
// then makes the controls, those during another incident with each of others. A
// proof that is no pass ends it at once. Progress of the trials is told by t's own;
// its Variant, Patience, Control and Again count for nothing. An error is
// one that kept a trial from being made.
func Verify(ctx context.Context, t Trial, controls []Control, others []Incident, began func(name string)) (*Result, error) {
	if began == nil {
		began = func(string) {}
	}
	began("the runbook, during " + t.Book.Front.Incident)
	r, err := Try(ctx, t, Written(t.Book))
	if err != nil || r.Verdict != harness.VerdictPass {
		return r, err
	}
	t.Again, t.Patience = false, r.patience()
	for _, c := range controls {
		for _, one := range trials(t, c, others) {
			began(one.Variant.Name)
			o, err := one.Run(ctx)
			if o != nil {
				r.Controls = append(r.Controls, o)
			}
			if err != nil {
				return r, err
			}
			if ctx.Err() != nil {
				r.judge()
				r.inconclusive("interrupted, with controls still to be made")
				return r, nil
			}
		}
	}
	r.judge()
	return r, nil
}

// Try carries one variant of a runbook out during its incident, twice, and judges
// that alone. What else t says of how counts for nothing. An error is one that kept
// it from being made.
func Try(ctx context.Context, t Trial, v Variant) (*Result, error) {
	front := t.Book.Front
	r := &Result{Runbook: t.Book.Name, Incident: front.Incident, Within: front.Within}
	t.Variant, t.Patience, t.Control, t.Again = v, front.Within, "", true
	var err error
	if r.Proof, err = t.Run(ctx); err != nil {
		return r, err
	}
	r.judge()
	return r, nil
}

// trials are those of a control.
func trials(t Trial, c Control, others []Incident) []Trial {
	t.Control = c
	var out []Trial
	add := func(all ...Variant) {
		for _, t.Variant = range all {
			out = append(out, t)
		}
	}
	switch c {
	case WithoutIt:
		t.Patience = max(t.Patience, t.Book.Front.Within) // what comes back in the time that it promises needs no runbook
		add(Nothing())
	case OnHealthy:
		add(Variant{Name: nameHealthy, Plan: Whole(t.Book)})
	case OnAnother:
		for _, o := range others {
			t.Incident, t.Options.Set = o.Scenario, o.Set
			add(Variant{Name: "during " + o.name(), Plan: Whole(t.Book)})
		}
	case StepLeftOut:
		add(LeftOut(t.Book)...)
		if v, ok := NoSteps(t.Book); ok {
			add(v)
		}
	case StepsUndone:
		if v, ok := Undone(t.Book); ok {
			add(v)
		}
	case StepsSwapped:
		add(Swapped(t.Book)...)
	case BrokenOff:
		add(CutOff(t.Book)...)
	}
	return out
}

// leastPatience is how long a control waits at least.
const leastPatience = 20 * time.Second

// patience is how long a control waits for what the runbook restored: three
// times as long as that took.
func (r *Result) patience() time.Duration {
	return max(leastPatience, 3*r.Proof.Restored)
}

// Dirty says whether something could not be healed or removed in any trial.
func (r *Result) Dirty() bool {
	return slices.ContainsFunc(append([]*Outcome{r.Proof}, r.Controls...), func(o *Outcome) bool { return o != nil && o.Dirty })
}

// judge makes the verdict of what there is so far. It is pure.
func (r *Result) judge() {
	r.Notes = nil
	r.Verdict, r.Reason = r.proven()
	if r.Verdict != harness.VerdictPass {
		return
	}
	if t := r.Proof.Second; t != nil && t.Ending != Done {
		r.Notes = append(r.Notes, fmt.Sprintf("the second time it ended at line %d (%s): what follows was not tried twice", t.Line, t.Reason))
	}
	r.controlled()
}

func (r *Result) proven() (harness.Verdict, string) {
	o := r.Proof
	if o.Run == harness.VerdictError {
		return o.Run, o.Reason
	}
	if o.BrokenOff != "" {
		return harness.VerdictInconclusive, "it was broken off: " + o.BrokenOff
	}
	if o.Symptom < 0 {
		return harness.VerdictInconclusive, fmt.Sprintf("the incident did not show the runbook's symptom: %s", o.NoSymptom)
	}
	t := o.Transcript
	if t == nil {
		return harness.VerdictInconclusive, "the runbook was not carried out"
	}
	complaint := r.complaint(o)
	switch {
	case t.untold():
		return harness.VerdictInconclusive, fmt.Sprintf("line %d: %s", t.Line, t.Reason)
	case complaint != "" && o.Short != "":
		return harness.VerdictInconclusive, fmt.Sprintf("%s; but %s", complaint, o.Short)
	case complaint != "":
		return harness.VerdictFail, complaint
	case o.Run == harness.VerdictFail:
		return harness.VerdictFail, "meanwhile " + o.Reason
	case o.Unserved > bearable:
		return harness.VerdictFail, fmt.Sprintf("while its steps were carried out nobody was served for %s", sayTime(o.Unserved))
	case o.Lost != "":
		return harness.VerdictFail, "carried out twice it does harm: " + o.Lost
	case o.Run != harness.VerdictPass:
		return harness.VerdictInconclusive, o.Reason
	case o.Second != nil && o.Second.untold():
		return harness.VerdictInconclusive, fmt.Sprintf("the second time, line %d: %s", o.Second.Line, o.Second.Reason)
	}
	return harness.VerdictPass, fmt.Sprintf("It restored what it promises %s after the symptom (within %s), no session or write was lost, and twice did no harm.", sayTime(o.Restored), sayTime(r.Within))
}

// complaint is what can be said against how it was carried out, all of which takes a
// machine that has the time for it; empty if nothing.
func (r *Result) complaint(o *Outcome) string {
	switch t := o.Transcript; {
	case t.Ending == NotThis:
		return fmt.Sprintf("its diagnosis does not know its own incident: line %d: %s", t.Line, t.Reason)
	case t.Ending == Failed:
		return fmt.Sprintf("line %d: %s", t.Line, t.Reason)
	case o.Restored < 0:
		return fmt.Sprintf("what it is to restore was not there: %s", o.Missing)
	case o.Restored > r.Within:
		return fmt.Sprintf("what it is to restore was there %s after the symptom, and it promises %s", sayTime(o.Restored), sayTime(r.Within))
	}
	return ""
}

// bearable is for how long nobody may be served while steps are carried out that need
// no outage: as long as the address takes to move, twice.
const bearable = 3 * time.Second

// hasVerdict says whether a run of a control can be judged by.
func hasVerdict(o *Outcome) bool {
	return o.BrokenOff == "" && (o.Run == harness.VerdictPass || o.Run == harness.VerdictFail)
}

// controlled holds a proof to its controls.
func (r *Result) controlled() {
	for _, o := range r.Controls {
		switch o.Control {
		case WithoutIt:
			r.without(o)
		case OnHealthy:
			r.healthy(o)
		case OnAnother:
			r.another(o)
		case BrokenOff:
			r.anew(o)
		case StepLeftOut:
			r.leftOut(o)
		case StepsUndone:
			r.undone(o)
		case StepsSwapped:
			r.changed(o, "their order does not matter", "their order matters")
		}
	}
}

// without holds it to what came back with nobody doing anything.
func (r *Result) without(o *Outcome) {
	switch {
	case !hasVerdict(o):
		r.inconclusive("the control without the runbook has no verdict: %s", o.Reason)
	case o.Symptom < 0:
		r.inconclusive("the control without the runbook did not come to the incident: %s", o.NoSymptom)
	case o.Restored >= 0:
		r.inconclusive("without the runbook all came back by itself, %s after the symptom: it proves nothing", sayTime(o.Restored))
	}
}

// same says whether a change of the steps made no difference.
func (o *Outcome) same() bool {
	return o.Restored >= 0 && o.Transcript != nil && o.Symptom >= 0 && o.Run == harness.VerdictPass && o.Transcript.Ending == Done
}

// changed notes what a change of the steps says of them: that it made no difference,
// or that it did. One that came to nothing says neither.
func (r *Result) changed(o *Outcome, idle, needed string) {
	t := o.Transcript
	switch {
	case o.same():
		r.Notes = append(r.Notes, fmt.Sprintf("all came back %s: %s", o.Variant, idle))
	case !hasVerdict(o):
		r.inconclusive("the control %s has no verdict: %s", o.Variant, o.Reason)
	case o.Symptom < 0:
		r.inconclusive("the control %s did not come to the incident: %s", o.Variant, o.NoSymptom)
	case t == nil:
		r.inconclusive("%s it was not carried out", o.Variant)
	case t.untold():
		r.inconclusive("%s, line %d: %s", o.Variant, t.Line, t.Reason)
	case needed != "":
		r.Notes = append(r.Notes, fmt.Sprintf("not all was well %s: %s", o.Variant, needed))
	}
}

// leftOut notes an idle step or a needed one, and holds it to what came back though no
// step was carried out.
func (r *Result) leftOut(o *Outcome) {
	if o.same() && !o.Transcript.steps() {
		r.fail("all came back %s: what restores it is none of its steps", o.Variant)
		return
	}
	needed := "it is needed"
	if o.Variant == nameNoSteps {
		needed = "" // as it must be
	}
	r.changed(o, "it is idle", needed)
}

// undone holds it to what came of its undo, and of the runbook after that.
func (r *Result) undone(o *Outcome) {
	if hasVerdict(o) && o.Symptom >= 0 && o.Transcript != nil && o.Transcript.Ending == Failed {
		r.fail("%s it ended at line %d: %s", o.Variant, o.Transcript.Line, o.Transcript.Reason)
		return
	}
	r.anew(o)
}

// another holds it to what it did during another incident.
func (r *Result) another(o *Outcome) {
	switch {
	case !hasVerdict(o) && o.Worse == "" || o.Run == harness.VerdictError:
		r.inconclusive("the control %s has no verdict: %s", o.Variant, o.Reason)
	case o.Worse != "":
		r.fail("%s it makes things worse: %s", o.Variant, o.Worse)
	case o.Run == harness.VerdictFail:
		r.fail("%s it does harm: %s", o.Variant, o.Reason)
	case o.Transcript == nil:
		r.inconclusive("%s it was not carried out", o.Variant)
	case o.Transcript.untold():
		r.inconclusive("%s, line %d: %s", o.Variant, o.Transcript.Line, o.Transcript.Reason)
	case o.Transcript.steps():
		r.Notes = append(r.Notes, o.Variant+" it carries its steps out, as if that were its own, with no harm that was seen")
	}
}

// anew holds it to what came of it when it had been carried out in part, or in vain,
// and was begun anew.
func (r *Result) anew(o *Outcome) {
	switch {
	case o.BrokenOff == "" && o.Run == harness.VerdictFail:
		r.fail("%s it does harm: %s", o.Variant, o.Reason)
	case !hasVerdict(o):
		r.inconclusive("the control %s has no verdict: %s", o.Variant, o.Reason)
	case o.Symptom < 0:
		r.inconclusive("the control %s did not come to the incident: %s", o.Variant, o.NoSymptom)
	case o.Second == nil:
		r.inconclusive("%s it was not begun anew", o.Variant)
	case o.Transcript == nil || o.Transcript.Ending != Done:
		r.inconclusive("%s: it did not come so far", o.Variant)
	case o.Second.untold():
		r.inconclusive("%s, and begun anew, line %d: %s", o.Variant, o.Second.Line, o.Second.Reason)
	case o.Restored < 0 && o.Short != "":
		r.inconclusive("%s and begun anew it did not restore all (%s); but %s", o.Variant, o.Missing, o.Short)
	case o.Restored < 0:
		r.fail("%s it leaves what the next run does not bear: begun anew, it ended as %s (line %d: %s), and: %s", o.Variant, o.Second.Ending, o.Second.Line, o.Second.Reason, o.Missing)
	case o.Second.Ending == Failed:
		r.Notes = append(r.Notes, fmt.Sprintf("%s and begun anew it ended at line %d (%s), though all came back", o.Variant, o.Second.Line, o.Second.Reason))
	}
}

// healthy holds it to what it did to a system with which nothing was wrong.
func (r *Result) healthy(o *Outcome) {
	switch {
	case !hasVerdict(o):
		r.inconclusive("the control on a healthy system has no verdict: %s", o.Reason)
	case o.Restored < 0:
		r.fail("on a healthy system it does harm: %s", o.Missing)
	case o.Worse != "":
		r.fail("on a healthy system it does harm: %s", o.Worse)
	case o.Run == harness.VerdictFail:
		r.fail("on a healthy system it does harm: %s", o.Reason)
	case o.Transcript == nil || o.Transcript.Ending != NotThis && !o.Transcript.untold():
		r.fail("its symptom and diagnosis do not tell a healthy system from the incident")
	case o.Transcript.untold():
		r.inconclusive("on a healthy system, line %d: %s", o.Transcript.Line, o.Transcript.Reason)
	}
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
