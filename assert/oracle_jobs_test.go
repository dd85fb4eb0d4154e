package assert_test

import (
	"slices"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// restOfJob is for how long the job may rest in these tests, and jobEvery how
// often it is to be done.
const (
	restOfJob = 5 * sec
	jobEvery  = sec
)

// randomJobs are the effects of a job that is handed from node to node under
// growing tokens, with now and then a zombie's, one of a token that another
// holds, a slot that is done again, or a long rest.
func randomJobs(seed uint64) *history.History {
	rng, s := random(seed, 20), &tape{}
	h := &history.History{Names: &history.Names{}, End: 30 * sec}
	h.Meta.Bounds = []history.Bound{{Name: "job", Limit: restOfJob}}
	h.Phases = []history.Phase{
		{Name: "warm", Kind: history.PhaseWarmUp, To: 3 * sec},
		{Name: "steady", Kind: history.PhaseSteady, From: 3 * sec, To: 10 * sec},
		{Name: "break", Kind: history.PhaseBreak, From: 10 * sec, To: 20 * sec},
	}
	owner, token := aNode(rng), int64(1)
	row, at := int64(0), time.Duration(rng.IntN(4000))*ms
	for at < 24*sec {
		row++
		e := history.JobEffect{Row: row, Slot: int64(at / jobEvery), Token: token, Owner: owner}
		switch rng.IntN(40) {
		case 0:
			e.Token = max(1, e.Token-1)
		case 1:
			e.Owner = aNode(rng)
		case 2:
			e.Slot = max(0, e.Slot-1)
		case 3, 4:
			token++
			owner = aNode(rng)
		case 5:
			at += time.Duration(rng.IntN(5000)) * ms
		}
		h.Jobs = append(h.Jobs, seen(s, at, e))
		at += jobEvery + time.Duration(rng.IntN(200))*ms
	}
	if len(h.Jobs) > 1 && chance(rng, 8) { // the database's clock and its order need not agree
		i := 1 + rng.IntN(len(h.Jobs)-1)
		h.Jobs[i].Time, h.Jobs[i-1].Time = h.Jobs[i-1].Time, h.Jobs[i].Time
		byTime(h.Jobs)
	}
	return h
}

// naiveJobs holds each effect against every one that was written before it,
// and every moment against every effect.
func naiveJobs(h *history.History) (r ruling) {
	tokens := map[int64]bool{}
	for _, x := range h.Jobs {
		tokens[x.V.Token] = true
		var older, again, shared bool
		first := x // that had x's token
		for _, y := range h.Jobs {
			if y.V.Row >= x.V.Row {
				continue
			}
			older = older || y.V.Token > x.V.Token
			again = again || y.V.Slot == x.V.Slot
			if y.V.Token == x.V.Token && y.V.Row < first.V.Row {
				first = y
			}
		}
		shared = first.V.Owner != x.V.Owner
		for class, is := range map[string]bool{"older token": older, "done twice": again, "shared token": shared} {
			if is {
				r.Found = append(r.Found, mark(class, x.Seq))
			}
		}
	}
	if len(r.Found) > 0 {
		r.Status = assert.Fail
		return r.sorted()
	}
	// A moment begins a rest that is too long if nothing comes for longer than
	// the bound after it: the load's first, and each effect.
	from, to := 3*sec, 20*sec
	begins := []time.Duration{from}
	for _, x := range h.Jobs {
		if x.Time > from && x.Time <= to {
			begins = append(begins, x.Time)
		}
	}
	for _, at := range begins {
		next, by := to, uint64(0)
		for _, y := range h.Jobs {
			if y.Time > at && y.Time <= to && (by == 0 || y.Time < next) {
				next, by = y.Time, y.Seq
			}
		}
		if next-at > restOfJob {
			r.Found = append(r.Found, mark("not done", by))
		}
	}
	r.Status, r.Idle = assert.Pass, len(tokens) < 2
	if len(r.Found) > 0 {
		r.Status, r.Idle = assert.Fail, false
	}
	return r.sorted()
}

func TestSingleOwnerAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 1_000) {
		h := randomJobs(seed)
		want := naiveJobs(h)
		v := assert.SingleOwner{Bound: "job"}.Check(h)
		agrees(t, want, v, "seed %d: %s", seed, v.Summary)
		all.add(want.Status, classes(want.Found)...)
	}
	all.require(t, 100, "pass", "fail")
	all.require(t, 50, "older token", "done twice", "shared token")
	all.require(t, 20, "not done")
}

// fenced is a table that is written under fencing tokens, as porcupine models
// it: a write is right if no newer token has written, nobody else has its
// token and its slot is not done. Its state is all that was written.
var fenced = porcupine.Model{
	Init: func() any { return []history.JobEffect(nil) },
	Step: func(state, input, _ any) (bool, any) {
		before, e := state.([]history.JobEffect), input.(history.JobEffect)
		for _, o := range before {
			if o.Token > e.Token || o.Token == e.Token && o.Owner != e.Owner || o.Slot == e.Slot {
				return false, state
			}
		}
		return true, append(slices.Clone(before), e)
	},
	Equal: func(a, b any) bool { return slices.Equal(a.([]history.JobEffect), b.([]history.JobEffect)) },
}

// The effects stand in the database in the order of their rows, so that
// whether two owners are to blame is whether that order is one of the model's.
func TestSingleOwnerAgreesWithPorcupine(t *testing.T) {
	t.Parallel()
	var all census
	for seed := range rounds(t, 1_000) {
		h := randomJobs(seed)
		var ops []porcupine.Operation
		for _, j := range h.Jobs {
			ops = append(ops, porcupine.Operation{ClientId: 0, Input: j.V, Call: 2 * j.V.Row, Return: 2*j.V.Row + 1})
		}
		v := assert.SingleOwner{Bound: "job"}.Check(h)
		right := porcupine.CheckOperations(fenced, ops)
		require.Equal(t, !right, v.Safety, "seed %d: %s", seed, v.Summary)
		all.add(v.Status, map[bool]string{true: "right", false: "wrong"}[right])
	}
	all.require(t, 100, "right", "wrong")
}
