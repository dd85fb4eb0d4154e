package assert

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// OverloadContract expects that the system keeps its word while something
// that it depends on, such as its database, is slow or away. From each fault
// on, to the end of the judged phases:
//
//   - every attempt of a client is answered within the stated limit, and if
//     it is not ok, the answer says so clearly: 503 (come again), 504 (a
//     timeout), 429, or another answer of 4xx. A connection that is closed
//     without an answer, any other error of the server's, and a client that
//     gave up are none;
//   - no queue grows without bound: no node ever works on more than had arrived
//     within the limit before, whatever became of the clients, for then some of
//     it has been there for longer. A few requests that stay beside many that
//     come and go are not seen by that;
//   - no node runs out of threads, but while the machine has no processor to spare,
//     or has what waited for one still to do: each request holds its thread for
//     longer then, and the verdict is inconclusive if that alone is amiss;
//   - liveness stays up, and no node is restarted: what is wrong is another's
//     fault, and a restart would only make it worse.
//
// It is meant for faults of a dependency; a fault that ends or freezes
// application nodes breaks it by itself. The zero value is ready to use.
type OverloadContract struct {
	// AnswerBound names the bound (of Meta.Bounds) within which an attempt is
	// answered; "answered" by default.
	AnswerBound string `json:"answerBound,omitempty"`
	// ThreadBound names the bound of a node's busy threads; "threads" by
	// default.
	ThreadBound string `json:"threadBound,omitempty"`
}

// Classes of evidence, worst first.
const (
	classNoAnswer  = "no answer"
	classUnclear   = "unclear answer"
	classTooLate   = "late answer"
	classThreads   = "threads exhausted"
	classQueue     = "queue without bound"
	classLiveness  = "liveness down"
	classRestarted = "restarted"
)

var overloadClasses = []string{classRestarted, classThreads, classQueue, classLiveness, classNoAnswer, classUnclear, classTooLate}

// Name implements Checker.
func (OverloadContract) Name() string { return "overload-contract" }

// About implements Checker.
func (c OverloadContract) About() string {
	c = c.defaults()
	return fmt.Sprintf("while a dependency is slow or away every answer is ok, or a clear 503 or timeout, within the bound %s; no node runs out of threads, keeps requests for longer than that, denies being alive or is restarted (0 violations)", c.AnswerBound)
}

// Needs implements Checker.
func (OverloadContract) Needs() []Need {
	return []Need{
		{Kind: NeedFault},
		{Kind: NeedBaseline},
		{Kind: NeedGenerator},
		{Kind: NeedClock},
		{Kind: NeedStream, Stream: history.StreamReadiness},
		{Kind: NeedStream, Stream: history.StreamTruth},
		{Kind: NeedStream, Stream: history.StreamReceipt},
		{Kind: NeedStream, Stream: history.StreamTransition},
		{Kind: NeedStream, Stream: history.StreamEngine},
	}
}

func (c OverloadContract) defaults() OverloadContract {
	c.AnswerBound = cmp.Or(c.AnswerBound, "answered")
	c.ThreadBound = cmp.Or(c.ThreadBound, "threads")
	return c
}

// Check implements Checker. Measured is the number of violations.
func (c OverloadContract) Check(h *history.History) Verdict {
	c = c.defaults()
	answer, ok1 := findBound(h, c.AnswerBound)
	threads, ok2 := findBound(h, c.ThreadBound)
	v := Verdict{Name: c.Name(), Bound: figure(0), Op: "<=", Unit: "violations", Evidence: []Evidence{}}
	from, ok := firstFault(h)
	switch {
	case !ok1 || !ok2:
		v.Summary = "The limits are not known."
		v.Reasons = append(v.Reasons, fmt.Sprintf("the topology states no bound %q or no bound %q: name one of %s", c.AnswerBound, c.ThreadBound, boundNames(h)))
		return v
	case !ok:
		v.Summary = "Nothing was slow or away."
		v.Reasons = append(v.Reasons, "no fault was injected")
		return v
	}
	host := machineOf(h)
	strained := host.strained(usual(h, host))
	return judgeTwice(h, answer.Limit, func(skip func(*history.Op) bool) Verdict {
		a := &overloadAudit{
			h: h, from: from, until: judgedEnd(h), answer: answer, threads: threads, skip: skip,
			broken: map[string][]Evidence{}, count: map[string]int{}, strained: strained,
		}
		a.answers()
		a.nodes()
		a.liveness()
		a.restarts()
		return a.verdict(v)
	})
}

// firstFault is when the first fault was injected.
func firstFault(h *history.History) (time.Duration, bool) {
	first, found := time.Duration(0), false
	for _, f := range h.Faults {
		if f.Injected >= 0 && (!found || f.Injected < first) {
			first, found = f.Injected, true
		}
	}
	return first, found
}

// overloadAudit judges one history.
type overloadAudit struct {
	h               *history.History
	from, until     time.Duration
	answer, threads history.Bound
	skip            func(*history.Op) bool

	broken                  map[string][]Evidence // the first of each class, MaxEvidence at most
	count                   map[string]int        // of each class
	attempts, refused, ends int                   // refused: clearly not ok; ends: not sent at all
	slowest                 time.Duration
	peak                    struct{ threads, work, waiting int }
	looks                   int
	// strained is the machine with what its short times left behind; starved are the
	// looks that saw threads exhausted meanwhile, and first the first of them.
	strained machine
	starved  int
	first    Evidence
}

// violate notes a violation; of as many as can be shown, in words.
func (a *overloadAudit) violate(class string, e Evidence, format string, args ...any) {
	if a.count[class]++; a.count[class] <= MaxEvidence {
		e.Class, e.Text = class, fmt.Sprintf(format, args...)
		a.broken[class] = append(a.broken[class], e)
	}
}

// violations counts all.
func (a *overloadAudit) violations() (n int) {
	for _, of := range a.count {
		n += of
	}
	return n
}

// within says whether a time is judged.
func (a *overloadAudit) within(t time.Duration) bool { return t >= a.from && t < a.until }

func (a *overloadAudit) verdict(v Verdict) Verdict {
	v.Measured = figure(float64(a.violations()))
	v.Measures = a.measures()
	if a.ends > 0 {
		v.Notes = append(v.Notes, fmt.Sprintf("%s never sent: the user was still waiting for the one before", count(a.ends, "operation")))
	}
	switch {
	case a.violations() > 0:
		a.fail(&v)
	case a.attempts == 0 || a.looks == 0:
		v.Measured = nil
		v.Summary = "Nothing was seen of the time from the fault on."
		v.Reasons = append(v.Reasons, fmt.Sprintf("%s and %s at nodes' gauges since the fault", count(a.attempts, "attempt"), count(a.looks, "look")))
	case a.starved > 0:
		v.Measured = nil
		v.Summary = fmt.Sprintf("Threads were exhausted, and only while the machine was short: %s, %s.", a.first.Text, sayMoment(a.first.At))
		v.Reasons = append(v.Reasons, fmt.Sprintf("%s saw threads exhausted while %s; lower the rate or give the run more of the machine", count(a.starved, "look"), shortMachine))
	case a.refused == 0 && a.peak.waiting == 0:
		v.Status, v.NotExercised = Pass, true
		v.Summary = "Every attempt was answered well, and nothing ever waited for a connection: there was no overload."
	default:
		v.Status = Pass
		v.Summary = fmt.Sprintf("%s answered within %s, %d of them by a clear refusal; at most %d threads were busy.",
			count(a.attempts, "attempt"), sayTime(a.answer.Limit), a.refused, a.peak.threads)
	}
	return v
}

func (a *overloadAudit) fail(v *Verdict) {
	v.Status = Fail
	// One piece of each class first, then the others, class by class.
	var first, rest []Evidence
	var parts []string
	for _, class := range overloadClasses {
		if all := a.broken[class]; len(all) > 0 {
			first, rest = append(first, all[0]), append(rest, all[1:]...)
			parts = append(parts, fmt.Sprintf("%s (%d)", class, a.count[class]))
		}
	}
	v.Evidence = slices.Concat(first, rest)
	v.More = a.violations() - len(v.Evidence)
	limitEvidence(v)
	v.Summary = fmt.Sprintf("%s: %s; the first: %s.", count(a.violations(), "violation"), list(parts, len(parts)), first[0].Text)
	switch first[0].Class {
	case classThreads:
		v.Fix = boundFix(a.threads)
	case classQueue:
		v.Fix = valueFix(a.h, "bound the wait for a connection and the time of a statement: a request must not stay where its user has gone", ValuePoolWait, ValueStatementTime, ValueTimeouts)
	case classLiveness, classRestarted:
		v.Fix = valueFix(a.h, "liveness must not look at what the node depends on", ValueLiveness)
	default:
		v.Fix = boundFix(a.answer)
	}
}

func (a *overloadAudit) measures() []Measure {
	return []Measure{
		{Name: "slowest answer", Value: millis(a.slowest), Unit: "ms", Bound: figure(millis(a.answer.Limit)), Note: a.answer.Formula},
		{Name: "attempts", Value: float64(a.attempts)},
		{Name: "clear refusals", Value: float64(a.refused)},
		{Name: "busy threads, at most", Value: float64(a.peak.threads), Bound: figure(float64(a.threads.Count)), Note: a.threads.Formula},
		{Name: "requests at work on a node, at most", Value: float64(a.peak.work)},
		{Name: "requests waiting for a connection, at most", Value: float64(a.peak.waiting)},
	}
}
