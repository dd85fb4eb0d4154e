package assert

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// hit is evidence that a request got to a node, at some time from lo to hi.
type hit struct {
	request
	node     string
	lo, hi   time.Duration
	seq      uint64
	log      string // the balancer whose log says so; empty: the node's receipt
	answered bool
}

// requests judges every request that is known to have got to a node: by the
// node's receipt of its arrival, which is the surest, and by the balancers'
// logs, which know the ones that the node never came to write down.
func (g *gate) requests() {
	for i := range g.h.Receipts {
		o := &g.h.Receipts[i]
		if o.V.What != "arrive" || o.V.Op == 0 {
			continue
		}
		g.judge(hit{
			request: request{op: o.V.Op, attempt: o.V.Attempt}, node: o.V.Node,
			lo: o.Time - o.V.Within, hi: o.Time + o.V.Within, seq: o.Seq, answered: true,
		})
	}
	for i := range g.h.Dispatches {
		if x, ok := handedOver(&g.h.Dispatches[i]); ok {
			g.judge(x)
		}
	}
}

// handedOver is when a balancer had a connection to the server that its log
// names: no request gets to a node before. HAProxy's Tw ends when the request
// is assigned to a server and its Tc when the connection stands, so that the
// node was chosen, and reached, between the two.
func handedOver(o *history.At[history.Dispatch]) (hit, bool) {
	d := &o.V
	if d.Server == "" || d.Wait < 0 || d.Connect < 0 {
		return hit{}, false
	}
	x := hit{
		request: request{op: d.Op, attempt: d.Attempt}, node: d.Server, seq: o.Seq, log: d.Balancer,
		lo: o.Time + d.Wait - d.Within, hi: o.Time + d.Wait + d.Connect + d.Within, answered: d.Response >= 0,
	}
	if d.Op == 0 {
		x.request = request{lb: d.Balancer, number: d.Number}
	}
	return x, true
}

// judge holds one request against the node's state.
func (g *gate) judge(x hit) {
	c := g.nodes[x.node]
	if c == nil {
		return
	}
	for i, l := range c.lives {
		if l.before(x.lo, x.hi) {
			g.breach(rankRestarted, x, fmt.Sprintf("got to %s %s before it can have become ready after its start %s, by %s",
				x.node, sayTime(l.readyFrom-x.hi), sayMoment(l.born), l.says))
			return
		}
		if l.readyBy >= 0 && x.lo >= l.readyFrom && x.lo < l.end && (c.served[i] < 0 || x.lo < c.served[i]) {
			c.served[i] = x.lo
		}
	}
	if g.settleKnown {
		for _, l := range c.unready {
			if s, ok := l.find(x.lo, x.hi, g.settle.Limit); ok {
				g.late(rankUnready, x, s, g.settle, fmt.Sprintf("got to %s %s after it became unready by %s (bound %s)",
					x.node, sayTime(x.lo-s.from), s.says, sayTime(g.settle.Limit)))
				return
			}
		}
	}
	if g.silentKnown && !x.answered {
		if s, ok := c.silent.find(x.lo, x.hi, g.silent.Limit); ok {
			g.late(rankSilent, x, s, g.silent, fmt.Sprintf("was handed to %s %s after it had stopped answering, and was not answered (bound %s)",
				x.node, sayTime(x.lo-s.from), sayTime(g.silent.Limit)))
		}
	}
}

// late notes a violation of a bound, unless it may be the machine's.
func (g *gate) late(rank int, x hit, s spell, bound history.Bound, text string) {
	if !g.machine.starved(s.from, x.lo, bound.Limit) {
		g.breach(rank, x, text)
		return
	}
	g.starved = cmp.Or(g.starved, starvedReason(x.request.String()+" "+text))
}

// breach notes a violation, once a request.
func (g *gate) breach(rank int, x hit, text string) {
	if g.seen[x.request] {
		return
	}
	g.seen[x.request] = true
	by := "its receipt"
	if x.log != "" {
		by = "the log of " + x.log
	}
	g.broken = append(g.broken, breach{Evidence{
		Seq: x.seq, Op: x.op, At: x.lo, Node: x.node, Class: rankClass(rank),
		Text: fmt.Sprintf("%s %s (%s)", x.request, text, by),
	}, rank})
}

func rankClass(rank int) string {
	return [ranks]string{"before ready", "after unready", "cold answer", "silent node", "liveness"}[rank]
}

// answers finds those that a node gave which itself said that it was cold.
func (g *gate) answers() {
	for i := range g.h.Ops {
		o := &g.h.Ops[i]
		r := request{op: o.ID, attempt: int(o.Attempts)}
		if !o.Has(history.Cold) || g.seen[r] {
			continue
		}
		g.seen[r] = true
		node := g.h.NodeOf(o)
		g.broken = append(g.broken, breach{Evidence{
			Op: o.ID, At: o.End, Node: node, Class: rankClass(rankCold),
			Text: fmt.Sprintf("operation %d, attempt %d was answered by %s, which said that it was not warm", o.ID, o.Attempts, node),
		}, rankCold})
	}
}

// liveness finds looks that were answered with no while only the node's
// database was away.
func (g *gate) liveness() {
	for _, o := range g.h.Readiness {
		c := g.nodes[o.V.Node]
		if c == nil || o.V.Probe != "live" || o.V.Up || o.V.Status == 0 {
			continue
		}
		for _, l := range c.away {
			if s, ok := l.find(o.Time, o.Time+o.V.Took, 0); ok {
				g.broken = append(g.broken, breach{Evidence{
					Seq: o.Seq, At: o.Time, Node: o.V.Node, Class: rankClass(rankLiveness),
					Text: fmt.Sprintf("liveness of %s answered %d while only its database was away (%s)", o.V.Node, o.V.Status, s.says),
				}, rankLiveness})
				break
			}
		}
	}
}

// exercised says whether a request could have violated: one got to a
// restarted node after its start, or a node was unready for longer than the
// bound while there was traffic.
func (g *gate) exercised() bool {
	for _, n := range g.names {
		c := g.nodes[n]
		for i, l := range c.lives {
			if l.again && c.served[i] >= 0 {
				return true
			}
		}
		for _, l := range c.unready {
			for _, s := range l {
				if !c.starting(s.from) && g.traffic(s.from+g.settle.Limit, s.to) {
					return true
				}
			}
		}
	}
	return false
}

// starting says whether the node, restarted, was on its way to ready at t.
func (c *condition) starting(t time.Duration) bool {
	return slices.ContainsFunc(c.lives, func(l incarnation) bool {
		return l.again && t >= l.born && (t <= l.readyBy || l.readyBy < 0 && t <= l.end)
	})
}

// traffic says whether an operation was sent between two times.
func (g *gate) traffic(from, to time.Duration) bool {
	for range opsWithin(g.h, from, to) {
		return true
	}
	return false
}

// measures are the counts by kind, and how soon a restarted node was served.
func (g *gate) measures() []Measure {
	var by [ranks]int
	for _, b := range g.broken {
		by[b.rank]++
	}
	var out []Measure
	for r, n := range by {
		out = append(out, Measure{Name: rankClass(r), Value: float64(n), Bound: figure(0)})
	}
	for _, n := range g.names {
		c := g.nodes[n]
		for i, l := range c.lives {
			if at := c.served[i]; l.again && at >= 0 {
				out = addMeasure(out, Measure{
					Name: "first request after ready", Value: millis(at - l.readyFrom), Unit: "ms",
					Note: fmt.Sprintf("%s, restarted %s, ready between %s and %s", n, sayMoment(l.born), sayMoment(l.readyFrom), sayMoment(l.readyBy)),
				})
			}
		}
	}
	return out
}

// notes tell what did not decide.
func (g *gate) notes() []string {
	var out []string
	for _, n := range g.names {
		c := g.nodes[n]
		for i, l := range c.lives {
			if !l.again {
				continue
			}
			if c.served[i] < 0 {
				out = append(out, fmt.Sprintf("no request got to %s after it was ready again", n))
			}
			if lb := unmarked(g.h, n, i, c); lb != "" {
				out = append(out, fmt.Sprintf("%s was back before %s marked it down, so that its requests were never held back", n, lb))
			}
		}
		if len(c.silent) > 0 && !g.silentKnown {
			out = append(out, fmt.Sprintf("%s was silent, and the topology states no bound within which a balancer notices", n))
		}
	}
	return out
}

// unmarked is a balancer that looked at the node and saw it up all the way
// from its death to its return; empty if there is none.
func unmarked(h *history.History, node string, i int, c *condition) string {
	l := c.lives[i]
	if l.readyBy < 0 {
		return ""
	}
	from := deathBefore(h, node, l.born)
	marked := map[string]bool{}
	var lbs []string
	for _, o := range h.Servers {
		if o.V.Server != node || o.Time < from || o.Time > l.readyBy {
			continue
		}
		if _, known := marked[o.V.Balancer]; !known {
			lbs = append(lbs, o.V.Balancer)
		}
		marked[o.V.Balancer] = marked[o.V.Balancer] || !o.V.Up
	}
	for _, lb := range lbs {
		if !marked[lb] {
			return lb
		}
	}
	return ""
}

// deathBefore is when the node last ended before t, by the engine; t itself
// if the engine saw none.
func deathBefore(h *history.History, node string, t time.Duration) time.Duration {
	at := t
	for _, o := range h.Engine {
		if o.V.Node == node && o.V.Action == "die" && o.Time < t {
			at = o.Time
		}
	}
	return at
}
