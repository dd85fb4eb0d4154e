package assert

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/history"
)

// Recovery expects that the system, once a fault is healed, comes back by
// itself and whole:
//
//   - it is steady again within its bound: the operations due from then until
//     the next fault, or the end, are good to the steady objective;
//   - there is no restart storm: a victim is started at most Starts times
//     after its heal began, or with FromFault after the fault was injected, and
//     no node that no fault was aimed at is started again at all;
//   - every application node is ready at the end, and the balancer that then
//     owns the VIP holds it for up: it is back in service;
//   - nothing is left exhausted: of each node's busy threads, pooled
//     connections in use, waiting requests and requests in flight, the least
//     that was seen after the recovery is not above the least from before the
//     fault, and the database has connections to spare.
//
// Faults whose reigns overlap have one recovery, which begins with the last
// of their heals. The zero value of a field is its default.
type Recovery struct {
	// Bounds name the bounds (of Meta.Bounds) whose sum is the time from the
	// beginning of the heal until the service is steady; "recovered" and
	// "ready" by default: a restarted node boots, warms up, and is held for
	// up by the balancers.
	Bounds []string `json:"bounds,omitempty"`
	// Steady is the least percent of good operations from then on; 99.9 by
	// default. Threshold is how slow a good one may be; 500 ms by default.
	Steady    float64       `json:"steady,omitempty"`
	Threshold time.Duration `json:"threshold,omitempty"`
	// Starts is how often a victim may be started from its heal on; 1 by
	// default. FromFault counts from the fault's injection instead: the fault is
	// itself a start, and whoever starts the victim once more before the heal
	// begins a storm. False is for one that ends its victim, or starts it again
	// and again, until the heal.
	Starts    int  `json:"starts,omitempty"`
	FromFault bool `json:"fromFault,omitempty"`
}

// Name implements Checker.
func (Recovery) Name() string { return "recovery" }

// About implements Checker.
func (r Recovery) About() string {
	r = r.defaults()
	return fmt.Sprintf("after the heal the service is steady again (%s good) within the bound %s, no node is started more than %s from %s on, all are ready and held for up at the end, and no threads or connections are left exhausted",
		sayPercent(r.Steady), sum(r.Bounds), times(r.Starts), r.since())
}

// Needs implements Checker. Where there is a database, its connections are
// needed too.
func (r Recovery) Needs() []Need {
	return []Need{
		{Kind: NeedFault},
		{Kind: NeedHeal},
		{Kind: NeedBaseline, Slow: r.defaults().Threshold},
		{Kind: NeedGenerator},
		{Kind: NeedClock},
		{Kind: NeedStream, Stream: history.StreamEngine},
		{Kind: NeedStream, Stream: history.StreamReadiness},
		{Kind: NeedStream, Stream: history.StreamServer},
		{Kind: NeedStream, Stream: history.StreamVIP},
		{Kind: NeedStream, Stream: history.StreamTruth},
		{Kind: NeedStream, Stream: history.StreamTransition},
	}
}

func (r Recovery) defaults() Recovery {
	if len(r.Bounds) == 0 {
		r.Bounds = []string{"recovered", "ready"}
	}
	if r.Steady <= 0 {
		r.Steady = DefaultSteady
	}
	if r.Threshold <= 0 {
		r.Threshold = DefaultThreshold
	}
	r.Starts = max(1, r.Starts)
	return r
}

// since says from when on starts are counted.
func (r Recovery) since() string {
	if r.FromFault {
		return "the fault"
	}
	return "its heal"
}

// Check implements Checker. Measured is the longest time in milliseconds from
// a heal until the service was steady.
func (r Recovery) Check(h *history.History) Verdict {
	r = r.defaults()
	return judgeTwice(h, r.Threshold, func(skip func(*history.Op) bool) Verdict { return r.judge(h, skip) })
}

func (r Recovery) judge(h *history.History, skip func(*history.Op) bool) Verdict {
	a := &recoveryAudit{Recovery: r, h: h, skip: skip, grader: newGrader(h, r.Threshold), nodes: perNode(h)}
	v := Verdict{Name: r.Name(), Op: "<=", Unit: "ms", Evidence: []Evidence{}}
	var objectives []objective
	reigns := reigns(h)
	for _, g := range reigns {
		objectives = append(objectives, a.steady(g, &v), a.storm(g))
	}
	if n := len(reigns); n > 0 {
		objectives = append(objectives, a.ready(reigns[n-1]), a.inService(reigns[n-1]), a.exhausted(reigns[n-1], &v), a.database(reigns[n-1]))
	}
	conclude(&v, objectives)
	if len(reigns) == 0 {
		v.Reasons = append(v.Reasons, "no fault was injected and healed")
	}
	v.Evidence = append(v.Evidence, a.evidence...)
	limitEvidence(&v)
	return v
}

// recoveryAudit is one judgement of the recoveries of a history.
type recoveryAudit struct {
	Recovery
	h        *history.History
	skip     func(*history.Op) bool
	grader   grader
	nodes    map[string]*sightings
	evidence []Evidence
}

// reign is a time in which faults were in place, of overlapping ones all.
type reign struct {
	from, heal time.Duration
	// until is when the next one began, or the end of the last judged phase.
	until  time.Duration
	faults []*history.Fault
	last   bool
}

// reigns are those of the faults that were healed, in the order of time.
func reigns(h *history.History) []reign {
	return reignsUntil(h, func(f *history.Fault) (time.Duration, bool) { return f.Heal, f.Heal >= 0 })
}

// reignsUntil takes the end of a fault from the caller, who may leave it out.
func reignsUntil(h *history.History, end func(*history.Fault) (time.Duration, bool)) []reign {
	var all []*history.Fault
	for i := range h.Faults {
		f := &h.Faults[i]
		if _, ok := end(f); ok && f.Injected >= 0 {
			all = append(all, f)
		}
	}
	slices.SortStableFunc(all, func(a, b *history.Fault) int { return cmp.Compare(a.Injected, b.Injected) })
	var out []reign
	for _, f := range all {
		heal, _ := end(f)
		if n := len(out); n > 0 && f.Injected <= out[n-1].heal {
			out[n-1].heal = max(out[n-1].heal, heal)
			out[n-1].faults = append(out[n-1].faults, f)
			continue
		}
		out = append(out, reign{from: f.Injected, heal: heal, faults: []*history.Fault{f}})
	}
	for i := range out {
		out[i].until, out[i].last = judgedEnd(h), i+1 == len(out)
		if !out[i].last {
			out[i].until = out[i+1].from
		}
	}
	return out
}

// judgedEnd is the end of the last phase that is judged.
func judgedEnd(h *history.History) time.Duration {
	var end time.Duration
	for _, p := range h.Phases {
		if p.Judged() {
			end = max(end, p.To)
		}
	}
	return end
}

// names says what the reign was of.
func (g reign) names() string {
	var kinds []string
	for _, f := range g.faults {
		kinds = append(kinds, f.Kind)
	}
	return list(kinds, 3)
}

// aimedAt is when the first of the faults that were aimed at the node was
// injected, and when the last of their heals began; false if none was.
func (g reign) aimedAt(node string) (injected, heal time.Duration, found bool) {
	for _, f := range g.faults {
		if !slices.Contains(f.Nodes, node) {
			continue
		}
		if !found || f.Injected < injected {
			injected = f.Injected
		}
		heal, found = max(heal, f.Heal), true
	}
	return injected, heal, found
}

// bound is the sum of the bounds with the files of all of them, and a reason if
// one is not known.
func (r Recovery) bound(h *history.History) (limit time.Duration, formula, file, reason string) {
	var files []string
	for _, name := range r.Bounds {
		b, ok := findBound(h, name)
		if !ok {
			return 0, "", "", fmt.Sprintf("the topology states no bound %q: name one of %s", name, boundNames(h))
		}
		limit += b.Limit
		formula += fmt.Sprintf(" + %s (%s)", b.Name, b.Formula)
		if b.File != "" && !slices.Contains(files, b.File) {
			files = append(files, b.File)
		}
	}
	return limit, formula[len(" + "):], strings.Join(files, ", "), ""
}

// sum writes names as a sum: "recovered + ready".
func sum(names []string) string {
	s := ""
	for _, n := range names {
		if s != "" {
			s += " + "
		}
		s += n
	}
	return s
}
