package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// stretch is a part of the run, and what each node did in it.
type stretch struct {
	Name     string
	From, To string
	Nodes    []nodeShare
}

// nodeShare is a node's part of the answers and of the new sessions.
type nodeShare struct {
	Node                     string
	Answers, Sessions        int
	AnswerShare, LoginShare  float64 // percent
	AnswerWords, LoginsWords string
}

// distribution counts answers and acknowledged logins by node before the
// first fault took effect, until the last heal was proven, and after. Warm-up
// is left out. A run without a fault is one stretch.
func distribution(h *history.History) []stretch {
	begin, end := time.Duration(0), h.End
	for _, p := range h.Phases {
		if !p.Judged() && p.To < h.End {
			begin = p.To
		}
	}
	type stage struct {
		name     string
		from, to time.Duration
	}
	parts := []stage{{"the whole run", begin, end}}
	if at, _ := struckAt(h); at >= 0 {
		healed := at
		for _, f := range h.Faults {
			if f.Healed < 0 {
				healed = end
			}
			healed = max(healed, f.Healed)
		}
		parts = []stage{{"before", begin, max(begin, at)}, {"while the fault bit", at, healed}, {"after", healed, end}}
	}
	var out []stretch
	for _, p := range parts {
		if p.to > p.from {
			out = append(out, stretch{p.name, clock(p.from), clock(p.to), sharesIn(h, p.from, p.to)})
		}
	}
	return out
}

// sharesIn are the nodes' parts of what was answered in [from, to).
func sharesIn(h *history.History, from, to time.Duration) []nodeShare {
	by := map[string]*nodeShare{}
	for _, n := range h.Meta.Nodes {
		if n.Role == "application" {
			by[n.Name] = &nodeShare{Node: cleanName(n.Name)}
		}
	}
	answers, sessions := 0, 0
	for i := range h.Ops {
		o := &h.Ops[i]
		if o.Node == 0 || o.End < from || o.End >= to {
			continue
		}
		n := by[h.NodeOf(o)]
		if n == nil {
			n = &nodeShare{Node: cleanName(h.NodeOf(o))}
			by[h.NodeOf(o)] = n
		}
		n.Answers++
		answers++
		if o.Type == history.Login && o.Outcome == history.Good {
			n.Sessions++
			sessions++
		}
	}
	out := make([]nodeShare, 0, len(by))
	for _, name := range sortedKeys(by)[:min(len(by), maxLanes)] {
		n := by[name]
		n.AnswerShare = 100 * float64(n.Answers) / float64(max(1, answers))
		n.LoginShare = 100 * float64(n.Sessions) / float64(max(1, sessions))
		n.AnswerWords, n.LoginsWords = number(oneDecimal(n.AnswerShare)), number(oneDecimal(n.LoginShare))
		out = append(out, *n)
	}
	return out
}

func oneDecimal(f float64) float64 { return float64(int(f*10+0.5)) / 10 }

// spell is a time in which a node was not ready by its own account, and the
// requests that balancers sent it meanwhile.
type spell struct {
	Node, State, From, To string
	Sent, Answered        int
	First                 uint64 // the first operation sent to it; 0: none is known
	Routed                string // how long balancers still routed to it
}

// maxSpells bounds the table of readiness against routing.
const maxSpells = 40

// unreadySpells set readiness against routing. A request counts at the time
// when the balancer accepted it, and the node's state at the time when it was
// asked: whether one is a violation is readiness-gating's to say, which weighs
// both uncertainties and the bound. The second result is how many more there are.
func unreadySpells(h *history.History) (out []spell, more int) {
	by := readySamples(h)
	for _, node := range sortedKeys(by) {
		states := by[node]
		slices.SortStableFunc(states, func(a, b sample) int { return cmp.Compare(a.at, b.at) })
		for i, s := range states {
			if s.state == ready {
				continue
			}
			if len(out) == maxSpells {
				more++
				continue
			}
			to := h.End
			if i+1 < len(states) {
				to = states[i+1].at
			}
			sp := spell{Node: cleanName(node), State: s.state, From: clock(s.at), To: clock(to)}
			for j := range h.Dispatches {
				d := &h.Dispatches[j]
				if d.V.Server != node || d.Time < s.at || d.Time >= to {
					continue
				}
				sp.Sent++
				if sp.First == 0 {
					sp.First = d.V.Op
				}
				if d.V.Status > 0 && d.V.Status < 400 {
					sp.Answered++
				}
			}
			routed := routedFor(h, node, s.at, to)
			sp.Routed = interval(routed, routed)
			out = append(out, sp)
		}
	}
	return out, more
}

// polledNodes says whether anybody asked the nodes for their readiness.
func polledNodes(h *history.History) bool {
	return len(h.Truth) > 0 || slices.ContainsFunc(h.Readiness, func(r history.At[history.Readiness]) bool { return r.V.Probe == "ready" })
}

// routedFor is for how long of [from, to) any balancer held the node for up,
// as polled. One that does not answer holds it for nothing.
func routedFor(h *history.History, node string, from, to time.Duration) time.Duration {
	up, last, sum := map[string]bool{}, time.Duration(0), time.Duration(0)
	count := func(at time.Duration) {
		for _, yes := range up {
			if yes {
				sum += max(0, min(at, to)-max(last, from))
				break
			}
		}
		last = at
	}
	inOrder(h.Servers, h.Balancers, func(at time.Duration, s *history.Server) {
		if s.Server == node {
			count(at)
			up[s.Balancer] = s.Up
		}
	}, func(at time.Duration, b *history.BalancerInfo) {
		if !b.Up && up[b.Balancer] {
			count(at)
			up[b.Balancer] = false
		}
	})
	count(to)
	return sum
}
