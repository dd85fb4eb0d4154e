package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
)

// fact is a line of "can this be believed": what was asked, what was
// measured, and whether that is sound.
type fact struct {
	Name, Value, Bound string
	OK                 bool
}

// facts are what a sceptic asks of the record itself, what is not sound first.
func facts(r *harness.Result, h *history.History) []fact {
	out := []fact{
		{"journal", integrity(h), "sealed, and the seal matches", h.Integrity.State == history.Whole},
		{"operations", fmt.Sprintf("%d of %d sessions, by %d a second as asked for", len(h.Ops), h.Meta.Load.Sessions, h.Meta.Load.Rate), "at least one", len(h.Ops) > 0},
	}
	if h.Aborted != "" {
		out = append(out, fact{"end", "broken off: " + cleanText(h.Aborted), "the run came to its end", false})
	}
	for _, f := range r.Faults {
		out = append(out, fact{"fault " + cleanName(f.Kind), cleanText(proof(f)), "proven from the victim's side", f.Proven})
		healed := fact{Name: "heal of " + cleanName(f.Kind), Value: "not proven", Bound: "proven"}
		if f.HealedAt >= 0 {
			healed.Value, healed.OK = "proven at "+clock(f.HealedAt), true
		}
		out = append(out, healed)
	}
	if h.Meta.Machine != "" {
		out = append(out, fact{"machine", cleanText(h.Meta.Machine), "stated", true})
	}
	out = append(out, generatorFacts(h)...)
	out = append(out, baselineFact(h), clockFact(h), hostFact(h))
	out = append(out, observerFacts(h)...)
	slices.SortStableFunc(out, func(a, b fact) int { return cmp.Compare(flag(a.OK), flag(b.OK)) })
	return out
}

func integrity(h *history.History) string {
	if h.Integrity.State == history.Whole {
		return fmt.Sprintf("sealed, %d lines", h.Integrity.Lines)
	}
	return cleanText(h.Integrity.State.String() + ": " + h.Integrity.Reason)
}

// generatorFacts tell how late the generator itself was, by judged phase. The
// limits are those of assert's need "generator on time".
func generatorFacts(h *history.History) []fact {
	limit := cmp.Or(h.Meta.Load.Late, 5*time.Millisecond)
	late := make([][]time.Duration, len(h.Phases))
	g, dropped, cursor := gradingOf(h), 0, 0
	for i := range h.Ops {
		o := &h.Ops[i]
		if g.void[0] != 0 && history.Name(o.Error) == g.void[0] {
			dropped++
		}
		if p := history.PhaseIndex(h.Phases, o.Intended, &cursor); p >= 0 {
			late[p] = append(late[p], o.Lateness())
		}
	}
	out := []fact{{
		"generator: dropped", fmt.Sprintf("%d of %d operations", dropped, len(h.Ops)), "at most 0.1 %",
		float64(dropped) <= 0.001*float64(len(h.Ops)),
	}}
	for i, p := range h.Phases {
		if !p.Judged() || len(late[i]) == 0 {
			continue
		}
		slices.Sort(late[i])
		over := since(late[i], limit)
		out = append(out, fact{
			"generator: lateness in " + cleanName(p.Name),
			fmt.Sprintf("median %s, p99 %s, most %s; %d of %d operations more than %s late",
				fine(rankOf(late[i], 0.5)), fine(rankOf(late[i], 0.99)), fine(late[i][len(late[i])-1]), over, len(late[i]), limit),
			"at most 5 % of them", float64(over) <= 0.05*float64(len(late[i])),
		})
	}
	return out
}

// baselineFact tells the first steady phase, before any fault.
func baselineFact(h *history.History) fact {
	f := fact{Name: "baseline", Value: "there is no steady phase", Bound: "at least 50 operations, 99.9 % ok, p99 not wild"}
	at, _ := struckAt(h)
	g := gradingOf(h)
	for _, p := range h.Phases {
		if p.Kind != history.PhaseSteady {
			continue
		}
		var took []time.Duration
		n, bad := 0, 0
		for i := range h.Ops {
			o := &h.Ops[i]
			if o.Intended < p.From || o.Intended >= p.To || !g.counts(o) || at >= 0 && (o.End < 0 || o.End > at) {
				continue
			}
			n++
			bad += flag(o.Outcome != history.Good)
			if late, done := o.Latency(); done {
				took = append(took, late)
			}
		}
		slices.Sort(took)
		f.Value = fmt.Sprintf("%s: %d operations, %d not ok, median %s, p99 %s", cleanName(p.Name), n, bad, fine(rankOf(took, 0.5)), fine(rankOf(took, 0.99)))
		why := assert.Unsteady(h)
		f.OK = why == ""
		if !f.OK {
			f.Value = cleanText(f.Value + "; " + why)
		}
		return f
	}
	return f
}

func clockFact(h *history.History) fact {
	steps := h.ClockSteps(history.MaxClockStep)
	f := fact{"clock", fmt.Sprintf("%d pairs of both clocks, no step", len(h.Clock)), fmt.Sprintf("no step above %v", history.MaxClockStep), len(h.Clock) > 1}
	if len(steps) > 0 {
		f.Value, f.OK = cleanText(steps[0].String()), false
	}
	return f
}

// assert's shares of all processors above which a sample has none to spare, and of its time
// from which on a disk stood still.
const (
	saturated = 0.95
	stood     = 0.5
)

func hostFact(h *history.History) fact {
	if len(h.Host) == 0 {
		return fact{"host", "load not observed", "observed", false}
	}
	busiest, sum, full, steal, disk, still := 0.0, 0.0, 0, 0.0, 0.0, 0
	for _, s := range h.Host {
		sum += s.V.Busy
		busiest, steal, disk = max(busiest, s.V.Busy), max(steal, s.V.Steal), max(disk, s.V.Disk)
		full += flag(s.V.Busy >= saturated)
		still += flag(s.V.Disk >= stood)
	}
	value := fmt.Sprintf("%.0f %% busy on average, %.0f %% in the busiest sample; %d of %d samples with nothing to spare; at most %.0f %% stolen; at most %.0f %% waited for a disk, which stood still in %d",
		100*sum/float64(len(h.Host)), 100*busiest, full, len(h.Host), 100*steal, 100*disk, still)
	why := assert.ShortMachine(h)
	if why != "" {
		value += "; " + why
	}
	return fact{"host", value, "something to spare before any fault, no time stolen throughout; slow answers in samples with nothing to spare are judged twice", why == ""}
}

// observerFacts are the observers' own accounts.
func observerFacts(h *history.History) []fact {
	var out []fact
	for _, c := range h.Coverage {
		name := "observer of " + c.V.Stream
		if c.V.Source != "" {
			name += " at " + c.V.Source
		}
		value := fmt.Sprintf("complete, %d seen", c.V.Seen)
		if c.V.LongGap > 0 {
			value += fmt.Sprintf(", longest gap %v", c.V.LongGap.Round(time.Millisecond))
		}
		if !c.V.Complete {
			value = fmt.Sprintf("incomplete: %s (%d missed)", c.V.Reason, c.V.Missed)
		}
		for _, w := range c.V.Unknown[:min(len(c.V.Unknown), 5)] {
			value += fmt.Sprintf("; not known from %v to %v: %s", w.From.Round(time.Millisecond), w.To.Round(time.Millisecond), w.Why)
		}
		out = append(out, fact{cleanName(name), cleanText(value), "complete", c.V.Complete})
	}
	const most = 200
	return out[:min(len(out), most)]
}

// part is a line of what took part.
type part struct{ Name, Role, Image, Version string }

// parts are the nodes as they said what they are, at the last look.
func partsOf(h *history.History) []part {
	by := map[string]part{}
	for _, n := range h.Meta.Nodes {
		by[n.Name] = part{cleanName(n.Name), cleanName(n.Role), cut(Clean(n.Image), 200), ""}
	}
	for i := range h.Nodes {
		n := &h.Nodes[i].V
		a := part{cleanName(n.Node), cleanName(n.Role), cut(Clean(n.Image), 200), cleanName(n.Version)}
		a.Version = cmp.Or(a.Version, by[n.Node].Version)
		a.Image = cmp.Or(by[n.Node].Image, a.Image) // the former knows what stands for the topology's name
		by[n.Node] = a
	}
	for _, t := range h.Transitions {
		if a, ok := by[t.V.Node]; ok && t.V.Version != "" && !strings.Contains(a.Version, t.V.Version) {
			a.Version = cleanName(strings.TrimPrefix(a.Version+", then "+t.V.Version, ", then "))
			by[t.V.Node] = a
		}
	}
	out := make([]part, 0, len(by))
	for _, name := range sortedKeys(by)[:min(len(by), maxLanes)] {
		out = append(out, by[name])
	}
	return out
}

// rankOf is the q-quantile of sorted values by the nearest rank; 0 of none.
func rankOf(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, min(len(sorted)-1, int(q*float64(len(sorted))+0.999999)-1))]
}

func fine(d time.Duration) string { return d.Round(10 * time.Microsecond).String() }

// lead is what the banner says first: the assertion that decides, with the
// operation to look at.
type lead struct {
	Name, Status, Tone, What, Measured, Bound, Fix string
	First                                          *evidenceView
	Missing                                        []string // why it could not be judged
}

// leadOf is the first assertion that failed or, if none did, could not be
// judged; nil if all held. The views are in that order.
func leadOf(views []assertView) *lead {
	if len(views) == 0 || views[0].Tone == tone(assert.Pass) {
		return nil
	}
	v := &views[0]
	l := &lead{
		Name: v.Name, Status: v.Status, Tone: v.Tone, What: v.Decides.Name,
		Measured: v.Decides.Value, Bound: v.Decides.Bound, Fix: v.Fix,
	}
	if v.Tone == tone(assert.Inconclusive) {
		const most = 3 // the assertion has them all
		l.Missing, l.Fix = v.Reasons[:min(len(v.Reasons), most)], ""
		return l
	}
	for i := range v.Evidence {
		if v.Evidence[i].Op != 0 {
			l.First = &v.Evidence[i]
			break
		}
	}
	if l.First == nil && len(v.Evidence) > 0 {
		l.First = &v.Evidence[0]
	}
	return l
}
