package assert

import (
	"fmt"
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// The service objective that budgets and burn rates are told against, and
// the time that it covers.
const (
	serviceObjective = 99.9 // percent good
	budgetPeriod     = 30 * 24 * time.Hour
)

// page is a multi-window burn-rate alert: it pages when the share of bad
// operations over the long window, and over the short one, both exceed factor
// times what the objective allows. The factors and windows are those of The
// Site Reliability Workbook (Google, 2018), chapter 5 "Alerting on SLOs",
// table 5-8: 14.4 × over 1 h and 5 min spends 2 % of a 30-day budget in an
// hour; 6 × over 6 h and 30 min spends 5 % in six hours.
type page struct {
	long, short time.Duration
	factor      float64
}

// pages are the two alerts that wake a person.
func pages() []page {
	return []page{
		{time.Hour, 5 * time.Minute, 14.4},
		{6 * time.Hour, 30 * time.Minute, 6},
	}
}

// fix of an alert that comes late or never: its own figures, which no topology
// states.
func (p page) fix() string {
	return sayFix("lower the factor or shorten the window of the alert that pages, or raise the objective", history.Value{
		Name:  "page",
		Value: fmt.Sprintf("%s × over %s and %s of an objective of %s %%", trimZeros(p.factor, 1), sayWindow(p.long), sayWindow(p.short), trimZeros(serviceObjective, 3)),
		File:  "assert/burn.go",
	})
}

// burnt is what an alert saw of a run.
type burnt struct {
	page
	// peak is the highest burn rate that both windows reached at one time.
	peak  float64
	fired bool
	at    time.Duration // when it first fired
}

// burn replays an alert over the times at which bad operations became known,
// in ascending order. It assumes that outside the run, for as long as the
// windows reach back, all was good at the run's own rate (operations a
// second); an alert that is evaluated now and then fires later than this.
func burn(p page, bads []time.Duration, rate float64) burnt {
	out := burnt{page: p}
	if rate <= 0 {
		return out
	}
	allowed := (100 - serviceObjective) / 100
	over := func(n int, w time.Duration) float64 {
		return float64(n) / (rate * w.Seconds()) / allowed
	}
	long, short := 0, 0 // first bad operation inside each window
	for i, t := range bads {
		for bads[long] <= t-p.long {
			long++
		}
		for bads[short] <= t-p.short {
			short++
		}
		now := min(over(i+1-long, p.long), over(i+1-short, p.short))
		out.peak = max(out.peak, now)
		if now > p.factor && !out.fired {
			out.fired, out.at = true, t
		}
	}
	return out
}

// budgetSpent is the share, in percent, of the budget of budgetPeriod that n
// bad operations spend at that rate.
func budgetSpent(n int, rate float64) float64 {
	if rate <= 0 {
		return 0
	}
	return 100 * float64(n) / (rate * budgetPeriod.Seconds() * (100 - serviceObjective) / 100)
}

// knownBad is when monitoring could first count the operation as bad: when
// it completed, and for one that never did when the client's patience ended.
func knownBad(h *history.History, o *history.Op) time.Duration {
	if o.End >= 0 {
		return o.End
	}
	return o.Intended + h.Meta.Load.Timeout
}

// burnMeasures tells the alerts and the budget of a run: bads are the times
// of its bad operations, since is when its first fault took effect.
func burnMeasures(bads []time.Duration, rate float64, since time.Duration) []Measure {
	slices.Sort(bads)
	from, _ := slices.BinarySearch(bads, since)
	out := []Measure{{
		Name: "budget spent", Value: budgetSpent(len(bads)-from, rate), Unit: "%",
		Note: fmt.Sprintf("of a 30-day budget at %s %%, if the rest of the 30 days were good at %s operations/s",
			trimZeros(serviceObjective, 3), trimZeros(rate, 1)),
	}}
	for _, p := range pages() {
		b := burn(p, bads, rate)
		note := "would not have paged"
		if b.fired {
			note = fmt.Sprintf("would have paged %s, %s after the fault", sayMoment(b.at), sayTime(b.at-since))
		}
		out = append(out, Measure{
			Name: fmt.Sprintf("burn rate %s/%s", sayWindow(p.long), sayWindow(p.short)), Value: b.peak, Unit: "×",
			Bound: figure(p.factor),
			Note:  note + "; all was good before the run, by assumption (SRE Workbook, ch. 5)",
		})
	}
	return out
}

func sayWindow(d time.Duration) string {
	if d%time.Hour == 0 {
		return trimZeros(d.Hours(), 0) + " h"
	}
	return trimZeros(d.Minutes(), 0) + " min"
}
