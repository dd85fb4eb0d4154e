package assert

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/history"
)

// Defaults of ErrorBudget.
const (
	DefaultSteady  = 99.9 // percent good in each steady phase
	DefaultOverall = 99.5 // percent good over the judged run
)

// GoodInJudgedRun is the name of ErrorBudget's measure of all operations in the
// judged phases, in percent: the ones that an expected outage explains, too.
const GoodInJudgedRun = "good in the judged run"

// ErrorBudget holds the system to its availability, as users had it: after
// the client's own retries, and counting a slow answer as none. It has three
// kinds of objectives, all of which must hold: the share of good operations
// in each steady phase, the same over the judged run (all phases but
// warm-up), and the longest outage of each fault's victims.
//
// The zero value of a field is its default.
type ErrorBudget struct {
	// Steady and Overall are the least percent of good operations: 99.9 and
	// 99.5 by default.
	Steady  float64 `json:"steady,omitempty"`
	Overall float64 `json:"overall,omitempty"`
	// Threshold is how slow a good answer may be, from its intended send;
	// 500 ms by default.
	Threshold time.Duration `json:"threshold,omitempty"`
	// OutageBound names the bound (of Meta.Bounds) of the longest outage of
	// the victim's share, such as "outage/vanished". If it is empty outages
	// are reported and not judged.
	OutageBound string `json:"outageBound,omitempty"`
	// Everybody says that this outage is all users', as when the balancer
	// itself is lost: what falls due from a fault's effect until the bound after
	// it, or was under way and not slow yet when it began, is left out of
	// Overall, which holds for the rest of the judged run. AtHeal says that the
	// heal begins another such outage. False holds Overall for the whole run.
	Everybody bool `json:"everybody,omitempty"`
	AtHeal    bool `json:"atHeal,omitempty"`
	// Refused names the types of operation ("order") that the fault's victims'
	// users are refused while it is in place, as the scenario says: from its
	// effect until its heal is proven they are left out of Overall, so that it
	// holds for the others. A name that no operation bears leaves nothing out.
	Refused []string `json:"refused,omitempty"`
}

// Name implements Checker.
func (ErrorBudget) Name() string { return "error-budget" }

// About implements Checker.
func (b ErrorBudget) About() string {
	b = b.defaults()
	run, who := "the judged run", "the victim's users"
	if b.Everybody {
		run, who = "the judged run but for an outage at the fault", "all users"
		if b.AtHeal {
			run += " and one at the heal"
		}
	}
	if len(b.Refused) > 0 {
		run += fmt.Sprintf(" (operations of type %s not counted while it is in place)", strings.Join(b.Refused, ", "))
	}
	s := fmt.Sprintf("at least %s of the operations are good in each steady phase and %s over %s; good is ok within %s",
		sayPercent(b.Steady), sayPercent(b.Overall), run, sayTime(b.Threshold))
	if b.OutageBound != "" {
		s += fmt.Sprintf("; %s are without service for at most the bound %s", who, b.OutageBound)
	}
	return s
}

// Needs implements Checker. The clock is needed because the time at which the
// victim's users lost it comes from outside.
func (b ErrorBudget) Needs() []Need {
	needs := []Need{{Kind: NeedBaseline, Slow: b.defaults().Threshold}, {Kind: NeedGenerator}}
	if b.OutageBound != "" {
		needs = append(needs, Need{Kind: NeedFault}, Need{Kind: NeedClock})
	}
	return needs
}

func (b ErrorBudget) defaults() ErrorBudget {
	if b.Steady <= 0 {
		b.Steady = DefaultSteady
	}
	if b.Overall <= 0 {
		b.Overall = DefaultOverall
	}
	if b.Threshold <= 0 {
		b.Threshold = DefaultThreshold
	}
	return b
}

// Check implements Checker. Measured is the percent of good operations of
// those that Overall is held to, whichever objective decides; the one that
// fails is named first, in the summary and by the evidence.
func (b ErrorBudget) Check(h *history.History) Verdict {
	b = b.defaults()
	return judgeTwice(h, b.Threshold, func(skip func(*history.Op) bool) Verdict { return b.judge(h, skip) })
}

func (b ErrorBudget) judge(h *history.History, skip func(*history.Op) bool) Verdict {
	a := &budgetAudit{ErrorBudget: b, h: h, skip: skip, grader: newGrader(h, b.Threshold), shares: shares(h)}
	a.count()
	objectives := slices.Concat(a.outageObjectives(), a.percentObjectives())
	v := Verdict{Name: b.Name(), Op: ">=", Unit: "% good", Bound: figure(b.Overall), Evidence: []Evidence{}}
	if a.held.ops > 0 {
		v.Measured = figure(a.held.percent())
	}
	conclude(&v, objectives)
	a.evidence(&v, objectives)
	v.Measures = a.measures()
	v.Notes = append(v.Notes, a.notes()...)
	return v
}

// objective is one thing that is judged, and what came of it.
type objective struct {
	name   string // "steady phase steady-1", "overall", "outage of j1's users"
	status Status
	text   string // the finding, in words
	reason string // why it is inconclusive
	fix    string
	// covers says which operations the evidence is taken from.
	covers func(*history.Op) bool
}

// conclude combines objectives: one that failed decides, then one that is
// inconclusive. The summary names what failed first.
func conclude(v *Verdict, objectives []objective) {
	failed := pick(objectives, Fail)
	unsure := pick(objectives, Inconclusive)
	switch {
	case len(failed) > 0:
		v.Status, v.Summary, v.Fix = Fail, texts(failed), failed[0].fix
	case len(unsure) > 0 || len(objectives) == 0:
		v.Status = Inconclusive
		v.Summary = strings.TrimPrefix(texts(pick(objectives, Pass)), " ")
		if v.Summary == "" {
			v.Summary = "No objective could be judged."
		}
	default:
		v.Status, v.Summary = Pass, texts(objectives)
	}
	for _, o := range unsure {
		v.Reasons = append(v.Reasons, o.reason)
	}
}

func pick(objectives []objective, s Status) []objective {
	var out []objective
	for _, o := range objectives {
		if o.status == s {
			out = append(out, o)
		}
	}
	return out
}

func texts(objectives []objective) string {
	all := make([]string, 0, len(objectives))
	for _, o := range objectives {
		if !slices.Contains(all, o.text) { // of two faults, what they have in common is said once
			all = append(all, o.text)
		}
	}
	if len(all) == 0 {
		return ""
	}
	s := strings.Join(all, "; ")
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

// notes are what a reader should know of the sample.
func (a *budgetAudit) notes() []string {
	var notes []string
	if n := a.voided; n > 0 {
		notes = append(notes, fmt.Sprintf("%s counted neither way: dropped by the generator, or cut off by the run's end", count(n, "operation")))
	}
	if a.OutageBound == "" {
		notes = append(notes, "outages are reported and not judged: no bound is named")
	}
	return notes
}
