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

// The numbers of these tests are small, so that a few dozen operations decide.
const (
	usersEvery  = 10 * ms // an operation is due
	usersSlow   = 35 * ms // is too slow
	usersOutage = 150 * ms
	usersSteady = 90 // percent
	usersAll    = 80
	usersFew    = 10 // operations after the fault, to see an outage
)

// randomUsers are operations of six sessions on two nodes through a fault on
// one of them, on a balancer, or on both nodes. How many are bad, and when,
// is drawn, too.
func randomUsers(seed uint64) *history.History {
	rng := random(seed, 60)
	h := &history.History{Names: &history.Names{}}
	h.Meta.Nodes = []history.NodeMeta{{Name: "j1", Role: "application"}, {Name: "j2", Role: "application"}, {Name: "lb1", Role: "balancer"}}
	h.Meta.Bounds = []history.Bound{{Name: "outage", Limit: usersOutage}}
	steady, broken := 30+rng.IntN(20), oneOf(rng, 20, 60, 60)
	total := steady + broken + 30
	h.End = time.Duration(total) * usersEvery
	h.Phases = []history.Phase{
		{Name: "warm", Kind: history.PhaseWarmUp, To: 5 * usersEvery},
		{Name: "steady", Kind: history.PhaseSteady, From: 5 * usersEvery, To: time.Duration(steady) * usersEvery},
		{Name: "break", Kind: history.PhaseBreak, From: time.Duration(steady) * usersEvery, To: time.Duration(steady+broken) * usersEvery},
		{Name: "again", Kind: history.PhaseSteady, From: time.Duration(steady+broken) * usersEvery, To: h.End},
	}
	struck := h.Phases[2].From + ms
	f := history.Fault{ID: 1, Kind: "instance-kill", Nodes: oneOf(rng, []string{"j2"}, []string{"j2"}, []string{"lb1"}, []string{"j1", "j2"})}
	f.Injected, f.Active, f.Heal, f.Healed = struck, struck+4*ms, h.Phases[2].To-20*ms, h.Phases[2].To-5*ms
	f.Proof = &history.Proof{OK: true, From: struck + ms, To: struck + 2*ms}
	switch rng.IntN(10) {
	case 0:
		f.Heal, f.Healed = -1, -1
	case 1:
		f.HealProof = &history.Proof{OK: true, From: f.Heal + 8*ms, To: f.Heal + 10*ms}
	}
	h.Faults = []history.Fault{f}
	lasts := time.Duration(rng.IntN(500)) * ms // of the trouble after the fault
	stray := oneOf(rng, 15, 40, 200)
	rate := oneOf(rng, 2, 6, 8) // of eight operations in trouble those that fail
	onlyType := history.Type(rng.IntN(30))
	for i := range total {
		at := time.Duration(i) * usersEvery
		session := uint32(1 + rng.IntN(6))
		user := session
		if at > struck && chance(rng, 6) {
			session += 6 // its next one
		}
		bound := oneOf(rng, "j1", "j2")
		if session <= 6 {
			bound = []string{"j1", "j2"}[session%2]
		}
		o := history.Op{
			ID: uint64(i) + 1, Intended: at, Sent: at, End: at + time.Duration(1+rng.IntN(12))*ms, Outcome: history.Good, Attempts: 1,
			Session: session, User: h.Names.Intern("u" + string('0'+rune(user))), Type: oneOf(rng, history.SessionRead, history.SessionWrite, history.Order),
			Bound: h.Names.Intern(bound),
		}
		trouble := o.End > struck && at < struck+lasts && rng.IntN(8) < rate && (onlyType > history.Order || o.Type == onlyType) &&
			(f.Nodes[0] != "j2" || bound == "j2" || chance(rng, 10))
		if trouble || chance(rng, stray) {
			switch rng.IntN(12) {
			case 0:
				o.Outcome, o.End = history.Unknown, -1
			case 1:
				o.Outcome, o.Error = history.Failed, uint16(h.Names.Intern(history.ErrDropped))
			case 2:
				o.Outcome, o.Error = history.Unknown, uint16(h.Names.Intern(history.ErrCancelled))
			case 3, 4:
				o.End = at + usersSlow + time.Duration(rng.IntN(3)-1)*ms
			case 5:
				o.Sent = at + 20*ms
				o.End = o.Sent + 60*ms
			default:
				o.Outcome, o.Error = history.Unknown, uint16(h.Names.Intern(history.ErrReset))
			}
		}
		h.Ops = append(h.Ops, o)
	}
	return h
}

// isBad and isGood say how an operation counts; one that the generator or the
// run's end took away is neither.
func isBad(h *history.History, o history.Op) bool {
	switch class := h.ErrorOf(&o); {
	case class == history.ErrDropped:
		return false
	case o.End < 0 || o.End-o.Intended > usersSlow:
		return true
	default:
		return o.Outcome != history.Good && class != history.ErrCancelled
	}
}

func isGood(h *history.History, o history.Op) bool {
	return o.Outcome == history.Good && o.End >= 0 && o.End-o.Intended <= usersSlow
}

// stretchOf is a row of bad operations without a good one between.
type stretchOf struct {
	from, last, to time.Duration
	bad            int
}

// stretches are all of them among operations in the order of their intended
// times, none of which counts from before a floor.
func stretches(h *history.History, ops []history.Op, floor time.Duration, openTo func(time.Duration) time.Duration) (out []stretchOf) {
	var kept []history.Op
	for _, o := range ops {
		if isBad(h, o) || isGood(h, o) {
			kept = append(kept, o)
		}
	}
	at := func(o history.Op) time.Duration { return max(o.Intended, floor) }
	for i, o := range kept {
		if isGood(h, o) || i > 0 && isBad(h, kept[i-1]) {
			continue // it begins none
		}
		s := stretchOf{from: at(o), to: -1}
		for _, next := range kept[i:] {
			if isGood(h, next) {
				s.to = at(next)
				break
			}
			s.last, s.bad = at(next), s.bad+1
		}
		if s.to < 0 {
			s.to = max(s.last, openTo(s.last))
		}
		out = append(out, s)
	}
	return out
}

// endOfPhase is the end of the phase that t lies in.
func endOfPhase(h *history.History, t time.Duration) time.Duration {
	for _, p := range h.Phases {
		if t >= p.From && t < p.To {
			return p.To
		}
	}
	return max(t, h.End)
}

// victimsOf is who is on a fault's nodes; nil for everybody, where the nodes
// hold no sessions.
func victimsOf(h *history.History, f history.Fault) map[uint32]bool {
	if f.Nodes[0] == "lb1" {
		return nil
	}
	of := map[uint32]bool{}
	for _, o := range h.Ops {
		sent := max(o.Sent, o.Intended)
		if slices.Contains(f.Nodes, h.BoundOf(&o)) && (o.End < 0 || o.End >= f.Proof.From) && (f.Heal < 0 || sent < f.Heal) {
			of[o.Session] = true
		}
	}
	return of
}

// longestBy is the stretch that is longest by a measure, the first of equals.
func longestBy(of []stretchOf, by func(stretchOf) time.Duration) (out stretchOf) {
	for _, s := range of {
		if out.bad == 0 || by(s) > by(out) {
			out = s
		}
	}
	return out
}

// naiveOutage decides whether the victims were without service for too long.
func naiveOutage(h *history.History) assert.Status {
	f := h.Faults[0]
	floor, of := f.Proof.From, victimsOf(h, f)
	var pool, others []history.Op
	for _, o := range h.Ops {
		if (o.End < 0 || o.End >= floor) && (of == nil || of[o.Session]) {
			pool = append(pool, o)
		} else {
			others = append(others, o)
		}
	}
	// Who logs in again is served again, where his old session was the last.
	served := func(last time.Duration) time.Duration {
		for _, o := range others {
			known := slices.ContainsFunc(pool, func(p history.Op) bool { return p.User == o.User && p.Intended < o.Intended })
			if of != nil && o.Intended > last && known && isGood(h, o) {
				return o.Intended
			}
		}
		return endOfPhase(h, last)
	}
	certain := func(s stretchOf) time.Duration { return s.last - s.from }
	rows := func(of []stretchOf) []stretchOf {
		return slices.DeleteFunc(slices.Clone(of), func(s stretchOf) bool { return s.bad < 3 })
	}
	length, tooLong := together(h, pool, floor, served)
	if tooLong {
		return assert.Fail
	}
	if of != nil && len(f.Nodes) > 1 {
		for _, node := range f.Nodes {
			theirs := boundThen(h, of, floor, node)
			all := slices.Concat(pool, others)
			slices.SortFunc(all, func(a, b history.Op) int { return int(a.ID) - int(b.ID) })
			pool, others = nil, nil
			for _, o := range all {
				if (o.End < 0 || o.End >= floor) && theirs[o.Session] {
					pool = append(pool, o)
				} else {
					others = append(others, o)
				}
			}
			if _, tooLong := together(h, pool, floor, served); tooLong {
				return assert.Fail
			}
		}
		pool, others = nil, nil
		for _, o := range h.Ops {
			if (o.End < 0 || o.End >= floor) && of[o.Session] {
				pool = append(pool, o)
			} else {
				others = append(others, o)
			}
		}
	}
	alone := func(of func(history.Op) bool) bool {
		own := slices.DeleteFunc(slices.Clone(pool), func(o history.Op) bool { return !of(o) })
		s := rows(stretches(h, own, floor, func(t time.Duration) time.Duration { return endOfPhase(h, t) }))
		return certain(longestBy(s, certain)) > 2*usersOutage
	}
	for n := range uint32(13) { // types and sessions are numbered below that
		if alone(func(p history.Op) bool { return uint32(p.Type) == n }) || alone(func(p history.Op) bool { return p.Session == n }) {
			return assert.Fail
		}
	}
	early := 0
	for _, o := range pool {
		if o.Intended >= floor && o.Intended < floor+2*usersOutage {
			early++
		}
	}
	broken := endOfPhase(h, f.Injected) - h.Phases[2].From
	if f.Heal >= 0 && f.Heal-f.Proof.To < usersOutage || f.Heal < 0 && h.End-f.Proof.To < usersOutage {
		return assert.Inconclusive
	}
	if of != nil && len(of) == 0 || broken < 2*usersOutage || early < usersFew || length > usersOutage {
		return assert.Inconclusive
	}
	return assert.Pass
}

// together says how long the longest stretch of all of a pool's operations is, and
// whether one was certainly too long.
func together(h *history.History, pool []history.Op, floor time.Duration, served func(time.Duration) time.Duration) (length time.Duration, tooLong bool) {
	all := stretches(h, pool, floor, served)
	longest := longestBy(all, func(s stretchOf) time.Duration { return s.to - s.from })
	length = longest.to - longest.from
	for _, s := range all {
		tooLong = tooLong || s.bad >= 3 && s.last-s.from > usersOutage
	}
	return length, tooLong || length > usersOutage && (longest.last-longest.from > usersOutage || longest.to-longest.last <= usersOutage/10)
}

// boundThen are the sessions that there were before the fault and whose first
// operation that it met was bound to the node.
func boundThen(h *history.History, of map[uint32]bool, floor time.Duration, node string) map[uint32]bool {
	out := map[uint32]bool{}
	for session := range of {
		own := slices.DeleteFunc(slices.Clone(h.Ops), func(o history.Op) bool { return o.Session != session })
		met := slices.IndexFunc(own, func(o history.Op) bool { return o.End < 0 || o.End >= floor })
		out[session] = own[0].Intended < floor && met >= 0 && h.BoundOf(&own[met]) == node
	}
	return out
}

// enough judges a share of good operations in whole numbers: too few of them
// fail only if the missing ones could not have helped.
func enough(ops, bad, percent int) assert.Status {
	least := 100 / (100 - percent)
	switch {
	case 100*bad > (100-percent)*max(ops, least):
		return assert.Fail
	case ops < least:
		return assert.Inconclusive
	}
	return assert.Pass
}

// naiveBudget gives the status, and the percent of what Overall is held to.
func naiveBudget(h *history.History, c assert.ErrorBudget) (status assert.Status, percent float64) {
	f := h.Faults[0]
	began, took := min(f.Injected, f.Proof.From), f.Proof.To
	undone := h.End
	if f.Heal >= 0 {
		undone = max(f.Heal, f.Healed)
		if f.HealProof != nil {
			undone = max(f.Heal, f.HealProof.To)
		}
	}
	of := victimsOf(h, f)
	leftOut := func(o history.Op, from, to time.Duration) bool {
		share := (o.End < 0 || o.End >= f.Proof.From) && (of == nil || of[o.Session])
		return share && o.Intended < to && o.Intended >= from-usersSlow && (o.End < 0 || o.End >= from)
	}
	type count struct{ ops, bad int }
	phases, held := make([]count, len(h.Phases)), count{}
	for _, o := range h.Ops {
		if !isBad(h, o) && !isGood(h, o) {
			continue
		}
		at := o.Intended
		if at < began && began-at <= usersSlow && (o.End < 0 || o.End > began) {
			at = began // the fault struck it
		}
		in := slices.IndexFunc(h.Phases, func(p history.Phase) bool { return at >= p.From && at < p.To })
		bad := 0
		if isBad(h, o) {
			bad = 1
		}
		phases[in].ops, phases[in].bad = phases[in].ops+1, phases[in].bad+bad
		if h.Phases[in].Kind == history.PhaseWarmUp ||
			c.Everybody && leftOut(o, f.Proof.From, took+usersOutage) ||
			c.AtHeal && f.Heal >= 0 && leftOut(o, f.Heal, undone+usersOutage) ||
			len(c.Refused) > 0 && o.Type.String() == c.Refused[0] && leftOut(o, f.Proof.From, undone) {
			continue
		}
		held.ops, held.bad = held.ops+1, held.bad+bad
	}
	all := []assert.Status{enough(held.ops, held.bad, usersAll)}
	for i, p := range h.Phases {
		if p.Kind == history.PhaseSteady {
			all = append(all, enough(phases[i].ops, phases[i].bad, usersSteady))
		}
	}
	if c.OutageBound != "" {
		all = append(all, naiveOutage(h))
	}
	if held.ops > 0 {
		percent = 100 * float64(held.ops-held.bad) / float64(held.ops)
	}
	return worstOf(all), percent
}

// worstOf combines objectives: one that failed decides, then one in doubt.
func worstOf(all []assert.Status) assert.Status {
	switch {
	case slices.Contains(all, assert.Fail):
		return assert.Fail
	case slices.Contains(all, assert.Inconclusive):
		return assert.Inconclusive
	}
	return assert.Pass
}

func TestErrorBudgetAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	var all census
	base := assert.ErrorBudget{Steady: usersSteady, Overall: usersAll, Threshold: usersSlow}
	for seed := range rounds(t, 400) {
		h := randomUsers(seed)
		for name, change := range map[string]func(*assert.ErrorBudget){
			"percent":   func(*assert.ErrorBudget) {},
			"outage":    func(c *assert.ErrorBudget) { c.OutageBound = "outage" },
			"everybody": func(c *assert.ErrorBudget) { c.OutageBound, c.Everybody = "outage", true },
			"at heal":   func(c *assert.ErrorBudget) { c.OutageBound, c.Everybody, c.AtHeal = "outage", true, true },
			"refused":   func(c *assert.ErrorBudget) { c.Refused = []string{history.OpOrder} },
		} {
			c := base
			change(&c)
			want, percent := naiveBudget(h, c)
			v := c.Check(h)
			require.Equal(t, want, v.Status, "seed %d, %s: %s %v", seed, name, v.Summary, v.Reasons)
			require.InDelta(t, percent, *v.Measured, 1e-9, "seed %d, %s: %s", seed, name, v.Summary)
			require.Empty(t, outOfOrder(h, v), "seed %d, %s: the kind of most comes first, and of each the worst: %v", seed, name, v.Evidence)
			for _, e := range v.Evidence {
				require.True(t, isBad(h, h.Ops[e.Op-1]), "seed %d, %s: %s", seed, name, e.Text)
			}
			all.add(want, name+" "+want.String())
		}
	}
	for _, s := range []string{"pass", "fail"} {
		all.require(t, 10, "percent "+s, "outage "+s, "everybody "+s, "at heal "+s, "refused "+s)
	}
	all.require(t, 10, "outage inconclusive", "everybody inconclusive")
}

// latency of an operation; one that never completed took longest.
func latency(h *history.History, op uint64) time.Duration {
	o := h.Ops[op-1]
	if l, ok := o.Latency(); ok {
		return l
	}
	return time.Hour
}

// outOfOrder says what is wrong with the order of the bad operations: those of a
// kind stand together, the worst first, and where all are shown, the kind of
// which most are comes first.
func outOfOrder(h *history.History, v assert.Verdict) string {
	kind := func(e assert.Evidence) string {
		o := h.Ops[e.Op-1]
		return fmt.Sprint(o.Outcome == history.Good, o.Error, o.Status)
	}
	of, last := map[string]int{}, ""
	for _, e := range v.Evidence {
		of[kind(e)]++
	}
	met := map[string]bool{}
	for i, e := range v.Evidence {
		k := kind(e)
		switch {
		case k == last && latency(h, e.Op) > latency(h, v.Evidence[i-1].Op):
			return "of a kind, the worst is not first"
		case k != last && met[k]:
			return "a kind is in two places"
		case k != last && last != "" && v.More == 0 && of[k] > of[last]:
			return "the kind of most is not first"
		}
		met[k], last = true, k
	}
	return ""
}

// TestVictimsOutageAgreesWithBruteForce is about the outage alone: all that is
// asked of the shares of good operations is nothing.
func TestVictimsOutageAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	var all census
	c := assert.ErrorBudget{Steady: 1e-3, Overall: 1e-3, Threshold: usersSlow, OutageBound: "outage"}
	for seed := range rounds(t, 1_000) {
		h := randomUsers(seed)
		want := naiveOutage(h)
		v := c.Check(h)
		require.Equal(t, want, v.Status, "seed %d: %s %v", seed, v.Summary, v.Reasons)
		all.add(want, h.Faults[0].Nodes[0]+" "+want.String())
	}
	all.require(t, 100, "pass", "fail", "inconclusive")
	all.require(t, 20, "j2 pass", "j2 fail", "j2 inconclusive", "lb1 pass", "lb1 fail")
}
