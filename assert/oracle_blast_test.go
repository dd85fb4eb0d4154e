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

// randomBlast are two faults, which may overlap, on a system of three nodes:
// their users, of whom each does one thing after the other, the engine's events
// and the views of two balancers, of which one owns the address.
func randomBlast(seed uint64) *history.History {
	rng, s := random(seed, 70), &tape{}
	h := &history.History{Names: &history.Names{}, End: 3 * sec}
	for _, n := range []string{"j1", "j2", "j3"} {
		h.Meta.Nodes = append(h.Meta.Nodes, history.NodeMeta{Name: n, Role: "application"})
	}
	h.Meta.Nodes = append(h.Meta.Nodes, history.NodeMeta{Name: "lb1", Role: "balancer"}, history.NodeMeta{Name: "lb2", Role: "balancer"})
	from := time.Duration(600+rng.IntN(200)) * ms
	for id := 1; id <= rng.IntN(3); id++ {
		f := history.Fault{ID: id, Kind: "instance-freeze", Nodes: []string{oneOf(rng, "j1", "j1", "j2")}, Injected: from, Active: from + 20*ms, Heal: from + 800*ms, Healed: from + 900*ms}
		switch rng.IntN(16) {
		case 0:
			f.Nodes = []string{"lb1"}
		case 1:
			f.Nodes = []string{"j1", "j2", "j3"}
		case 2:
			f.Heal, f.Healed = -1, -1
		}
		h.Faults = append(h.Faults, f)
		from += time.Duration(200+rng.IntN(1200)) * ms
	}
	quiet, rate := chance(rng, 2), oneOf(rng, 4, 20, 100)
	free := map[uint32]time.Duration{} // when each user has time again
	for i := range 150 {
		at := time.Duration(i) * 20 * ms
		user := uint32(1 + rng.IntN(12))
		bound := []string{"j1", "j2", "j3"}[user%3]
		o := history.Op{
			ID: uint64(i) + 1, Intended: at, Sent: max(at, free[user]), Outcome: history.Good, Attempts: 1, Type: history.SessionRead,
			Session: user, User: h.Names.Intern(fmt.Sprint("u", user)), Bound: h.Names.Intern(bound),
		}
		took := time.Duration(1+rng.IntN(9)) * ms
		if chance(rng, 12) { // not on a node yet
			o.Session, o.Bound = user+100, 0
		}
		hit := slices.ContainsFunc(h.Faults, func(f history.Fault) bool {
			return slices.Contains(f.Nodes, bound) && at >= f.Injected && (f.Heal < 0 || at < f.Heal)
		})
		switch {
		case hit && chance(rng, 3):
			took = time.Duration(100+rng.IntN(500)) * ms
			o.Outcome, o.Error = history.Unknown, uint16(h.Names.Intern(history.ErrTimeout))
		case !quiet && chance(rng, rate):
			took += usersSlow * 2
		case chance(rng, 60):
			o.Outcome, o.Error = history.Failed, uint16(h.Names.Intern(history.ErrDropped))
		}
		o.End = o.Sent + took
		if o.Outcome != history.Failed {
			free[user] = max(free[user], o.End)
		}
		h.Ops = append(h.Ops, o)
	}
	if !quiet && chance(rng, 3) {
		at := time.Duration(500+rng.IntN(2000)) * ms
		h.Engine = append(h.Engine, seen(s, at, history.Engine{Node: oneOf(rng, "j1", "j3", "j3"), Action: "start"}))
	}
	owner := oneOf(rng, "lb1", "lb2")
	for _, lb := range []string{"lb1", "lb2"} {
		h.VIPs = append(h.VIPs, seen(s, 0, history.VIP{Balancer: lb, Known: true, Owner: lb == owner}))
		down, blink := time.Duration(rng.IntN(3000))*ms, oneOf(rng, "j1", "j2", "j3", "j3")
		if quiet || chance(rng, 2) {
			down = 9 * sec
		}
		for at := time.Duration(0); at < 3*sec; at += 100 * ms {
			for _, n := range []string{"j1", "j2", "j3"} {
				h.Servers = append(h.Servers, seen(s, at, history.Server{Balancer: lb, Server: n, Up: n != blink || at < down || at >= down+300*ms, Status: "DOWN"}))
			}
		}
	}
	byTime(h.VIPs)
	byTime(h.Servers)
	return h
}

// ruleOf is a time of faults that overlap, and who is beyond their reach.
type ruleOf struct {
	from, to time.Duration
	faults   []history.Fault
	beyond   []string
}

// rules joins faults until none overlaps another.
func rules(h *history.History) (out []ruleOf) {
	for _, f := range h.Faults {
		to := f.Heal
		if to < 0 {
			to = h.End
		}
		out = append(out, ruleOf{from: f.Injected, to: to, faults: []history.Fault{f}})
	}
	for i := 0; i+1 < len(out); i++ {
		for j := i + 1; j < len(out); j++ {
			if out[i].from <= out[j].to && out[j].from <= out[i].to {
				out[i] = ruleOf{from: min(out[i].from, out[j].from), to: max(out[i].to, out[j].to), faults: slices.Concat(out[i].faults, out[j].faults)}
				out = slices.Delete(out, j, j+1)
				i = -1
				break
			}
		}
	}
	for i := range out {
		shared := false
		out[i].beyond = []string{"j1", "j2", "j3"}
		for _, f := range out[i].faults {
			shared = shared || slices.Contains(f.Nodes, "lb1")
			out[i].beyond = slices.DeleteFunc(out[i].beyond, func(n string) bool { return slices.Contains(f.Nodes, n) })
		}
		if shared {
			out[i].beyond = nil
		}
	}
	return out
}

// naiveBlast asks of each operation whether it counts, and follows who waited
// for whom as often as it takes.
func naiveBlast(h *history.History) (r ruling) {
	all := rules(h)
	var judged []assert.Status
	for _, rule := range all {
		if len(rule.beyond) == 0 {
			continue
		}
		victims := map[uint32]bool{}
		for _, f := range rule.faults {
			for _, o := range h.Ops {
				if slices.Contains(f.Nodes, h.BoundOf(&o)) && o.End >= f.Injected && (f.Heal < 0 || max(o.Sent, o.Intended) < f.Heal) {
					victims[o.Session] = true
				}
			}
		}
		var ops []history.Op
		for _, o := range h.Ops {
			if o.Intended < rule.to && o.End >= rule.from {
				ops = append(ops, o)
			}
		}
		reached := func(o history.Op) bool { return victims[o.Session] || !slices.Contains(rule.beyond, h.BoundOf(&o)) }
		var waited func(i int) bool
		waited = func(i int) bool { // for one that was reached, or that itself waited and was served well then
			for j := range ops[:i] {
				p, well := ops[j], ops[j].Outcome == history.Good && ops[j].End-max(ops[j].Sent, ops[j].Intended) <= usersSlow
				if p.User == ops[i].User && p.End > ops[i].Intended && (reached(p) || well && waited(j)) {
					return true
				}
			}
			return false
		}
		n, bad := 0, 0
		for i, o := range ops {
			if reached(o) || waited(i) || !isBad(h, o) && !isGood(h, o) {
				continue
			}
			n++
			if isBad(h, o) {
				bad++
			}
		}
		served := enough(n, bad, usersSteady)
		judged = append(judged, served)
		standing := assert.Pass
		for _, e := range h.Engine {
			if slices.Contains(rule.beyond, e.V.Node) && e.Time > rule.from && e.Time < rule.to {
				standing = assert.Fail
				r.Found = append(r.Found, mark("restart", e.Seq))
			}
		}
		owner := ""
		for _, v := range h.VIPs {
			if v.V.Owner {
				owner = v.V.Balancer
			}
		}
		for i, x := range h.Servers {
			if x.V.Up || x.V.Balancer != owner || !slices.Contains(rule.beyond, x.V.Server) || x.Time <= rule.from || x.Time >= rule.to {
				continue
			}
			for _, before := range slices.Backward(h.Servers[:i]) {
				if before.V.Balancer == owner && before.V.Server == x.V.Server {
					if before.V.Up {
						standing = assert.Fail
						r.Found = append(r.Found, mark("marked down", x.Seq))
					}
					break
				}
			}
		}
		judged = append(judged, standing)
	}
	switch {
	case len(all) == 0:
	case len(judged) == 0:
		r.Status, r.Idle = assert.Pass, true
	default:
		r.Status = worstOf(judged)
	}
	return r.sorted()
}

func TestBlastRadiusAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 1_000) {
		h := randomBlast(seed)
		want := naiveBlast(h)
		v := assert.BlastRadius{Percent: usersSteady, Threshold: usersSlow}.Check(h)
		got := ruling{Status: v.Status, Idle: v.NotExercised}
		for _, e := range v.Evidence { // the operations are told by their share
			if e.Class == "restart" || e.Class == "marked down" {
				got.Found = append(got.Found, mark(e.Class, e.Seq))
			}
		}
		if v.More > 0 {
			want.Found, got.Found = nil, nil
		}
		require.Equal(t, want, got.sorted(), "seed %d: %s %v", seed, v.Summary, v.Reasons)
		all.add(want.Status, classes(want.Found)...)
	}
	all.require(t, 100, "pass", "fail", "inconclusive")
	all.require(t, 30, "restart", "marked down")
}

// The numbers of what follows: how soon a service is steady again after a heal.
const steadyWithin = 400 * ms

// randomRecovery is a healed fault on j2 of two nodes, and one more in a third
// of the cases, after which not all is well in one way or another.
func randomRecovery(seed uint64) *history.History {
	rng, s := random(seed, 71), &tape{}
	h := &history.History{Names: &history.Names{}, End: 6500 * ms}
	h.Meta.Nodes = []history.NodeMeta{
		{Name: "j1", Role: "application"},
		{Name: "j2", Role: "application"},
		{Name: "lb1", Role: "balancer"},
		{Name: "lb2", Role: "balancer"},
		{Name: "db", Role: "database"},
	}
	h.Meta.Bounds = []history.Bound{{Name: "recovered", Limit: steadyWithin / 2}, {Name: "ready", Limit: steadyWithin / 2}}
	h.Phases = []history.Phase{{Name: "steady", Kind: history.PhaseSteady, To: 2100 * ms}, {Name: "break", Kind: history.PhaseBreak, From: 2100 * ms, To: 6 * sec}}
	fault := func(at time.Duration, node string) {
		f := history.Fault{ID: len(h.Faults) + 1, Kind: "instance-kill", Nodes: []string{node}, Injected: at, Active: at + 10*ms, Heal: at + 500*ms, Healed: at + 600*ms}
		h.Faults = append(h.Faults, f)
	}
	fault(2200*ms, "j2")
	if chance(rng, 3) {
		fault(time.Duration(2300+rng.IntN(900))*ms, oneOf(rng, "j1", "j2"))
	}
	// One thing at most goes wrong, so that its verdict is not hidden.
	trouble := rng.IntN(9)
	late := time.Duration(rng.IntN(900)) * ms
	for i := range 300 {
		at := time.Duration(i) * 20 * ms
		o := history.Op{ID: uint64(i) + 1, Intended: at, Sent: at, End: at + 5*ms, Outcome: history.Good, Attempts: 1, Type: history.SessionRead}
		since := func(f history.Fault) bool { return at >= f.Injected && at < f.Heal+steadyWithin/2 }
		if slices.ContainsFunc(h.Faults, since) || trouble == 1 && at > h.Faults[0].Heal && at < h.Faults[0].Heal+late || chance(rng, 40) {
			if chance(rng, 2) {
				o.Outcome = history.Unknown
			}
		}
		h.Ops = append(h.Ops, o)
	}
	starts := func(node string, at time.Duration) {
		h.Engine = append(h.Engine, seen(s, at, history.Engine{Node: node, Action: "start"}))
	}
	for _, f := range h.Faults {
		starts(f.Nodes[0], f.Heal+20*ms)
		if trouble == 2 && chance(rng, 2) {
			starts(oneOf(rng, "j1", "j2"), f.Injected+time.Duration(rng.IntN(1500))*ms)
		}
	}
	byTime(h.Engine)
	held := oneOf(rng, 2, 3, 5) // what a gauge never falls below
	for at := time.Duration(0); at < h.End; at += 50 * ms {
		for i, n := range []string{"j1", "j2"} {
			x := history.Truth{Node: n, Up: true, Warm: true, Database: true, Threads: 3 + rng.IntN(3), Active: rng.IntN(3), InFlight: rng.IntN(3)}
			if i == 1 && trouble == 3 && at > 3*sec {
				x.Threads, x.Active = x.Threads+held, x.Active+held
			}
			if i == 1 && trouble == 4 && at > 3*sec {
				x.InFlight += held
			}
			if trouble == 5 && at > 3*sec {
				x.Up = i == 0 && at < 4*sec
			}
			h.Truth = append(h.Truth, seen(s, at, x))
			up := i == 0 || trouble != 6 || at < 5900*ms-time.Duration(held)*50*ms
			h.Readiness = append(h.Readiness, seen(s, at, history.Readiness{Node: n, Probe: "ready", Up: up, Status: 200}))
			for _, lb := range []string{"lb1", "lb2"} {
				up := i == 0 || trouble != 7 || lb == "lb2" || at < 5900*ms-time.Duration(held)*50*ms
				h.Servers = append(h.Servers, seen(s, at, history.Server{Balancer: lb, Server: n, Up: up, Status: "DOWN"}))
			}
		}
		c := history.Connections{Known: true, Total: 5 + rng.IntN(4), Max: 10}
		if trouble == 8 && at > 3*sec {
			c.Total = 9 + rng.IntN(2)
			if held == 5 && at > 5*sec && chance(rng, 10) {
				c.Total = 8
			}
		}
		h.Connections = append(h.Connections, seen(s, at, c))
	}
	owner := oneOf(rng, "lb1", "lb2")
	h.VIPs = append(h.VIPs, seen(s, 0, history.VIP{Balancer: "lb1", Known: true, Owner: owner == "lb1"}), seen(s, 0, history.VIP{Balancer: "lb2", Known: true, Owner: owner == "lb2"}))
	h.Coverage = covered(history.StreamConnections)
	return h
}

// naiveRecovery judges each demand over all that there is; the second result
// names those that were broken.
func naiveRecovery(h *history.History, c assert.Recovery) (status assert.Status, broken []string) {
	var judged []assert.Status
	demand := func(name string, s assert.Status) {
		judged = append(judged, s)
		if s != assert.Pass {
			broken = append(broken, name)
		}
	}
	loadEnds := 6 * sec
	all := rules(h)
	slices.SortFunc(all, func(a, b ruleOf) int { return int(a.from - b.from) })
	for i, rule := range all {
		until := loadEnds
		if i+1 < len(all) {
			until = all[i+1].from
		}
		n, bad := 0, 0
		for _, o := range h.Ops {
			if o.Intended < rule.to+steadyWithin || o.Intended >= until || o.Intended+usersSlow >= until && o.End > until {
				continue
			}
			n++
			if o.Outcome != history.Good {
				bad++
			}
		}
		demand("steady", enough(n, bad, usersSteady))
		storm := assert.Pass
		for _, node := range []string{"j1", "j2"} {
			since, allowed, aimed := rule.from, 0, false
			for _, f := range rule.faults {
				if !slices.Contains(f.Nodes, node) {
					continue
				}
				if !aimed || c.FromFault && f.Injected < since || !c.FromFault && f.Heal > since {
					since = f.Heal
					if c.FromFault {
						since = f.Injected
					}
				}
				aimed, allowed = true, 1
			}
			n := 0
			for _, e := range h.Engine {
				if e.V.Node == node && e.Time > since && (i+1 == len(all) || e.Time < until) {
					n++
				}
			}
			if n > allowed {
				storm = assert.Fail
			}
		}
		demand("storm", storm)
	}
	recovered := all[len(all)-1].to + steadyWithin
	owner := ""
	for _, v := range h.VIPs {
		if v.V.Owner {
			owner = v.V.Balancer
		}
	}
	for _, node := range []string{"j1", "j2"} {
		ready, held := assert.Fail, assert.Fail
		looks := 0
		for _, x := range slices.Backward(h.Readiness) {
			if x.V.Node == node && x.Time < loadEnds {
				if looks++; looks <= 3 && x.V.Up {
					ready = assert.Pass
				}
			}
		}
		looks = 0
		for _, x := range slices.Backward(h.Servers) {
			if x.V.Server == node && x.V.Balancer == owner && x.Time < loadEnds {
				if looks++; looks <= 3 && x.V.Up {
					held = assert.Pass
				}
			}
		}
		demand("ready", ready)
		demand("in service", held)
		for name, gauge := range map[string]func(history.Truth) int{
			"threads":     func(x history.Truth) int { return x.Threads },
			"connections": func(x history.Truth) int { return x.Active },
			"waiting":     func(x history.Truth) int { return x.Waiting },
			"in flight":   func(x history.Truth) int { return x.InFlight },
		} {
			idle := map[string]int{"threads": -1, "in flight": 1}[name]
			demand("left "+name, naiveFloor(h, node, recovered, loadEnds, idle, gauge))
		}
	}
	database := assert.Fail
	for _, x := range h.Connections {
		if x.Time >= recovered && 10*x.V.Total < 9*x.V.Max {
			database = assert.Pass
		}
	}
	demand("database", database)
	return worstOf(judged), broken
}

// naiveFloor judges what a gauge never falls below: as in the first steady
// phase, give or take two; and if the node was looked at often enough when the load
// had ended what it is then, unless that is below 0.
func naiveFloor(h *history.History, node string, recovered, loadEnds time.Duration, then int, gauge func(history.Truth) int) assert.Status {
	was, is, before, after, idle := -1, -1, 0, 0, 0
	for _, x := range h.Truth {
		if x.V.Node != node || !x.V.Up {
			continue
		}
		n := gauge(x.V)
		if x.Time < 2100*ms {
			before++
			if was < 0 || n < was {
				was = n
			}
		}
		if x.Time >= recovered {
			after++
			if is < 0 || n < is {
				is = n
			}
		}
		if x.Time >= loadEnds {
			idle++
		}
	}
	most := was + 2
	if then >= 0 && idle >= 3 {
		most = then
	}
	switch {
	case before < 20 || after < 20:
		return assert.Inconclusive
	case is > most:
		return assert.Fail
	}
	return assert.Pass
}

func TestRecoveryAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 400) {
		h := randomRecovery(seed)
		for _, c := range []assert.Recovery{{Steady: usersSteady, Threshold: usersSlow}, {Steady: usersSteady, Threshold: usersSlow, FromFault: true}} {
			want, broken := naiveRecovery(h, c)
			v := c.Check(h)
			require.Equal(t, want, v.Status, "seed %d, from the fault %v: %v: %s %v", seed, c.FromFault, broken, v.Summary, v.Reasons)
			all.add(want, broken...)
		}
	}
	all.require(t, 50, "pass", "fail", "inconclusive", "steady", "storm")
	all.require(t, 15, "ready", "in service", "left threads", "left connections", "left in flight", "database")
}
