package report

import (
	"encoding/json"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// grading says how operations count on the page: as the run's own
// error-budget counts them.
type grading struct {
	// Threshold is how late a good answer may be.
	Threshold time.Duration
	void      [2]history.Name // dropped, cancelled; 0 if the record has none
}

// gradingOf takes the threshold of the run's error-budget, or the default.
func gradingOf(h *history.History) grading {
	g := grading{Threshold: assert.DefaultThreshold}
	for _, m := range h.Meta.Asserts {
		var own assert.ErrorBudget
		if m.Name == own.Name() && json.Unmarshal(m.Params, &own) == nil && own.Threshold > 0 {
			g.Threshold = own.Threshold
		}
	}
	if h.Names != nil {
		g.void[0], _ = h.Names.Find(history.ErrDropped)
		g.void[1], _ = h.Names.Find(history.ErrCancelled)
	}
	return g
}

// counts says whether the operation says anything of the system: what the
// generator dropped, or the run's end cut off, does not.
func (g grading) counts(o *history.Op) bool {
	e := history.Name(o.Error)
	return e == 0 || e != g.void[0] && e != g.void[1]
}

// bad says that its user was not served: it counts, and was not answered well
// within the threshold.
func (g grading) bad(o *history.Op) bool {
	late, done := o.Latency()
	return g.counts(o) && (!done || late > g.Threshold || o.Outcome != history.Good)
}
