package assert_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// All times of these histories are whole ticks, so that nothing changes within
// one and an oracle can look at each for itself.
const (
	vipTick  = 50 * ms
	vipTicks = 160
	vipBound = 14 * vipTick // without an owner
	twoBound = 8 * vipTick  // with two
	vipGap   = 2 * sec      // between two looks: see the checker's maxSampleGap
)

func ticks(n int) time.Duration { return time.Duration(n) * vipTick }

// randomOwners are two or three balancers of which one owns the address, but
// for moments with none or two, that are asked now and then what they hold.
func randomOwners(seed uint64) *history.History {
	rng, s := random(seed, 30), &tape{}
	h := &history.History{Names: &history.Names{}, End: ticks(vipTicks)}
	h.Meta.Bounds = []history.Bound{{Name: "vip", Limit: vipBound}, {Name: "vip/two-owners", Limit: twoBound}}
	h.Phases = []history.Phase{{Name: "all", Kind: history.PhaseBreak, From: ticks(rng.IntN(5)), To: ticks(vipTicks - rng.IntN(5))}}
	// In a rough run spells are long, and looks are far apart.
	rough := oneOf(rng, 1, 1, 1, 3)
	owners := make([][]string, vipTicks)
	now := []string{"lb1"}
	for at := 0; at < vipTicks; {
		for n := 5 + rng.IntN(40); n > 0 && at < vipTicks; n, at = n-1, at+1 {
			owners[at] = now
		}
		next := oneOf(rng, "lb1", "lb2")
		between := oneOf(rng, nil, nil, []string{next}, []string{"lb1", "lb2"})
		for n := 1 + rng.IntN(4*rough); n > 0 && at < vipTicks; n, at = n-1, at+1 {
			owners[at] = between
		}
		now = []string{next}
	}
	for _, lb := range []string{"lb1", "lb2", "lb3"}[:2+rng.IntN(2)] {
		for at := rng.IntN(4); at < vipTicks; at += 1 + rng.IntN(2*rough) {
			known := !chance(rng, 150)
			h.VIPs = append(h.VIPs, seen(s, ticks(at), history.VIP{Balancer: lb, Known: known, Owner: known && slices.Contains(owners[at], lb)}))
			if chance(rng, 600) {
				at += 30 + rng.IntN(30) // nobody looked, for about as long as is too long
			}
		}
		deaf := vipTicks
		if chance(rng, 3) {
			deaf = rng.IntN(vipTicks)
		}
		back := deaf + rng.IntN(10*rough)
		for at := rng.IntN(4); at < vipTicks; at += 1 + rng.IntN(2) {
			up, took := at < deaf || at >= back, rng.IntN(2)
			if !up {
				took = rng.IntN(6)
			}
			h.Balancers = append(h.Balancers, seen(s, ticks(at), history.BalancerInfo{Balancer: lb, Up: up, Took: ticks(took)}))
		}
	}
	byTime(h.VIPs)
	byTime(h.Balancers)
	if from := rng.IntN(vipTicks); chance(rng, 2) {
		to := from + rng.IntN(60)
		h.Faults = []history.Fault{{ID: 1, Kind: "vrrp-cut", Nodes: []string{"lb1"}, Injected: ticks(from), Active: ticks(from), Heal: ticks(to), Healed: ticks(to)}}
		// While the packets are cut, both take the address.
		for i := range h.VIPs {
			v := &h.VIPs[i]
			if v.V.Known && v.V.Balancer != "lb3" && v.Time >= ticks(from+4) && v.Time < ticks(to+rng.IntN(6)) {
				v.V.Owner = true
			}
		}
	}
	return h
}

// sighting is what was certainly so at one moment.
type sighting struct {
	at   time.Duration
	is   bool
	some bool // the question was answered
}

// known says what is certain in the middle of a tick: that between two looks
// which agree, and are not too far apart, nothing was otherwise.
func known(of []sighting, tick int) (is, certain bool) {
	middle := ticks(tick) + vipTick/2
	for i := range of {
		if i+1 == len(of) {
			break
		}
		a, b := of[i], of[i+1]
		if a.some && b.some && a.is == b.is && a.at <= middle && middle <= b.at && b.at-a.at <= vipGap {
			return a.is, true
		}
	}
	return false, false
}

// spellOf is a time in which something was possible, in ticks, and the longest
// part of it in which it was certain.
type spellOf struct {
	most, least int
	at          int // the certain part's first
}

// spellsOf walks the ticks: is gives whether something is possible and certain
// in one.
func spellsOf(from, to int, is func(int) (possible, certain bool)) (out []spellOf) {
	var now spellOf
	run := 0
	end := func() {
		if now.most > 0 {
			out = append(out, now)
		}
		now, run = spellOf{}, 0
	}
	for k := from; k < to; k++ {
		possible, certain := is(k)
		if !possible {
			end()
			continue
		}
		now.most++
		if !certain {
			run = 0
			continue
		}
		if run++; run > now.least {
			now.least, now.at = run, k-run+1
		}
	}
	end()
	return out
}

// naiveVIP decides tick by tick. The last result says whether a spell with two
// owners goes on across the beginning of the cut.
func naiveVIP(h *history.History, cut bool) (r ruling, begins bool) {
	owned, serves := map[string][]sighting{}, map[string][]sighting{}
	var lbs []string
	from, to := h.Phases[0].From, h.Phases[0].To
	for _, x := range h.VIPs {
		if !slices.Contains(lbs, x.V.Balancer) {
			lbs = append(lbs, x.V.Balancer)
			from = max(from, x.Time)
		}
		owned[x.V.Balancer] = append(owned[x.V.Balancer], sighting{x.Time, x.V.Owner, x.V.Known})
	}
	for _, lb := range lbs {
		to = min(to, owned[lb][len(owned[lb])-1].at)
	}
	for _, x := range h.Balancers {
		lb := x.V.Balancer
		serves[lb] = append(serves[lb], sighting{x.Time + x.V.Took, x.V.Up, true})
		if !x.V.Up {
			serves[lb] = append(serves[lb], sighting{x.Time, false, true})
		}
	}
	for _, of := range serves {
		slices.SortStableFunc(of, func(a, b sighting) int { return int(a.at - b.at) })
	}
	count := func(k int) (leastOwners, mostOwners, leastServing, mostServing int) {
		for _, lb := range lbs {
			owns, sure := known(owned[lb], k)
			up, sureUp := known(serves[lb], k)
			if sure && owns {
				leastOwners++
				if sureUp && up {
					leastServing++
				}
			}
			if !sure || owns {
				mostOwners++
				if !sureUp || up {
					mostServing++
				}
			}
		}
		return leastOwners, mostOwners, leastServing, mostServing
	}
	first, last := int(from/vipTick), int(to/vipTick)
	cutFrom, cutTo := -1, -1
	if cut {
		for _, f := range h.Faults {
			cutFrom, cutTo = int(f.Injected/vipTick), min(int(f.Healed/vipTick), last)
		}
	}
	during := func(k int) bool { return k >= cutFrom && k < cutTo }
	none := func(k int) (bool, bool) { l, m, _, _ := count(k); return l == 0, m == 0 }
	unserved := func(k int) (bool, bool) { _, _, l, m := count(k); return l == 0, m == 0 }
	two := func(k int) (bool, bool) { l, m, _, _ := count(k); return m > 1, l > 1 }
	inside := func(k int) (bool, bool) {
		p, c := two(k)
		return p && during(k), c && during(k)
	}
	outside := func(k int) (bool, bool) {
		p, c := two(k)
		return p && !during(k), c && !during(k)
	}
	if cutFrom > first && cutFrom < last && cutFrom < cutTo {
		before, _ := two(cutFrom - 1)
		at, _ := two(cutFrom)
		begins = before && at
	}
	r.Status = assert.Pass
	happened := false
	for _, kind := range []struct {
		name  string
		is    func(int) (bool, bool)
		bound time.Duration
	}{
		{"without an owner", none, vipBound},
		{"without an owner that serves", unserved, vipBound},
		{"with two owners", outside, twoBound},
		{"with two owners that were cut off", inside, -1},
	} {
		for _, s := range spellsOf(first, last, kind.is) {
			if s.least > 0 {
				happened = true
				r.Found = append(r.Found, fmt.Sprintf("%s %d", kind.name, ticks(s.at)/ms))
			}
			switch {
			case kind.bound < 0:
			case ticks(s.least) > kind.bound:
				r.Status = assert.Fail
			case ticks(s.most) > kind.bound && r.Status == assert.Pass:
				r.Status = assert.Inconclusive
			}
		}
	}
	moved, owner := false, ""
	for k := first; k < last; k++ {
		one := ""
		for _, lb := range lbs {
			owns, sure := known(owned[lb], k)
			if !sure || owns && one != "" {
				one = ""
				break
			}
			if owns {
				one = lb
			}
		}
		if one != "" {
			moved = moved || owner != "" && owner != one
			owner = one
		}
	}
	certainCut := slices.ContainsFunc(spellsOf(first, last, inside), func(s spellOf) bool { return s.least > 0 })
	switch {
	case last <= first:
		return ruling{}, false
	case r.Status == assert.Pass && cut && !certainCut:
		r.Status, r.Idle = assert.Inconclusive, true
	case r.Status == assert.Pass:
		r.Idle = !happened && !moved
	}
	return r.sorted(), begins
}

// Of a spell with two owners that goes on across the beginning of an expected
// cut nothing is asked here: the checker takes it for one that the cut did not
// make, whole.
func TestVIPAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 250) {
		h := randomOwners(seed)
		for _, c := range []assert.VIP{{}, {Cut: "vrrp-cut"}} {
			want, begins := naiveVIP(h, c.Cut != "")
			if begins {
				all.add(want.Status, "across the beginning")
				continue
			}
			v := c.Check(h)
			got := ruling{Status: v.Status, Idle: v.NotExercised}
			for _, e := range v.Evidence {
				got.Found = append(got.Found, fmt.Sprintf("%s %d", e.Class, e.At/ms))
			}
			got = got.sorted()
			if v.More > 0 {
				got.Found, want.Found = nil, nil
			}
			require.Equal(t, want, got, "seed %d, cut %q: %s %v", seed, c.Cut, v.Summary, v.Reasons)
			all.add(want.Status, classes(want.Found)...)
		}
	}
	all.require(t, 100, "pass", "fail", "inconclusive")
	all.require(t, 50, "without an owner", "without an owner that serves", "with two owners", "with two owners that were cut off")
	require.Less(t, all.counts["across the beginning"]*5, all.of, "of the histories")
}
