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

// sample is a state as seen from one moment to another.
type sample struct {
	at    time.Duration
	until time.Duration // the last look that saw the same; the first one's if 0
	state string
	tone  string
}

// samples are those of several lanes, by the lane's name.
type samples map[string][]sample

func (s samples) put(lane string, at time.Duration, state, tone string) {
	l := s[lane]
	if n := len(l); n > 0 && l[n-1].state == state && at >= l[n-1].at {
		l[n-1].until = at // nothing new
		return
	}
	s[lane] = append(l, sample{at: at, state: state, tone: tone})
}

// stale is how long after a look that was not repeated its state is still told,
// some times what observers wait from one look to the next.
const stale = 3 * time.Second

// inOrder gives what two streams saw in the order of time; of what they saw at
// the same time, b's first.
func inOrder[A, B any](as []history.At[A], bs []history.At[B], a func(time.Duration, *A), b func(time.Duration, *B)) {
	j := 0
	for i := range as {
		for ; j < len(bs) && bs[j].Time <= as[i].Time; j++ {
			b(bs[j].Time, &bs[j].V)
		}
		a(as[i].Time, &as[i].V)
	}
	for ; j < len(bs); j++ {
		b(bs[j].Time, &bs[j].V)
	}
}

// Bounds of what is drawn: a lane that changes more often is told coarsely.
// So are all, where there are many such.
const (
	maxLanes    = 80
	maxSpans    = 250
	maxAllSpans = 5000
)

// lanes are, on the run's clock, the phases, the faults, the VIP's owner,
// each balancer's view of each server, each node, the database, the owner of
// scheduled jobs, the clients of long-lived connections and the alerts.
func lanes(h *history.History) []lane {
	out := []lane{phaseLane(h)}
	out = append(out, faultLanes(h)...)
	out = append(out, vipLanes(h)...)
	out = append(out, serverLanes(h)...)
	out = append(out, nodeLanes(h)...)
	out = append(out, databaseLanes(h)...)
	out = append(out, jobLanes(h)...)
	out = append(out, streamLanes(h)...)
	out = append(out, alertLanes(h)...)
	out = out[:min(len(out), maxLanes)]
	spans := 0
	for _, l := range out {
		spans += len(l.Spans)
	}
	if spans > maxAllSpans {
		for i := range out {
			out[i].Spans = coarse(out[i].Spans, h.End, maxAllSpans/len(out))
		}
	}
	return out
}

func phaseLane(h *history.History) lane {
	l := lane{Group: "run", Name: "phase", Spans: []span{}}
	for _, p := range h.Phases {
		tone := "idle"
		if p.Kind == history.PhaseBreak {
			tone = "warn"
		}
		l.Spans = append(l.Spans, span{secondsOf(p.From), secondsOf(p.To), cleanName(p.Name), tone})
	}
	return l
}

// faultLanes tell each fault from the act to the proven heal.
func faultLanes(h *history.History) []lane {
	var out []lane
	for _, f := range h.Faults {
		l := lane{Group: "run", Name: faultName(&f), Spans: []span{}}
		step := func(from, to time.Duration, state, tone string) {
			if from >= 0 && to > from {
				l.Spans = append(l.Spans, span{secondsOf(from), secondsOf(to), state, tone})
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

// faultName is a fault's kind and its victims.
func faultName(f *history.Fault) string {
	return cleanName(strings.Join(append([]string{f.Kind}, f.Nodes...), " "))
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
		case known == 0 || len(owners) == 0 && known < max(balancers, len(last)): // the one that was not seen may be it
			state, tone = notKnown, "warn"
		case len(owners) == 0:
			state = "nobody"
		case len(owners) == 1:
			tone = "good"
		}
		by.put("VIP owner", h.VIPs[i].Time, state, tone)
	}
	return polled("vip", by, h.End)
}

// serverLanes are each balancer's view of each server. What a balancer thinks
// that does not answer is not known.
func serverLanes(h *history.History) []lane {
	const sees = " sees "
	by := samples{}
	inOrder(h.Servers, h.Balancers, func(at time.Duration, s *history.Server) {
		tone := "bad"
		switch {
		case s.Up:
			tone = "good"
		case strings.HasPrefix(s.Status, "DRAIN"), strings.HasPrefix(s.Status, "MAINT"):
			tone = "warn" // on purpose
		}
		by.put(s.Balancer+sees+s.Server, at, s.Status, tone)
	}, func(at time.Duration, b *history.BalancerInfo) {
		if b.Up {
			return
		}
		for _, name := range sortedKeys(by) {
			if strings.HasPrefix(name, b.Balancer+sees) {
				by.put(name, at, noAnswer, "warn")
			}
		}
	})
	return polled("balancer", by, h.End)
}

// noAnswer is the state of what was asked and said nothing, notKnown that of what was
// not asked for long.
const (
	noAnswer = "no answer"
	notKnown = "not known"
)

// databaseLanes tell whether the database answers and has connections left.
func databaseLanes(h *history.History) []lane {
	by := samples{}
	inOrder(h.Connections, h.Refusals, func(at time.Duration, v *history.Connections) {
		switch {
		case !v.Known:
			by.put("database", at, noAnswer, "bad")
		case v.Max > 0 && v.Total >= v.Max:
			by.put("database", at, "no connection left", "bad")
		case v.Max > 0 && v.Total*5 >= v.Max*4:
			by.put("database", at, "4 of 5 connections in use", "warn")
		default:
			by.put("database", at, "answers", "good")
		}
	}, func(at time.Duration, _ *history.Refusal) {
		by.put("database", at, "refuses connections", "bad")
	})
	return polled("database", by, h.End)
}

// jobLanes is who did the scheduled jobs.
func jobLanes(h *history.History) []lane {
	by := samples{}
	for _, j := range h.Jobs {
		by.put("jobs' owner", j.Time, cmp.Or(j.V.Owner, "nobody"), "idle")
	}
	return joined("jobs", by, h.End)
}

// joined turns what was told of changes into spans: a state lasts until the next
// that differs.
func joined(group string, by samples, end time.Duration) []lane { return spanned(group, by, end, end) }

// polled turns looks into spans: a state lasts until the next that differs, or
// until the looks have ceased for so long that it is not known any more.
func polled(group string, by samples, end time.Duration) []lane {
	return spanned(group, by, end, stale)
}

func spanned(group string, by samples, end, patience time.Duration) []lane {
	var out []lane
	for _, name := range sortedKeys(by) {
		states := by[name]
		slices.SortStableFunc(states, func(a, b sample) int { return cmp.Compare(a.at, b.at) })
		var spans []span
		var seen time.Duration // the last look
		until := func(to time.Duration) {
			last := len(spans) - 1
			if last < 0 {
				return
			}
			known := min(to, seen+patience)
			spans[last].To = secondsOf(known)
			if known < to {
				spans = append(spans, span{secondsOf(known), secondsOf(to), notKnown, "warn"})
			}
		}
		for _, s := range states {
			s.state = cleanName(s.state)
			if last := len(spans) - 1; last < 0 || spans[last].State != s.state || s.at > seen+patience {
				until(s.at)
				spans = append(spans, span{secondsOf(s.at), 0, s.state, s.tone})
			}
			seen = max(seen, s.at, s.until)
		}
		until(end)
		out = append(out, lane{group, cleanName(name), coarse(spans, end, maxSpans)})
	}
	return out
}

// secondsOf is a time of the run, to the millisecond.
func secondsOf(t time.Duration) float64 { return float64(t.Milliseconds()) / 1000 }

// coarse folds runs of short spans, where there are more than most, into one
// that says so. Tones are folded to the worst.
func coarse(spans []span, end time.Duration, most int) []span {
	least := end.Seconds() / float64(most)
	for len(spans) > most {
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
	// Proven says that the fault was proven to bite as asked.
	Proven bool `json:"proven"`
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
		out = append(out, band{secondsOf(max(0, from)), secondsOf(to), faultName(&f), f.Proof != nil && f.Proof.OK})
	}
	return out
}
