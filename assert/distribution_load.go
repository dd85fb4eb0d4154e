package assert

import (
	"fmt"
	"math"

	"github.com/hachaos/hachaos/history"
)

// weigh counts the requests that the balancers sent to each node, and the
// tenant's among them, if the load is to be judged.
func (s *spread) weigh() {
	if s.MaxLoadPercent <= 0 {
		return
	}
	index := map[string]int{}
	for i, n := range s.nodes {
		index[n] = i
	}
	for i := range s.h.Dispatches {
		o := &s.h.Dispatches[i]
		n, ok := index[o.V.Server]
		for w := range s.windows {
			if win := &s.windows[w]; ok && win.from <= o.Time && o.Time < win.to {
				win.load[n]++
			}
		}
	}
	for i := range s.h.Tenants {
		s.weighTenant(&s.h.Tenants[i], index)
	}
}

func (s *spread) weighTenant(o *history.At[history.Tenant], index map[string]int) {
	if o.V.User != s.Tenant {
		return
	}
	for w := range s.windows {
		if s.windows[w].from > o.Time || o.Time >= s.windows[w].to {
			continue
		}
		for node, count := range o.V.By {
			if n, ok := index[node]; ok {
				s.windows[w].tenant[n] += count
			}
		}
	}
}

// loadSkew is the window's largest difference of a node's share of the
// requests from the expected one, in percentage points, and that node; of two
// equal ones the one with more.
func (w *window) loadSkew() (skew float64, worst int) {
	all := float64(total(w.load))
	if all == 0 {
		return 0, 0
	}
	for i, p := range w.expect {
		over := float64(w.load[i])/all - p
		if d := 100 * math.Abs(over); d > skew+1e-9 || d > skew-1e-9 && over > 0 {
			skew, worst = d, i
		}
	}
	return skew, worst
}

func (w *window) loadJudged() bool { return total(w.load) >= leastLoad }

func total(all []int) (n int) {
	for _, v := range all {
		n += v
	}
	return n
}

// overloads are the windows in which a node got too large or too small a part
// of the requests.
func (s *spread) overloads() (out []*window) {
	if s.MaxLoadPercent <= 0 {
		return nil
	}
	for i := range s.windows {
		w := &s.windows[i]
		if skew, _ := w.loadSkew(); w.loadJudged() && skew > s.MaxLoadPercent {
			out = append(out, w)
		}
	}
	return out
}

// judgeLoad takes back a verdict that rests on a load that was not there.
func (s *spread) judgeLoad(v *Verdict) {
	if s.MaxLoadPercent <= 0 {
		return
	}
	judged, tenant := false, 0
	for i := range s.windows {
		judged = judged || s.windows[i].loadJudged()
		tenant += total(s.windows[i].tenant)
	}
	if !judged {
		inconclusive(v, fmt.Sprintf("no steady phase has %d requests in the balancers' logs", leastLoad))
	}
	if s.Tenant != "" && tenant == 0 {
		v.NotExercised = true
		inconclusive(v, fmt.Sprintf("no request of %s was answered", s.Tenant))
	}
}

func (s *spread) loadText(w *window) string {
	_, i := w.loadSkew()
	return fmt.Sprintf("%s %s got %.1f %% of %s, %.1f expected", s.when(w), s.nodes[i], percent(w.load[i], total(w.load)), count(total(w.load), "request"), 100*w.expect[i])
}

// loadEvidence names each overloaded node, and how much of it is the tenant.
func (s *spread) loadEvidence(loaded []*window) (out []Evidence) {
	for _, w := range loaded {
		skew, i := w.loadSkew()
		text := fmt.Sprintf("%s to %s: %s; skew %.1f, at most %g percentage points", round(w.from), round(w.to), s.loadText(w), skew, s.MaxLoadPercent)
		if n := w.tenant[i]; n > 0 {
			text += fmt.Sprintf("; %d of them are of %s, whose session is bound to it", n, s.Tenant)
		}
		out = append(out, Evidence{At: w.from, Node: s.nodes[i], Class: "load " + w.name, Text: text})
	}
	return out
}

func (s *spread) loadMeasures(w *window) (out []Measure) {
	if s.MaxLoadPercent <= 0 {
		return nil
	}
	for i, n := range s.nodes {
		out = append(out, Measure{
			Name: "load of " + n + " " + w.name, Value: percent(w.load[i], total(w.load)), Unit: "%",
			Note: fmt.Sprintf("%d of %d requests in the balancers' logs, %d of them the tenant's", w.load[i], total(w.load), w.tenant[i]),
		})
	}
	skew, _ := w.loadSkew()
	m := Measure{Name: "load skew " + w.name, Value: skew, Unit: "percentage points", Note: "too few requests to judge"}
	if w.loadJudged() {
		m.Bound, m.Note = figure(s.MaxLoadPercent), ""
	}
	return append(out, m)
}

func percent(part, all int) float64 {
	if all == 0 {
		return 0
	}
	return 100 * float64(part) / float64(all)
}
