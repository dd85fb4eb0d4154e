package assert_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

func both() []assert.Checker {
	return []assert.Checker{assert.WriteLedger{}, assert.SessionSurvival{}}
}

func TestSyntheticHistoriesPass(t *testing.T) {
	t.Parallel()
	for seed := range rounds(t, 40) {
		s := synthesise(3_000, seed)
		for _, v := range assert.Judge(s.h, both()) {
			require.Equal(t, assert.Pass, v.Status, "seed %d: %s %v %v", seed, v.Summary, v.Reasons, v.Evidence)
			require.False(t, v.NotExercised, "seed %d: %s", seed, v.Summary)
			require.Zero(t, *v.Measured)
		}
	}
}

func TestPlantedViolationsAreFound(t *testing.T) {
	t.Parallel()
	for _, n := range sizes(t) {
		for seed := range uint64(max(1, 20_000/n)) {
			base := synthesise(n, seed)
			for _, p := range plants() {
				s := *base
				s.h = sameHistory(base.h)
				if op := p.put(&s); op != 0 {
					found(t, s.h, p, op, fmt.Sprintf("%s in %d operations of seed %d", p.class, n, seed))
				}
			}
		}
	}
}

// found requires that exactly the planted violation is reported.
func found(t testing.TB, h *history.History, p plant, op uint64, what string) {
	t.Helper()
	for _, v := range assert.Judge(h, both()) {
		if v.Name != p.checker {
			require.Equal(t, assert.Pass, v.Status, "%s: %s", what, v.Summary)
			continue
		}
		require.Equal(t, assert.Fail, v.Status, "%s: %s %v", what, v.Summary, v.Reasons)
		require.Equal(t, 1.0, *v.Measured, "%s: %s", what, v.Summary)
		require.Len(t, v.Evidence, 1, what)
		require.Equal(t, p.class, v.Evidence[0].Class, "%s: %s", what, v.Evidence[0].Text)
		require.Equal(t, op, v.Evidence[0].Op, "%s: %s", what, v.Evidence[0].Text)
	}
}

// outcomeOf is what must not change under a metamorphic rule.
type outcomeOf struct {
	Name, Class string
	Status      assert.Status
	Measured    float64
	Op          uint64
	Idle        bool
}

func outcomes(h *history.History) []outcomeOf {
	var out []outcomeOf
	for _, v := range assert.Judge(h, both()) {
		o := outcomeOf{Name: v.Name, Status: v.Status, Idle: v.NotExercised}
		if v.Measured != nil {
			o.Measured = *v.Measured
		}
		if len(v.Evidence) > 0 {
			o.Class, o.Op = v.Evidence[0].Class, v.Evidence[0].Op
		}
		out = append(out, o)
	}
	return out
}

func TestVerdictsAreMetamorphic(t *testing.T) {
	t.Parallel()
	all := plants()
	for seed := range rounds(t, 20) {
		s := synthesise(2_000, seed)
		p := all[int(seed)%len(all)]
		op := p.put(s)
		want := outcomes(s.h)
		require.Equal(t, want, outcomes(stretch(s.h, 7)), "seed %d: stretched", seed)
		require.Equal(t, want, outcomes(relabel(s.h)), "seed %d: relabelled", seed)
		for _, session := range []uint32{1, 20, 40, 60} {
			if op > 0 && op <= uint64(len(s.h.Ops)) && s.h.Ops[op-1].Session == session {
				continue
			}
			require.Equal(t, want, outcomes(withoutSession(s.h, session)), "seed %d: without session %d", seed, session)
		}
	}
}

func TestAnotherViolationNeverImproves(t *testing.T) {
	t.Parallel()
	all := plants()
	for seed := range rounds(t, 20) {
		s := synthesise(2_000, seed)
		var before []assert.Verdict
		for i := range 4 {
			p := all[(int(seed)+5*i)%len(all)]
			p.put(s)
			after := assert.Judge(s.h, both())
			for j := range before {
				require.GreaterOrEqual(t, *after[j].Measured, *before[j].Measured, "seed %d: %s after %s", seed, after[j].Summary, p.class)
				if before[j].Status == assert.Fail {
					require.Equal(t, assert.Fail, after[j].Status)
				}
			}
			before = after
		}
	}
}

func TestSessionsThatDieWithTheirNode(t *testing.T) {
	t.Parallel()
	inMemory := func(s *synthetic) { s.memory = true }
	for seed := range rounds(t, 10) {
		s := synthesiseWith(3_000, seed, inMemory)
		struck := float64(len(s.struck))
		require.NotEmpty(t, s.struck)

		v := assert.SessionSurvival{}.Check(s.h)
		require.Equal(t, assert.Fail, v.Status, "seed %d", seed)
		require.Equal(t, struck, *v.Measured, "seed %d: exactly the victim's sessions are lost: %s", seed, v.Summary)
		require.Equal(t, struck, measure(t, v, "on a victim"), "seed %d", seed)

		documented := assert.SessionSurvival{Expect: assert.ExpectLostWithNode}
		v = documented.Check(s.h)
		require.Equal(t, assert.Pass, v.Status, "seed %d: %s %v", seed, v.Summary, v.Evidence)
		require.Equal(t, struck, measure(t, v, "lost with its node"), "seed %d", seed)

		immortal := s.struck[int(seed)%len(s.struck)]
		v = documented.Check(synthesiseWith(3_000, seed, func(s *synthetic) { s.memory, s.immortal = true, immortal }).h)
		require.Equal(t, assert.Fail, v.Status, "seed %d: %s", seed, v.Summary)
		require.Equal(t, 1.0, *v.Measured, "seed %d: %s", seed, v.Summary)
		require.Equal(t, "survived its node", v.Evidence[0].Class)
		require.Contains(t, v.Evidence[0].Text, fmt.Sprintf("session %d of", immortal))

		mortal := bystander(t, s, seed)
		v = documented.Check(synthesiseWith(3_000, seed, func(s *synthetic) { s.memory, s.mortal = true, mortal }).h)
		require.Equal(t, assert.Fail, v.Status, "seed %d: %s", seed, v.Summary)
		require.Equal(t, 1.0, *v.Measured, "seed %d: %s", seed, v.Summary)
		require.Contains(t, v.Evidence[0].Text, fmt.Sprintf("session %d of", mortal))
		require.False(t, v.Safety, "seed %d: a lost session alone is no violation of safety: %s", seed, v.Summary)
	}
}

// bystander is a session that lived through the kill on another node.
func bystander(t *testing.T, s *synthetic, seed uint64) uint32 {
	t.Helper()
	half := s.h.Faults[0].Injected
	for i := range s.h.Ops {
		op := &s.h.Ops[(i+int(seed)*7)%len(s.h.Ops)]
		if op.Intended > half && s.h.BoundOf(op) == "j1" && op.Type != history.Login && op.Intended < half+50*ms &&
			!slices.Contains(s.struck, op.Session) {
			return op.Session
		}
	}
	require.Fail(t, "no session lived through the kill on j1")
	return 0
}
