package assert

import (
	"cmp"
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// maxSampleGap is the longest time between two samples that agree during
// which nothing is taken to have changed. Looks come ten times a second; an
// observer of the address that did not look for longer than this gives an
// incomplete account of itself, too.
const maxSampleGap = 2 * time.Second

// tristate is what is known of a state in a segment of time.
type tristate int8

const (
	stateUnknown tristate = iota
	stateNo
	stateYes
)

// ownership is the balancers' hold on the shared address through a record.
type ownership struct {
	h          *history.History
	begin, end time.Duration
	lbs        []string
	owner, up  map[string][]segment
	edges      []time.Duration
}

// segment is a time in which a state is known.
type segment struct {
	from, to time.Duration
	state    tristate
}

// count2 is how many balancers there are in a segment.
type count2 struct{ owners, serving int }

func newOwnership(h *history.History) *ownership {
	o := &ownership{h: h, owner: map[string][]segment{}, up: map[string][]segment{}}
	for i, p := range h.Phases {
		if i == 0 {
			o.begin = p.From
		}
		o.end = max(o.end, p.To)
	}
	owned, answered := map[string][]sample{}, map[string][]sample{}
	for _, x := range h.VIPs {
		s := sample{x.Time, x.Time + x.V.Took, stateUnknown}
		if x.V.Known {
			s.state = sure(x.V.Owner)
		}
		owned[x.V.Balancer] = append(owned[x.V.Balancer], s)
		if !slices.Contains(o.lbs, x.V.Balancer) {
			o.lbs = append(o.lbs, x.V.Balancer)
		}
	}
	for _, x := range h.Balancers {
		// One that answers did so at the look's end; one that does not did not
		// from its beginning on. Looks at a frozen one overlap.
		end := x.Time + x.V.Took
		of := append(answered[x.V.Balancer], sample{end, end, sure(x.V.Up)})
		if !x.V.Up {
			of = append(of, sample{x.Time, x.Time, stateNo})
		}
		answered[x.V.Balancer] = of
	}
	for _, of := range answered {
		slices.SortStableFunc(of, func(a, b sample) int { return cmp.Compare(a.lo, b.lo) })
	}
	// Before all were asked for the first time, and after one was for the
	// last, nothing is known; how late that was is for the observer's account.
	for _, lb := range o.lbs {
		of := owned[lb]
		o.begin, o.end = max(o.begin, of[0].hi), min(o.end, of[len(of)-1].hi)
	}
	slices.Sort(o.lbs)
	for _, lb := range o.lbs {
		o.owner[lb], o.up[lb] = o.segments(owned[lb]), o.segments(answered[lb])
		for _, s := range slices.Concat(o.owner[lb], o.up[lb]) {
			o.edges = append(o.edges, s.from, s.to)
		}
	}
	o.edges = append(o.edges, o.begin, o.end)
	slices.Sort(o.edges)
	o.edges = slices.Compact(o.edges)
	return o
}

func sure(yes bool) tristate {
	if yes {
		return stateYes
	}
	return stateNo
}

// sample is one look, which saw a state at some time from lo to hi.
type sample struct {
	lo, hi time.Duration
	state  tristate
}

// segments are the times of known states: from one look to the next that
// agrees with it. Between two that differ it is not known when it changed.
func (o *ownership) segments(of []sample) []segment {
	var out []segment
	for i, s := range of {
		if s.state == stateUnknown {
			continue
		}
		g := segment{s.hi, s.hi, s.state}
		if i+1 < len(of) && of[i+1].state == s.state && of[i+1].lo-s.hi <= maxSampleGap {
			g.to = max(g.to, of[i+1].hi)
		}
		if n := len(out); n > 0 && out[n-1].state == g.state && out[n-1].to >= g.from {
			out[n-1].to = max(out[n-1].to, g.to)
			continue
		}
		if g.to > g.from {
			out = append(out, g)
		}
	}
	return out
}

// at is what is known of a time in segments.
func at(of []segment, t time.Duration) tristate {
	i, found := slices.BinarySearchFunc(of, t, func(s segment, t time.Duration) int {
		switch {
		case s.to <= t:
			return -1
		case s.from > t:
			return 1
		}
		return 0
	})
	if !found {
		return stateUnknown
	}
	return of[i].state
}

// counts are the least and the most owners, and of those that serve, at a
// time.
func (o *ownership) counts(t time.Duration) (least, most count2) {
	for _, lb := range o.lbs {
		owner, up := at(o.owner[lb], t), at(o.up[lb], t)
		if owner == stateYes {
			least.owners++
			if up == stateYes {
				least.serving++
			}
		}
		if owner != stateNo {
			most.owners++
			if up != stateNo {
				most.serving++
			}
		}
	}
	return least, most
}

// spells are the spans in which something was possible, with how long it
// certainly lasted.
func (o *ownership) spells(what func(least, most count2) (certain, possible bool)) []stretch {
	var out []stretch
	var now stretch
	open := false
	end := func() {
		if open {
			out = append(out, now.within(now.from, now.to))
		}
		open, now = false, stretch{}
	}
	for i := 0; i+1 < len(o.edges); i++ {
		from, to := max(o.edges[i], o.begin), min(o.edges[i+1], o.end)
		if to <= from {
			continue
		}
		least, most := o.counts(from + (to-from)/2)
		is, may := what(least, most)
		if !may && !is {
			end()
			continue
		}
		if !open {
			now.from, open = from, true
		}
		now.to = to
		switch n := len(now.certain); {
		case !is:
		case n > 0 && now.certain[n-1].to == from:
			now.certain[n-1].to = to
		default:
			now.certain = append(now.certain, piece{from, to})
		}
	}
	end()
	return out
}

// outside parts what was during a kind of fault, until its undo had taken
// effect, from the rest. A spell that goes on after that counts from there.
func (o *ownership) outside(of []stretch, kind string) (out, in []stretch) {
	for _, s := range of {
		covered := false
		for i := range o.h.Faults {
			f := &o.h.Faults[i]
			if kind == "" || f.Kind != kind {
				continue
			}
			from, to := f.Injected, min(undone(o.h, f), o.end)
			if s.to <= from || s.from >= to || s.from < from {
				continue
			}
			covered = true
			in = append(in, s.within(from, to))
			if s.to > to {
				out = append(out, s.within(to, s.to))
			}
			break
		}
		if !covered {
			out = append(out, s)
		}
	}
	return out, in
}

// move is when the address was certainly at another balancer than before.
type move struct {
	at time.Duration
	to string
}

// moves are those of the address, in order.
func (o *ownership) moves() []move {
	var out []move
	last := ""
	for i := 0; i+1 < len(o.edges); i++ {
		t := o.edges[i] + (o.edges[i+1]-o.edges[i])/2
		if t < o.begin || t > o.end {
			continue
		}
		owner, others := "", false
		for _, lb := range o.lbs {
			switch at(o.owner[lb], t) {
			case stateYes:
				others = owner != ""
				owner = lb
			case stateUnknown:
				others = true
			case stateNo:
			}
		}
		if owner == "" || others {
			continue
		}
		if last != "" && owner != last {
			out = append(out, move{t, owner})
		}
		last = owner
	}
	return out
}

// clientGap is the longest time in which no operation of any user was good.
func (o *ownership) clientGap() Measure {
	g := newGrader(o.h, DefaultThreshold)
	var all runs
	inOrder(o.h, func(op *history.Op) {
		p, ok := o.h.PhaseOf(op)
		if !ok || !p.Judged() {
			return
		}
		if x := g.grade(op); x != void {
			all.add(op, x)
		}
	})
	all.finish(func(t time.Duration) time.Duration { return phaseEnd(o.h, t) })
	return Measure{Name: "gap that clients saw", Value: millis(all.best.length()), Unit: "ms", Note: "the longest run of bad operations; error-budget judges it"}
}
