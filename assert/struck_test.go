package assert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

func TestStruck(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	h := &history.History{Faults: []history.Fault{{Injected: ms(10000), Active: ms(10100), Healed: -1, Heal: -1}}}
	for name, tc := range map[string]struct {
		intended, end time.Duration
		want          bool
	}{
		"ended before":                  {ms(9700), ms(9950), false},
		"under way":                     {ms(9800), ms(10350), true},
		"never completed":               {ms(9800), -1, true},
		"ended in the fault's instant":  {ms(9700), ms(10000), false},
		"due with the fault":            {ms(10000), ms(10250), false},
		"due after":                     {ms(10001), ms(10250), false},
		"had outstayed the threshold":   {ms(9499), ms(10350), false},
		"just within the threshold":     {ms(9500), ms(10350), true},
		"never completed, long overdue": {ms(1000), -1, false},
	} {
		t.Run(name, func(t *testing.T) {
			at, got := struck(h, &history.Op{Intended: tc.intended, End: tc.end}, DefaultThreshold)
			require.Equal(t, tc.want, got)
			if got {
				require.Equal(t, ms(10000), at)
			}
		})
	}
	_, got := struck(&history.History{}, &history.Op{Intended: 1, End: 2}, DefaultThreshold)
	require.False(t, got, "no fault strikes nothing")
}

// TestStruckOperationsCountInTheBreak: orders that the fault caught under way
// break neither the steady objective nor the baseline.
func TestStruckOperationsCountInTheBreak(t *testing.T) {
	h := &history.History{
		Phases: []history.Phase{
			{Name: "steady", Kind: history.PhaseSteady, From: 0, To: 10 * time.Second},
			{Name: "killed", Kind: history.PhaseBreak, From: 10 * time.Second, To: 20 * time.Second},
		},
		Faults: []history.Fault{{Injected: 10 * time.Second, Active: 11 * time.Second, Heal: -1, Healed: -1}},
		End:    20 * time.Second,
	}
	const every = 10 * time.Millisecond
	for i := range 2000 {
		due := time.Duration(i) * every
		o := history.Op{ID: uint64(i + 1), Intended: due, Sent: due, End: due + 5*time.Millisecond, Outcome: history.Good, Attempts: 1}
		if i >= 995 && i < 1000 { // due up to 50 ms before the fault, broken by it
			o.Outcome, o.End = history.Unknown, 10*time.Second+time.Millisecond
		}
		h.Ops = append(h.Ops, o)
	}
	require.Empty(t, baselineReason(h, 0))
	a := &budgetAudit{ErrorBudget: ErrorBudget{}.defaults(), h: h, skip: func(*history.Op) bool { return false }, grader: newGrader(h, 0)}
	a.count()
	require.Equal(t, tally{ops: 995, attempts: 995}, a.phases[0])
	require.Equal(t, tally{ops: 1005, bad: 5, attempts: 1005}, a.phases[1])
}
