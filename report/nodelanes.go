package report

import (
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/history"
)

// ready is the state of a node whose gauges see nothing wrong.
const ready = "ready"

// nodeLanes are those of each application node, side by side: alive by its
// own liveness endpoint, ready, routed by the balancers, serving by the
// answers that clients got, and its version where there is more than one.
func nodeLanes(h *history.History) []lane {
	by := samples{}
	aliveSamples(h, by)
	for node, l := range readySamples(h) {
		by[nodeLane(node, 2, "ready")] = l
	}
	routedSamples(h, by)
	servingSamples(h, by)
	versionSamples(h, by)
	out := joined("node", by, h.End)
	for i := range out {
		out[i].Name = strings.Join(slices.Delete(strings.Split(out[i].Name, orderMark), 1, 2), " ")
	}
	return out
}

// nodeLane names a lane so that those of a node sort in the order of place.
func nodeLane(node string, place int, what string) string {
	return cut(node, 40) + orderMark + string(rune('0'+place)) + orderMark + what
}

// orderMark stands in no name of a node that a topology may give.
const orderMark = " · "

func aliveSamples(h *history.History, by samples) {
	for i := range h.Readiness {
		r := &h.Readiness[i].V
		switch {
		case r.Probe != "live":
		case r.Up:
			by.put(nodeLane(r.Node, 1, "alive"), h.Readiness[i].Time, "alive", "good")
		case r.Status == 0:
			by.put(nodeLane(r.Node, 1, "alive"), h.Readiness[i].Time, "no answer", "bad")
		default:
			by.put(nodeLane(r.Node, 1, "alive"), h.Readiness[i].Time, "says it is not alive", "bad")
		}
	}
}

// readySamples tell what each application node said of itself: its own gauges
// first, and its health endpoint where the gauges see nothing wrong.
func readySamples(h *history.History) samples {
	by := samples{}
	truth, unready := map[string]sample{}, map[string]bool{}
	put := func(node string, at time.Duration) {
		s, known := truth[node]
		if !known {
			return
		}
		if s.state == ready && unready[node] {
			s.state, s.tone = "unready", "warn"
		}
		by.put(node, at, s.state, s.tone)
	}
	i := 0
	for _, t := range h.Truth {
		for ; i < len(h.Readiness) && h.Readiness[i].Time <= t.Time; i++ {
			if r := &h.Readiness[i].V; r.Probe == "ready" {
				unready[r.Node] = r.Status != 0 && !r.Up
				put(r.Node, h.Readiness[i].Time)
			}
		}
		truth[t.V.Node] = truthSample(&t.V)
		put(t.V.Node, t.Time)
	}
	return by
}

func truthSample(t *history.Truth) sample {
	switch {
	case !t.Up:
		return sample{state: "no answer", tone: "bad"}
	case !t.Warm:
		return sample{state: "cold", tone: "warn"}
	case !t.Database:
		return sample{state: "no database", tone: "warn"}
	}
	return sample{state: ready, tone: "good"}
}

// routedSamples tell which balancers would send a request to the node.
func routedSamples(h *history.History, by samples) {
	up := map[string]map[string]bool{} // by node and balancer
	for i := range h.Servers {
		s := &h.Servers[i].V
		if up[s.Server] == nil {
			up[s.Server] = map[string]bool{}
		}
		up[s.Server][s.Balancer] = s.Up
		var yes []string
		for _, lb := range sortedKeys(up[s.Server]) {
			if up[s.Server][lb] {
				yes = append(yes, lb)
			}
		}
		state, tone := "routed by "+strings.Join(yes, ", "), "warn"
		switch len(yes) {
		case 0:
			state, tone = "not routed", "bad"
		case len(up[s.Server]):
			state, tone = "routed", "good"
		}
		by.put(nodeLane(s.Server, 3, "routed"), h.Servers[i].Time, state, tone)
	}
}

// servingSamples tell when clients had answers of the node, by parts of half
// a second or of what the charts resolve.
func servingSamples(h *history.History, by samples) {
	width := max(500*time.Millisecond, (h.End/maxBuckets + time.Millisecond).Truncate(time.Millisecond))
	n := int(h.End/width) + 1
	answers := map[history.Name][]int{}
	for i := range h.Ops {
		o := &h.Ops[i]
		if o.Node == 0 || o.End < 0 {
			continue
		}
		if answers[o.Node] == nil {
			answers[o.Node] = make([]int, n)
		}
		answers[o.Node][bucket(o.End, width, n)]++
	}
	for name, counts := range answers {
		lane := nodeLane(h.Names.Get(name), 4, "serving")
		for b, c := range counts {
			if b > 0 && time.Duration(b)*width >= h.End {
				break
			}
			if c > 0 {
				by.put(lane, time.Duration(b)*width, "answers", "good")
			} else {
				by.put(lane, time.Duration(b)*width, "no answers", "idle")
			}
		}
	}
}

// versionSamples tell the version that each node's answers named.
func versionSamples(h *history.History, by samples) {
	own, versions := samples{}, map[uint16]bool{}
	for i := range h.Ops {
		o := &h.Ops[i]
		if o.Node == 0 || o.Version == 0 || o.End < 0 {
			continue
		}
		versions[o.Version] = true
		own.put(nodeLane(h.NodeOf(o), 5, "version"), o.End, "version "+h.VersionOf(o), "idle")
	}
	if len(versions) < 2 {
		return
	}
	for name, l := range own {
		by[name] = l
	}
}

// underWay are the requests that each node says it works on, the most in each
// bucket of the series; nil where it did not say.
type underWay struct {
	Nodes  []string     `json:"nodes"`
	Counts [][]*float64 `json:"counts"`
}

func underWayOf(h *history.History, s *series) underWay {
	by := map[string][]*float64{}
	for i := range h.Truth {
		t := &h.Truth[i]
		if !t.V.Up || len(s.Time) == 0 {
			continue
		}
		if by[t.V.Node] == nil {
			by[t.V.Node] = make([]*float64, len(s.Time))
		}
		n := float64(t.V.InFlight)
		if at := &by[t.V.Node][bucket(t.Time, s.width, len(s.Time))]; *at == nil || **at < n {
			*at = &n
		}
	}
	out := underWay{Nodes: []string{}, Counts: [][]*float64{}}
	for _, node := range sortedKeys(by) {
		if len(out.Nodes) < 2*maxKinds {
			out.Nodes, out.Counts = append(out.Nodes, cleanName(node)), append(out.Counts, by[node])
		}
	}
	return out
}
