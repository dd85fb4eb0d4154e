package assert_test

import (
	"encoding/json"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

// says is a checker that returns what it is given.
type says struct {
	verdict assert.Verdict
	needs   []assert.Need
	panics  any
}

func (says) Name() string           { return "says" }
func (says) About() string          { return "what it is given" }
func (s says) Needs() []assert.Need { return s.needs }
func (s says) Check(*history.History) assert.Verdict {
	if s.panics != nil {
		panic(s.panics)
	}
	return s.verdict
}

func number(f float64) *float64 { return &f }

func oneOp(t *testing.T) *history.History {
	b := historytest.New()
	b.Op(history.OpLogin, 0).New().OK()
	return b.Build(t)
}

func TestJudge(t *testing.T) {
	needsFault := []assert.Need{{Kind: assert.NeedFault}}
	noFault := "fault proven: no fault was injected"
	tests := []struct {
		name    string
		checker assert.Checker
		empty   bool
		want    assert.Status
		reasons []string
	}{
		{"a pass stays", says{verdict: assert.Verdict{Status: assert.Pass}}, false, assert.Pass, nil},
		{"a fail stays", says{verdict: assert.Verdict{Status: assert.Fail}}, false, assert.Fail, nil},
		{"the zero verdict is inconclusive", says{}, false, assert.Inconclusive, nil},
		{"a panic", says{panics: errors.New("index out of range")}, false, assert.Inconclusive, []string{"the checker panicked: index out of range"}},
		{"no checker at all", nil, false, assert.Inconclusive, []string{"the checker panicked: runtime error: invalid memory address or nil pointer dereference"}},
		{"a need is missing", says{verdict: assert.Verdict{Status: assert.Pass}, needs: needsFault}, false, assert.Inconclusive, []string{noFault}},
		{"a need is missing for a fail", says{verdict: assert.Verdict{Status: assert.Fail}, needs: needsFault}, false, assert.Inconclusive, []string{noFault}},
		{"a violation of safety stands", says{verdict: assert.Verdict{Status: assert.Fail, Safety: true}, needs: needsFault}, false, assert.Fail, nil},
		{"safety is no excuse for a pass", says{verdict: assert.Verdict{Status: assert.Pass, Safety: true}, needs: needsFault}, false, assert.Inconclusive, []string{noFault}},
		{"a need that nobody knows", says{verdict: assert.Verdict{Status: assert.Pass}, needs: []assert.Need{{Kind: "luck"}}}, false, assert.Inconclusive, []string{"luck: hachaos does not know this need"}},
		{"an empty history never passes", says{verdict: assert.Verdict{Status: assert.Pass}}, true, assert.Inconclusive, []string{"the history holds no operation"}},
		{"an empty history may fail", says{verdict: assert.Verdict{Status: assert.Fail}}, true, assert.Fail, nil},
		{"a status that does not exist", says{verdict: assert.Verdict{Status: 7}}, false, assert.Inconclusive, []string{"the checker returned the status 7, which does not exist"}},
		{"a figure that is no number", says{verdict: assert.Verdict{Status: assert.Pass, Measured: number(math.NaN())}}, false, assert.Inconclusive, []string{"the checker measured something that is no number"}},
		{"a bound without end", says{verdict: assert.Verdict{Status: assert.Pass, Bound: number(math.Inf(1))}}, false, assert.Inconclusive, []string{"the checker measured something that is no number"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := oneOp(t)
			if tt.empty {
				h = nil
			}
			other := says{verdict: assert.Verdict{Status: assert.Fail}}
			got := assert.Judge(h, []assert.Checker{tt.checker, other})
			require.Equal(t, tt.want, got[0].Status)
			require.Equal(t, tt.reasons, got[0].Reasons)
			require.Equal(t, assert.Fail, got[1].Status, "the others still count")
			_, err := json.Marshal(got)
			require.NoError(t, err)
		})
	}
}

func TestJudgeKeepsWhatWasMeasured(t *testing.T) {
	v := assert.Verdict{Name: "another name", Status: assert.Fail, Measured: number(3), Evidence: make([]assert.Evidence, 25), More: 2}
	got := assert.Judge(oneOp(t), []assert.Checker{says{verdict: v, needs: []assert.Need{{Kind: assert.NeedFault}}}})[0]
	require.Equal(t, "says", got.Name, "scripts rely on the checker's name")
	require.Equal(t, assert.Inconclusive, got.Status)
	require.Equal(t, 3.0, *got.Measured)
	require.Len(t, got.Evidence, assert.MaxEvidence)
	require.Equal(t, 7, got.More)
}

func TestJudgeDropsMeasuresThatAreNoNumbers(t *testing.T) {
	v := assert.Verdict{Status: assert.Pass, Measures: []assert.Measure{
		{Name: "a", Value: math.Inf(-1)}, {Name: "b", Value: 1, Bound: number(math.NaN())},
	}}
	got := assert.Judge(oneOp(t), []assert.Checker{says{verdict: v}})[0]
	require.Equal(t, assert.Pass, got.Status)
	require.Equal(t, []assert.Measure{{Name: "b", Value: 1}}, got.Measures)
}

func TestJudgeNotesANeedThatSafetyOverrides(t *testing.T) {
	got := assert.Judge(oneOp(t), []assert.Checker{says{
		verdict: assert.Verdict{Status: assert.Fail, Safety: true}, needs: []assert.Need{{Kind: assert.NeedHeal}},
	}})[0]
	require.Equal(t, []string{"the violation stands although a need is missing: heal proven: no fault was injected"}, got.Notes)
}

// TestJudgeLetsAFailStandOnWhatWasSeen: a stream that is only needed to pass
// lowers everything but a fail.
func TestJudgeLetsAFailStandOnWhatWasSeen(t *testing.T) {
	needs := []assert.Need{{Kind: assert.NeedStream, Stream: history.StreamSession, ToPass: true}}
	for status, want := range map[assert.Status]assert.Status{
		assert.Fail: assert.Fail, assert.Pass: assert.Inconclusive, assert.Inconclusive: assert.Inconclusive,
	} {
		got := assert.Judge(oneOp(t), []assert.Checker{says{verdict: assert.Verdict{Status: status}, needs: needs}})[0]
		require.Equal(t, want, got.Status)
		also := append(needs, assert.Need{Kind: assert.NeedHeal})
		got = assert.Judge(oneOp(t), []assert.Checker{says{verdict: assert.Verdict{Status: status}, needs: also}})[0]
		require.Equal(t, assert.Inconclusive, got.Status, "another need is missing")
	}
}

func TestCombine(t *testing.T) {
	pass := assert.Verdict{Name: "p", Status: assert.Pass}
	idle := assert.Verdict{Name: "i", Status: assert.Pass, NotExercised: true}
	unsure := assert.Verdict{Name: "u", Reasons: []string{"nobody looked"}}
	clean := assert.Verdict{Name: "leftovers", Status: assert.Pass}
	fail := assert.Verdict{Name: "f", Status: assert.Fail}
	unsafe := assert.Verdict{Name: "s", Status: assert.Fail, Safety: true}
	whole := func(change func(*history.History)) *history.History {
		h := &history.History{Meta: history.Meta{Faultless: true}, Integrity: history.Integrity{State: history.Whole}}
		if change != nil {
			change(h)
		}
		return h
	}
	broken := whole(func(h *history.History) { h.Aborted = "interrupted" })
	failed := func(undo bool) *history.History {
		return whole(func(h *history.History) {
			h.Errors = []history.FaultFailure{{Kind: "instance-kill", Nodes: []string{"j1"}, Err: "no such container", Undo: undo}}
		})
	}
	faulty := func(bit, healed *history.Proof) *history.History {
		return whole(func(h *history.History) {
			h.Meta.Faultless = false
			h.Faults = []history.Fault{{ID: 1, Kind: "instance-kill", Nodes: []string{"j1"}, Proof: bit, HealProof: healed}}
			for _, stream := range []string{history.StreamEngine, history.StreamNode} {
				h.Coverage = append(h.Coverage, history.At[history.Coverage]{V: history.Coverage{Stream: stream, Complete: true}})
			}
		})
	}
	state := func(s history.IntegrityState, reason string) *history.History {
		return whole(func(h *history.History) { h.Integrity = history.Integrity{State: s, Reason: reason} })
	}
	none := whole(func(h *history.History) { h.Meta.Faultless = false })
	about := func(names ...string) *history.History {
		return whole(func(h *history.History) { h.Meta.Exercises = names })
	}
	tests := []struct {
		name     string
		h        *history.History
		verdicts []assert.Verdict
		want     assert.Conclusion
		reason   string
	}{
		{"all pass", whole(nil), []assert.Verdict{pass, pass}, assert.ConcludePass, "All 2 assertions held."},
		{"all pass, and the fault was not injected", none, []assert.Verdict{pass, pass}, assert.ConcludeInconclusive, "The assertions held, and prove nothing: no fault was injected."},
		{"fail, and the fault was not injected", none, []assert.Verdict{pass, fail}, assert.ConcludeFail, "f was violated."},
		{"one had no occasion", whole(nil), []assert.Verdict{pass, idle}, assert.ConcludePass, "All 2 assertions held; 1 of them met no occasion to be tested."},
		{"none had an occasion", whole(nil), []assert.Verdict{idle, idle}, assert.ConcludeInconclusive, "No assertion met an occasion to be tested."},
		{"none had an occasion, and nothing is left", whole(nil), []assert.Verdict{idle, idle, clean}, assert.ConcludeInconclusive, "No assertion met an occasion to be tested."},
		{"nothing but that nothing is left", whole(nil), []assert.Verdict{clean}, assert.ConcludeInconclusive, "No assertion met an occasion to be tested."},
		{"that nothing is left is none without an occasion", whole(nil), []assert.Verdict{pass, idle, clean}, assert.ConcludePass, "All 3 assertions held; 1 of them met no occasion to be tested."},
		{"what the scenario is about had its occasion", about("p"), []assert.Verdict{pass, idle, clean}, assert.ConcludePass, "All 3 assertions held; 1 of them met no occasion to be tested."},
		{"what the scenario is about had none", about("p", "i"), []assert.Verdict{pass, idle, clean}, assert.ConcludeInconclusive, "The assertions held, and i met no occasion to be tested, which the scenario is about."},
		{"what the scenario is about was not judged", about("p", "x", "y"), []assert.Verdict{pass}, assert.ConcludeInconclusive, "The assertions held, and x and y met no occasion to be tested, which the scenario is about."},
		{"fail before what had no occasion", about("i"), []assert.Verdict{fail, idle}, assert.ConcludeFail, "f was violated."},
		{"inconclusive before what had no occasion", about("i"), []assert.Verdict{unsure, idle}, assert.ConcludeInconclusive, "u is inconclusive: nobody looked."},
		{"no assertions", whole(nil), nil, assert.ConcludeInconclusive, "The run has no assertion, so nothing was judged."},
		{"one is inconclusive", whole(nil), []assert.Verdict{pass, unsure}, assert.ConcludeInconclusive, "u is inconclusive: nobody looked."},
		{"fail before inconclusive", whole(nil), []assert.Verdict{unsure, fail, pass}, assert.ConcludeFail, "f was violated."},
		{"two fail", whole(nil), []assert.Verdict{fail, unsafe}, assert.ConcludeFail, "f and s were violated."},
		{"broken off", broken, []assert.Verdict{pass}, assert.ConcludeInconclusive, "The run was broken off: interrupted."},
		{"broken off, with a fail", broken, []assert.Verdict{fail}, assert.ConcludeInconclusive, "The run was broken off: interrupted."},
		{"broken off, with a violation of safety", broken, []assert.Verdict{fail, unsafe}, assert.ConcludeFail, "s was violated, although the run was broken off: interrupted."},
		{"an act failed", failed(false), []assert.Verdict{pass}, assert.ConcludeInconclusive, "Injecting the fault instance-kill on j1 failed: no such container."},
		{"an undo failed", failed(true), []assert.Verdict{pass}, assert.ConcludeInconclusive, "Undoing the fault instance-kill on j1 failed: no such container."},
		{"an act failed, with a fail", failed(false), []assert.Verdict{unsafe}, assert.ConcludeFail, "s was violated."},
		{"a fault was not proven, and nobody needs it", faulty(nil, nil), []assert.Verdict{pass}, assert.ConcludeInconclusive, "The assertions held, and prove nothing: instance-kill on j1 was never observed to bite."},
		{"a fault did not heal, and nobody needs it", faulty(&history.Proof{OK: true}, &history.Proof{Asked: "up", Measured: "down"}), []assert.Verdict{pass}, assert.ConcludeInconclusive, "The assertions held, and prove nothing: instance-kill on j1 did not heal: asked up, measured down."},
		{"a fault was not proven, with a fail", faulty(nil, nil), []assert.Verdict{fail}, assert.ConcludeFail, "f was violated."},
		{"a fault bit and healed", faulty(&history.Proof{OK: true}, &history.Proof{OK: true}), []assert.Verdict{pass}, assert.ConcludePass, "All 1 assertions held."},
		{"torn", state(history.Torn, "line 7 ends in the middle"), []assert.Verdict{unsafe}, assert.ConcludeInconclusive, "The record is torn: line 7 ends in the middle."},
		{"no seal", state(history.Unsealed, ""), []assert.Verdict{pass}, assert.ConcludeInconclusive, "The record has no seal."},
		{"altered", state(history.Altered, "journal.jsonl differs"), []assert.Verdict{pass}, assert.ConcludeError, "The record was altered after it was sealed: journal.jsonl differs."},
		{"no record", nil, []assert.Verdict{pass}, assert.ConcludeInconclusive, "There is no record to judge."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, assert.Overall{Conclusion: tt.want, Reason: tt.reason}, assert.Combine(tt.h, tt.verdicts))
		})
	}
}
