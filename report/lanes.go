package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// lane is one row of states under the charts.
type lane struct {
	Group string `json:"group"`
	Name  string `json:"name"`
	Spans []span `json:"spans"`
}

// span is a state over a time, in seconds. Tone is good, warn, bad or idle;
// the state is always written in words as well.
type span struct {
	From  float64 `json:"from"`
	To    float64 `json:"to"`
	State string  `json:"state"`
	Tone  string  `json:"tone"`
}

// sample is a state as seen at one moment.
type sample struct {
	at    time.Duration
	state string
	tone  string
}

// lanes are the phases, the faults, each node, each balancer's view of each
// server and the VIP's owner, on the run's clock.
func lanes(h *history.History) []lane {
	out := []lane{phaseLane(h)}
	out = append(out, nodeLanes(h)...)
	out = append(out, serverLanes(h)...)
	return append(out, vipLanes(h)...)
}

func phaseLane(h *history.History) lane {
	l := lane{Group: "run", Name: "phase"}
	for _, p := range h.Phases {
		tone := "idle"
		if p.Kind == history.PhaseBreak {
			tone = "warn"
		}
		l.Spans = append(l.Spans, span{p.From.Seconds(), p.To.Seconds(), Clean(p.Name), tone})
	}
	return l
}

// nodeLanes tell what each application node said of itself: its own gauges
// first, and its health endpoint where the gauges see nothing wrong.
func nodeLanes(h *history.History) []lane {
	byNode := map[string][]sample{}
	truth, unready := map[string]sample{}, map[string]bool{}
	put := func(node string, at time.Duration) {
		s, known := truth[node]
		if !known {
			return
		}
		if s.state == ready && unready[node] {
			s.state, s.tone = "unready", "warn"
		}
		s.at = at
		byNode[node] = append(byNode[node], s)
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
	return joined("node", byNode, h.End)
}

// ready is the state of a node whose gauges see nothing wrong.
const ready = "ready"

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

func serverLanes(h *history.History) []lane {
	byServer := map[string][]sample{}
	for _, s := range h.Servers {
		tone := "bad"
		if s.V.Up {
			tone = "good"
		}
		key := s.V.Balancer + " sees " + s.V.Server
		byServer[key] = append(byServer[key], sample{s.Time, s.V.Status, tone})
	}
	return joined("balancer", byServer, h.End)
}

func vipLanes(h *history.History) []lane {
	byBalancer := map[string][]sample{}
	for _, v := range h.VIPs {
		s := sample{v.Time, "standby", "idle"}
		switch {
		case !v.V.Known:
			s.state, s.tone = "unknown", "warn"
		case v.V.Owner:
			s.state, s.tone = "holds the VIP", "good"
		}
		key := "VIP on " + v.V.Balancer
		byBalancer[key] = append(byBalancer[key], s)
	}
	return joined("vip", byBalancer, h.End)
}

// joined turns samples into spans: a state lasts until the next that differs.
func joined(group string, by map[string][]sample, end time.Duration) []lane {
	var out []lane
	for name, samples := range by {
		slices.SortStableFunc(samples, func(a, b sample) int { return cmp.Compare(a.at, b.at) })
		l := lane{Group: group, Name: Clean(name)}
		for _, s := range samples {
			s.state = Clean(s.state)
			if last := len(l.Spans) - 1; last >= 0 && l.Spans[last].State == s.state {
				continue
			} else if last >= 0 {
				l.Spans[last].To = s.at.Seconds()
			}
			l.Spans = append(l.Spans, span{s.at.Seconds(), end.Seconds(), s.state, s.tone})
		}
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b lane) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// band is a fault's time, from the act to the observed heal.
type band struct {
	From  float64 `json:"from"`
	To    float64 `json:"to"`
	Label string  `json:"label"`
}

func bands(h *history.History) []band {
	out := []band{}
	for _, f := range h.Faults {
		from, _ := f.Took()
		to := f.Healed
		if to < 0 {
			to = h.End
		}
		label := f.Kind
		for _, n := range f.Nodes {
			label += " " + n
		}
		out = append(out, band{max(0, from).Seconds(), to.Seconds(), Clean(label)})
	}
	return out
}
