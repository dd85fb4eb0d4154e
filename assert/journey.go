package assert

import (
	"fmt"
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// unseen is the end of an interval that was not observed: it may be any time.
const unseen = time.Duration(1<<63 - 1)

// change is when a balancer's view of the victim turned, between two looks.
type change struct {
	moment
	looked bool          // anyone looked at all after the start
	until  time.Duration // the last look
	was    bool          // the view before had already turned
}

// turned finds when a balancer first held the victim for up, or not, from
// since to until. The look in which it shows began at or after the last one
// that showed otherwise, so that it turned between the beginning of that and
// its own end; before since is not possible.
func (j *journey) turned(lb string, up bool, since, until time.Duration) change {
	c := change{moment: moment{from: since}}
	var before *history.Server
	for i := range j.h.Servers {
		o := &j.h.Servers[i]
		if o.V.Server != j.node || o.V.Balancer != lb || o.Time > until {
			continue
		}
		if o.Time < since {
			before = &o.V
			continue
		}
		if !c.looked {
			c.looked = true
			c.was = before != nil && before.Up == up
		}
		c.until = o.Time
		if o.V.Up == up {
			c.to, c.seq = o.Time+o.V.Took, o.Seq
			return c
		}
		c.from = o.Time
	}
	c.to = unseen
	return c
}

// detected finds when each balancer held the victim for down. It is not judged
// where the victim was started again, and not by the heal, before the bound
// had passed: a balancer that never noticed could not be shown to be late, and
// no longer phase would show it.
func (j *journey) detected() {
	b, ok := findBound(j.h, j.names.DetectBound)
	if l := j.reborn; ok && l != nil && (j.fault.Heal < 0 || l.bornBy < j.fault.Heal) && l.born-j.at.to < b.Limit {
		j.tooSoon = fmt.Sprintf("the detection of %s is not judged: it was started again %s after %s took effect, before the bound of %s had passed",
			j.node, sayTime(max(0, l.born-j.at.to)), j.fault.Kind, sayTime(b.Limit))
	}
	j.views(StepDetected, j.names.DetectBound, StepFault, false, j.at, j.until)
}

// views adds a step of each balancer. Only those that own the VIP are judged:
// what a standby believes routes nothing.
func (j *journey) views(name, bound, after string, up bool, since moment, until time.Duration) {
	any := false
	for _, lb := range j.balancers() {
		c := j.turned(lb, up, since.from, until)
		if !c.looked {
			continue
		}
		s := Step{Name: name, By: lb, Seen: c.to != unseen, Judged: slices.Contains(j.owners, lb)}
		any = any || s.Judged
		if name == StepDetected && j.tooSoon != "" {
			s.Judged = false
		}
		j.limit(&s, bound, after, since, c.moment)
		switch {
		case !s.Seen:
			j.missing(s, c.until)
		case c.was:
			s.Note = fmt.Sprintf("%s held %s for so already before", lb, j.node)
			fallthrough
		default:
			j.add(s, c.moment)
		}
	}
	if !any {
		j.missing(Step{Name: name, Judged: true, Note: "no view of " + j.node + " by a balancer that owns the VIP was observed"}, -1)
	}
}

// balancers are those that were asked for their view, in order.
func (j *journey) balancers() []string {
	var out []string
	for _, o := range j.h.Servers {
		if !slices.Contains(out, o.V.Balancer) {
			out = append(out, o.V.Balancer)
		}
	}
	slices.Sort(out)
	return out
}

// diverted finds until when a request was on its way to the victim: the
// latest, over the requests that balancers took while the fault was in place,
// of the time from the choice of a server to the connection's standing, or to
// the request's end if it never stood. HAProxy's log names only the last
// server, so a request that was sent on to another was first on its way to
// the victim: nothing else makes it redispatch while only the victim is down. That
// ends when the balancer holds the victim for down, and what it had for it is
// diverted: what it takes later and sends on was on its way to somebody else.
//
// It counts from the fault, against detection and diversion together: counted
// from the detection, whose moment is known only to the polling interval, most
// results would straddle the bound.
func (j *journey) diverted() {
	m := moment{from: j.at.from, to: j.at.from}
	n := 0
	sentOn := j.sentOn()
	for i := range j.h.Dispatches {
		o := &j.h.Dispatches[i]
		if o.Time < j.at.to || o.Time >= j.until {
			continue
		}
		j.sent++
		d := &o.V
		if d.Wait < 0 || d.Server != j.node && !sentOn(o) {
			continue
		}
		n++
		from, to := o.Time+d.Wait-d.Within, onItsWay(o)
		if from > m.from {
			m.from, m.seq, m.op = from, o.Seq, d.Op
		}
		m.to = max(m.to, to)
	}
	s := Step{Name: StepDiverted, Judged: true, Seen: true, Note: fmt.Sprintf("%s went to %s after the fault", count(n, "request"), j.node)}
	if n := j.concealed(&m); n > 0 {
		s.Note += fmt.Sprintf("; %s under way when a balancer ended left no line, and may have", count(n, "request"))
	}
	if j.sent == 0 {
		j.missing(Step{Name: StepDiverted, Judged: true, Note: "the balancers logged no request while the fault was in place"}, -1)
		return
	}
	j.limitDiverted(&s, m)
	j.add(s, m)
}

// sentOn tells the requests that other servers got, and the victim can have been
// to get: those that their balancer took before it held the victim for down, and
// for as long after as it may take to divert them.
func (j *journey) sentOn() func(*history.At[history.Dispatch]) bool {
	bound, known := findBound(j.h, j.names.DivertBound)
	until := map[string]time.Duration{}
	return func(o *history.At[history.Dispatch]) bool {
		d := &o.V
		if !d.Redispatched || d.Server == "" {
			return false
		}
		end, asked := until[d.Balancer]
		if !asked {
			if end = j.turned(d.Balancer, false, j.at.from, j.until).to; known && end != unseen {
				end += bound.Limit
			} else {
				end = unseen
			}
			until[d.Balancer] = end
		}
		return o.Time-d.Within < end
	}
}

// concealed counts the requests that balancers took with them and that may
// have been on their way to the victim: the last can have been one of them.
func (j *journey) concealed(m *moment) (n int) {
	for _, a := range hiddenRequests(j.h) {
		if a.to > j.at.to && a.from < j.until {
			n++
			m.to = max(m.to, min(a.to, j.until))
		}
	}
	return n
}

// onItsWay is the latest moment at which a request was still on its way to
// the server that it was first sent to.
func onItsWay(o *history.At[history.Dispatch]) time.Duration {
	d := o.V
	end := o.Time + d.Wait + d.Within
	if d.Connect >= 0 {
		return end + d.Connect
	}
	return max(end, o.Time+d.Total+d.Within)
}

func (j *journey) limitDiverted(s *Step, m moment) {
	j.limit(s, j.names.DivertBound, StepFault, j.at, m)
	detect, ok := findBound(j.h, j.names.DetectBound)
	if s.Bound == nil || !ok {
		s.Bound = nil
		return
	}
	both := detect.Limit + *s.Bound
	s.Bound = &both
	s.BoundName = detect.Name + " + " + s.BoundName
	s.Formula = detect.Formula + ", then " + s.Formula
}

// back finds the steps of the victim's return, if it was restarted.
func (j *journey) back() {
	l := j.reborn
	if l == nil {
		return
	}
	born := moment{from: l.born, to: l.bornBy, seq: l.seq}
	j.add(Step{Name: StepRestarted, Seen: true}, born)
	s := Step{Name: StepReady, Judged: true, Seen: l.readyBy >= 0}
	ready := moment{from: max(l.readyFrom, l.mute), to: l.readyBy, seq: l.readySeq}
	if !s.Seen {
		ready.to = unseen
		s.Note = "held back by " + l.says
		j.limit(&s, j.names.RecoveredBound, StepRestarted, born, ready)
		j.missing(s, l.end)
		return
	}
	j.limit(&s, j.names.RecoveredBound, StepRestarted, born, ready)
	j.add(s, ready)
	j.views(StepUp, j.names.ReadyBound, StepReady, true, ready, l.end)
	j.routed(ready, l.end)
}

// routed finds the first request that got to the victim again.
func (j *journey) routed(ready moment, end time.Duration) {
	m := moment{from: unseen}
	take := func(from, to time.Duration, seq, op uint64) {
		if from >= ready.from && from < end && from < m.from {
			m = moment{from, to, seq, op}
		}
	}
	for i := range j.h.Receipts {
		o := &j.h.Receipts[i]
		if o.V.Node == j.node && o.V.What == "arrive" && o.V.Op != 0 {
			take(o.Time-o.V.Within, o.Time+o.V.Within, o.Seq, o.V.Op)
		}
	}
	for i := range j.h.Dispatches {
		if x, ok := handedOver(&j.h.Dispatches[i]); ok && x.node == j.node {
			take(x.lo, x.hi, x.seq, x.op)
		}
	}
	if m.from == unseen {
		j.missing(Step{Name: StepRouted, Note: "no request got to " + j.node + " again"}, end)
		return
	}
	s := Step{Name: StepRouted, Seen: true, After: StepReady}
	s.TookMin, s.TookMax = max(0, m.from-ready.to), max(0, m.to-ready.from)
	j.add(s, m)
}
