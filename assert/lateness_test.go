package assert

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

func TestJudgeTwice(t *testing.T) {
	limit := 5 * mil
	for _, c := range []struct {
		name          string
		late          []bool
		with, without Status
		want          Status
		reasons       int
		notes         int
		calls         int
	}{
		{name: "none late", late: []bool{false, false}, with: Fail, without: Pass, want: Fail, calls: 1},
		{name: "the same", late: []bool{true, false}, with: Pass, without: Pass, want: Pass, notes: 1, calls: 2},
		{name: "a fail that hangs on them", late: []bool{true, false}, with: Fail, without: Pass, want: Inconclusive, reasons: 1, calls: 2},
		{name: "a pass that hangs on them", late: []bool{true, true}, with: Pass, without: Inconclusive, want: Inconclusive, reasons: 1, calls: 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &history.History{Meta: history.Meta{Load: history.LoadMeta{Late: limit}}}
			for i, late := range c.late {
				o := history.Op{ID: uint64(i + 1), Late: limit}
				if late {
					o.Late++
				}
				h.Ops = append(h.Ops, o)
			}
			calls := 0
			v := judgeTwice(h, func(skip func(*history.Op) bool) Verdict {
				calls++
				if calls == 1 {
					require.False(t, skip(&h.Ops[0]))
					return Verdict{Status: c.with}
				}
				require.Equal(t, c.late[0], skip(&h.Ops[0]))
				return Verdict{Status: c.without}
			})
			require.Equal(t, c.want, v.Status)
			require.Len(t, v.Reasons, c.reasons)
			require.Len(t, v.Notes, c.notes)
			require.Equal(t, c.calls, calls)
		})
	}
}

func TestLateLimitHasADefault(t *testing.T) {
	require.Equal(t, 5*mil, lateLimit(&history.History{}))
}

func TestPhrases(t *testing.T) {
	for want, got := range map[string]string{
		"0 s": sayTime(0), "3.5 ms": sayTime(3500 * 1000), "208 ms": sayTime(208 * mil), "1.21 s": sayTime(1210 * mil), "10 s": sayTime(10 * sec),
		"99.999 %": sayPercent(99.9999), "100 %": sayPercent(100), "99.85 %": sayPercent(99.85), "0 %": sayPercent(0),
		"at 1.500 s": sayMoment(1500 * mil),
	} {
		require.Equal(t, want, got)
	}
}
