package assert_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// junk is a history in which nothing fits: any numbers, any order, any
// references. No checker may break on it.
func junk(rng *rand.Rand) *history.History {
	h := &history.History{End: 10 * sec}
	if rng.IntN(10) > 0 {
		h.Names = &history.Names{}
		for _, n := range []string{"j1", "j2", "k1", "s1", "u1", history.ErrSession, history.ErrConflict, history.ErrDropped} {
			h.Names.Intern(n)
		}
	}
	name := func() history.Name { return history.Name(rng.IntN(12)) }
	at := func() time.Duration { return time.Duration(rng.IntN(12)-1) * sec }
	sessions := []uint32{0, 1, 2, 1 << 30, 1<<32 - 1}
	id := uint64(0)
	for range rng.IntN(30) {
		id += 1 + uint64(rng.IntN(3))
		h.Ops = append(h.Ops, history.Op{
			ID: id, Intended: at(), Sent: at(), End: at(), Value: rng.Int64N(5) - 1, Session: sessions[rng.IntN(5)],
			Key: name(), SessionID: name(), User: name(), Owner: name(), Node: name(), Bound: name(),
			Status: uint16(rng.IntN(600)), Error: uint16(name()), Type: history.Type(rng.IntN(8)),
			Outcome: history.Outcome(rng.IntN(3)), Attempts: uint8(rng.IntN(3)), Flags: history.Flags(rng.IntN(8)),
		})
	}
	nodes := []string{"", "j1", "j2", "nobody"}
	for range rng.IntN(300) {
		f := history.Fault{ID: 1, Injected: at(), Active: at(), Heal: at(), Healed: at()}
		f.Nodes = nodes[:rng.IntN(4)]
		if rng.IntN(2) == 0 {
			f.Proof = &history.Proof{OK: true, From: at(), To: at()}
		}
		h.Faults = append(h.Faults, f)
	}
	for range rng.IntN(10) {
		op := uint64(rng.IntN(40))
		h.Ledger = append(h.Ledger, history.At[history.LedgerRow]{V: history.LedgerRow{Key: nodes[rng.IntN(4)], Op: op, Order: int64(op)}})
		h.Receipts = append(h.Receipts, history.At[history.Receipt]{V: history.Receipt{Key: "k1", Op: op, What: "commit"}})
		h.Dispatches = append(h.Dispatches, history.At[history.Dispatch]{Time: at(), V: history.Dispatch{Key: "k1", Op: op, Server: "j2", Retries: 1}})
		h.Servers = append(h.Servers, history.At[history.Server]{Time: at(), V: history.Server{Server: nodes[rng.IntN(4)], Status: "DOWN"}})
		h.Sessions = append(h.Sessions, history.At[history.SessionState]{V: history.SessionState{
			Session: sessions[rng.IntN(5)], Via: []string{"vip", "j1"}[rng.IntN(2)], Known: rng.IntN(3) > 0, Found: rng.IntN(3) > 0,
			ID: nodes[rng.IntN(4)], Count: rng.Int64N(5) - 1, Ops: []uint64{op, op, uint64(rng.IntN(5))}[:rng.IntN(4)],
		}})
	}
	for range rng.IntN(4) {
		kinds := []string{history.PhaseSteady, history.PhaseBreak, "", history.PhaseWarmUp}
		h.Phases = append(h.Phases, history.Phase{From: at(), To: at(), Kind: kinds[rng.IntN(4)]})
	}
	h.Meta.Standing = rng.IntN(2) == 0
	for _, n := range nodes[:rng.IntN(4)] {
		h.Meta.Nodes = append(h.Meta.Nodes, history.NodeMeta{Name: n, Role: "application"})
	}
	return h
}

func TestNoCheckerBreaksOnJunk(t *testing.T) {
	t.Parallel()
	checkers := []assert.Checker{
		assert.WriteLedger{},
		assert.SessionSurvival{},
		assert.SessionSurvival{Expect: assert.ExpectLostWithNode},
		assert.Distribution{},
		assert.Distribution{Expect: map[string]float64{"j1": 0}},
		assert.Leftovers{},
	}
	for seed := range rounds(t, 500) {
		h := junk(rand.New(rand.NewPCG(seed, 5)))
		for _, c := range checkers {
			require.NotPanics(t, func() { c.Check(h) }, "seed %d: %s", seed, c.Name())
		}
		first, again := assert.Judge(h, checkers), assert.Judge(h, checkers)
		require.Equal(t, first, again, "seed %d: a verdict can be had again", seed)
		if len(h.Ops) == 0 {
			for _, v := range first {
				require.NotEqual(t, assert.Pass, v.Status, "seed %d: %s", seed, v.Name)
			}
		}
	}
}
