package assert_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// randomSpread are the logins of 30 s on two or three nodes, of which j2 is
// held for down by the balancers from about 10 s to 20 s, and sessions are
// shared more or less evenly; or it gets a quarter of them from 9.5 s to 20 s.
func randomSpread(seed uint64) *history.History {
	rng, s := random(seed, 90), &tape{}
	h := &history.History{Names: &history.Names{}, End: 30 * sec}
	nodes := []string{"j1", "j2", "j3"}[:2+rng.IntN(2)]
	if chance(rng, 40) {
		nodes = nodes[:1]
	}
	for _, n := range nodes {
		h.Meta.Nodes = append(h.Meta.Nodes, history.NodeMeta{Name: n, Role: "application"})
	}
	h.Phases = []history.Phase{
		{Name: "one", Kind: history.PhaseSteady, To: 5 * sec},
		{Name: "two", Kind: history.PhaseSteady, From: 5 * sec, To: 9 * sec},
		{Name: "break", Kind: history.PhaseBreak, From: 9 * sec, To: 22 * sec},
		{Name: "three", Kind: history.PhaseSteady, From: 22 * sec, To: 30 * sec},
	}
	if !chance(rng, 10) {
		h.Faults = []history.Fault{{ID: 1, Kind: "instance-kill", Nodes: []string{"j2"}, Injected: 9 * sec, Active: 9500 * ms, Heal: 20 * sec, Healed: 21 * sec}}
	}
	canary := chance(rng, 3) // j2 gets a quarter for a while, and is not taken away
	down := func(at time.Duration) bool { return len(h.Faults) > 0 && !canary && at >= 10*sec && at < 20*sec }
	restarts := oneOf(rng, 0, 14*sec) // of lb1's process; 0: never
	for _, lb := range []string{"lb1", "lb2"} {
		blinks := 11*sec + time.Duration(rng.IntN(20000))*ms
		for at := time.Duration(rng.IntN(300)) * ms; at < h.End; at += 300 * ms {
			if lb == "lb1" && restarts > 0 && at > restarts && at < restarts+sec {
				h.Balancers = append(h.Balancers, seen(s, at, history.BalancerInfo{Balancer: lb}))
				continue
			}
			pid := 7
			if lb == "lb1" && restarts > 0 && at > restarts {
				pid = 8
			}
			h.Balancers = append(h.Balancers, seen(s, at, history.BalancerInfo{Balancer: lb, Up: true, Pid: pid}))
			for _, n := range nodes {
				v := history.Server{Balancer: lb, Server: n, Status: "UP", Up: true, Took: time.Duration(rng.IntN(20)) * ms}
				if n == "j2" && down(at) && (at < blinks || at > blinks+400*ms) {
					v.Status, v.Up = oneOf(rng, "DOWN", "DOWN", "DOWN 1/2"), false
				}
				h.Servers = append(h.Servers, seen(s, at, v))
			}
		}
	}
	byTime(h.Servers)
	byTime(h.Balancers)
	unfair, every := oneOf(rng, 0, 0, 10, 40), oneOf(rng, 20, 50, 200)
	strays := oneOf(rng, 0, 0, 0, 300)
	for i := 0; ; i++ {
		at := time.Duration(i*every) * ms
		if at >= h.End {
			break
		}
		node := nodes[rng.IntN(len(nodes))]
		if rng.IntN(100) < unfair {
			node = nodes[0]
		}
		if canary && at >= 9500*ms && at < 20*sec {
			if node = "j1"; len(nodes) > 1 && chance(rng, 4) {
				node = "j2"
			}
		}
		if down(at+50*ms) && node == "j2" && !(strays > 0 && chance(rng, strays/every+1)) {
			node = "j1"
		}
		o := history.Op{
			ID: uint64(i) + 1, Type: oneOf(rng, history.Login, history.Login, history.SessionRead), Outcome: history.Good, Intended: at, Sent: at, End: at + 5*ms,
			Node: h.Names.Intern(node), Balancer: uint16(h.Names.Intern(oneOf(rng, "lb1", "lb2"))), Attempts: 1,
		}
		if chance(rng, 30) {
			o.Outcome = history.Failed
		}
		h.Ops = append(h.Ops, o)
	}
	return h
}

// spreadWindow is a time in which each node should get its share of the
// sessions.
type spreadWindow struct {
	from, to time.Duration
	expect   map[string]float64
}

// judged holds the shares of a window against what chance alone may do, and
// says whether they could show anything, for one node at least and for all.
func (w spreadWindow) judged(h *history.History, limit float64) (skewed, shows, fine bool) {
	got, n := map[string]float64{}, 0.0
	for _, o := range h.Ops {
		if o.Type == history.Login && o.Outcome == history.Good && o.Sent >= w.from && o.Sent < w.to {
			got[h.NodeOf(&o)]++
			n++
		}
	}
	if n == 0 {
		return false, false, false
	}
	fine = true
	for node, p := range w.expect {
		bound := limit/100 + 3.2905*math.Sqrt(p*(1-p)/n)
		if p > 0 && p < 1 {
			shows, fine = shows || bound < p, fine && bound < p
		}
		skewed = skewed || math.Abs(got[node]/n-p) > bound
	}
	return skewed && shows, shows, fine
}

// downView is how one balancer saw j2, look by look. A look that is joined to
// the one before found the same process.
type downView struct {
	looks  []history.At[history.Server]
	joined []bool
}

func viewOf(h *history.History, lb string) (w downView) {
	for _, x := range h.Servers {
		if x.V.Balancer != lb || x.V.Server != "j2" {
			continue
		}
		n := len(w.looks)
		w.joined = append(w.joined, n > 0 && !anotherProcess(h, lb, w.looks[n-1].Time, x.Time))
		w.looks = append(w.looks, x)
	}
	return w
}

// certain says whether it held j2 for down all through an interval: it said so
// in two looks of one process, one before and one after, and in all between.
func (w downView) certain(from, to time.Duration) bool {
	for i, a := range w.looks {
		if a.V.Up || a.Time+a.V.Took >= from {
			continue
		}
		for j := i + 1; j < len(w.looks) && w.joined[j] && !w.looks[j].V.Up; j++ {
			if w.looks[j].Time > to {
				return true
			}
		}
	}
	return false
}

// anotherProcess says whether the balancer may have become another between two
// looks.
func anotherProcess(h *history.History, lb string, from, to time.Duration) bool {
	pid := 0
	for _, x := range h.Balancers {
		if x.V.Balancer != lb || x.Time > to {
			continue
		}
		if x.Time > from && (!x.V.Up || pid != 0 && x.V.Pid != pid) {
			return true
		}
		if x.V.Up {
			pid = x.V.Pid
		}
	}
	return false
}

// naiveSpread judges the windows, and each answer of a node that was down.
func naiveSpread(h *history.History, c assert.Distribution) (r ruling) {
	var nodes []string
	for _, n := range h.Meta.Nodes {
		nodes = append(nodes, n.Name)
	}
	shares := func(without string) map[string]float64 {
		out, sum := map[string]float64{}, 0.0
		for _, n := range nodes {
			out[n] = 1
			if len(c.Expect) > 0 {
				out[n] = c.Expect[n]
			}
			if n == without {
				out[n] = 0
			}
			sum += out[n]
		}
		for n := range out {
			out[n] /= sum
		}
		return out
	}
	windows := map[string]spreadWindow{"before": {0, 9 * sec, shares("")}}
	switch {
	case len(h.Faults) == 0:
		windows["before"] = spreadWindow{0, 30 * sec, shares("")}
	case len(nodes) < 2:
		windows["after"] = spreadWindow{22 * sec, 30 * sec, shares("")}
	case c.VictimPercent > 0:
		expect := map[string]float64{}
		for _, n := range nodes {
			expect[n] = (1 - c.VictimPercent/100) / float64(len(nodes)-1)
		}
		expect["j2"] = c.VictimPercent / 100
		windows["during"] = spreadWindow{9500 * ms, 20 * sec, expect}
		windows["after"] = spreadWindow{22 * sec, 30 * sec, shares("")}
	default:
		if from, to := bothDown(h); to > from {
			windows["during"] = spreadWindow{from, to, shares("j2")}
		}
		windows["after"] = spreadWindow{22 * sec, 30 * sec, shares("")}
	}
	limit := c.MaxSkewPercent
	if limit == 0 {
		limit = 10
	}
	any, after, during := false, false, false
	for name, w := range windows {
		skewed, shows, fine := w.judged(h, limit)
		any = any || shows
		after = after || name == "after" && shows
		during = during || name == "during" && fine
		if skewed {
			r.Found = append(r.Found, mark("skew "+name, 0))
		}
	}
	views := map[string]downView{"lb1": viewOf(h, "lb1"), "lb2": viewOf(h, "lb2")}
	for _, o := range h.Ops {
		if h.NodeOf(&o) == "j2" && views[h.BalancerOf(&o)].certain(o.Sent, o.End) {
			r.Found = append(r.Found, mark("diverted", o.ID))
		}
	}
	switch {
	case len(r.Found) > 0:
		r.Status = assert.Fail
	case len(nodes) < 2:
		r.Idle = true
	case !any, len(h.Faults) > 0 && !after, c.VictimPercent > 0 && len(h.Faults) > 0 && !during, c.VictimPercent > 0 && len(h.Faults) == 0:
	default:
		r.Status = assert.Pass
	}
	return r.sorted()
}

// bothDown is the time in which both balancers held j2 for down at once: of
// each the longest, from the end of its first such look to its last.
func bothDown(h *history.History) (from, to time.Duration) {
	from, to = 9*sec, 20*sec
	if !slices.ContainsFunc(h.Servers, func(x history.At[history.Server]) bool { return !x.V.Up }) {
		return 0, 0
	}
	for _, lb := range []string{"lb1", "lb2"} {
		var bestFrom, bestTo time.Duration
		w := viewOf(h, lb)
		for i, a := range w.looks {
			end := i
			for end+1 < len(w.looks) && w.joined[end+1] && !w.looks[end+1].V.Up {
				end++
			}
			begins, ends := max(a.Time+a.V.Took, 9*sec), min(w.looks[end].Time, 20*sec)
			if !a.V.Up && ends-begins > bestTo-bestFrom {
				bestFrom, bestTo = begins, ends
			}
		}
		if bestTo > bestFrom {
			from, to = max(from, bestFrom), min(to, bestTo)
		}
	}
	return from, to
}

func TestDistributionAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 250) {
		h := randomSpread(seed)
		for name, c := range map[string]assert.Distribution{
			"equal":  {},
			"weighs": {MaxSkewPercent: 5, Expect: map[string]float64{"j1": 3, "j2": 2, "j3": 2}},
			"victim": {MaxSkewPercent: 5, VictimPercent: 25},
		} {
			want := naiveSpread(h, c)
			v := c.Check(h)
			for i := range v.Evidence { // windows have no number
				if v.Evidence[i].Op == 0 {
					v.Evidence[i].Seq = 0
				}
			}
			agrees(t, want, v, "seed %d, %s: %s %v", seed, name, v.Summary, v.Reasons)
			all.add(want.Status, append(classes(want.Found), name+" "+want.Status.String())...)
		}
	}
	all.require(t, 100, "pass", "fail", "inconclusive")
	all.require(t, 20, "skew before", "skew during", "skew after", "diverted", "equal pass", "weighs pass", "victim pass", "victim fail")
}

// randomErrors are three nodes' answers while a fault bites, of which a share
// is bad that differs from node to node.
func randomErrors(seed uint64) *history.History {
	rng := random(seed, 91)
	h := &history.History{Names: &history.Names{}, End: 10 * sec}
	h.Faults = []history.Fault{{ID: 1, Kind: "db-slow", Nodes: []string{"db"}, Injected: 2 * sec, Active: 2 * sec, Heal: 8 * sec}}
	if chance(rng, 8) {
		h.Faults[0].Heal = -1
	}
	var rates []int // per mille
	for i := range 1 + rng.IntN(3) {
		h.Meta.Nodes = append(h.Meta.Nodes, history.NodeMeta{Name: "j" + string('1'+rune(i)), Role: "application"})
		rates = append(rates, oneOf(rng, 0, 0, 20, 60, 300, 300))
	}
	every := oneOf(rng, 10, 20, 60)
	for i := range 10_000 / every {
		at := time.Duration(i*every) * ms
		n := rng.IntN(len(rates))
		name := h.Names.Intern(h.Meta.Nodes[n].Name)
		o := history.Op{ID: uint64(i) + 1, Type: history.SessionRead, Outcome: history.Good, Intended: at, Sent: at, End: at + 5*ms, Attempts: 1, Bound: name}
		if !chance(rng, 4) {
			o.Node, o.Bound = name, h.Names.Intern("j1") // who answers counts
		}
		if rng.IntN(1000) < rates[n] {
			switch rng.IntN(3) {
			case 0:
				o.End = at + 100*ms
			case 1:
				o.Outcome = history.Unknown
			case 2:
				o.Outcome, o.Error = history.Failed, uint16(h.Names.Intern(oneOf(rng, history.ErrDropped, history.ErrStatus)))
			}
		}
		h.Ops = append(h.Ops, o)
	}
	return h
}

// naiveAlerts counts in whole numbers: a node's users see too many errors if
// more than 14.4 in a thousand are bad, and a quarter of the worst node's share.
// A node of fewer than 30 may be of either kind.
func naiveAlerts(h *history.History, tells string, within time.Duration) (status assert.Status, told string) {
	to := h.Faults[0].Heal
	if to < 0 {
		to = h.End
	}
	ops, bad := map[string]int{}, map[string]int{}
	for _, o := range h.Ops {
		if o.Intended < 2*sec || o.Intended >= to || !isBad(h, o) && !isGood(h, o) {
			continue
		}
		node := h.NodeOf(&o)
		if node == "" {
			node = h.BoundOf(&o)
		}
		for _, n := range []string{node, "all"} {
			ops[n]++
			if isBad(h, o) {
				bad[n]++
			}
		}
	}
	var many, thin, judged []string
	for _, n := range h.Meta.Nodes {
		if ops[n.Name] < 30 {
			thin = append(thin, n.Name)
			continue
		}
		judged = append(judged, n.Name)
	}
	for _, n := range judged {
		much := 10_000*bad[n] > 144*ops[n]
		for _, m := range judged {
			much = much && 4*bad[n]*ops[m] >= bad[m]*ops[n]
		}
		if much {
			many = append(many, n)
		}
	}
	// Each of the thin ones may count for bad, or for good.
	could := map[string]bool{}
	for n := len(many) + len(thin); n >= len(many); n-- {
		switch {
		case n == 0:
			told = assert.TellsNothing
		case n == 1 && len(h.Meta.Nodes) > 1:
			told = assert.TellsNode
		case n == len(h.Meta.Nodes):
			told = assert.TellsAll
		default:
			told = assert.TellsSome
		}
		could[told] = true
	}
	judge := []assert.Status{assert.Pass}
	switch {
	case len(judged) == 0 || len(could) > 1 || len(thin) > 0 && told != tells:
		judge[0] = assert.Inconclusive
	case told != tells:
		judge[0] = assert.Fail
	}
	if within > 0 && ops["all"] < 30 {
		judge = append(judge, assert.Inconclusive)
	} else if within > 0 {
		// 14.4 × 0.1 % of the errors of an hour have come after so long.
		pages := 10_000*bad["all"] > 144*ops["all"]
		after := time.Duration(float64(time.Hour) * 14.4 / 1000 * float64(ops["all"]) / float64(max(1, bad["all"])))
		if !pages || after > within {
			judge = append(judge, assert.Fail)
		}
	}
	return worstOf(judge), told
}

func TestAlertsAgreeWithBruteForce(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 400) {
		h := randomErrors(seed)
		for _, tells := range []string{assert.TellsNothing, assert.TellsNode, assert.TellsAll, assert.TellsSome} {
			for _, within := range []time.Duration{0, 10 * time.Minute} {
				want, told := naiveAlerts(h, tells, within)
				v := assert.Alerts{Tells: tells, Threshold: usersSlow, PageWithin: within}.Check(h)
				require.Equal(t, want, v.Status, "seed %d, %s within %v: they tell %s: %s %v", seed, tells, within, told, v.Summary, v.Reasons)
				all.add(want, "told "+told)
			}
		}
	}
	all.require(t, 100, "pass", "fail")
	all.require(t, 30, "inconclusive", "told "+assert.TellsNothing, "told "+assert.TellsNode, "told "+assert.TellsAll, "told "+assert.TellsSome)
}
