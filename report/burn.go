package report

import (
	"fmt"
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// The objective that the budget is told against, as assert.ErrorBudget has
// it, and the two alerts that wake a person: The Site Reliability Workbook
// (Google, 2018), chapter 5 "Alerting on SLOs", table 5-8.
const (
	objectivePercent = 99.9
	budgetPeriod     = 30 * 24 * time.Hour
)

// burnAlert fires when the share of bad operations is, over both windows, more
// than factor times what the objective allows.
type burnAlert struct {
	long, short time.Duration
	factor      float64
}

var burnPages = []burnAlert{
	{time.Hour, 5 * time.Minute, 14.4},
	{6 * time.Hour, 30 * time.Minute, 6},
}

// spent is the share of a 30-day budget, in percent, that the run's bad
// operations had spent by the end of each bucket.
type spent struct {
	Percent []float64 `json:"percent"`
	Bad     []int     `json:"bad"` // in all, so far
}

// badTimes are when bad operations of judged phases became known, in order:
// when they ended, or the client's patience did. The second result is the
// rate of operations a second.
func badTimes(h *history.History) ([]time.Duration, float64) {
	g := gradingOf(h)
	var out []time.Duration
	var judged time.Duration
	for _, p := range h.Phases {
		if p.Judged() {
			judged += p.To - p.From
		}
	}
	ops, cursor := 0, 0
	for i := range h.Ops {
		o := &h.Ops[i]
		p := history.PhaseIndex(h.Phases, o.Intended, &cursor)
		if p < 0 || !h.Phases[p].Judged() || !g.counts(o) {
			continue
		}
		ops++
		switch {
		case !g.bad(o):
		case o.End >= 0:
			out = append(out, o.End)
		default:
			out = append(out, o.Intended+h.Meta.Load.Timeout)
		}
	}
	slices.Sort(out)
	if judged <= 0 {
		return out, 0
	}
	return out, float64(ops) / judged.Seconds()
}

func spentBy(h *history.History, s *series) spent {
	bads, rate := badTimes(h)
	out := spent{Percent: make([]float64, len(s.Time)), Bad: make([]int, len(s.Time))}
	n := 0
	for b := range s.Time {
		for n < len(bads) && (bucket(bads[n], s.width, len(s.Time)) <= b) {
			n++
		}
		out.Bad[b] = n
		if rate > 0 {
			allowed := rate * budgetPeriod.Seconds() * (100 - objectivePercent) / 100
			out.Percent[b] = float64(int(1e7*float64(n)/allowed)) / 1e5
		}
	}
	return out
}

// alertLanes replay the two alerts. They assume that before the run all was
// good at its own rate, as error-budget's burn rates do, and that the alert is
// evaluated all the time.
func alertLanes(h *history.History) []lane {
	bads, rate := badTimes(h)
	if rate <= 0 {
		return nil
	}
	var out []lane
	for _, p := range burnPages {
		by := samples{}
		name := fmt.Sprintf("alert %g× (%s)", p.factor, window(p.long))
		by.put(name, 0, "silent", "good")
		allowed := (100 - objectivePercent) / 100
		most := func(w time.Duration) int { return int(p.factor * allowed * rate * w.Seconds()) } // bad operations that it bears
		for _, t := range p.moments(bads, h.End) {
			known := bads[:len(bads)-since(bads, t)]
			if since(known, t-p.short) > most(p.short) && since(known, t-p.long) > most(p.long) {
				by.put(name, t, "would fire", "bad")
			} else {
				by.put(name, t, "silent", "good")
			}
		}
		out = append(out, joined("alert", by, h.End)...)
	}
	return out
}

// moments are when the alert may change: when a bad operation becomes known,
// and when it leaves one of the windows.
func (p *burnAlert) moments(bads []time.Duration, end time.Duration) []time.Duration {
	out := slices.Clone(bads)
	for _, w := range []time.Duration{p.short, p.long} {
		for _, t := range bads {
			if t+w > end {
				break
			}
			out = append(out, t+w)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// since counts the times after t.
func since(times []time.Duration, t time.Duration) int {
	i, _ := slices.BinarySearch(times, t+1)
	return len(times) - i
}

func window(d time.Duration) string {
	if d >= time.Hour {
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d min", int(d.Minutes()))
}
