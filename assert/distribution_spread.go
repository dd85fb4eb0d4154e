package assert

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/hachaos/hachaos/history"
)

// spread is one judgement of Distribution.
type spread struct {
	Distribution
	h       *history.History
	nodes   []string
	place   []int // by Name: index into nodes + 1
	windows []window
	downs   []down
	strays  []Evidence // answers of nodes that were marked down
}

// down is a time in which a balancer certainly sent a node nothing new: from
// the end of the first look that found it down to the last such look in a row.
type down struct {
	node, balancer string
	from, to       time.Duration
}

func (d Distribution) newSpread(h *history.History) *spread {
	s := &spread{Distribution: d, h: h}
	for _, n := range h.Meta.Nodes {
		if n.Role == roleApplication {
			s.nodes = append(s.nodes, n.Name)
		}
	}
	for _, n := range s.nodes {
		id := nameOf(h, n)
		if id == 0 {
			continue // it answered nothing
		}
		if int(id) >= len(s.place) {
			s.place = append(s.place, make([]int, int(id)+1-len(s.place))...)
		}
		s.place[id] = slices.Index(s.nodes, n) + 1
	}
	return s
}

// at is the index of a node; -1 for none of the application's.
func (s *spread) at(n history.Name) int {
	if int(n) >= len(s.place) {
		return -1
	}
	return s.place[n] - 1
}

// expected are the shares of the nodes but for those left out.
func (s *spread) expected(without []string) []float64 {
	out := make([]float64, len(s.nodes))
	sum := 0.0
	for i, n := range s.nodes {
		if slices.Contains(without, n) {
			continue
		}
		out[i] = 1
		if len(s.Expect) > 0 {
			out[i] = s.Expect[n]
		}
		sum += out[i]
	}
	for i := range out {
		if sum > 0 {
			out[i] /= sum
		}
	}
	return out
}

// divide finds the windows: the steady phases before the first fault, the
// time in which a fault's victims were diverted, and the steady phases after
// the last heal.
func (s *spread) divide() {
	s.downs = s.findDowns()
	first, last := s.h.End, time.Duration(-1)
	for _, f := range s.h.Faults {
		first = min(first, f.Injected)
		last = max(last, f.Heal, f.Healed)
	}
	for _, p := range s.h.Phases {
		if p.Kind == history.PhaseSteady && p.To <= first {
			s.open("before", p.From, p.To, nil)
		}
	}
	for i := range s.h.Faults {
		s.during(&s.h.Faults[i])
	}
	for _, p := range s.h.Phases {
		if p.Kind == history.PhaseSteady && last >= 0 && p.From >= last {
			s.open("after", p.From, p.To, nil)
		}
	}
}

// open begins a window; neighbours of one name become one.
func (s *spread) open(name string, from, to time.Duration, without []string) {
	if n := len(s.windows); n > 0 && s.windows[n-1].name == name {
		s.windows[n-1].to = to
		return
	}
	s.windows = append(s.windows, window{
		name: name, from: from, to: to, expect: s.expected(without),
		sessions: make([]int, len(s.nodes)), requests: make([]int, len(s.nodes)),
		load: make([]int, len(s.nodes)), tenant: make([]int, len(s.nodes)),
	})
}

// findDowns reads the balancers' views. DRAIN and maintenance still let
// requests of known sessions through, so only a server that is down counts.
func (s *spread) findDowns() []down {
	type key struct{ node, balancer string }
	open := map[key]int{}
	blind := s.blind()
	var out []down
	for _, o := range s.h.Servers {
		k := key{o.V.Server, o.V.Balancer}
		i, was := open[k]
		was = was && !between(blind[k.balancer], out[i].to, o.Time)
		if o.V.Up || !strings.HasPrefix(o.V.Status, "DOWN") {
			delete(open, k)
			continue
		}
		if !was {
			open[k] = len(out)
			out = append(out, down{k.node, k.balancer, o.Time + o.V.Took, o.Time})
			continue
		}
		out[i].to = o.Time
	}
	return slices.DeleteFunc(out, func(d down) bool { return d.to <= d.from })
}

// blind are the times at which a balancer's process gave no answer, or was
// found to be another: what it held for down before, it may have served since.
func (s *spread) blind() map[string][]time.Duration {
	out := map[string][]time.Duration{}
	pids := map[string]int{}
	for _, o := range s.h.Balancers {
		lb := o.V.Balancer
		if pid, known := pids[lb]; !o.V.Up || known && pid != o.V.Pid {
			out[lb] = append(out[lb], o.Time)
		}
		if o.V.Up {
			pids[lb] = o.V.Pid
		}
	}
	return out
}

// between says whether one of the times, which ascend, lies in (from, to].
func between(times []time.Duration, from, to time.Duration) bool {
	i := sort.Search(len(times), func(i int) bool { return times[i] > from })
	return i < len(times) && times[i] <= to
}

// during opens a window for the time in which every balancer that saw a
// victim of f down saw it down at once, if that is certain and a node is left.
func (s *spread) during(f *history.Fault) {
	from, to := f.Injected, f.Heal
	if to < 0 {
		to = s.h.End
	}
	var victims []string
	for _, n := range f.Nodes {
		if slices.Contains(s.nodes, n) {
			victims = append(victims, n)
		}
	}
	if s.VictimPercent > 0 {
		s.inPlace(f, max(from, f.Active), to, victims)
		return
	}
	for _, v := range victims {
		seen := s.longestDowns(v, from, to)
		if len(seen) == 0 {
			return
		}
		for _, d := range seen {
			from, to = max(from, d.from), min(to, d.to)
		}
	}
	if len(victims) == 0 || len(victims) == len(s.nodes) || from >= to {
		return
	}
	s.open(s.duringName(f), from, to, victims)
}

// duringName is that of the window of f; of a second fault with its number.
func (s *spread) duringName(f *history.Fault) string {
	if s.named(duringFault) != nil {
		return fmt.Sprintf("%s (fault %d)", duringFault, f.ID)
	}
	return duringFault
}

const duringFault = "during"

// inPlace opens a window for the time in which f gives its victims the share
// VictimPercent, if it was proven to and there are others.
func (s *spread) inPlace(f *history.Fault, from, to time.Duration, victims []string) {
	if f.Active < 0 || len(victims) == 0 || len(victims) == len(s.nodes) || from >= to {
		return
	}
	s.open(s.duringName(f), from, to, nil)
	w := &s.windows[len(s.windows)-1]
	for i, n := range s.nodes {
		if slices.Contains(victims, n) {
			w.expect[i] = s.VictimPercent / 100 / float64(len(victims))
		} else {
			w.expect[i] = (1 - s.VictimPercent/100) / float64(len(s.nodes)-len(victims))
		}
	}
}

// longestDowns is, for each balancer that saw the node down in [from, to),
// the longest such time.
func (s *spread) longestDowns(node string, from, to time.Duration) map[string]down {
	out := map[string]down{}
	within := func(d down) time.Duration { return min(d.to, to) - max(d.from, from) }
	for _, d := range s.downs {
		if d.node == node && within(d) > max(0, within(out[d.balancer])) {
			out[d.balancer] = d
		}
	}
	return out
}

// count walks the operations once.
func (s *spread) count() {
	for i := range s.h.Ops {
		op := &s.h.Ops[i]
		n := s.at(op.Node)
		if n < 0 || op.Sent < 0 {
			continue
		}
		for w := range s.windows {
			if s.windows[w].from <= op.Sent && op.Sent < s.windows[w].to {
				s.windows[w].requests[n]++
				if op.Type == history.Login && op.Outcome == history.Good {
					s.windows[w].sessions[n]++
				}
			}
		}
		s.stray(op, s.nodes[n])
	}
	for i := range s.h.Dispatches {
		s.strayDispatch(&s.h.Dispatches[i])
	}
	s.weigh()
	for i := range s.windows {
		s.windows[i].judge(s.skew())
	}
}

// stray notes an answer that a node gave while the balancer that passed it
// on had marked it down, for certain.
func (s *spread) stray(op *history.Op, node string) {
	for _, d := range s.downs {
		if d.node == node && op.Sent > d.from && op.End >= 0 && op.End < d.to && s.h.BalancerOf(op) == d.balancer {
			s.strays = append(s.strays, Evidence{
				Op: op.ID, At: op.Sent, Node: node, Class: "diverted",
				Text: fmt.Sprintf("op %d (%s) was answered by %s, which %s had marked down since %s", op.ID, op.Type, node, d.balancer, round(d.from)),
			})
			return
		}
	}
}

// strayDispatch notes a request of no client operation that was answered in
// that time; those of operations are noted already.
func (s *spread) strayDispatch(o *history.At[history.Dispatch]) {
	if o.V.Op != 0 || o.V.Status <= 0 || o.V.Server == "" {
		return
	}
	for _, d := range s.downs {
		if d.node == o.V.Server && d.balancer == o.V.Balancer && o.Time-o.V.Within > d.from && o.Time+o.V.Total+o.V.Within < d.to {
			s.strays = append(s.strays, Evidence{
				Seq: o.Seq, At: o.Time, Node: d.node, Class: "diverted",
				Text: fmt.Sprintf("%s sent a request to %s, which it had marked down since %s", d.balancer, d.node, round(d.from)),
			})
			return
		}
	}
}

// nearest is the judged window that comes nearest to its bound.
func (s *spread) nearest() *window {
	var out *window
	for i := range s.windows {
		w := &s.windows[i]
		if w.judged && (out == nil || w.skew-w.bound > out.skew-out.bound) {
			out = w
		}
	}
	return out
}
