package assert

import (
	"fmt"
	"strings"

	"github.com/hachaos/hachaos/history"
)

// verdict puts the spread into words.
func (s *spread) verdict(name string) Verdict {
	v := Verdict{Name: name, Op: "<=", Unit: "percentage points", Measures: s.measures(), Notes: s.notes(), Evidence: s.strays}
	w := s.nearest()
	if w != nil {
		v.Measured, v.Bound = figure(w.skew), figure(w.bound)
	}
	skewed, loaded := s.skewed(), s.overloads()
	switch {
	case len(skewed) > 0 || len(s.strays) > 0 || len(loaded) > 0:
		v.Status = Fail
		v.Summary = s.blame(skewed, loaded)
		v.Evidence = append(append(s.evidence(skewed), s.loadEvidence(loaded)...), v.Evidence...)
		v.Fix = s.fix(skewed, loaded)
	case len(s.nodes) < 2:
		v.NotExercised = true
		v.Summary = "With fewer than two application nodes there is nothing to share."
		inconclusive(&v, "the topology has fewer than two application nodes")
	case w == nil:
		v.Summary = "Too few sessions began to tell a skew from chance."
		inconclusive(&v, s.tooFew())
	default:
		v.Status = Pass
		v.Summary = fmt.Sprintf("New sessions were shared within %.1f percentage points (%s, at most %.1f).", w.skew, w.name, w.bound)
		if after := s.named("after"); len(s.h.Faults) > 0 && (after == nil || !after.judged) {
			v.Status = Inconclusive
			v.Reasons = append(v.Reasons, "after the heal "+s.tooFew())
		}
		if s.VictimPercent > 0 && !s.shared() {
			inconclusive(&v, "while the fault was in place "+s.tooFew())
		}
		s.judgeLoad(&v)
	}
	return v
}

// shared says that a time in which a fault was in place was judged, and all of
// those finely enough.
func (s *spread) shared() bool {
	any := false
	for i := range s.windows {
		if w := &s.windows[i]; strings.HasPrefix(w.name, duringFault) {
			if !w.fine {
				return false
			}
			any = true
		}
	}
	return any
}

func (s *spread) skewed() (out []*window) {
	for i := range s.windows {
		if w := &s.windows[i]; w.judged && w.skew > w.bound {
			out = append(out, w)
		}
	}
	return out
}

func (s *spread) named(name string) *window {
	for i := range s.windows {
		if s.windows[i].name == name {
			return &s.windows[i]
		}
	}
	return nil
}

func (s *spread) blame(skewed, loaded []*window) string {
	var parts []string
	for _, w := range skewed {
		parts = append(parts, s.windowText(w))
	}
	for _, w := range loaded {
		parts = append(parts, s.loadText(w))
	}
	if n := len(s.strays); n > 0 {
		parts = append(parts, fmt.Sprintf("%s answered by a node that was marked down", count(n, "request")))
	}
	text := strings.Join(parts, "; ")
	return title(text) + "."
}

func (s *spread) windowText(w *window) string {
	n := s.nodes[w.worst]
	if w.name == "after" && w.sessions[w.worst] == 0 && w.expect[w.worst] > 0 {
		return fmt.Sprintf("after the heal no new session reached %s again (of %d)", n, w.total())
	}
	return fmt.Sprintf("%s %s got %.1f %% of %s, %.1f expected", s.when(w), n, w.share(w.worst), count(w.total(), "new session"), 100*w.expect[w.worst])
}

// when says in words which window it is.
func (s *spread) when(w *window) string {
	if len(s.h.Faults) == 0 {
		return "in the steady phases"
	}
	return w.name + " the fault"
}

// evidence names each skewed window.
func (s *spread) evidence(skewed []*window) (out []Evidence) {
	for _, w := range skewed {
		out = append(out, Evidence{
			At: w.from, Node: s.nodes[w.worst], Class: "skew " + w.name,
			Text: fmt.Sprintf("%s to %s: %s; skew %.1f, at most %.1f percentage points; %s", round(w.from), round(w.to), s.windowText(w), w.skew, w.bound, s.counts(w)),
		})
	}
	return out
}

func (s *spread) counts(w *window) string {
	var parts []string
	for i, n := range s.nodes {
		parts = append(parts, fmt.Sprintf("%s %d", n, w.sessions[i]))
	}
	return "new sessions: " + strings.Join(parts, ", ")
}

func (s *spread) measures() (out []Measure) {
	for i := range s.windows {
		w := &s.windows[i]
		all := 0
		for _, n := range w.requests {
			all += n
		}
		for j, n := range s.nodes {
			out = append(out, Measure{
				Name: "new sessions of " + n + " " + w.name, Value: w.share(j), Unit: "%",
				Note: fmt.Sprintf("%d of %d, expected %.1f %%", w.sessions[j], w.total(), 100*w.expect[j]),
			})
			share := 0.0
			if all > 0 {
				share = 100 * float64(w.requests[j]) / float64(all)
			}
			out = append(out, Measure{
				Name: "requests of " + n + " " + w.name, Value: share, Unit: "%",
				Note: fmt.Sprintf("%d of %d; they follow their sessions", w.requests[j], all),
			})
		}
		m := Measure{Name: "skew " + w.name, Value: w.skew, Unit: "percentage points", Note: "too few new sessions to judge"}
		if w.judged {
			m.Bound, m.Note = figure(w.bound), fmt.Sprintf("%g and 99.9 %% of chance with %s", s.skew(), count(w.total(), "new session"))
		}
		out = append(append(out, m), s.loadMeasures(w)...)
	}
	return append(out, Measure{Name: "answers of a node marked down", Value: float64(len(s.strays)), Unit: "requests", Bound: figure(0)})
}

func (s *spread) notes() (out []string) {
	if s.named("during") == nil {
		out = append(out, "no time was certain in which the balancers had diverted the victim, so its share was not judged during the fault")
	}
	for i := range s.windows {
		if w := &s.windows[i]; !w.judged && len(s.nodes) > 2 {
			out = append(out, fmt.Sprintf("%s %s began, too few to judge", s.when(w), count(w.total(), "session")))
		}
	}
	if r := streamReason(s.h, history.StreamDispatch); r != "" {
		out = append(out, "requests that the dispatch log lacks are unknown: "+r)
	}
	return out
}

func (s *spread) tooFew() string {
	var parts []string
	for i := range s.windows {
		parts = append(parts, fmt.Sprintf("%d new sessions %s", s.windows[i].total(), s.windows[i].name))
	}
	if len(parts) == 0 {
		return "there is no steady phase to judge"
	}
	return "too few sessions began: " + strings.Join(parts, ", ") + "; lengthen the steady phases or raise the rate"
}

// fix is by what is blamed first: a share of new sessions, one of the load, or
// answers of a node that was marked down.
func (s *spread) fix(skewed, loaded []*window) string {
	switch {
	case len(skewed) > 0:
		n := s.nodes[skewed[0].worst]
		for _, m := range s.h.Meta.Nodes {
			if m.Name == n && m.Weight > 0 {
				return valueFix(s.h, fmt.Sprintf("the balancers' weight of %s is %d", n, m.Weight), "weight."+n, ValueWeight, ValueBalance)
			}
		}
		return valueFix(s.h, "share new sessions by the nodes' weights", "weight."+n, ValueWeight, ValueBalance)
	case len(loaded) > 0:
		return valueFix(s.h, "bind no more to a node than it bears of the load", ValueAffinity, ValueBalance)
	}
	return valueFix(s.h, "send nothing to a node that is marked down, and forget no mark across a reload", ValueServerState, ValueHealthCheck, ValueAffinity)
}
