package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/suite"
)

// maxMarks bounds the annotations of a run.
const maxMarks = 500

// mark is the body of a POST to /api/annotations; times are milliseconds of
// Unix time.
type mark struct {
	Time    int64    `json:"time"`
	TimeEnd int64    `json:"timeEnd,omitempty"`
	Tags    []string `json:"tags"`
	Text    string   `json:"text"`
}

// Grafana writes annotations as Grafana's HTTP API takes them, one JSON object
// a line, since it takes one a request: each phase, each fault from the proof
// that it bites to the one that it healed, and the verdict over the whole run.
// Times are the wall clock's, by the record's own pairs. Without a record (h is
// nil) there is the verdict alone, at the time that the run was asked for.
func Grafana(w io.Writer, r *harness.Result, h *history.History) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, m := range marks(r, h) {
		if err := enc.Encode(m); err != nil {
			return fmt.Errorf("grafana: %w", err)
		}
	}
	return nil
}

// SuiteGrafana writes those of all runs; load reads a run's record.
func SuiteGrafana(w io.Writer, s *suite.Result, load func(dir string) (*history.History, error)) error {
	for i := range s.Entries {
		e := &s.Entries[i]
		if e.Run == nil {
			continue // it was not run: there is no time that it would mark
		}
		h, err := load(e.Dir)
		if err != nil {
			return fmt.Errorf("grafana: the record of %s: %w", e.Name(), err)
		}
		if err := Grafana(w, resultOf(e), h); err != nil {
			return err
		}
	}
	return nil
}

func marks(r *harness.Result, h *history.History) []mark {
	tags := func(kind string, more ...string) []string {
		return append([]string{"hachaos", kind, "scenario:" + cleanName(r.Scenario), "run:" + cleanName(r.ID)}, more...)
	}
	verdict := mark{
		Time: r.StartedAt.UnixMilli(), Tags: tags("verdict", "verdict:"+string(r.Verdict)),
		Text: headline(r) + " " + cleanName(r.Scenario) + ": " + cleanText(r.Reason),
	}
	if r.Dirty {
		verdict.Tags = append(verdict.Tags, "dirty")
	}
	if h == nil {
		return []mark{verdict}
	}
	at := func(t time.Duration) int64 { return wall(r, h, t).UnixMilli() }
	verdict.Time, verdict.TimeEnd = at(0), at(h.End)
	out := []mark{verdict}
	for _, p := range h.Phases[:min(len(h.Phases), maxMarks)] {
		out = append(out, mark{at(p.From), at(p.To), tags("phase", "phase:"+cleanName(p.Name)), fmt.Sprintf("phase %s (%s)", cleanName(p.Name), cleanName(p.Kind))})
	}
	for _, f := range h.Faults[:min(len(h.Faults), maxMarks)] {
		nodes := cleanText(strings.Join(f.Nodes, ", "))
		m := mark{Tags: tags("fault", "fault:"+cleanName(f.Kind)), Text: fmt.Sprintf("%s on %s", cleanName(f.Kind), nodes)}
		if f.Proof == nil || !f.Proof.OK || f.Active < 0 {
			m.Time, m.Text = at(f.Injected), m.Text+": not proven to bite"
			out = append(out, m)
			continue
		}
		from, _ := f.Took()
		m.Time = at(from)
		switch {
		case f.Healed >= 0:
			m.TimeEnd, m.Text = at(f.Healed), m.Text+": "+cleanText(f.Proof.Measured)
		default:
			m.TimeEnd, m.Text = at(h.End), m.Text+": not proven to have healed"
		}
		out = append(out, m)
	}
	return out
}

// wall is what the wall clock showed at a time of the run, by the nearest
// pair.
func wall(r *harness.Result, h *history.History, t time.Duration) time.Time {
	if len(h.Clock) == 0 {
		return r.StartedAt.Add(t)
	}
	best := h.Clock[0]
	for _, p := range h.Clock {
		if (p.Mono - t).Abs() < (best.Mono - t).Abs() {
			best = p
		}
	}
	return time.Unix(0, best.Wall).Add(t - best.Mono)
}
