package assert_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// Looks and requests of these histories lie on whole ticks, each of a request
// half a tick beside them, so that no two of them are at one time.
const (
	gateTick   = 10 * ms
	gateSettle = 60 * ms // how long an unready node may be served
	gateSilent = 50 * ms // how long a silent one may be handed requests
)

// glimpse is one look at j2, or one line that it wrote of itself: it tells of
// the state at some moment from lo to hi.
type glimpse struct {
	lo, hi time.Duration
	no     bool // not ready, not warm, or no answer
}

// randomGlimpses are looks one after the other. Each tells of a moment of its
// own, so that no two overlap.
func randomGlimpses(seed uint64) (out []glimpse) {
	rng := random(seed, 120)
	no := chance(rng, 3)
	for at := time.Duration(10) * gateTick; len(out) < 4+rng.IntN(4); at += time.Duration(1+rng.IntN(5)) * gateTick {
		if chance(rng, 3) {
			no = !no
		}
		g := glimpse{at, at + time.Duration(rng.IntN(3))*gateTick, no}
		out = append(out, g)
		at = g.hi
	}
	return out
}

// moments calls visit with every choice of the moments of the looks.
func moments(looks []glimpse, visit func([]time.Duration)) {
	at := make([]time.Duration, len(looks))
	var choose func(i int)
	choose = func(i int) {
		if i == len(looks) {
			visit(at)
			return
		}
		for at[i] = looks[i].lo; at[i] <= looks[i].hi; at[i] += gateTick {
			choose(i + 1)
		}
	}
	choose(0)
}

// certainlyNot says whether whatever the moments of the looks were, and
// whenever a request from lo to hi was, it came to a node that had been
// otherwise for longer than the grace: the looks before and after it say so,
// and the first of those that say so in a row was long enough before.
func certainlyNot(looks []glimpse, lo, hi, grace time.Duration, least int) bool {
	always := true
	moments(looks, func(at []time.Duration) {
		for x := lo; x <= hi; x += gateTick {
			after := slices.IndexFunc(at, func(t time.Duration) bool { return t > x })
			if after < 1 || !looks[after].no || !looks[after-1].no {
				always = false
				return
			}
			first, last := after-1, after
			for first > 0 && looks[first-1].no {
				first--
			}
			for last+1 < len(looks) && looks[last+1].no {
				last++
			}
			always = always && x-at[first] > grace && last-first+1 >= least
		}
	})
	return always
}

// gateHits are requests that got to j2, by its receipts or the balancer's log.
type gateHit struct {
	lo, hi   time.Duration
	op       uint64
	answered bool
}

// gateCase is a history of looks of one kind at j2, and requests to it.
func gateCase(seed uint64) (h *history.History, kind string, looks []glimpse, hits []gateHit) {
	rng, s := random(seed, 121), &tape{}
	looks = randomGlimpses(seed)
	kind = oneOf(rng, "endpoint", "gauge", "log", "silence")
	h = &history.History{Names: &history.Names{}, End: looks[len(looks)-1].hi + 10*gateTick}
	h.Meta.Nodes = []history.NodeMeta{{Name: "j2", Role: "application"}}
	h.Meta.Bounds = []history.Bound{{Name: "unready", Limit: gateSettle}, {Name: "detected/frozen", Limit: gateSilent}}
	for i, g := range looks {
		middle, half := g.lo+(g.hi-g.lo)/2, (g.hi-g.lo)/2
		switch kind {
		case "endpoint":
			h.Readiness = append(h.Readiness, seen(s, g.lo, history.Readiness{Node: "j2", Probe: "ready", Up: !g.no, Status: map[bool]int{true: 503, false: 200}[g.no], Took: g.hi - g.lo}))
		case "silence":
			h.Readiness = append(h.Readiness, seen(s, g.lo, history.Readiness{Node: "j2", Probe: "ready", Up: !g.no, Status: map[bool]int{true: 0, false: 200}[g.no], Took: g.hi - g.lo}))
		case "gauge":
			looks[i].lo, looks[i].hi = middle/gateTick*gateTick, middle/gateTick*gateTick
			h.Truth = append(h.Truth, seen(s, looks[i].lo, history.Truth{Node: "j2", Up: true, Warm: !g.no, Database: true}))
		case "log":
			h.Transitions = append(h.Transitions, seen(s, middle, history.Transition{Span: history.Span{Within: half}, Node: "j2", What: map[bool]string{true: "unready", false: "ready"}[g.no]}))
		}
	}
	for i := range 6 {
		x := gateHit{op: uint64(i) + 1, lo: time.Duration(rng.IntN(int(h.End/gateTick)-4))*gateTick + gateTick/2, answered: chance(rng, 2)}
		x.hi = x.lo + time.Duration(rng.IntN(3))*gateTick
		middle, half := x.lo+(x.hi-x.lo)/2, (x.hi-x.lo)/2
		if x.answered {
			h.Receipts = append(h.Receipts, seen(s, middle, history.Receipt{Span: history.Span{Within: half}, Node: "j2", What: "arrive", Op: x.op, Attempt: 1}))
		} else {
			h.Dispatches = append(h.Dispatches, seen(s, middle, history.Dispatch{Span: history.Span{Within: half}, Balancer: "lb1", Op: x.op, Attempt: 1, Server: "j2", Response: -1}))
		}
		h.Ops = append(h.Ops, history.Op{ID: x.op, Intended: x.lo, Sent: x.lo, End: x.hi, Attempts: 1})
		hits = append(hits, x)
	}
	slices.SortFunc(h.Ops, func(a, b history.Op) int { return cmp.Compare(a.ID, b.ID) })
	byTime(h.Receipts)
	byTime(h.Dispatches)
	return h, kind, looks, hits
}

// statements is certainlyNot of what a node wrote in its log, which holds until
// it writes otherwise.
func statements(looks []glimpse, lo, hi, grace time.Duration) bool {
	always := true
	moments(looks, func(at []time.Duration) {
		for x := lo; x <= hi; x += gateTick {
			last := -1
			for i, t := range at {
				if t <= x {
					last = i
				}
			}
			if last < 0 || !looks[last].no {
				always = false
				return
			}
			for last > 0 && looks[last-1].no {
				last--
			}
			always = always && x-at[last] > grace
		}
	})
	return always
}

func TestReadinessGatingAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 1_000) {
		h, kind, looks, hits := gateCase(seed)
		var want ruling
		for _, x := range hits {
			class, is := "after unready", false
			switch kind {
			case "log":
				is = statements(looks, x.lo, x.hi, gateSettle)
			case "silence":
				class, is = "silent node", !x.answered && certainlyNot(looks, x.lo, x.hi, gateSilent, 3)
			default:
				is = certainlyNot(looks, x.lo, x.hi, gateSettle, 1)
			}
			if is {
				want.Found = append(want.Found, fmt.Sprintf("%s %d", class, x.op))
			}
		}
		v := assert.ReadinessGating{}.Check(h)
		var got ruling
		for _, e := range v.Evidence {
			got.Found = append(got.Found, fmt.Sprintf("%s %d", e.Class, e.Op))
		}
		require.Equal(t, want.sorted(), got.sorted(), "seed %d, %s: %s\n%v\n%v", seed, kind, v.Summary, looks, hits)
		require.Equal(t, len(want.Found) > 0, v.Status == assert.Fail, "seed %d, %s", seed, kind)
		all.add(v.Status, kind+map[bool]string{true: " broken", false: " kept"}[len(want.Found) > 0])
	}
	for _, kind := range []string{"endpoint", "gauge", "log", "silence"} {
		all.require(t, 20, kind+" broken", kind+" kept")
	}
}

// A restarted node's sources each let it be ready from some time on; it is
// when the last of them does. What they say is random, as is when it started.
func TestRestartedNodesAgreeWithBruteForce(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 1_000) {
		rng, s := random(seed, 122), &tape{}
		h := &history.History{Names: &history.Names{}, End: 100 * gateTick}
		h.Meta.Nodes = []history.NodeMeta{{Name: "j2", Role: "application"}}
		h.Meta.Bounds = []history.Bound{{Name: "unready", Limit: time.Hour}}
		h.Engine = append(h.Engine, seen(s, gateTick, history.Engine{Node: "j2", Action: "die"}))
		width := time.Duration(rng.IntN(3)) * gateTick
		start := glimpse{10 * gateTick, 10*gateTick + 2*width, false}
		h.Engine = append(h.Engine, seen(s, start.lo+width, history.Engine{Span: history.Span{Within: width}, Node: "j2", Action: "start"}))
		// Looks at its endpoint and its gauges, of which some say no first.
		var endpoint, gauges []glimpse
		ready := start.hi + time.Duration(rng.IntN(25))*gateTick
		for at := start.hi; at < 45*gateTick; at += time.Duration(2+rng.IntN(6)) * gateTick {
			g := glimpse{at, at + time.Duration(rng.IntN(2))*gateTick, at < ready}
			if chance(rng, 3) {
				g.hi = g.lo
				h.Truth = append(h.Truth, seen(s, at, history.Truth{Node: "j2", Up: true, Warm: !g.no, Database: true}))
				gauges = append(gauges, g)
				continue
			}
			h.Readiness = append(h.Readiness, seen(s, at, history.Readiness{Node: "j2", Probe: "ready", Up: !g.no, Status: map[bool]int{true: 503, false: 200}[g.no], Took: g.hi - g.lo}))
			endpoint = append(endpoint, g)
		}
		var hits []gateHit
		for i := range 6 {
			x := gateHit{op: uint64(i) + 1, lo: time.Duration(5+rng.IntN(40))*gateTick + gateTick/2}
			half := time.Duration(rng.IntN(2)) * gateTick
			x.hi = x.lo + 2*half
			h.Receipts = append(h.Receipts, seen(s, x.lo+half, history.Receipt{Span: history.Span{Within: half}, Node: "j2", What: "arrive", Op: x.op, Attempt: 1}))
			h.Ops = append(h.Ops, history.Op{ID: x.op, Intended: x.lo, Sent: x.lo, End: x.hi, Attempts: 1})
			hits = append(hits, x)
		}
		byTime(h.Receipts)
		var want ruling
		for _, x := range hits {
			// What came before the process can have existed came to the one before.
			if x.lo >= start.lo && (earliest(endpoint, start.lo) > x.hi || earliest(gauges, start.lo) > x.hi) {
				want.Found = append(want.Found, mark("before ready", x.op))
			}
		}
		v := assert.ReadinessGating{}.Check(h)
		var got ruling
		for _, e := range v.Evidence {
			got.Found = append(got.Found, mark(e.Class, e.Op))
		}
		require.Equal(t, want.sorted(), got.sorted(), "seed %d: %s", seed, v.Summary)
		all.add(v.Status, map[bool]string{true: "broken", false: "kept"}[len(want.Found) > 0])
	}
	all.require(t, 100, "broken", "kept")
}

// earliest is the earliest moment at which a source can have turned from no to
// yes, over all moments of its looks: after the last no before the first yes.
// One that never says yes had not turned by its last look.
func earliest(looks []glimpse, start time.Duration) time.Duration {
	least := time.Hour
	moments(looks, func(at []time.Duration) {
		turned := start
		for i, g := range looks {
			if !g.no {
				break
			}
			turned = at[i]
		}
		least = min(least, turned)
	})
	return least
}
