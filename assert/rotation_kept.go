package assert

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/history"
)

// RotationKept expects that every balancer has enough servers up all the time:
// what all nodes depend on must not turn them off, when each could still do
// most of its work. Only what happened in the judged phases counts, and only as
// long as the balancer itself answered. That too few were up where one of those
// that were not is held for down by a check that the machine had no processor to
// answer is inconclusive. The zero value asks for one server.
type RotationKept struct {
	// Least is how many servers must be up at a time: 1 by default, and all
	// that the balancer has if it is EveryServer.
	Least int `json:"least,omitempty"`
}

// EveryServer is RotationKept's Least where none may leave.
const EveryServer = -1

// Name implements Checker.
func (RotationKept) Name() string { return "rotation-kept" }

// About implements Checker.
func (r RotationKept) About() string {
	return fmt.Sprintf("every balancer has %s up all the time (0 s without)", r.asked())
}

// asked says how many servers must be up.
func (r RotationKept) asked() string {
	switch {
	case r.Least < 0:
		return "every server"
	case r.Least > 1:
		return fmt.Sprintf("at least %d servers", r.Least)
	}
	return "at least one server"
}

// enough is how many of a balancer's servers must be up.
func (r RotationKept) enough(servers int) int {
	if r.Least < 0 {
		return servers
	}
	return max(1, r.Least)
}

// Needs implements Checker.
func (RotationKept) Needs() []Need {
	return []Need{{Kind: NeedFault}, {Kind: NeedStream, Stream: history.StreamServer}}
}

// Check implements Checker. Measured is the longest time for which a balancer
// was seen with too few servers up, in seconds.
func (r RotationKept) Check(h *history.History) Verdict {
	v := Verdict{Name: r.Name(), Bound: figure(0), Op: "<=", Unit: "s", Evidence: []Evidence{}}
	views := map[string]*rotation{}
	unanswered := timedOut(h, machineOf(h))
	for i := range h.Servers {
		o := &h.Servers[i]
		if !judgedAt(h, o.Time) {
			continue
		}
		w := views[o.V.Balancer]
		if w == nil {
			w = &rotation{RotationKept: r, unanswered: unanswered, servers: map[string]history.Server{}, least: -1}
			views[o.V.Balancer] = w
		}
		w.see(o)
	}
	if len(views) == 0 {
		v.Summary = "No balancer's view of its servers was observed."
		v.Reasons = append(v.Reasons, "no balancer's view of its servers was observed in a judged phase")
		return v
	}
	v.Status, v.Summary = Pass, fmt.Sprintf("Every balancer had %s up all the time.", r.asked())
	var longest time.Duration
	var unsure []string
	for _, lb := range slices.Sorted(maps.Keys(views)) {
		w := views[lb]
		w.end()
		for _, s := range w.spells {
			class, had := "no server up", "no server"
			if s.least > 0 {
				class, had = "server out", fmt.Sprintf("%d of %d servers", s.least, len(w.servers))
			}
			longest = max(longest, s.to-s.from)
			text := fmt.Sprintf("%s had %s up for %s, from %.1f s: %s", lb, had, sayTime(s.to-s.from), s.from.Seconds(), s.says)
			if s.starved {
				unsure = append(unsure, text)
				continue
			}
			v.Evidence = append(v.Evidence, Evidence{Seq: s.seq, At: s.from, Node: lb, Class: class, Text: text})
		}
		v.Measures = append(v.Measures, Measure{Name: "least servers up", Value: float64(w.least), Unit: "servers", Note: lb})
	}
	v.Measured = figure(longest.Seconds())
	if len(v.Evidence) > 0 {
		slices.SortStableFunc(v.Evidence, func(a, b Evidence) int { return int(a.At - b.At) })
		v.Status = Fail
		v.Summary = strings.ToUpper(v.Evidence[0].Text[:1]) + v.Evidence[0].Text[1:] + "."
		v.Fix = valueFix(h, "readiness must not depend on what every node shares and can do without: give it a time limit, a fallback and a circuit breaker instead",
			ValueDependency, ValueReadiness)
	} else if len(unsure) > 0 {
		v.Summary = strings.ToUpper(unsure[0][:1]) + unsure[0][1:] + "."
		inconclusive(&v, fmt.Sprintf("a check was not answered in time while %s: repeat the run on a quieter machine", shortMachine))
	}
	limitEvidence(&v)
	return v
}

// rotation is a balancer's servers as it sees them, as time goes on.
type rotation struct {
	RotationKept
	unanswered heldDown
	servers    map[string]history.Server   // as last seen
	count      int                         // of those that are up
	look, fell *history.At[history.Server] // of the last look: its first line, and the last one that went down in it
	least      int                         // -1: not known yet
	few        *fewSpell
	spells     []fewSpell
}

// fewSpell is a time with too few servers up.
type fewSpell struct {
	from, to time.Duration
	seq      uint64
	least    int // of those that were up
	says     string
	starved  bool // the machine had no processor to spare for a check's answer
}

// see takes one server's state. A look has all of the balancer's servers at one
// time, and is judged when it is complete: half of it is nobody's view.
func (r *rotation) see(o *history.At[history.Server]) {
	if r.look != nil && r.look.Time != o.Time {
		r.judge()
		r.look, r.fell = nil, nil
	}
	if r.look == nil {
		r.look = o
	}
	was := r.servers[o.V.Server]
	r.servers[o.V.Server] = o.V
	switch {
	case o.V.Up && !was.Up:
		r.count++
	case !o.V.Up && was.Up:
		r.count--
		r.fell = o
	}
}

// judge judges the servers as the last look has them.
func (r *rotation) judge() {
	if r.least < 0 || r.count < r.least {
		r.least = r.count
	}
	row := r.look
	if r.fell != nil {
		row = r.fell
	}
	few := r.count < r.enough(len(r.servers))
	switch {
	case few && r.few == nil:
		r.few = &fewSpell{from: row.Time, seq: row.Seq, least: r.count, says: r.out(&row.V)}
	case few && r.count < r.few.least:
		r.few.least, r.few.says = r.count, r.out(&row.V)
	case !few && r.few != nil:
		r.few.to = r.look.Time
		r.spells, r.few = append(r.spells, *r.few), nil
	}
	if few {
		for name := range r.servers {
			r.few.starved = r.few.starved || r.unanswered.has(r.look.V.Balancer, name, r.look.Time)
		}
	}
}

// out says which servers are not up; of none, what became of the last.
func (r *rotation) out(last *history.Server) string {
	if r.count == 0 {
		return last.Server + ", the last, is " + became(last)
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(r.servers)) {
		if v := r.servers[name]; !v.Up {
			all = append(all, name+" is "+became(&v))
		}
	}
	return strings.Join(all, ", ")
}

// became is a server's state, with what its last check found.
func became(v *history.Server) string {
	if v.Check == "" {
		return v.Status
	}
	return v.Status + " (" + v.Check + ")"
}

// end judges the last look, and closes a spell that the record's end cut off. One
// that began with the last look has no length, and is none.
func (r *rotation) end() {
	last := r.look.Time
	r.judge()
	if r.few != nil && r.few.from < last {
		r.few.to = last
		r.spells, r.few = append(r.spells, *r.few), nil
	}
}
