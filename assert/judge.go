package assert

import (
	"fmt"
	"math"
	"slices"

	"github.com/hachaos/hachaos/history"
)

// Judge runs each checker over h and returns one verdict a checker, in their
// order. It depends on h and the checkers alone, and holds all of them to the
// rules that none may bend:
//
//   - a checker that panics is inconclusive, and the others still count;
//   - a need that the record does not meet makes the verdict inconclusive by
//     name and keeps what was measured; only a Fail with Safety stands, or
//     one that misses nothing but needs ToPass;
//   - a history without an operation never passes;
//   - a figure that is no number (NaN, Inf) counts as not measured;
//   - Evidence is cut to MaxEvidence, and More counts the rest.
//
// A nil history is an empty one.
func Judge(h *history.History, checkers []Checker) []Verdict {
	if h == nil {
		h = &history.History{}
	}
	state := evaluate(h)
	out := make([]Verdict, 0, len(checkers))
	for i, c := range checkers {
		v, needs := check(h, c, i)
		dropNonsense(&v)
		applyNeeds(&v, state.missing(borne(needs, v.Status)))
		if len(h.Ops) == 0 && v.Status == Pass {
			inconclusive(&v, "the history holds no operation")
		}
		limitEvidence(&v)
		out = append(out, v)
	}
	return out
}

// check calls one checker and turns a panic into an inconclusive verdict.
func check(h *history.History, c Checker, index int) (v Verdict, needs []Need) {
	name := fmt.Sprintf("checker-%d", index+1)
	defer func() {
		if p := recover(); p != nil {
			v = Verdict{
				Name:    name,
				Summary: "The checker broke off, so nothing is known.",
				Reasons: []string{fmt.Sprintf("the checker panicked: %v", p)},
			}
		}
	}()
	name = c.Name()
	needs = c.Needs()
	v = c.Check(h)
	v.Name = name
	return v, needs
}

// borne are the needs that a verdict of that status rests on.
func borne(needs []Need, status Status) []Need {
	if status != Fail {
		return needs
	}
	return slices.DeleteFunc(slices.Clone(needs), func(n Need) bool { return n.ToPass })
}

// applyNeeds lowers v by the needs that the record does not meet.
func applyNeeds(v *Verdict, missing []string) {
	if len(missing) == 0 {
		return
	}
	if v.Status == Fail && v.Safety {
		for _, m := range missing {
			v.Notes = append(v.Notes, "the violation stands although a need is missing: "+m)
		}
		return
	}
	for _, m := range missing {
		inconclusive(v, m)
	}
}

// inconclusive takes the verdict back and says why; what was measured stays.
func inconclusive(v *Verdict, reason string) {
	v.Status = Inconclusive
	v.Safety = false
	if !slices.Contains(v.Reasons, reason) {
		v.Reasons = append(v.Reasons, reason)
	}
}

// dropNonsense takes out what cannot be a figure or a status, so that a
// result can always be written.
func dropNonsense(v *Verdict) {
	if v.Status < Inconclusive || v.Status > Fail {
		inconclusive(v, fmt.Sprintf("the checker returned the status %d, which does not exist", int(v.Status)))
	}
	if !finite(v.Measured) || !finite(v.Bound) {
		v.Measured, v.Bound = finiteOrNil(v.Measured), finiteOrNil(v.Bound)
		inconclusive(v, "the checker measured something that is no number")
	}
	kept := make([]Measure, 0, len(v.Measures))
	for _, m := range v.Measures {
		if !finite(&m.Value) {
			continue
		}
		m.Bound = finiteOrNil(m.Bound)
		kept = append(kept, m)
	}
	v.Measures = kept
}

func finite(f *float64) bool { return f == nil || !math.IsNaN(*f) && !math.IsInf(*f, 0) }

func finiteOrNil(f *float64) *float64 {
	if !finite(f) {
		return nil
	}
	return f
}

func limitEvidence(v *Verdict) {
	if v.Evidence == nil {
		v.Evidence = []Evidence{}
	}
	if n := len(v.Evidence); n > MaxEvidence {
		v.Evidence = v.Evidence[:MaxEvidence:MaxEvidence]
		v.More += n - MaxEvidence
	}
}
