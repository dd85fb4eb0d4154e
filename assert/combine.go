package assert

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hachaos/hachaos/history"
)

// Conclusion is what a whole run comes to. Its words are those of the
// result. The zero value is no conclusion.
type Conclusion string

// The conclusions that a record can lead to.
const (
	ConcludePass         Conclusion = "pass"
	ConcludeFail         Conclusion = "fail"
	ConcludeInconclusive Conclusion = "inconclusive"
	ConcludeError        Conclusion = "error"
)

// Overall is a conclusion with its reason in one sentence.
type Overall struct {
	Conclusion Conclusion
	Reason     string
}

// Combine folds verdicts into one: fail before inconclusive before pass.
// What the record itself is comes first: an altered one is an error, one that
// is torn or without a seal is inconclusive whatever was found in it, and a
// run that was broken off can only fail by a violation of safety. A run does
// not pass in which an act or an undo failed, or a fault was not proven to
// bite and to have healed, or none was injected though the scenario asks for one,
// whether or not an assertion needs that; nor does one that has no assertion, or
// none that was exercised, or in which one of those that its scenario is about
// (Meta.Exercises) was not. That nothing is left behind is no such exercise: it is
// so of a run in which nothing happened.
func Combine(h *history.History, verdicts []Verdict) Overall {
	if h == nil {
		return Overall{ConcludeInconclusive, "There is no record to judge."}
	}
	if o, ok := byRecord(h); ok {
		return o
	}
	if lost := lostOps(h); lost != "" {
		return Overall{ConcludeInconclusive, sentence("The record is not whole", lost)}
	}
	failed := named(verdicts, func(v Verdict) bool { return v.Status == Fail })
	if h.Aborted != "" {
		if s := named(verdicts, func(v Verdict) bool { return v.Status == Fail && v.Safety }); len(s) > 0 {
			return Overall{ConcludeFail, fmt.Sprintf("%s, although the run was broken off: %s.", phrase(s, "was violated", "were violated"), h.Aborted)}
		}
		return Overall{ConcludeInconclusive, sentence("The run was broken off", h.Aborted)}
	}
	if len(failed) > 0 {
		return Overall{ConcludeFail, sentence(phrase(failed, "was violated", "were violated"), firstFailure(verdicts))}
	}
	return byAbsence(h, verdicts)
}

// firstFailure is what the first assertion that failed says.
func firstFailure(verdicts []Verdict) string {
	for i := range verdicts {
		if verdicts[i].Status == Fail {
			return verdicts[i].Summary
		}
	}
	return ""
}

// byRecord decides by the state of the record alone.
func byRecord(h *history.History) (Overall, bool) {
	switch h.Integrity.State {
	case history.Whole:
		return Overall{}, false
	case history.Altered:
		return Overall{ConcludeError, sentence("The record was altered after it was sealed", h.Integrity.Reason)}, true
	case history.Unsealed:
		return Overall{ConcludeInconclusive, sentence("The record has no seal", h.Integrity.Reason)}, true
	}
	return Overall{ConcludeInconclusive, sentence("The record is torn", h.Integrity.Reason)}, true
}

// byAbsence decides a run without a violation.
func byAbsence(h *history.History, verdicts []Verdict) Overall {
	if len(h.Errors) > 0 {
		e := h.Errors[0]
		act := "injecting"
		if e.Undo {
			act = "undoing"
		}
		return Overall{ConcludeInconclusive, sentence(fmt.Sprintf("%s the fault %s on %s failed", title(act), e.Kind, strings.Join(e.Nodes, ", ")), e.Err)}
	}
	if unsure := named(verdicts, func(v Verdict) bool { return v.Status != Pass }); len(unsure) > 0 {
		return Overall{ConcludeInconclusive, sentence(phrase(unsure, "is inconclusive", "are inconclusive"), firstReason(verdicts))}
	}
	if len(verdicts) == 0 {
		return Overall{ConcludeInconclusive, "The run has no assertion, so nothing was judged."}
	}
	if r := unproven(h); r != "" {
		return Overall{ConcludeInconclusive, sentence("The assertions held, and prove nothing", r)}
	}
	exercised := named(verdicts, func(v Verdict) bool { return !v.NotExercised && v.Name != Leftovers{}.Name() })
	if len(exercised) == 0 {
		return Overall{ConcludeInconclusive, "No assertion met an occasion to be tested."}
	}
	if idle := slices.DeleteFunc(slices.Clone(h.Meta.Exercises), func(n string) bool { return slices.Contains(exercised, n) }); len(idle) > 0 {
		return Overall{ConcludeInconclusive, fmt.Sprintf("The assertions held, and %s no occasion to be tested, which the scenario is about.", phrase(idle, "met", "met"))}
	}
	reason := fmt.Sprintf("All %d assertions held.", len(verdicts))
	if n := len(named(verdicts, func(v Verdict) bool { return v.NotExercised })); n > 0 {
		reason = fmt.Sprintf("All %d assertions held; %d of them met no occasion to be tested.", len(verdicts), n)
	}
	return Overall{ConcludePass, reason}
}

// unproven is why what was injected is not known to have bitten and healed, or
// that nothing was; empty for a run that asks for no fault and has none.
func unproven(h *history.History) string {
	if len(h.Faults) == 0 {
		return faultless(h)
	}
	return cmp.Or(faultReason(h), healReason(h), disturbedReason(h))
}

func named(verdicts []Verdict, keep func(Verdict) bool) []string {
	var out []string
	for _, v := range verdicts {
		if keep(v) {
			out = append(out, v.Name)
		}
	}
	return out
}

func firstReason(verdicts []Verdict) string {
	for _, v := range verdicts {
		if v.Status != Pass && v.Status != Fail && len(v.Reasons) > 0 {
			return v.Reasons[0]
		}
	}
	return ""
}

// phrase joins names with the verb that fits their number.
func phrase(names []string, one, many string) string {
	if len(names) == 1 {
		return names[0] + " " + one
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last] + " " + many
}

// sentence ends what with a reason, if there is one, and a full stop.
func sentence(what, reason string) string {
	if reason == "" {
		return what + "."
	}
	return what + ": " + strings.TrimSuffix(reason, ".") + "."
}

func title(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
