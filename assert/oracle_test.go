package assert_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// tiny is one session of a few operations: what its client recorded and what
// was read after the load, right or wrong.
type tiny struct {
	ops   []tinyOp
	final *tinyFinal // nil: ended, so nothing was read
}

type tinyOp struct {
	write   bool
	outcome history.Outcome
	sent    bool
	value   int64
}

type tinyFinal struct {
	count int64
	list  []uint64 // ids: the login is 1, ops[i] is i+2
}

// randomTiny runs a real counter with the given outcomes, so that the record
// is right, and then spoils some of it, so that some are not.
func randomTiny(rng *rand.Rand) tiny {
	var t tiny
	var count int64
	var list, pending []uint64
	apply := func(id uint64) { count++; list = append(list, id) }
	for i := range 1 + rng.IntN(6) {
		for len(pending) > 0 && rng.IntN(3) == 0 {
			apply(pending[0])
			pending = pending[1:]
		}
		op := tinyOp{write: rng.IntN(2) == 0, sent: true, outcome: history.Good}
		switch rng.IntN(6) {
		case 0, 1:
			op.outcome = history.Unknown
		case 2:
			op.outcome, op.sent = history.Failed, rng.IntN(2) == 0
		}
		id := uint64(i) + 2
		switch {
		case op.write && op.outcome == history.Good:
			apply(id)
		case op.write && op.outcome == history.Unknown:
			pending = append(pending, id)
		}
		if op.outcome == history.Good {
			op.value = count
		}
		t.ops = append(t.ops, op)
	}
	if rng.IntN(3) > 0 {
		for len(pending) > 0 && rng.IntN(2) == 0 {
			apply(pending[0])
			pending = pending[1:]
		}
		t.final = &tinyFinal{count, list}
	}
	t.spoil(rng)
	return t
}

func (t *tiny) spoil(rng *rand.Rand) {
	for range rng.IntN(3) {
		i := rng.IntN(len(t.ops))
		switch rng.IntN(4) {
		case 0, 1:
			if t.ops[i].outcome == history.Good {
				t.ops[i].value = max(0, t.ops[i].value+int64(rng.IntN(3))-1)
			}
		case 2:
			if f := t.final; f != nil && len(f.list) > 0 {
				f.list = slices.Delete(slices.Clone(f.list), 0, 1)
				f.count--
			}
		case 3:
			if f := t.final; f != nil {
				f.list = append(slices.Clone(f.list), uint64(i)+2)
				f.count++
			}
		}
	}
}

// possible is the oracle: it tries every way in which the writes of unknown
// outcome can have been applied, each before some later operation, after the
// last, or never, and asks whether one of them explains all that was seen.
func (t tiny) possible() bool {
	var unknown []int
	for i, op := range t.ops {
		if op.write && op.outcome == history.Unknown && op.sent {
			unknown = append(unknown, i)
		}
	}
	when := make([]int, len(unknown)) // before which operation; len(ops)+1: never
	var try func(k int) bool
	try = func(k int) bool {
		if k == len(unknown) {
			return t.explains(unknown, when)
		}
		for when[k] = unknown[k] + 1; when[k] <= len(t.ops)+1; when[k]++ {
			if try(k + 1) {
				return true
			}
		}
		return false
	}
	return try(0)
}

func (t tiny) explains(unknown, when []int) bool {
	var count int64
	var list []uint64
	apply := func(i int) { count++; list = append(list, uint64(i)+2) }
	for i := 0; i <= len(t.ops); i++ {
		for k, u := range unknown {
			if when[k] == i {
				apply(u)
			}
		}
		if i == len(t.ops) {
			break
		}
		op := t.ops[i]
		if op.outcome != history.Good {
			continue
		}
		if op.write {
			apply(i)
		}
		if op.value != count {
			return false
		}
	}
	if t.final == nil {
		return true
	}
	got := slices.Sorted(slices.Values(t.final.list))
	slices.Sort(list)
	return t.final.count == count && slices.Equal(got, list)
}

// history is the record of t; every answer is by the user's own session.
func (t tiny) history() *history.History {
	h := &history.History{Names: &history.Names{}}
	user, sid := h.Names.Intern("u1"), h.Names.Intern("s1")
	add := func(op history.Op) {
		op.ID = uint64(len(h.Ops)) + 1
		op.Session, op.User, op.Attempts = 1, user, 1
		op.Intended = time.Duration(op.ID) * ms
		op.End = op.Intended + ms/2
		if op.Sent == 0 {
			op.Sent = op.Intended
		}
		if op.Outcome == history.Good {
			op.SessionID, op.Owner = sid, user
		}
		h.Ops = append(h.Ops, op)
	}
	add(history.Op{Type: history.Login, Outcome: history.Good, Flags: history.New})
	for _, o := range t.ops {
		op := history.Op{Type: history.SessionRead, Outcome: o.outcome, Value: o.value}
		if o.write {
			op.Type = history.SessionWrite
		}
		if !o.sent {
			op.Sent = -1
		}
		add(op)
	}
	if t.final == nil {
		add(history.Op{Type: history.Logout, Outcome: history.Good})
	} else {
		h.Sessions = append(h.Sessions, history.At[history.SessionState]{Time: sec, V: history.SessionState{
			Session: 1, Via: "vip", Known: true, Found: true, ID: "s1", User: "u1", Count: t.final.count, Ops: t.final.list,
		}})
	}
	h.Coverage = []history.At[history.Coverage]{{Time: time.Hour, V: history.Coverage{Stream: history.StreamSession, Complete: true}}}
	return h
}

func TestSessionsAgreeWithBruteForce(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 3_000) {
		s := randomTiny(rand.New(rand.NewPCG(seed, 2)))
		v := assert.SessionSurvival{}.Check(s.history())
		if s.possible() {
			all.add(assert.Pass)
			require.Equal(t, assert.Pass, v.Status, "seed %d: %+v %+v: %v", seed, s.ops, s.final, v.Evidence)
		} else {
			all.add(assert.Fail)
			require.Equal(t, assert.Fail, v.Status, "seed %d: %+v %+v", seed, s.ops, s.final)
		}
	}
	all.require(t, 160, "pass", "fail")
}

// counter is the model of a session for porcupine: a write of unknown outcome
// is an operation that never returned.
var counter = porcupine.Model{
	Init: func() any { return int64(0) },
	Step: func(state, input, output any) (bool, any) {
		next := state.(int64)
		if input.(bool) {
			next++
		}
		seen := output.(int64)
		return seen < 0 || seen == next, next
	},
}

func TestSessionsAgreeWithPorcupine(t *testing.T) {
	t.Parallel()
	for seed := range rounds(t, 1_000) {
		s := randomTiny(rand.New(rand.NewPCG(seed, 3)))
		if s.final != nil {
			s.final.list = nil // porcupine judges counts
		}
		var ops []porcupine.Operation
		for i, o := range s.ops {
			p := porcupine.Operation{ClientId: i, Input: o.write, Output: o.value, Call: int64(10 * i), Return: int64(10*i + 5)}
			if o.outcome == history.Unknown && o.write && o.sent {
				p.Output, p.Return = int64(-1), math.MaxInt64
			}
			if o.outcome == history.Good || p.Return == math.MaxInt64 {
				ops = append(ops, p)
			}
		}
		if s.final != nil {
			ops = append(ops, porcupine.Operation{ClientId: 99, Input: false, Output: s.final.count, Call: 1000, Return: 1001})
		}
		result, _ := porcupine.CheckOperationsVerbose(counter, ops, 10*time.Second)
		require.NotEqual(t, porcupine.Unknown, result)
		v := assert.SessionSurvival{}.Check(s.history())
		require.Equal(t, result == porcupine.Ok, v.Status == assert.Pass, "seed %d: %+v %+v: %v", seed, s.ops, s.final, v.Evidence)
	}
}

// An attempt of which nobody knows what became of it may have been applied, each
// for itself: all of them are tried, and what is read next must be one of what
// they come to.
func TestSessionsAgreeWithEachRepeatedAttempt(t *testing.T) {
	for _, last := range []history.Outcome{history.Unknown, history.Failed} {
		for tries := range 1 << 3 { // a bit for each: unknown, or refused for certain
			for value := range int64(6) {
				h := tiny{ops: []tinyOp{{write: true, outcome: last, sent: true}, {sent: true, outcome: history.Good, value: value}}}.history()
				h.Ops[1].Attempts = 4
				doubtful := []bool{last == history.Unknown}
				for n := range 3 {
					outcome := history.Fail
					if tries>>n&1 == 1 {
						outcome = history.Info
						doubtful = append(doubtful, true)
					}
					if h.Tries == nil {
						h.Tries = map[uint64][]history.Try{}
					}
					h.Tries[h.Ops[1].ID] = append(h.Tries[h.Ops[1].ID], history.Try{End: h.Ops[1].Sent, Outcome: outcome})
				}
				sums := map[int64]bool{0: true}
				for _, may := range doubtful {
					for sum := range maps.Clone(sums) {
						sums[sum+1] = sums[sum+1] || may
					}
					maps.DeleteFunc(sums, func(_ int64, is bool) bool { return !is })
				}
				v := assert.SessionSurvival{}.Check(h)
				require.Equal(t, !sums[value], v.Status == assert.Fail, "%v after tries %03b, then %d is read: %s %v", last, tries, value, v.Summary, v.Reasons)
			}
		}
	}
}

// What nodes say of a session counts where it could not be read by the address,
// and of several lists the longest.
func TestSessionsReadByNodesAlone(t *testing.T) {
	written := []uint64{2, 3}
	for _, c := range []struct {
		name  string
		reads []history.SessionState
		class string
	}{
		{name: "right, as far as they say", reads: []history.SessionState{{Count: 2, Ops: written}}},
		{name: "a write is not in the counter", reads: []history.SessionState{{Count: 1}}, class: "lost update"},
		{name: "the longer list first", reads: []history.SessionState{{Count: 2, Ops: []uint64{2, 99}}, {Count: 2, Ops: []uint64{2}}}, class: "never sent"},
		{name: "the longer list last", reads: []history.SessionState{{Count: 2, Ops: []uint64{2}}, {Count: 2, Ops: []uint64{2, 99}}}, class: "never sent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := tiny{
				ops:   []tinyOp{{write: true, sent: true, outcome: history.Good, value: 1}, {write: true, sent: true, outcome: history.Good, value: 2}},
				final: &tinyFinal{},
			}.history()
			h.Sessions = nil
			for i, s := range c.reads {
				s.Session, s.Via, s.Known, s.Found, s.ID, s.User = 1, fmt.Sprint("j", i+1), true, true, "s1", "u1"
				h.Sessions = append(h.Sessions, history.At[history.SessionState]{Time: sec, V: s})
			}
			v := assert.SessionSurvival{}.Check(h)
			if c.class == "" {
				require.Equal(t, assert.Inconclusive, v.Status, "%s %v", v.Summary, v.Reasons)
				return
			}
			require.Equal(t, assert.Fail, v.Status, "%s %v", v.Summary, v.Reasons)
			var found []string
			for _, e := range v.Evidence {
				found = append(found, e.Class)
			}
			require.Contains(t, found, c.class)
		})
	}
}

// randomLedger is a handful of orders under few keys, and any rows.
func randomLedger(rng *rand.Rand) *history.History {
	h := &history.History{Names: &history.Names{}, Tries: map[uint64][]history.Try{}}
	for id := uint64(1); id <= uint64(1+rng.IntN(5)); id++ {
		op := history.Op{ID: id, Type: history.Order, Outcome: history.Outcome(rng.IntN(3)), Attempts: 1}
		if rng.IntN(8) == 0 {
			op.Type = history.SessionWrite
		}
		op.Key = h.Names.Intern(fmt.Sprintf("k%d", rng.IntN(4)))
		if op.Outcome == history.Good && rng.IntN(4) > 0 {
			op.Value = int64(1 + rng.IntN(3))
		}
		if op.Outcome == history.Failed && rng.IntN(2) == 0 {
			op.Sent = -1
		}
		h.Ops = append(h.Ops, op)
	}
	for range rng.IntN(5) {
		h.Ledger = append(h.Ledger, history.At[history.LedgerRow]{V: history.LedgerRow{
			Order: int64(1 + rng.IntN(3)), Key: fmt.Sprintf("k%d", rng.IntN(5)), Op: uint64(1 + rng.IntN(6)),
		}})
	}
	for range rng.IntN(2) {
		h.Receipts = append(h.Receipts, history.At[history.Receipt]{V: history.Receipt{What: "arrive", Op: 9, Key: fmt.Sprintf("k%d", rng.IntN(4))}})
	}
	h.Coverage = []history.At[history.Coverage]{{Time: time.Hour, V: history.Coverage{Stream: history.StreamLedger, Complete: rng.IntN(5) > 0}}}
	return h
}

// naiveLedger is the oracle: for each key it looks at everything.
func naiveLedger(h *history.History) map[string]float64 {
	classes := map[string]float64{}
	keys := map[string]bool{}
	for _, op := range h.Ops {
		if op.Type == history.Order {
			keys[h.KeyOf(&op)] = true
		}
	}
	for key := range keys {
		classes[naiveClass(h, key)]++
	}
	for _, r := range h.Ledger {
		if !keys[r.V.Key] {
			classes["phantom"]++
		}
	}
	return classes
}

func naiveClass(h *history.History, key string) string {
	var acked, unknown, sent, logged bool
	var rows []int64
	for _, r := range h.Ledger {
		if r.V.Key == key {
			rows = append(rows, r.V.Order)
		}
	}
	for _, r := range h.Receipts {
		logged = logged || r.V.Key == key
	}
	conflict := false
	for _, op := range h.Ops {
		if op.Type != history.Order || h.KeyOf(&op) != key {
			continue
		}
		acked = acked || op.Outcome == history.Good
		unknown = unknown || op.Outcome == history.Unknown
		sent = sent || op.Sent >= 0 || op.Outcome != history.Failed
		conflict = conflict || op.Outcome == history.Good && op.Value != 0 && !slices.Contains(rows, op.Value)
	}
	switch {
	case len(rows) > 1:
		return "duplicate"
	case len(rows) == 1 && !sent && logged:
		return "indeterminate"
	case len(rows) == 1 && !sent:
		return "phantom"
	case len(rows) == 1 && conflict:
		return "conflict"
	case len(rows) == 1 && acked:
		return "once"
	case len(rows) == 1:
		return "recovered"
	case acked && h.Coverage[0].V.Complete:
		return "lost"
	case acked || unknown:
		return "indeterminate"
	case sent:
		return "refused"
	}
	return "not sent"
}

func TestLedgerAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 3_000) {
		h := randomLedger(rand.New(rand.NewPCG(seed, 4)))
		want := naiveLedger(h)
		v := assert.WriteLedger{}.Check(h)
		violating := 0.0
		for _, class := range []string{"once", "lost", "duplicate", "phantom", "conflict", "recovered", "indeterminate", "refused", "not sent"} {
			require.Equal(t, want[class], measure(t, v, class), "seed %d: %s", seed, class)
		}
		for _, class := range []string{"lost", "duplicate", "phantom", "conflict"} {
			violating += want[class]
		}
		require.Equal(t, violating > 0, v.Status == assert.Fail, "seed %d: %s", seed, v.Summary)
		all.add(v.Status)
		if violating > 0 {
			require.Equal(t, violating, *v.Measured, "seed %d", seed)
			require.Equal(t, int(violating), len(v.Evidence)+v.More)
		}
	}
	all.require(t, 330, "fail")
	all.require(t, 10, "pass")
	all.require(t, 100, "inconclusive")
}
