package assert

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/history"
)

// RotationKept expects that no balancer is ever left without a server to send
// a request to: what all nodes depend on must not turn all of them off at
// once, when each could still do most of its work. Only what happened in the
// judged phases counts, and only as long as the balancer itself answered. The
// zero value is ready to use.
type RotationKept struct{}

// Name implements Checker.
func (RotationKept) Name() string { return "rotation-kept" }

// About implements Checker.
func (RotationKept) About() string {
	return "every balancer has at least one server up all the time (0 s without)"
}

// Needs implements Checker.
func (RotationKept) Needs() []Need {
	return []Need{{Kind: NeedFault}, {Kind: NeedStream, Stream: history.StreamServer}}
}

// Check implements Checker. Measured is the longest time for which a balancer
// was seen with no server up, in seconds.
func (r RotationKept) Check(h *history.History) Verdict {
	v := Verdict{Name: r.Name(), Bound: figure(0), Op: "<=", Unit: "s", Evidence: []Evidence{}}
	views := map[string]*rotation{}
	for i := range h.Servers {
		o := &h.Servers[i]
		if !judgedAt(h, o.Time) {
			continue
		}
		w := views[o.V.Balancer]
		if w == nil {
			w = &rotation{up: map[string]bool{}, least: -1}
			views[o.V.Balancer] = w
		}
		w.see(o)
	}
	if len(views) == 0 {
		v.Summary = "No balancer's view of its servers was observed."
		v.Reasons = append(v.Reasons, "no balancer's view of its servers was observed in a judged phase")
		return v
	}
	v.Status, v.Summary = Pass, "No balancer was ever without a server."
	var longest time.Duration
	for _, lb := range slices.Sorted(maps.Keys(views)) {
		w := views[lb]
		w.end()
		for _, s := range w.spells {
			v.Evidence = append(v.Evidence, Evidence{
				Seq: s.seq, At: s.from, Node: lb, Class: "no server up",
				Text: fmt.Sprintf("%s had no server up for %s, from %.1f s: %s", lb, sayTime(s.to-s.from), s.from.Seconds(), s.says),
			})
			longest = max(longest, s.to-s.from)
		}
		v.Measures = append(v.Measures, Measure{Name: "least servers up", Value: float64(w.least), Unit: "servers", Note: lb})
	}
	v.Measured = figure(longest.Seconds())
	if len(v.Evidence) > 0 {
		slices.SortStableFunc(v.Evidence, func(a, b Evidence) int { return int(a.At - b.At) })
		v.Status = Fail
		v.Summary = strings.ToUpper(v.Evidence[0].Text[:1]) + v.Evidence[0].Text[1:] + "."
		v.Fix = "readiness must not depend on what every node shares and can do without: give it a time limit, a fallback and a circuit breaker instead"
	}
	limitEvidence(&v)
	return v
}

// rotation is a balancer's servers as it sees them, as time goes on.
type rotation struct {
	up     map[string]bool
	count  int
	whole  bool // every server was seen once
	least  int  // -1: not known yet
	empty  *emptySpell
	spells []emptySpell
	last   time.Duration
}

// emptySpell is a time without any server.
type emptySpell struct {
	from, to time.Duration
	seq      uint64
	says     string
}

// see takes one server's state. A server that comes a second time shows that
// all of them were seen once.
func (r *rotation) see(o *history.At[history.Server]) {
	was, known := r.up[o.V.Server]
	r.whole = r.whole || known
	r.up[o.V.Server] = o.V.Up
	r.last = o.Time
	switch {
	case o.V.Up && !was:
		r.count++
	case !o.V.Up && was:
		r.count--
	}
	if !r.whole {
		return
	}
	if r.least < 0 || r.count < r.least {
		r.least = r.count
	}
	if r.count == 0 && r.empty == nil {
		r.empty = &emptySpell{from: o.Time, seq: o.Seq, says: lastToGo(&o.V)}
	} else if r.count > 0 && r.empty != nil {
		r.empty.to = o.Time
		r.spells, r.empty = append(r.spells, *r.empty), nil
	}
}

// lastToGo says what became of the last server that was up.
func lastToGo(v *history.Server) string {
	text := fmt.Sprintf("%s, the last, is %s", v.Server, v.Status)
	if v.Check != "" {
		text += " (" + v.Check + ")"
	}
	return text
}

// end closes a spell that the record's end cut off.
func (r *rotation) end() {
	if r.empty != nil {
		r.empty.to = r.last
		r.spells, r.empty = append(r.spells, *r.empty), nil
	}
}
