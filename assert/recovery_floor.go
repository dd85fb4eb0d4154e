package assert

import (
	"cmp"
	"fmt"
	"time"

	"github.com/hachaos/hachaos/history"
)

// levels are what a node can run out of.
var levels = []struct {
	name string
	of   func(history.Truth) int
	// idle is what the gauge falls to where nobody asks anything of the node; -1 if
	// that is not known.
	idle int
}{
	{"busy threads", func(t history.Truth) int { return t.Threads }, -1},
	{"pooled connections in use", func(t history.Truth) int { return t.Active }, 0},
	{"requests waiting for a connection", func(t history.Truth) int { return t.Waiting }, 0},
	{"requests in flight", func(t history.Truth) int { return t.InFlight }, 1}, // a look itself is one
}

const (
	// leastLooks is how many looks make a floor: under load a gauge is seldom
	// seen at its least.
	leastLooks = 20
	// floorSlack is how much higher a floor may be after a fault: the node may
	// have got the sessions of others.
	floorSlack = 2
	// scarce is the share of the database's connections that counts as
	// exhaustion if it is in use at every look.
	scarce = 0.9
)

// exhausted judges each node's floors: what a gauge never falls below. A
// request, a thread or a connection that hangs for ever raises it, whatever
// the load. Once the load has ended, while the rest of it is awaited and the
// sessions are read, there is none of what is in use: one leaked connection counts.
func (a *recoveryAudit) exhausted(g reign, v *Verdict) objective {
	o := objective{name: "what is left in use", status: Pass, text: "no threads or connections were left in use"}
	limit, _, _, reason := a.bound(a.h)
	base, ok := firstOfKind(a.h, history.PhaseSteady)
	if reason != "" || !ok {
		return objective{name: o.name, reason: cmp.Or(reason, "there is no steady phase to compare with")}
	}
	var left []string
	worst := make([]Measure, len(levels))
	for _, n := range a.h.Meta.Nodes {
		if n.Role != roleApplication {
			continue
		}
		before, after := a.looks(n.Name, base.From, base.To), a.looks(n.Name, g.heal+limit, a.h.End+1)
		if len(before) < leastLooks || len(after) < leastLooks {
			o.status = Inconclusive
			o.reason = fmt.Sprintf("too few looks at the gauges of %s: %d before the fault and %d after the recovery, and a floor takes %d", n.Name, len(before), len(after), leastLooks)
			return o
		}
		last := after[len(after)-1]
		quiet := len(a.looks(n.Name, g.until, a.h.End+1)) >= silentLooks
		for i, level := range levels {
			was, is := floor(before, level.of), floor(after, level.of)
			most := was + floorSlack
			if level.idle >= 0 && quiet {
				most = level.idle
			}
			if m := &worst[i]; m.Name == "" || float64(is) > m.Value {
				*m = Measure{
					Name: "floor of " + level.name, Value: float64(is), Bound: figure(float64(most)),
					Note: fmt.Sprintf("%s: the least of %d looks after the recovery; %d before the fault", n.Name, len(after), was),
				}
			}
			if is > most {
				text := fmt.Sprintf("%s of %s never fell below %d after the recovery (before the fault %d)", level.name, n.Name, is, was)
				left = append(left, text)
				a.evidence = append(a.evidence, Evidence{Seq: last.Seq, At: last.Time, Node: n.Name, Class: "exhausted", Text: text})
			}
		}
	}
	for _, m := range worst {
		if m.Name != "" {
			v.Measures = addMeasure(v.Measures, m)
		}
	}
	if len(left) > 0 {
		o.status, o.text = Fail, list(left, 3)
		o.fix = valueFix(a.h, "bound every wait, and give back what a request that ended had in use", ValuePoolWait, ValueStatementTime, ValueTimeouts, ValueServerTimeout)
	}
	return o
}

// looks are those at a node's gauges that it answered.
func (a *recoveryAudit) looks(node string, from, to time.Duration) []history.At[history.Truth] {
	var out []history.At[history.Truth]
	if s := a.nodes[node]; s != nil {
		for _, l := range s.truth {
			if l.V.Up && l.Time >= from && l.Time < to {
				out = append(out, l)
			}
		}
	}
	return out
}

func floor(looks []history.At[history.Truth], of func(history.Truth) int) int {
	least := of(looks[0].V)
	for _, l := range looks[1:] {
		least = min(least, of(l.V))
	}
	return least
}

// database judges whether the database has connections to spare; where there
// is none, there is nothing to judge.
func (a *recoveryAudit) database(g reign) objective {
	o := objective{name: "connections of the database", status: Pass, text: "the database had connections to spare"}
	if !hasRole(a.h, roleDatabase) {
		o.text = "there is no database"
		return o
	}
	if ok, reasons := a.h.CoverageOf(history.StreamConnections); !ok {
		return objective{name: o.name, reason: list(reasons, 1)}
	}
	limit, _, _, reason := a.bound(a.h)
	if reason != "" {
		return objective{name: o.name, reason: reason}
	}
	free, seen := false, history.At[history.Connections]{}
	for _, c := range a.h.Connections {
		if c.Time >= g.heal+limit && c.V.Known {
			free = free || float64(c.V.Total) < scarce*float64(c.V.Max)
			seen = c
		}
	}
	switch {
	case seen.Seq == 0:
		o.status, o.reason = Inconclusive, "the database told nothing of its connections after the recovery"
	case !free:
		o.status = Fail
		o.fix = valueFix(a.h, "let all pools together leave connections to spare", ValueNodeConnections, ValuePoolSize, ValueMaxConnections)
		o.text = fmt.Sprintf("the database's connections were used up at every look after the recovery: %d of %d", seen.V.Total, seen.V.Max)
		a.evidence = append(a.evidence, Evidence{Seq: seen.Seq, At: seen.Time, Class: "exhausted", Text: o.text})
	}
	return o
}

func hasRole(h *history.History, role string) bool {
	for _, n := range h.Meta.Nodes {
		if n.Role == role {
			return true
		}
	}
	return false
}
