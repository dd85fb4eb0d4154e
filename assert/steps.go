package assert

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// Names of the steps of a failover, in their order.
const (
	StepFault     = "fault"        // it took effect
	StepFirstBad  = "first bad"    // the first bad operation of the victim's share was due
	StepDetected  = "detected"     // the balancers that own the VIP hold the victim for down
	StepDiverted  = "diverted"     // the last request was on its way to the victim
	StepLastBad   = "last bad"     // the last bad operation of the victim's share was due
	StepSteady    = "steady"       // the first good one after it was
	StepRestarted = "restarted"    // the victim's process was started again
	StepReady     = "ready"        // it became ready
	StepUp        = "up again"     // the balancers hold it for up
	StepRouted    = "routed again" // the first request got to it
)

// Step is a moment of a failover, as it was observed. The true moment lies
// within At ± Within.
type Step struct {
	Name  string `json:"name"`
	Fault int    `json:"fault"` // the injection's number
	Node  string `json:"node"`  // the victim
	// By is the balancer that a step is of; empty for one of all.
	By string `json:"by,omitempty"`
	// Judged says that the failover-anatomy holds the step to its bound; the
	// others, and what a standby balancer saw, are shown only.
	Judged bool `json:"judged,omitempty"`
	// Seen says that the step was observed. If not, At is the time until
	// which it was looked for, or -1 if nobody looked.
	Seen   bool          `json:"seen"`
	At     time.Duration `json:"at"`
	Within time.Duration `json:"within"`
	// After names the step that Bound counts from; Took is the time since
	// then, between TookMin and TookMax; the latter is -1 if the step was not
	// seen.
	After   string        `json:"after,omitempty"`
	TookMin time.Duration `json:"tookMin"`
	TookMax time.Duration `json:"tookMax"`
	// Bound is the limit of Took; nil if there is none. BoundName, Formula,
	// Source and File tell where it comes from.
	Bound     *time.Duration `json:"bound,omitempty"`
	BoundName string         `json:"boundName,omitempty"`
	Formula   string         `json:"formula,omitempty"`
	Source    string         `json:"source,omitempty"`
	File      string         `json:"file,omitempty"`
	// Seq is the journal's line that shows it, and Op the operation; 0 is
	// none.
	Seq uint64 `json:"seq,omitempty"`
	Op  uint64 `json:"op,omitempty"`
	// Note is a remark, such as why it was not observed.
	Note string `json:"note,omitempty"`
}

// Anatomise finds the steps of every failover of the history: one of each
// fault and victim, in the order of the Step… constants. The bounds are those
// that the run's own failover-anatomy names, and otherwise the defaults. It
// is pure.
func Anatomise(h *history.History) []Step {
	var a FailoverAnatomy
	for _, m := range h.Meta.Asserts {
		if m.Name != a.Name() {
			continue
		}
		var own FailoverAnatomy
		if len(m.Params) == 0 || json.Unmarshal(m.Params, &own) == nil {
			a = own
			break
		}
	}
	var out []Step
	for _, j := range a.journeys(h, nothing) {
		out = append(out, j.steps...)
	}
	return out
}

// moment is an interval in which something happened.
type moment struct {
	from, to time.Duration
	seq, op  uint64
}

func exactly(t time.Duration) moment { return moment{from: t, to: t} }

// journey is one victim's way through one fault.
type journey struct {
	h      *history.History
	names  FailoverAnatomy
	fault  *history.Fault
	node   string
	at     moment        // the fault
	until  time.Duration // the heal or a restart began, or the record ends
	steps  []Step
	reborn *incarnation // the victim after its restart; nil if it had none
	owners []string     // the balancers that count
	// tooSoon says why detection is not judged; empty if it is.
	tooSoon string
	// sent counts the requests that balancers logged while the fault was in
	// place.
	sent int
}

// journeys are those of each fault and victim that the checker is about.
func (a FailoverAnatomy) journeys(h *history.History, skip func(*history.Op) bool) []*journey {
	a = a.defaults()
	nodes, _ := conditions(h)
	var out []*journey
	for _, s := range shares(h) {
		if a.Fault != "" && s.fault.Kind != a.Fault {
			continue
		}
		for _, n := range s.fault.Nodes {
			j := &journey{h: h, names: a, fault: s.fault, node: n}
			j.at.from, j.at.to = tookEffect(s.fault)
			j.reborn = nodes[n].after(j.at.from)
			j.until = j.ends()
			j.owners = owners(h, j.at.from, j.until)
			j.walk(s, skip)
			out = append(out, j)
		}
	}
	return out
}

// ends is when the fault's reign ends: with the heal, or a restart before it.
func (j *journey) ends() time.Duration {
	t := j.h.End
	if j.fault.Heal >= 0 {
		t = j.fault.Heal
	}
	if j.reborn != nil {
		t = min(t, j.reborn.born)
	}
	return t
}

// after is the first life that began after t.
func (c *condition) after(t time.Duration) *incarnation {
	if c == nil {
		return nil
	}
	for i := range c.lives {
		if c.lives[i].born > t {
			return &c.lives[i]
		}
	}
	return nil
}

// owners are the balancers that held the VIP at any time from the last look
// before from until to; where nobody looked at it, all that were asked for
// their view.
func owners(h *history.History, from, to time.Duration) []string {
	last := map[string]bool{} // whether it was the owner before from
	var out []string
	for _, o := range h.VIPs {
		switch {
		case !o.V.Known || o.Time > to:
		case o.Time <= from:
			last[o.V.Balancer] = o.V.Owner
		case o.V.Owner:
			out = append(out, o.V.Balancer)
		}
	}
	for lb, owner := range last {
		if owner {
			out = append(out, lb)
		}
	}
	if len(out) == 0 {
		for _, o := range h.Servers {
			out = append(out, o.V.Balancer)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// walk finds the steps.
func (j *journey) walk(s share, skip func(*history.Op) bool) {
	j.add(Step{Name: StepFault, Seen: true, Note: j.fault.Kind}, j.at)
	first, last, good := badOps(j.h, &s, skip, j.until)
	j.addOp(StepFirstBad, first, "no bad operation")
	j.detected()
	j.diverted()
	j.addOp(StepLastBad, last, "no bad operation")
	if last != nil {
		j.addOp(StepSteady, good, "no good operation came after")
	}
	j.back()
}

// add appends a step that was seen at a moment.
func (j *journey) add(s Step, m moment) {
	s.Fault, s.Node = j.fault.ID, j.node
	s.At, s.Within = m.from+(m.to-m.from)/2, (m.to-m.from+1)/2
	s.Seq, s.Op = cmp.Or(s.Seq, m.seq), cmp.Or(s.Op, m.op)
	j.steps = append(j.steps, s)
}

// missing appends a step that was not seen, though it was looked for until a
// time; -1 is not at all.
func (j *journey) missing(s Step, until time.Duration) {
	s.Fault, s.Node, s.Seen, s.At = j.fault.ID, j.node, false, until
	j.steps = append(j.steps, s)
}

func (j *journey) addOp(name string, o *history.Op, none string) {
	if o == nil {
		j.missing(Step{Name: name, Note: none}, j.until)
		return
	}
	j.add(Step{Name: name, Seen: true, Op: o.ID}, exactly(o.Intended))
}

// limit puts a bound on a step: of the time since another moment.
func (j *journey) limit(s *Step, boundName, after string, since, m moment) {
	s.After = after
	s.TookMin, s.TookMax = max(0, m.from-since.to), -1
	if m.to != unseen {
		s.TookMax = max(0, m.to-since.from)
	}
	b, ok := findBound(j.h, boundName)
	if !ok {
		return
	}
	s.Bound, s.BoundName, s.Formula, s.Source, s.File = &b.Limit, b.Name, b.Formula, b.Source, b.File
}

// badOps are the first and the last bad operation of the share while the
// fault was in place, by intended time, and the first good one after. A bad
// operation may have been due before the fault: it was under way.
func badOps(h *history.History, s *share, skip func(*history.Op) bool, until time.Duration) (first, last, then *history.Op) {
	g := newGrader(h, DefaultThreshold)
	inOrder(h, func(o *history.Op) {
		if !s.has(o) || skip(o) {
			return
		}
		switch g.grade(o) {
		case bad:
			if o.Intended > until {
				return
			}
			if first == nil {
				first = o
			}
			last, then = o, nil
		case good:
			if last != nil && then == nil {
				then = o
			}
		}
	})
	return first, last, then
}
