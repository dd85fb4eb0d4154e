package assert

import (
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// expected is a time in which operations of a share may be bad without
// counting in the objective over the judged run.
type expected struct {
	share *share
	// from is when it can have begun at the earliest, to when it must be over.
	from, to time.Duration
	types    []string // of operations; nil is all
}

// expectations are the times in which the scenario says that operations are
// bad: everybody's outages, and that of the types that are refused.
func (a *budgetAudit) expectations() []expected {
	var out []expected
	bound, known := findBound(a.h, a.OutageBound)
	for i := range a.shares {
		s := &a.shares[i]
		_, took := tookEffect(s.fault)
		if a.Everybody && known {
			out = append(out, expected{share: s, from: s.from, to: took + bound.Limit})
			if a.AtHeal && s.fault.Heal >= 0 {
				out = append(out, expected{share: s, from: s.fault.Heal, to: undone(a.h, s.fault) + bound.Limit})
			}
		}
		if len(a.Refused) > 0 {
			out = append(out, expected{share: s, from: s.from, to: undone(a.h, s.fault), types: a.Refused})
		}
	}
	return out
}

// undone is when a fault's undo had taken effect at the latest: by the proof
// of its heal if that knows, else when that was complete, which is later by as
// long as the look took; when the undo began if there is no proof, and the
// record's end if it was never undone.
func undone(h *history.History, f *history.Fault) time.Duration {
	switch {
	case f.Heal < 0:
		return h.End
	case f.HealProof != nil && f.HealProof.To > 0:
		return max(f.Heal, f.HealProof.To)
	}
	return max(f.Heal, f.Healed)
}

// has says whether an operation was due in that time, or was under way and
// still within the threshold when it began.
func (e expected) has(o *history.Op, threshold time.Duration) bool {
	return e.share.has(o) && o.Intended < e.to && o.Intended >= e.from-threshold && pending(o, e.from) &&
		(e.types == nil || slices.Contains(e.types, o.Type.String()))
}

// isExpected says whether the operation is left out of the objective over the
// judged run.
func (a *budgetAudit) isExpected(o *history.Op) bool {
	return slices.ContainsFunc(a.expects, func(e expected) bool { return e.has(o, a.Threshold) })
}

// heldTo names what Overall is held to.
func (a *budgetAudit) heldTo() string {
	if len(a.expects) == 0 {
		return "the judged run"
	}
	return "the judged run but for what is expected"
}
