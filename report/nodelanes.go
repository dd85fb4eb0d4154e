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
	looked, told := samples{}, samples{}
	aliveSamples(h, looked)
	for node, l := range readySamples(h) {
		looked[nodeLane(node, 2, "ready")] = l
	}
	routedSamples(h, looked)
	servingSamples(h, told)
	versionSamples(h, told)
	out := append(polled("node", looked, h.End), joined("node", told, h.End)...)
	slices.SortFunc(out, func(a, b lane) int { return strings.Compare(a.Name, b.Name) })
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
			by.put(nodeLane(r.Node, 1, "alive"), h.Readiness[i].Time, noAnswer, "bad")
		default:
			by.put(nodeLane(r.Node, 1, "alive"), h.Readiness[i].Time, "says it is not alive", "bad")
		}
	}
}

// readySamples tell what each application node said of itself: its own gauges
// first, and its readiness endpoint where the gauges see nothing wrong, or
// where it contradicts them. Of a node whose gauges nobody asked, the endpoint
// says all.
func readySamples(h *history.History) samples {
	by := samples{}
	gauged := map[string]bool{}
	for i := range h.Truth {
		gauged[h.Truth[i].V.Node] = true
	}
	truth, up, unready := map[string]sample{}, map[string]bool{}, map[string]bool{}
	put := func(node string, at time.Duration) {
		s, known := truth[node]
		switch {
		case gauged[node] && !known:
			return
		case !known && up[node]:
			s = sample{state: ready, tone: "good"}
		case !known && !unready[node]:
			s = sample{state: noAnswer, tone: "bad"}
		case !known, s.state == ready && unready[node]:
			s = sample{state: "unready", tone: "warn"}
		case s.tone == "warn" && up[node]:
			s = sample{state: "says ready: " + s.state, tone: "bad"}
		}
		by.put(node, at, s.state, s.tone)
	}
	inOrder(h.Truth, h.Readiness, func(at time.Duration, t *history.Truth) {
		truth[t.Node] = truthSample(t)
		put(t.Node, at)
	}, func(at time.Duration, r *history.Readiness) {
		if r.Probe == "ready" {
			up[r.Node], unready[r.Node] = r.Up, r.Status != 0 && !r.Up
			put(r.Node, at)
		}
	})
	return by
}

func truthSample(t *history.Truth) sample {
	switch {
	case !t.Up:
		return sample{state: noAnswer, tone: "bad"}
	case !t.Warm:
		return sample{state: "cold", tone: "warn"}
	case !t.Database:
		return sample{state: "no database", tone: "warn"}
	}
	return sample{state: ready, tone: "good"}
}

// routedSamples tell which balancers would send a request to the node; what one
// would do that does not answer is not known.
func routedSamples(h *history.History, by samples) {
	up, answers := map[string]map[string]bool{}, map[string]bool{} // up by node and balancer
	put := func(node string, at time.Duration) {
		var yes []string
		unknown := 0
		for _, lb := range sortedKeys(up[node]) {
			switch {
			case !answers[lb]:
				unknown++
			case up[node][lb]:
				yes = append(yes, lb)
			}
		}
		state, tone := "routed by "+strings.Join(yes, ", "), "warn"
		switch {
		case len(yes) == len(up[node]):
			state, tone = "routed", "good"
		case len(yes) == 0 && unknown > 0:
			state = "not known"
		case len(yes) == 0:
			state, tone = "not routed", "bad"
		}
		by.put(nodeLane(node, 3, "routed"), at, state, tone)
	}
	inOrder(h.Servers, h.Balancers, func(at time.Duration, s *history.Server) {
		if up[s.Server] == nil {
			up[s.Server] = map[string]bool{}
		}
		up[s.Server][s.Balancer], answers[s.Balancer] = s.Up, true
		put(s.Server, at)
	}, func(at time.Duration, b *history.BalancerInfo) {
		if b.Up {
			return
		}
		answers[b.Balancer] = false
		for _, node := range sortedKeys(up) {
			if _, has := up[node][b.Balancer]; has {
				put(node, at)
			}
		}
	})
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

// underWay are the requests that each node says it works on, and those that
// each balancer has under way at it: the most in each bucket of the series;
// nil where nobody looked.
type underWay struct {
	Names  []string     `json:"names"`
	Counts [][]*float64 `json:"counts"`
}

func underWayOf(h *history.History, s *series) underWay {
	nodes, balancers := map[string][]*float64{}, map[string][]*float64{}
	most := func(by map[string][]*float64, name string, at time.Duration, n float64) {
		if len(s.Time) == 0 {
			return
		}
		if by[name] == nil {
			by[name] = make([]*float64, len(s.Time))
		}
		if p := &by[name][bucket(at, s.width, len(s.Time))]; *p == nil || **p < n {
			*p = &n
		}
	}
	for i := range h.Truth {
		if t := &h.Truth[i]; t.V.Up {
			most(nodes, t.V.Node, t.Time, float64(t.V.InFlight))
		}
	}
	used := map[string]bool{}
	for i := range h.Servers {
		v := &h.Servers[i]
		used[v.V.Balancer] = used[v.V.Balancer] || v.V.Current > 0
		most(balancers, v.V.Balancer+" to "+v.V.Server, v.Time, float64(v.V.Current))
	}
	out := underWay{Names: []string{}, Counts: [][]*float64{}}
	add := func(by map[string][]*float64, wanted func(string) bool) {
		for _, name := range sortedKeys(by) {
			if len(out.Names) < 2*maxKinds && wanted(name) {
				out.Names, out.Counts = append(out.Names, cleanName(name)), append(out.Counts, by[name])
			}
		}
	}
	add(nodes, func(string) bool { return true })
	add(balancers, func(name string) bool {
		lb, _, _ := strings.Cut(name, " to ")
		return used[lb] // one that stands by would only add lines at 0
	})
	return out
}

// workRow is a line of the table behind it.
type workRow struct {
	From   string
	Counts []string
}

// rows folds it like series.rows, by the most of each part.
func (u *underWay) rows(s *series) []workRow {
	var out []workRow
	if len(u.Names) == 0 {
		return nil
	}
	group := s.group()
	for i := 0; i < len(s.Time); i += group {
		row := workRow{From: number(s.Time[i]) + " s"}
		for _, c := range u.Counts {
			row.Counts = append(row.Counts, largest(c[i:min(i+group, len(c))]))
		}
		out = append(out, row)
	}
	return out
}
