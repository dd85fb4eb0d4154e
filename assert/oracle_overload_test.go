package assert_test

import (
	"testing"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// What a node may do to its clients in these tests.
const (
	answeredIn = 300 * ms
	maxThreads = 8
)

// randomOverload are two nodes whose database is away from 1 s on: what they
// answered, what they worked on, whether they said that they live, and whether
// they were started again.
func randomOverload(seed uint64) *history.History {
	rng, s := random(seed, 100), &tape{}
	h := &history.History{Names: &history.Names{}, End: 4 * sec, Tries: map[uint64][]history.Try{}}
	for _, n := range []string{"j1", "j2"} {
		h.Meta.Nodes = append(h.Meta.Nodes, history.NodeMeta{Name: n, Role: "application"})
	}
	h.Meta.Nodes = append(h.Meta.Nodes, history.NodeMeta{Name: "db", Role: "database"})
	h.Meta.Bounds = []history.Bound{{Name: "answered", Limit: answeredIn}, {Name: "threads", Count: maxThreads}}
	h.Phases = []history.Phase{{Name: "steady", Kind: history.PhaseSteady, To: sec}, {Name: "break", Kind: history.PhaseBreak, From: sec, To: 3 * sec}}
	if !chance(rng, 20) {
		h.Faults = []history.Fault{{ID: 1, Kind: "database-down", Nodes: []string{"db"}, Injected: sec, Active: sec, Heal: 2 * sec}}
	}
	wrong := oneOf(rng, 10_000, 10_000, 60, 12)
	idle, blind := chance(rng, 4), chance(rng, 20)
	try := func(at, took time.Duration) (end time.Duration, outcome history.Outcome, status int, class string) {
		switch {
		case chance(rng, wrong):
			return at + took, history.Unknown, 0, oneOf(rng, history.ErrReset, history.ErrTimeout)
		case chance(rng, wrong):
			return at + took, history.Failed, oneOf(rng, 500, 502), history.ErrStatus
		case chance(rng, wrong):
			return at + answeredIn + time.Duration(rng.IntN(3)-1)*ms, history.Good, 200, ""
		case at > sec && !idle && chance(rng, 2):
			return at + took, history.Failed, oneOf(rng, 503, 504, 429, 409), history.ErrStatus
		}
		return at + took, history.Good, 200, ""
	}
	for id := uint64(1); id <= uint64(10+rng.IntN(10)); id++ {
		at := time.Duration(rng.IntN(3500)) * ms
		op := history.Op{ID: id, Type: history.Order, Intended: at, Sent: at, Attempts: uint8(1 + rng.IntN(3))}
		pause := 100 * ms
		for n := 1; n <= int(op.Attempts); n++ {
			end, outcome, status, class := try(at, time.Duration(1+rng.IntN(250))*ms)
			if n < int(op.Attempts) {
				if outcome == history.Good {
					outcome, status, class = history.Failed, 503, history.ErrStatus
				}
				h.Tries[id] = append(h.Tries[id], history.Try{End: end, Outcome: history.Info, Status: status, Error: class})
				at, pause = end+pause, 2*pause
				continue
			}
			op.End, op.Outcome, op.Status, op.Error = end, outcome, uint16(status), uint16(h.Names.Intern(class))
			if chance(rng, 4*wrong) {
				op.End, op.Outcome, op.Status = -1, history.Unknown, 0
			}
		}
		if chance(rng, 12) {
			op.Sent, op.End, op.Outcome, op.Status = -1, op.Intended+sec, history.Failed, 0
			op.Error = uint16(h.Names.Intern(history.ErrNotSent))
			if chance(rng, wrong) { // it found no connection
				op.Error = uint16(h.Names.Intern(history.ErrConnect))
			}
			delete(h.Tries, id)
			op.Attempts = 0
		}
		h.Ops = append(h.Ops, op)
	}
	silent := chance(rng, 2) // whether liveness, where it goes wrong, says nothing or no
	for at := time.Duration(0); at < 3500*ms; at += 100 * ms {
		for _, n := range []string{"j1", "j2"} {
			came := 2 + rng.IntN(3)
			for range came {
				h.Receipts = append(h.Receipts, seen(s, at+time.Duration(rng.IntN(100))*ms, history.Receipt{Node: n, What: "arrive"}))
			}
			x := history.Truth{Node: n, Up: !blind && !chance(rng, 20), Threads: rng.IntN(maxThreads + 1), InFlight: rng.IntN(12), Active: rng.IntN(5)}
			if at > sec && !idle {
				x.Waiting = rng.IntN(3)
			}
			if chance(rng, wrong) {
				x.Threads = maxThreads + 1
			}
			if chance(rng, wrong) {
				x.InFlight = 14 + rng.IntN(20)
			}
			h.Truth = append(h.Truth, seen(s, at, x))
			l := history.Readiness{Node: n, Probe: "live", Up: true, Status: 200}
			if chance(rng, 1+wrong/6) {
				l.Up, l.Status = false, 503
				if silent {
					l.Status = 0
				}
			}
			h.Readiness = append(h.Readiness, seen(s, at, l))
		}
	}
	byTime(h.Receipts)
	if chance(rng, 1+wrong/6) {
		h.Engine = append(h.Engine, seen(s, time.Duration(rng.IntN(3500))*ms, history.Engine{Node: oneOf(rng, "j1", "db"), Action: oneOf(rng, "die", "start", "oom", "pause")}))
	}
	if chance(rng, 1+wrong/6) {
		h.Transitions = append(h.Transitions, seen(s, time.Duration(rng.IntN(3500))*ms, history.Transition{Node: "j2", What: oneOf(rng, "started", "stopping", "unready")}))
	}
	return h
}

// naiveOverload holds each attempt, each look and each start to the contract.
func naiveOverload(h *history.History) (r ruling) {
	if len(h.Faults) == 0 {
		return r
	}
	judged := func(t time.Duration) bool { return t >= sec && t < 3*sec }
	breach := func(class string, n uint64) { r.Found = append(r.Found, mark(class, n)) }
	attempts, looks, refused, waited := 0, 0, 0, 0
	for _, o := range h.Ops {
		if o.Sent < 0 && h.ErrorOf(&o) == history.ErrNotSent {
			continue
		}
		tries := h.Tries[o.ID]
		for n := range len(tries) + 1 {
			from, pause := o.Sent, 100*ms
			if from < 0 {
				from = o.Intended
			}
			for _, before := range tries[:n] { // the client waits longer and longer
				from, pause = before.End+pause, 2*pause
			}
			to, status, good := o.End, int(o.Status), o.Outcome == history.Good
			if n < len(tries) {
				to, status, good = tries[n].End, tries[n].Status, false
			}
			if from >= 3*sec || to >= 0 && to < sec {
				continue
			}
			attempts++
			switch {
			case to < 0 || !good && status == 0:
				breach("no answer", o.ID)
			case !good && status != 503 && status != 504 && (status < 400 || status > 499):
				breach("unclear answer", o.ID)
			case to-from > answeredIn:
				breach("late answer", o.ID)
			case !good:
				refused++
			}
		}
	}
	for _, x := range h.Truth {
		if !x.V.Up || !judged(x.Time) {
			continue
		}
		looks++
		waited += x.V.Waiting
		if x.V.Threads > maxThreads {
			breach("threads exhausted", x.Seq)
		}
		came := 0
		for _, a := range h.Receipts {
			if a.V.Node == x.V.Node && a.Time >= x.Time-answeredIn-250*ms && a.Time <= x.Time+250*ms {
				came++
			}
		}
		if max(x.V.InFlight, x.V.Active+x.V.Waiting) > came+2 {
			breach("queue without bound", x.Seq)
		}
	}
	for i, x := range h.Readiness {
		if x.V.Up || !judged(x.Time) {
			continue
		}
		if x.V.Status != 0 {
			breach("liveness down", x.Seq)
			continue
		}
		row := 1 // of looks without an answer, up to this one
		for j := i - 1; j >= 0; j-- {
			if y := h.Readiness[j]; y.V.Node == x.V.Node {
				if y.V.Status != 0 || !judged(y.Time) {
					break
				}
				row++
			}
		}
		if row == 3 {
			breach("liveness down", x.Seq)
		}
	}
	for _, x := range h.Engine {
		if judged(x.Time) && x.V.Node != "db" && x.V.Action != "pause" {
			breach("restarted", x.Seq)
		}
	}
	for _, x := range h.Transitions {
		if judged(x.Time) && x.V.What != "unready" {
			breach("restarted", x.Seq)
		}
	}
	switch {
	case len(r.Found) > 0:
		r.Status = assert.Fail
	case attempts > 0 && looks > 0:
		r.Status, r.Idle = assert.Pass, refused == 0 && waited == 0
	}
	return r.sorted()
}

func TestOverloadContractAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 500) {
		h := randomOverload(seed)
		want := naiveOverload(h)
		v := assert.OverloadContract{}.Check(h)
		agrees(t, want, v, "seed %d: %s %v", seed, v.Summary, v.Reasons)
		all.add(want.Status, classes(want.Found)...)
	}
	all.require(t, 50, "pass", "fail", "inconclusive")
	all.require(t, 20, "no answer", "unclear answer", "late answer", "threads exhausted", "queue without bound", "liveness down", "restarted")
}
