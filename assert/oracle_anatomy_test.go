package assert_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// The bounds of these failovers lie between whole milliseconds, at which all
// of it happens.
const (
	halfOne    = ms / 2
	detectIn   = 90*ms + halfOne
	divertIn   = 40 * ms
	bootIn     = 60*ms + halfOne
	returnsIn  = 80*ms + halfOne
	anatomyEnd = 1200 * ms
)

// randomFailover is a fault on j2 of which is known to some milliseconds when
// it took effect: what two balancers hold j2 for, the requests that they log,
// and in most cases its restart.
func randomFailover(seed uint64) *history.History {
	rng, s := random(seed, 110), &tape{}
	h := &history.History{Names: &history.Names{}, End: anatomyEnd}
	h.Meta.Nodes = []history.NodeMeta{{Name: "j1", Role: "application"}, {Name: "j2", Role: "application"}, {Name: "lb1", Role: "balancer"}, {Name: "lb2", Role: "balancer"}}
	h.Meta.Bounds = []history.Bound{{Name: "detected/vanished", Limit: detectIn}, {Name: "diverted", Limit: divertIn}, {Name: "recovered", Limit: bootIn}, {Name: "ready", Limit: returnsIn}}
	struck := time.Duration(200+rng.IntN(40)) * ms
	by := struck + time.Duration(rng.IntN(12))*ms
	heal := struck + time.Duration(oneOf(rng, 60, 300, 300, 300))*ms
	h.Faults = []history.Fault{{
		ID: 1, Kind: "instance-kill", Nodes: []string{"j2"}, Injected: struck, Active: by, Heal: heal, Healed: heal + 50*ms,
		Proof: &history.Proof{OK: true, From: struck, To: by},
	}}
	detected := struck + time.Duration(rng.IntN(130))*ms
	born, ready := heal+time.Duration(1+rng.IntN(20))*ms, anatomyEnd
	restarts := !chance(rng, 4)
	up := anatomyEnd
	if restarts {
		within := history.Span{Within: time.Duration(rng.IntN(4)) * ms}
		h.Engine = append(h.Engine, seen(s, born, history.Engine{Span: within, Node: "j2", Action: "start"}))
		if ready = born + time.Duration(10+rng.IntN(80))*ms; !chance(rng, 8) {
			up = ready + time.Duration(rng.IntN(120))*ms
		}
		if chance(rng, 2) {
			h.Transitions = append(h.Transitions, seen(s, ready, history.Transition{Span: within, Node: "j2", What: "ready"}))
		}
		for at := born + 5*ms; at < anatomyEnd; at += time.Duration(8+rng.IntN(20)) * ms {
			l := history.Readiness{Node: "j2", Probe: "ready", Up: at >= ready, Status: 503, Took: time.Duration(rng.IntN(6)) * ms}
			if l.Up {
				l.Status = 200
			} else if chance(rng, 4) {
				l.Status = 0 // nobody answered
			}
			h.Readiness = append(h.Readiness, seen(s, at, l))
		}
	}
	owners := oneOf(rng, []string{"lb1"}, []string{"lb1"}, []string{"lb1", "lb2"})
	for _, lb := range []string{"lb1", "lb2"} {
		h.VIPs = append(h.VIPs, seen(s, 0, history.VIP{Balancer: lb, Known: true, Owner: slices.Contains(owners, lb)}))
		down, ends := detected+time.Duration(rng.IntN(20))*ms, anatomyEnd
		if chance(rng, 20) {
			down = struck - 50*ms // it was held for down already
		}
		if chance(rng, 10) {
			ends = struck + time.Duration(rng.IntN(200)-20)*ms // nobody asks any more
		}
		for at := time.Duration(rng.IntN(30)) * ms; at < ends; at += time.Duration(5+rng.IntN(35)) * ms {
			is := at < down || at >= up
			h.Servers = append(h.Servers, seen(s, at, history.Server{Balancer: lb, Server: "j2", Up: is, Status: "DOWN", Took: time.Duration(rng.IntN(8)) * ms}))
		}
	}
	byTime(h.VIPs)
	byTime(h.Servers)
	for at := time.Duration(0); at < anatomyEnd; at += time.Duration(3+rng.IntN(20)) * ms {
		d := history.Dispatch{Span: history.Span{Within: ms}, Balancer: "lb1", Server: "j1", Status: 200, Wait: time.Duration(rng.IntN(3)) * ms, Connect: time.Duration(rng.IntN(4)) * ms, Total: 20 * ms}
		switch {
		case at >= struck && at < detected && chance(rng, 3):
			d.Redispatched, d.Total = chance(rng, 2), time.Duration(10+rng.IntN(60))*ms
			if !d.Redispatched {
				d.Server, d.Connect = "j2", -1
			}
		case at < struck && chance(rng, 2):
			d.Server = "j2"
		case at >= struck && chance(rng, 80): // one that was on its way for long
			if d.Redispatched, d.Total = chance(rng, 2), 60*ms; !d.Redispatched {
				d.Server, d.Connect = "j2", -1
			}
		case chance(rng, 30):
			d.Wait, d.Connect, d.Server = -1, -1, ""
		}
		h.Dispatches = append(h.Dispatches, seen(s, at, d))
	}
	if chance(rng, 30) {
		h.Dispatches = nil
	}
	return h
}

// span is what a step can have taken, at the least and at the most; open is
// that nobody saw its end.
type span struct {
	least, most time.Duration
	open        bool
}

// judge holds what can have been against a bound: a step is too long only if
// it is in every case, and in time only if it is in every case.
func (s span) judge(limit time.Duration) assert.Status {
	switch {
	case s.least > limit:
		return assert.Fail
	case s.open || s.most > limit:
		return assert.Inconclusive
	}
	return assert.Pass
}

// turns tries every half of a millisecond at which a balancer can have begun to hold j2
// for otherwise, after something that happened at any time from since to by:
// each look saw the state of some moment while it lasted.
func turns(looks []history.At[history.Server], up bool, since, by time.Duration) (s span, asked, already bool) {
	var before *history.At[history.Server]
	var after []history.At[history.Server]
	for i := range looks {
		if looks[i].Time < since {
			before = &looks[i]
			continue
		}
		after = append(after, looks[i])
		if looks[i].V.Up == up {
			break // what came later was another turn
		}
	}
	if len(after) == 0 {
		return s, false, false
	}
	if last := after[len(after)-1]; last.V.Up != up {
		return span{least: max(0, last.Time-by), open: true}, true, false
	}
	already = len(after) == 1 && before != nil && before.V.Up == up
	s.least = time.Hour
	for turned := since; turned <= after[len(after)-1].Time+after[len(after)-1].V.Took; turned += halfOne {
		fits := !slices.ContainsFunc(after, func(l history.At[history.Server]) bool {
			if l.V.Up == up {
				return l.Time+l.V.Took < turned // it ended before
			}
			return l.Time >= turned // it began after
		})
		for struck := since; fits && struck <= by; struck += ms {
			s.least, s.most = min(s.least, max(0, turned-struck)), max(s.most, turned-struck)
		}
	}
	return s, true, already
}

// naiveFailover judges each step of the failover by all that can have been.
func naiveFailover(h *history.History) (status assert.Status, judged map[string]assert.Status) {
	f := h.Faults[0]
	judged = map[string]assert.Status{}
	note := func(step string, s assert.Status) {
		if old, known := judged[step]; known {
			s = worstOf([]assert.Status{old, s})
		}
		judged[step] = s
	}
	until := f.Heal
	var born, bornBy time.Duration
	if len(h.Engine) > 0 {
		born, bornBy = h.Engine[0].Time-h.Engine[0].V.Within, h.Engine[0].Time+h.Engine[0].V.Within
		until = min(until, born)
	}
	of := func(lb string, until time.Duration) (out []history.At[history.Server]) {
		for _, x := range h.Servers {
			if x.V.Balancer == lb && x.Time <= until {
				out = append(out, x)
			}
		}
		return out
	}
	var owners []string
	for _, x := range h.VIPs {
		if x.V.Owner {
			owners = append(owners, x.V.Balancer)
		}
	}
	views := func(step string, up bool, since, by, until, limit time.Duration) {
		any := false
		for _, lb := range owners {
			s, asked, already := turns(of(lb, until), up, since, by)
			if !asked {
				continue
			}
			any = true
			switch {
			case already && !up:
				note(step, assert.Inconclusive) // there was nothing to detect
			default:
				note(step, s.judge(limit))
			}
		}
		if !any {
			note(step, assert.Inconclusive)
		}
	}
	// It cannot be shown to be late if the node was back before the bound.
	if len(h.Engine) == 0 || bornBy >= f.Heal || born-f.Proof.To >= detectIn {
		views("detected", false, f.Proof.From, f.Proof.To, until, detectIn)
	}
	// Whoever was down by all that lb1 shows is nobody's first choice any more.
	sent, parted := false, time.Hour
	for _, x := range of("lb1", until) {
		if x.Time >= f.Proof.From && !x.V.Up {
			parted = min(parted, x.Time+x.V.Took+divertIn)
			break
		}
	}
	last := span{}
	for _, x := range h.Dispatches {
		d := x.V
		if x.Time < f.Proof.To || x.Time >= until {
			continue
		}
		sent = true
		if d.Wait < 0 || d.Server != "j2" && (!d.Redispatched || x.Time-d.Within >= parted) {
			continue
		}
		leaves := x.Time + d.Wait + d.Within // its connection stood, or it was given up
		if d.Connect >= 0 {
			leaves += d.Connect
		} else {
			leaves = max(leaves, x.Time+d.Total+d.Within)
		}
		for struck := f.Proof.From; struck <= f.Proof.To; struck += ms {
			last.most = max(last.most, leaves-struck)
		}
		last.least = max(last.least, x.Time+d.Wait-d.Within-f.Proof.To)
	}
	if sent {
		note("diverted", last.judge(detectIn+divertIn))
	} else {
		note("diverted", assert.Inconclusive)
	}
	if len(h.Engine) == 0 {
		return worstOf(values(judged)), judged
	}
	from, by, known := readyBetween(h, born)
	if !known {
		note("ready", span{least: max(0, from-bornBy), open: true}.judge(bootIn))
		return worstOf(values(judged)), judged
	}
	note("ready", span{least: max(0, from-bornBy), most: by - born}.judge(bootIn))
	views("up again", true, from, by, h.End, returnsIn)
	return worstOf(values(judged)), judged
}

// readyBetween is when j2 can have become ready: by its log at that time, by
// its endpoint after the beginning of the last look that was told no, or that
// nobody answered, before the first that was told yes, and by the end of that.
func readyBetween(h *history.History, born time.Duration) (from, by time.Duration, known bool) {
	from, known = born, true
	for _, x := range h.Transitions {
		from, by = max(from, x.Time-x.V.Within), max(by, x.Time+x.V.Within)
	}
	no := born
	for _, x := range h.Readiness {
		if x.V.Up {
			return max(from, no), max(by, x.Time+x.V.Took), true
		}
		no = x.Time
	}
	return max(from, no), by, false
}

func values(m map[string]assert.Status) (out []assert.Status) {
	for _, s := range m {
		out = append(out, s)
	}
	return out
}

func TestFailoverAnatomyAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 500) {
		h := randomFailover(seed)
		want, judged := naiveFailover(h)
		v := assert.FailoverAnatomy{}.Check(h)
		require.Equal(t, want, v.Status, "seed %d: %v: %s %v", seed, judged, v.Summary, v.Reasons)
		var words []string
		for step, s := range judged {
			words = append(words, step+" "+s.String())
		}
		all.add(want, words...)
	}
	all.require(t, 50, "pass", "fail", "inconclusive")
	for _, step := range []string{"detected", "diverted", "ready", "up again"} {
		all.require(t, 20, step+" pass", step+" fail", step+" inconclusive")
	}
}
