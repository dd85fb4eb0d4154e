package assert

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/hachaos/hachaos/history"
)

// FailoverAnatomy takes a failover apart, step by step (see the Step…
// constants), and holds the steps to the bounds that the configuration
// implies: the death is detected by every balancer that owns the VIP, no
// request is sent to the victim after that, and once restarted it is ready,
// and served again, in time. Every step is an observation, and every
// observation an interval.
//
// A step fails if it broke its bound at every time in the intervals, and
// passes if it kept it at every time. One that straddles its bound makes the
// assertion inconclusive: the bound already grants the machine a stated
// allowance, so that to add the observers' coarseness to it would call a
// system good that may not be, and not to would blame it for the polling
// interval. Such a run is repeated, or observed more finely.
//
// Where the fault itself starts the victim again before the bound of detection
// has passed, whether it was detected is shown and not judged, and noted: it
// could not be found to be late.
//
// The first and the last bad operation, the return to good ones and the
// first request after the return are shown and not judged: one stray bad
// operation long after the failover would fail them, and what they cost is
// ErrorBudget's to count.
//
// The zero value of a field is its default.
type FailoverAnatomy struct {
	// Fault is the kind of fault to take apart; empty is each.
	Fault string `json:"fault,omitempty"`
	// DetectBound names the bound (of Meta.Bounds) from the fault to its
	// detection, which depends on what becomes of a new connection:
	// "detected/refused", "detected/frozen", or by default
	// "detected/vanished".
	DetectBound string `json:"detectBound,omitempty"`
	// DivertBound is from the detection until the last request has left the
	// victim; "diverted" by default.
	DivertBound string `json:"divertBound,omitempty"`
	// RecoveredBound is from the restart to ready, and ReadyBound from there
	// until the balancers hold it for up; "recovered" and "ready" by default.
	RecoveredBound string `json:"recoveredBound,omitempty"`
	ReadyBound     string `json:"readyBound,omitempty"`
}

// Name implements Checker.
func (FailoverAnatomy) Name() string { return "failover-anatomy" }

// About implements Checker.
func (a FailoverAnatomy) About() string {
	a = a.defaults()
	return fmt.Sprintf("a fault is detected and its requests are diverted, and the restarted node is ready and served again, within the bounds of the configuration (%s, %s, %s, %s)",
		a.DetectBound, a.DivertBound, a.RecoveredBound, a.ReadyBound)
}

// Needs implements Checker. A machine on which the generator starves has none
// left to boot a node on either, so that its time is not the system's.
func (FailoverAnatomy) Needs() []Need {
	return []Need{
		{Kind: NeedFault},
		{Kind: NeedHeal},
		{Kind: NeedBaseline},
		{Kind: NeedGenerator},
		{Kind: NeedClock},
		{Kind: NeedStream, Stream: history.StreamServer},
		{Kind: NeedStream, Stream: history.StreamDispatch, Beside: true},
		{Kind: NeedStream, Stream: history.StreamVIP},
		{Kind: NeedStream, Stream: history.StreamEngine},
		{Kind: NeedStream, Stream: history.StreamReadiness},
		{Kind: NeedStream, Stream: history.StreamTruth},
		{Kind: NeedStream, Stream: history.StreamTransition},
	}
}

func (a FailoverAnatomy) defaults() FailoverAnatomy {
	a.DetectBound = cmp.Or(a.DetectBound, "detected/vanished")
	a.DivertBound = cmp.Or(a.DivertBound, "diverted")
	a.RecoveredBound = cmp.Or(a.RecoveredBound, "recovered")
	a.ReadyBound = cmp.Or(a.ReadyBound, "ready")
	return a
}

// Check implements Checker. Measured is the slowest detection in
// milliseconds, the middle of its interval; nil if there was none.
func (a FailoverAnatomy) Check(h *history.History) Verdict {
	return judgeTwice(h, DefaultThreshold, func(skip func(*history.Op) bool) Verdict { return a.judge(h, skip) })
}

func (a FailoverAnatomy) judge(h *history.History, skip func(*history.Op) bool) Verdict {
	a = a.defaults()
	v := Verdict{Name: a.Name(), Op: "<=", Unit: "ms", Evidence: []Evidence{}}
	if b, ok := findBound(h, a.DetectBound); ok {
		v.Bound = figure(millis(b.Limit))
	}
	var objectives []objective
	var rest []Evidence
	for _, j := range a.journeys(h, skip) {
		judged := j.objectives()
		objectives = append(objectives, judged...)
		rest = append(rest, j.measure(&v, judged)...)
		if j.tooSoon != "" {
			v.Notes = append(v.Notes, j.tooSoon)
		}
	}
	v.Evidence = append(v.Evidence, rest...)
	limitEvidence(&v)
	conclude(&v, objectives)
	if len(objectives) == 0 {
		v.Reasons = append(v.Reasons, "no fault"+kindWord(a.Fault)+" was injected")
	}
	return v
}

func kindWord(kind string) string {
	if kind == "" {
		return ""
	}
	return " of kind " + kind
}

// objectives judge the steps of a journey, in their order.
func (j *journey) objectives() []objective {
	var out []objective
	for _, s := range j.steps {
		if s.Judged {
			out = append(out, s.objective(j))
		}
	}
	return out
}

// objective judges a step.
func (s Step) objective(j *journey) objective {
	o := objective{name: s.Name, text: s.text(), fix: boundFix(history.Bound{File: s.File, Formula: s.Formula})}
	switch {
	case s.At < 0:
		o.reason = s.Note
	case s.Name == StepDetected && s.Seen && s.Note != "":
		o.reason = s.Note + ", so that there was nothing to detect"
	case s.Bound == nil:
		o.reason = fmt.Sprintf("the topology states no bound %q: name one of %s", j.names.boundOf(s.Name), boundNames(j.h))
	case s.TookMin > *s.Bound && s.starved(j.h):
		o.reason = starvedReason(s.text())
	case s.TookMin > *s.Bound:
		o.status = Fail
	case !s.Seen:
		o.reason = fmt.Sprintf("%s, but it was looked for no longer: lengthen the phase", s.text())
	case s.TookMax <= *s.Bound:
		o.status = Pass
	default:
		o.reason = fmt.Sprintf("%s, give or take: it took %s to %s, and the observers are too coarse to tell; repeat the run on a quieter machine",
			s.text(), sayTime(s.TookMin), sayTime(s.TookMax))
	}
	return o
}

// Status is what failover-anatomy makes of a step of that history; Inconclusive
// if it does not judge it.
func (s Step) Status(h *history.History) Status {
	if !s.Judged {
		return Inconclusive
	}
	return s.objective(&journey{h: h}).status
}

// starved says whether a step that was seen may owe to the machine what it took
// beyond its bound.
func (s Step) starved(h *history.History) bool {
	return s.Seen && machineOf(h).starved(s.At-s.TookMin, s.At, *s.Bound)
}

// boundOf is the name of the bound of a step.
func (a FailoverAnatomy) boundOf(step string) string {
	switch step {
	case StepDetected:
		return a.DetectBound
	case StepDiverted:
		return a.DivertBound
	case StepReady:
		return a.RecoveredBound
	}
	return a.ReadyBound
}

// text says what a judged step came to.
func (s Step) text() string {
	if s.At < 0 {
		return s.Note
	}
	limit, took := "", sayTime(s.middle())
	if s.Bound != nil {
		limit = fmt.Sprintf(" (at most %s)", sayTime(*s.Bound))
	}
	if !s.Seen {
		did := map[string]string{
			StepDetected: s.By + " mark " + s.Node + " down",
			StepReady:    s.Node + " become ready after its restart",
			StepUp:       s.By + " hold " + s.Node + " for up after it was ready",
		}
		return fmt.Sprintf("never in %s did %s%s", sayTime(s.TookMin), did[s.Name], limit)
	}
	switch s.Name {
	case StepDetected:
		return fmt.Sprintf("detection of %s by %s took %s%s", s.Node, s.By, took, limit)
	case StepDiverted:
		return fmt.Sprintf("the last request was on its way to %s %s after the fault%s", s.Node, took, limit)
	case StepReady:
		return fmt.Sprintf("becoming ready took %s %s from its restart%s", s.Node, took, limit)
	}
	return fmt.Sprintf("the return of %s to %s took %s from ready%s", s.Node, s.By, took, limit)
}

// measure adds the journey's figures to the verdict, and as evidence the
// steps that broke their bound; the other steps it returns.
func (j *journey) measure(v *Verdict, judged []objective) (rest []Evidence) {
	for _, s := range j.steps {
		decides := false
		if s.Judged {
			decides = judged[0].status == Fail
			judged = judged[1:]
		}
		if e := s.evidence(); decides {
			v.Evidence = append(v.Evidence, e)
		} else {
			rest = append(rest, e)
		}
		if took := millis(s.middle()); s.Name == StepDetected && s.Judged && s.Seen && (v.Measured == nil || took > *v.Measured) {
			v.Measured = figure(took)
		}
		if s.Seen && s.Name != StepFault && (s.Judged || s.By == "") {
			v.Measures = addMeasure(v.Measures, j.measureOf(s))
		}
	}
	return rest
}

// middle is the best guess of what the step took.
func (s Step) middle() time.Duration { return s.TookMin + (s.TookMax-s.TookMin)/2 }

func (j *journey) measureOf(s Step) Measure {
	m := Measure{Name: s.Name, Unit: "ms", Value: millis(s.middle()), Note: j.node + ", after " + cmp.Or(s.After, StepFault)}
	if s.By != "" {
		m.Note = s.By + ": " + m.Note
	}
	if s.After == "" {
		m.Value = millis(s.At - j.at.to)
	}
	if s.Within > 0 {
		m.Note += fmt.Sprintf(", ± %s", sayTime(s.Within))
	}
	if s.Bound != nil {
		m.Bound = figure(millis(*s.Bound))
		m.Note += fmt.Sprintf("; %s: %s", s.BoundName, s.Formula)
	}
	return m
}

func (s Step) evidence() Evidence {
	e := Evidence{Seq: s.Seq, Op: s.Op, At: max(0, s.At), Node: s.Node, Class: s.Name, Text: s.Note}
	switch {
	case s.Judged && s.At >= 0:
		e.Text = strings.TrimSuffix(s.text()+"; "+s.Note, "; ")
	case s.Seen && e.Text == "":
		e.Text = strings.TrimSuffix(s.Name+" by "+s.By, " by ") + ", " + sayMoment(s.At)
	}
	return e
}
