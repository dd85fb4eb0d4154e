package assert

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/hachaos/hachaos/history"
)

const (
	// queueSlack is what the times of arrivals and of gauges may differ by,
	// on either side of the limit.
	queueSlack = 250 * time.Millisecond
	// silentLives is how many looks at liveness in a row must get no answer to
	// count, each begun after the one before had given up, for many are under
	// way at a time: one may be the machine's doing.
	silentLives = 3
)

// nodes judges each node's gauges: its threads, and what it works on against
// what arrived.
func (a *overloadAudit) nodes() {
	arrivals := map[string][]time.Duration{}
	for i := range a.h.Receipts {
		if r := &a.h.Receipts[i]; r.V.What == "arrive" {
			arrivals[r.V.Node] = append(arrivals[r.V.Node], r.Time)
		}
	}
	for _, l := range arrivals {
		slices.Sort(l)
	}
	for i := range a.h.Truth {
		l := &a.h.Truth[i]
		if !l.V.Up || !a.within(l.Time) || !serves(a.h, l.V.Node) {
			continue
		}
		a.looks++
		work := max(l.V.InFlight, l.V.Active+l.V.Waiting)
		a.peak.threads, a.peak.work, a.peak.waiting = max(a.peak.threads, l.V.Threads), max(a.peak.work, work), max(a.peak.waiting, l.V.Waiting)
		e := Evidence{Seq: l.Seq, At: l.Time, Node: l.V.Node}
		if l.V.Threads > a.threads.Count {
			a.exhausted(e, l.V.Threads)
		}
		came := countWithin(arrivals[l.V.Node], l.Time-a.answer.Limit-queueSlack, l.Time+queueSlack)
		if work > came+spareWork {
			a.violate(classQueue, e, "%s worked on %d requests (%d in flight, %d holding a connection, %d waiting for one), and only %d had arrived within the %s before",
				l.V.Node, work, l.V.InFlight, l.V.Active, l.V.Waiting, came, sayTime(a.answer.Limit))
		}
	}
}

// exhausted notes a look that saw more threads busy than there are to be.
func (a *overloadAudit) exhausted(e Evidence, threads int) {
	const text = "%s had %d busy threads, more than %d"
	if !a.strained.saturated(e.At, e.At) {
		a.violate(classThreads, e, text, e.Node, threads, a.threads.Count)
		return
	}
	if a.starved++; a.starved == 1 {
		e.Text = fmt.Sprintf(text, e.Node, threads, a.threads.Count)
		a.first = e
	}
}

// spareWork is how many connections may be in use by no request: what the
// node's housekeeping (the session store's, the pool's) takes.
const spareWork = 2

// countWithin counts the sorted times in [from, to].
func countWithin(times []time.Duration, from, to time.Duration) int {
	lo := sort.Search(len(times), func(i int) bool { return times[i] >= from })
	hi := sort.Search(len(times), func(i int) bool { return times[i] > to })
	return hi - lo
}

// liveness judges the looks at it: a no counts at once, silence if it lasts and
// the machine had a processor to spare for the answer.
func (a *overloadAudit) liveness() {
	silent := map[string]*silence{}
	machine := machineOf(a.h)
	for i := range a.h.Readiness {
		l := &a.h.Readiness[i]
		if l.V.Probe != "live" || !a.within(l.Time) || !serves(a.h, l.V.Node) {
			continue
		}
		e := Evidence{Seq: l.Seq, At: l.Time, Node: l.V.Node}
		s := silent[l.V.Node]
		if s == nil {
			s = &silence{}
			silent[l.V.Node] = s
		}
		switch until := l.Time + l.V.Took; {
		case l.V.Up:
			*s = silence{}
		case l.V.Status != 0:
			a.violate(classLiveness, e, "liveness of %s answered %d", l.V.Node, l.V.Status)
		case machine.saturated(l.Time, until):
			// It says nothing of the node.
		case s.looks == 0 || l.Time >= s.until:
			s.looks, s.until = s.looks+1, until
			if s.looks == silentLives {
				a.violate(classLiveness, e, "liveness of %s did not answer %d times in a row", l.V.Node, silentLives)
			}
		}
	}
}

// silence are looks in a row without an answer, none begun before the one before
// it had given up.
type silence struct {
	looks int
	until time.Duration // when the last of them gave up
}

// restarts are containers and processes of nodes that ended or began.
func (a *overloadAudit) restarts() {
	for _, x := range a.h.Engine {
		if !a.within(x.Time) || !application(a.h, x.V.Node) || !slices.Contains([]string{"die", "start", "restart", "oom"}, x.V.Action) {
			continue
		}
		a.violate(classRestarted, Evidence{Seq: x.Seq, At: x.Time, Node: x.V.Node}, "the engine reports %s of %s", x.V.Action, x.V.Node)
	}
	for _, x := range a.h.Transitions {
		if a.within(x.Time) && (x.V.What == "started" || x.V.What == "stopping") {
			a.violate(classRestarted, Evidence{Seq: x.Seq, At: x.Time, Node: x.V.Node}, "%s logged that it is %s", x.V.Node, x.V.What)
		}
	}
}

// application says whether the run's first line knows the node as one.
func application(h *history.History, node string) bool {
	return slices.ContainsFunc(h.Meta.Nodes, func(n history.NodeMeta) bool { return n.Name == node && n.Role == roleApplication })
}
