package harness

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// Judge judges a run's folder with the checkers that hachaos has. It depends
// on the folder alone, changes nothing in it, and is what the run itself was
// judged by. A record that is torn or altered is no error but a verdict; an
// error that wraps history.ErrNotRun is not a run's folder.
func Judge(dir string) (*Result, *history.History, error) { return JudgeWith(dir, nil) }

// JudgeWith is Judge with checkers of the caller's own.
func JudgeWith(dir string, own assert.Table) (*Result, *history.History, error) {
	h, err := history.Load(dir)
	if err != nil {
		return nil, nil, err
	}
	checkers := decode(h.Meta.Asserts, own)
	r := result(h, assert.Judge(h, checkers))
	r.Dir = dir
	return r, h, nil
}

// decode builds the checkers of a record. One that this program does not
// know stands in its place and is inconclusive by name.
func decode(metas []history.AssertMeta, own assert.Table) []assert.Checker {
	out := make([]assert.Checker, len(metas))
	for i, m := range metas {
		c, err := assert.Decode(m.Name, m.Params, own)
		if err != nil {
			c = unknown{m, err}
		}
		out[i] = c
	}
	return out
}

// unknown is a checker that the record names and this program does not have.
type unknown struct {
	meta history.AssertMeta
	err  error
}

func (u unknown) Name() string                 { return u.meta.Name }
func (u unknown) About() string                { return "not known to this program" }
func (u unknown) Needs() []assert.Need         { return nil }
func (u unknown) MarshalJSON() ([]byte, error) { return json.Marshal(u.meta) }

func (u unknown) Check(*history.History) assert.Verdict {
	return assert.Verdict{Summary: "It could not be judged.", Reasons: []string{u.err.Error()}}
}

// result makes a result of a history and its verdicts. It is pure.
func result(h *history.History, verdicts []assert.Verdict) *Result {
	m := h.Meta
	r := &Result{
		Schema: ResultSchema, Scenario: m.Scenario, ID: m.ID, Seed: m.Seed, Topology: m.Topology, Profile: m.Profile,
		Version: m.Version, StartedAt: m.StartedAt, Took: h.End, Command: m.Command,
		Assertions: verdicts, Measures: Summarise(h, verdicts), Faults: faultResults(h),
	}
	r.Verdict, r.Reason = verdict(h, verdicts)
	r.BrokenOff = h.Aborted
	r.Leftovers = append(leftBehind(h), unhealed(h)...)
	if r.Dirty = len(r.Leftovers) > 0; r.Dirty {
		r.Reason += fmt.Sprintf(" Dirty: %s.", inWords(r.Leftovers))
	}
	return r
}

// verdict folds the assertions, the state of the record and the way the run
// ended into one. A run that broke off by itself could not be carried out,
// unless a violation was found all the same.
func verdict(h *history.History, verdicts []assert.Verdict) (Verdict, string) {
	o := assert.Combine(h, verdicts)
	broke := h.Aborted != "" && !wasInterrupted(h.Aborted)
	if broke && o.Conclusion == assert.ConcludeInconclusive && h.Integrity.State == history.Whole {
		return VerdictError, "The run could not be carried out: " + strings.TrimSuffix(h.Aborted, ".") + "."
	}
	return Verdict(o.Conclusion), o.Reason
}

// leftBehind is what makes a run dirty: what still exists, and each undo that
// failed, once a fault: an undo that was tried again may have failed again.
func leftBehind(h *history.History) []history.Leftover {
	var out []history.Leftover
	for _, l := range h.Leftovers {
		out = append(out, l.V)
	}
	for _, e := range h.Errors {
		if !e.Undo {
			continue
		}
		l := history.Leftover{Kind: "fault", Name: e.Kind + " on " + strings.Join(e.Nodes, ", "), Detail: e.Err}
		if h.Meta.Standing {
			l.Remove = down(h)
		} else {
			l.Detail += "; its node was removed with the run unless it is listed, too"
		}
		if !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out
}

// unhealed are the faults that were not seen to have healed on a topology that
// stands, beside those whose undo failed: nobody removes what they may have
// left. A fault that found no target has nothing to heal.
func unhealed(h *history.History) []history.Leftover {
	if !h.Meta.Standing {
		return nil
	}
	var out []history.Leftover
	for _, f := range h.Faults {
		failed := slices.ContainsFunc(h.Errors, func(e history.FaultFailure) bool { return e.Undo && e.Fault == f.ID })
		detail := "it was not seen to have healed"
		switch p := f.HealProof; {
		case failed, p == nil && len(f.Nodes) == 0, p != nil && p.OK:
			continue
		case p != nil:
			detail += ": " + p.Measured
		}
		out = append(out, history.Leftover{Kind: "fault", Name: f.Kind + " on " + strings.Join(f.Nodes, ", "), Detail: detail, Remove: down(h)})
	}
	return out
}

// down is the command that removes the topology that a run stood on.
func down(h *history.History) string {
	return "hachaos down " + cmp.Or(h.Meta.On, "NAME")
}

func inWords(left []history.Leftover) string {
	names := make([]string, len(left))
	for i, l := range left {
		names[i] = l.Kind + " " + l.Name
	}
	return strings.Join(names, "; ")
}

func faultResults(h *history.History) []FaultResult {
	out := []FaultResult{}
	for _, f := range h.Faults {
		r := FaultResult{Kind: f.Kind, Nodes: f.Nodes, At: f.Injected, HealedAt: f.Healed}
		if p := f.Proof; p != nil {
			r.Proven, r.Asked, r.Measured, r.How = p.OK, p.Asked, p.Measured, p.How
		}
		out = append(out, r)
	}
	return out
}
