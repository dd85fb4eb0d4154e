package report

import (
	"cmp"
	"slices"
	"strings"
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

// samples are those of several lanes, by the lane's name.
type samples map[string][]sample

func (s samples) put(lane string, at time.Duration, state, tone string) {
	l := s[lane]
	if n := len(l); n > 0 && l[n-1].state == state && at >= l[n-1].at {
		return // nothing new
	}
	s[lane] = append(l, sample{at, state, tone})
}

// Bounds of what is drawn: a lane that changes more often is told coarsely.
const (
	maxLanes = 80
	maxSpans = 250
)

// lanes are, on the run's clock, the phases, the faults, the VIP's owner,
// each balancer's view of each server, each node, the database, the owner of
// scheduled jobs and the alerts.
func lanes(h *history.History) []lane {
	out := []lane{phaseLane(h)}
	out = append(out, faultLanes(h)...)
	out = append(out, vipLanes(h)...)
	out = append(out, serverLanes(h)...)
	out = append(out, nodeLanes(h)...)
	out = append(out, databaseLanes(h)...)
	out = append(out, jobLanes(h)...)
	out = append(out, alertLanes(h)...)
	return out[:min(len(out), maxLanes)]
}

func phaseLane(h *history.History) lane {
	l := lane{Group: "run", Name: "phase", Spans: []span{}}
	for _, p := range h.Phases {
		tone := "idle"
		if p.Kind == history.PhaseBreak {
			tone = "warn"
		}
		l.Spans = append(l.Spans, span{p.From.Seconds(), p.To.Seconds(), cleanName(p.Name), tone})
	}
	return l
}

// faultLanes tell each fault from the act to the proven heal.
func faultLanes(h *history.History) []lane {
	var out []lane
	for _, f := range h.Faults {
		l := lane{Group: "run", Name: cleanName(strings.Join(append([]string{f.Kind}, f.Nodes...), " ")), Spans: []span{}}
		step := func(from, to time.Duration, state, tone string) {
			if from >= 0 && to > from {
				l.Spans = append(l.Spans, span{from.Seconds(), to.Seconds(), state, tone})
			}
		}
		until := func(times ...time.Duration) time.Duration {
			for _, t := range times {
				if t >= 0 {
					return t
				}
			}
			return h.End
		}
		from, _ := f.Took()
		step(f.Injected, from, "acting", "warn")
		switch {
		case f.Proof == nil:
			step(max(f.Injected, from), until(f.Heal, f.Healed), "not proven to bite", "warn")
		case !f.Proof.OK:
			step(from, until(f.Heal, f.Healed), "did not bite as asked", "warn")
		default:
			step(from, until(f.Heal, f.Healed), "bites", "bad")
		}
		step(f.Heal, until(f.Healed), "healing", "warn")
		out = append(out, l)
	}
	return out
}

// vipLanes is who holds the VIP, by the last look at each balancer. Where two
// looks fall around a takeover, nobody or both may seem to for one interval.
func vipLanes(h *history.History) []lane {
	last, by := map[string]*history.VIP{}, samples{}
	balancers := 0
	for _, n := range h.Meta.Nodes {
		balancers += flag(n.Role == "balancer")
	}
	for i := range h.VIPs {
		v := &h.VIPs[i].V
		last[v.Balancer] = v
		var owners []string
		known := 0
		for _, lb := range sortedKeys(last) {
			if last[lb].Known {
				known++
			}
			if last[lb].Known && last[lb].Owner {
				owners = append(owners, lb)
			}
		}
		state, tone := strings.Join(owners, " and "), "bad"
		switch {
		case known == 0 || len(owners) == 0 && len(last) < balancers:
			state, tone = "not known", "warn"
		case len(owners) == 0:
			state = "nobody"
		case len(owners) == 1:
			tone = "good"
		}
		by.put("VIP owner", h.VIPs[i].Time, state, tone)
	}
	return joined("vip", by, h.End)
}

func serverLanes(h *history.History) []lane {
	by := samples{}
	for i := range h.Servers {
		s := &h.Servers[i].V
		tone := "bad"
		switch {
		case s.Up:
			tone = "good"
		case strings.HasPrefix(s.Status, "DRAIN"), strings.HasPrefix(s.Status, "MAINT"):
			tone = "warn" // on purpose
		}
		by.put(s.Balancer+" sees "+s.Server, h.Servers[i].Time, s.Status, tone)
	}
	return joined("balancer", by, h.End)
}

// databaseLanes tell whether the database answers and has connections left.
func databaseLanes(h *history.History) []lane {
	by := samples{}
	i := 0
	for _, c := range h.Connections {
		for ; i < len(h.Refusals) && h.Refusals[i].Time <= c.Time; i++ {
			by.put("database", h.Refusals[i].Time, "refuses connections", "bad")
		}
		switch v := c.V; {
		case !v.Known:
			by.put("database", c.Time, "no answer", "bad")
		case v.Max > 0 && v.Total >= v.Max:
			by.put("database", c.Time, "no connection left", "bad")
		case v.Max > 0 && v.Total*5 >= v.Max*4:
			by.put("database", c.Time, "4 of 5 connections in use", "warn")
		default:
			by.put("database", c.Time, "answers", "good")
		}
	}
	return joined("database", by, h.End)
}

// jobLanes is who did the scheduled jobs.
func jobLanes(h *history.History) []lane {
	by := samples{}
	for _, j := range h.Jobs {
		by.put("jobs' owner", j.Time, cmp.Or(j.V.Owner, "nobody"), "idle")
	}
	return joined("jobs", by, h.End)
}

// joined turns samples into spans: a state lasts until the next that differs.
func joined(group string, by samples, end time.Duration) []lane {
	var out []lane
	for _, name := range sortedKeys(by) {
		states := by[name]
		slices.SortStableFunc(states, func(a, b sample) int { return cmp.Compare(a.at, b.at) })
		var spans []span
		for _, s := range states {
			s.state = cleanName(s.state)
			if last := len(spans) - 1; last >= 0 && spans[last].State == s.state {
				continue
			} else if last >= 0 {
				spans[last].To = s.at.Seconds()
			}
			spans = append(spans, span{s.at.Seconds(), end.Seconds(), s.state, s.tone})
		}
		out = append(out, lane{group, cleanName(name), coarse(spans, end)})
	}
	return out
}

// coarse folds runs of short spans, where there are too many, into one that
// says so. Tones are folded to the worst.
func coarse(spans []span, end time.Duration) []span {
	least := end.Seconds() / maxSpans
	for len(spans) > maxSpans {
		var out []span
		for _, s := range spans {
			n := len(out) - 1
			if n >= 0 && s.To-s.From < least && out[n].To-out[n].From < least {
				out[n].To, out[n].State, out[n].Tone = s.To, "changes often", worse(out[n].Tone, s.Tone)
				continue
			}
			out = append(out, s)
		}
		spans, least = out, 2*least
	}
	return spans
}

func worse(a, b string) string {
	order := []string{"bad", "warn", "idle", "good"}
	return order[min(slices.Index(order, a), slices.Index(order, b))]
}

// band is a fault's time, from the act to the observed heal.
type band struct {
	From  float64 `json:"from"`
	To    float64 `json:"to"`
	Label string  `json:"label"`
}

// maxBands bounds the faults that the charts shade.
const maxBands = 40

// bands are the times in which faults bit: from the effect that their proof
// shows to their proven heal.
func bands(h *history.History) []band {
	out := []band{}
	for _, f := range h.Faults[:min(len(h.Faults), maxBands)] {
		from, _ := f.Took()
		to := f.Healed
		if to < 0 {
			to = h.End
		}
		out = append(out, band{max(0, from).Seconds(), to.Seconds(), cleanName(strings.Join(append([]string{f.Kind}, f.Nodes...), " "))})
	}
	return out
}
