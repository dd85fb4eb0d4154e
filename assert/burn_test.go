package assert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

// every gives n times, one each step, from the first on.
func every(step, first time.Duration, n int) []time.Duration {
	out := make([]time.Duration, n)
	for i := range out {
		out[i] = first + time.Duration(i)*step
	}
	return out
}

func TestBurn(t *testing.T) {
	fast, slow := pages()[0], pages()[1]
	for _, c := range []struct {
		name  string
		page  page
		bads  []time.Duration
		fired bool
		at    time.Duration
		peak  float64
	}{
		{name: "nothing bad", page: fast},
		// At 100/s an hour holds 360,000 operations; 14.4 × 0.1 % of them
		// are 5,184, which a total outage makes in 51.84 s.
		{name: "just not", page: fast, bads: every(10*time.Millisecond, 0, 5184), peak: 14.4},
		{name: "just", page: fast, bads: every(10*time.Millisecond, 0, 5185), fired: true, at: 51840 * time.Millisecond, peak: 14.4},
		// 6 × 0.1 % of six hours' 2,160,000 are 12,960.
		{name: "slow, just not", page: slow, bads: every(10*time.Millisecond, 0, 12960), peak: 6},
		{name: "slow, just", page: slow, bads: every(10*time.Millisecond, 0, 12961), fired: true, at: 129600 * time.Millisecond, peak: 6},
		// Long ago does not page: the short window has forgotten it.
		{
			name: "two halves, too far apart for the short window", page: fast,
			bads: append(every(10*time.Millisecond, 0, 5000), every(10*time.Millisecond, 20*time.Minute, 400)...),
			peak: 13.8,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := burn(c.page, c.bads, 100)
			require.Equal(t, c.fired, b.fired)
			require.Equal(t, c.at, b.at)
			require.InDelta(t, c.peak, b.peak, 0.1)
		})
	}
	require.False(t, burn(fast, []time.Duration{1}, 0).fired, "no rate, no alert")
}

func TestBudgetSpent(t *testing.T) {
	// 30 days at 100/s are 259,200,000 operations, of which 259,200 may fail.
	require.InDelta(t, 100, budgetSpent(259200, 100), 1e-9)
	require.Zero(t, budgetSpent(1, 0))
}

func TestABadOperationIsKnownWhenItEnds(t *testing.T) {
	h := &history.History{Meta: history.Meta{Load: history.LoadMeta{Timeout: 2 * time.Second}}}
	require.Equal(t, 7*time.Second, knownBad(h, &history.Op{Intended: 5 * time.Second, End: 7 * time.Second}))
	require.Equal(t, 7*time.Second, knownBad(h, &history.Op{Intended: 5 * time.Second, End: -1}), "when its client gave up, since it has no end")
}
