package assert

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// Judge runs each checker over h and returns one verdict a checker, in their
// order. It depends on h and the checkers alone, and holds all of them to the
// rules that none may bend:
//
//   - a checker that panics, or takes longer than patience, is inconclusive,
//     and the others still count; nothing can end one that goes on, which is
//     left behind until the process ends;
//   - every checker that needs anything needs a run that nobody else
//     disturbed (NeedAlone);
//   - a need that the record does not meet makes the verdict inconclusive by
//     name and keeps what was measured; only a Fail with Safety stands, or
//     one that misses nothing but needs ToPass;
//   - a Fail without Safety does not stand where the machine was short all
//     along (short): what was slow or uneven may be its doing;
//   - one says so where nobody knows how busy the machine was;
//   - a history without an operation never passes, and one that lacks
//     operations by the clients' own account settles nothing;
//   - a figure that is no number (NaN, Inf) counts as not measured;
//   - Evidence is cut to MaxEvidence, and More counts the rest.
//
// A nil history is an empty one.
func Judge(h *history.History, checkers []Checker) []Verdict {
	if h == nil {
		h = &history.History{}
	}
	state, lost, err := grounds(h)
	if err != nil {
		return unjudged(checkers, err)
	}
	shortage, unwatched := short(h), streamReason(h, history.StreamHost)
	out := make([]Verdict, 0, len(checkers))
	for i, c := range checkers {
		v, needs := bounded(h, c, i)
		dropNonsense(&v)
		applyNeeds(&v, state.lacks(borne(needs, v.Status)))
		switch blames := v.Status == Fail && !v.Safety && restsOnUsers(c, needs); {
		case blames && shortage != "":
			inconclusive(&v, shortage)
		case blames && unwatched != "":
			v.Notes = append(v.Notes, "how busy the machine was is not known ("+unwatched+"): whether it was short of time, and not the system, cannot be told; repeat the run")
		}
		if lost != "" && restsOnUsers(c, needs) {
			inconclusive(&v, lost)
		}
		if len(h.Ops) == 0 && v.Status == Pass {
			inconclusive(&v, "the history holds no operation")
		}
		limitEvidence(&v)
		out = append(out, v)
	}
	return out
}

// restsOnUsers says whether a checker's verdict rests on what became of users:
// all do that need anything, but the one of what was left behind.
func restsOnUsers(c Checker, needs []Need) bool {
	_, left := c.(Leftovers)
	return len(needs) > 0 && !left
}

// lostOps is what of the clients' record is missing by their own account:
// then what the database holds beyond it is nobody's fault. Empty if nothing
// is, or they gave none.
func lostOps(h *history.History) string {
	for _, c := range h.Coverage {
		if c.V.Stream == history.StreamClient && c.V.Seen != uint64(len(h.Ops)) {
			return fmt.Sprintf("the clients began %s, and the record holds %d", count(int(c.V.Seen), "operation"), len(h.Ops))
		}
	}
	return ""
}

// grounds are what all verdicts rest on. That they cannot be evaluated is an
// error, as it is for a checker.
func grounds(h *history.History) (state *needState, lost string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("what the verdicts rest on could not be evaluated: it panicked: %v", p)
		}
	}()
	return evaluate(h), lostOps(h), nil
}

// lacks is missing, whose panic is a need that could not be evaluated.
func (s *needState) lacks(needs []Need) (out []string) {
	defer func() {
		if p := recover(); p != nil {
			out = []string{fmt.Sprintf("what the verdict rests on could not be evaluated: it panicked: %v", p)}
		}
	}()
	return s.missing(needs)
}

// unjudged are the verdicts of checkers whose grounds are not known.
func unjudged(checkers []Checker, err error) []Verdict {
	out := make([]Verdict, len(checkers))
	for i, c := range checkers {
		out[i] = Verdict{Name: c.Name(), Summary: "Nothing was judged.", Reasons: []string{err.Error()}, Evidence: []Evidence{}}
	}
	return out
}

// patience is how long a checker may take. It is no bound of a checker's work,
// which is one of counts, but a guard: one of 10⁷ operations takes seconds.
const patience = 5 * time.Minute

// bounded calls one checker, and waits for patience.
func bounded(h *history.History, c Checker, index int) (Verdict, []Need) {
	type ruled struct {
		v     Verdict
		needs []Need
	}
	done := make(chan ruled, 1)
	go func() {
		v, needs := check(h, c, index)
		done <- ruled{v, needs}
	}()
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case r := <-done:
		return r.v, r.needs
	case <-t.C:
	}
	return Verdict{
		Name: c.Name(), Summary: "The checker did not come to an end, so nothing is known.",
		Reasons: []string{fmt.Sprintf("the checker did not end within %v", patience)},
	}, nil
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
	if needs = c.Needs(); restsOnUsers(c, needs) {
		needs = append(slices.Clone(needs), Need{Kind: NeedAlone})
	}
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
