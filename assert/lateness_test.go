package assert

import (
	"testing"
	"time"

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
		{name: "the same fail", late: []bool{true, false}, with: Fail, without: Fail, want: Fail, notes: 1, calls: 2},
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
			v := judgeTwice(h, DefaultThreshold, func(skip func(*history.Op) bool) Verdict {
				calls++
				if calls == 1 {
					require.False(t, skip(&h.Ops[0]))
					return Verdict{
						Status: c.with, Evidence: []Evidence{{Op: 1}, {Op: 2}}, More: 7, Measured: figure(9), Bound: figure(1),
						Summary: "away for 9 s", Fix: "of the 9 s", Measures: []Measure{{Name: "away", Value: 9}},
					}
				}
				require.Equal(t, c.late[0], skip(&h.Ops[0]))
				return Verdict{
					Status: c.without, Evidence: []Evidence{{Op: 2}}, More: 3, Measured: figure(4), Bound: figure(2),
					Summary: "away for 4 s", Fix: "of the 4 s", Measures: []Measure{{Name: "away", Value: 4}},
				}
			})
			if c.calls == 2 && c.want == Fail {
				require.Equal(t, []Evidence{{Op: 2}}, v.Evidence, "it fails by what is not the machine's")
				require.Equal(t, 3, v.More)
				require.Equal(t, "away for 4 s", v.Summary)
				require.Equal(t, "of the 4 s", v.Fix)
				require.Equal(t, []float64{4, 2, 4}, []float64{*v.Measured, *v.Bound, v.Measures[0].Value})
			} else {
				require.Len(t, v.Evidence, 2)
				require.Equal(t, 7, v.More)
				require.Contains(t, v.Summary, "away for 9 s")
				require.Equal(t, []float64{9, 1, 9}, []float64{*v.Measured, *v.Bound, v.Measures[0].Value})
			}
			require.Equal(t, c.want, v.Status)
			require.Len(t, v.Reasons, c.reasons)
			require.Len(t, v.Notes, c.notes)
			require.Equal(t, c.calls, calls)
		})
	}
}

// TestStarvedOperations: what was answered well but slowly, or turned away by
// a node, on a saturated machine is left out of the second judgement; another
// error never is.
func TestStarvedOperations(t *testing.T) {
	host := []history.At[history.Host]{
		{Time: 6 * sec, V: history.Host{Busy: 0.1}},
		{Time: 7 * sec, V: history.Host{Busy: 0.1}},
		{Time: 8 * sec, V: history.Host{Busy: 0.6}},
		{Time: 9 * sec, V: history.Host{Busy: 0.4}},
		{Time: 10 * sec, V: history.Host{Busy: 0.95}},
		{Time: 11 * sec, V: history.Host{Busy: 0.94}},
		{Time: 12 * sec, V: history.Host{Busy: 0.5}},
		{Time: 13 * sec, V: history.Host{Busy: 0.5, Steal: 0.02}},
		{Time: 14 * sec, V: history.Host{Busy: 0.5}},
		{Time: 15 * sec, V: history.Host{Busy: 0.5, Disk: 0.5}},
		{Time: 16 * sec, V: history.Host{Busy: 0.5, Disk: 0.49}},
	}
	for name, tc := range map[string]struct {
		op   history.Op
		want bool
	}{
		"slow, in the saturated second":    {history.Op{Intended: 9200 * mil, End: 9900 * mil, Outcome: history.Good}, true},
		"slow, while the hypervisor took":  {history.Op{Intended: 12200 * mil, End: 12900 * mil, Outcome: history.Good}, true},
		"slow, before the hypervisor took": {history.Op{Intended: 11200 * mil, End: 11900 * mil, Outcome: history.Good}, false},
		"slow, while a disk stood still":   {history.Op{Intended: 14200 * mil, End: 14900 * mil, Outcome: history.Good}, true},
		"slow, beside a disk that is used": {history.Op{Intended: 15200 * mil, End: 15900 * mil, Outcome: history.Good}, false},
		"slow, reaching into it":           {history.Op{Intended: 8500 * mil, End: 9100 * mil, Outcome: history.Good}, true},
		// Of the second before it 0.6 s were free, and perhaps the first of them.
		"slow by what came long before it": {history.Op{Intended: 7000 * mil, End: 9700 * mil, Outcome: history.Good}, false},
		"slow by what came before it":      {history.Op{Intended: 8050 * mil, End: 9700 * mil, Outcome: history.Good}, false},
		"slow, perhaps by it alone":        {history.Op{Intended: 8100 * mil, End: 9700 * mil, Outcome: history.Good}, true},
		"slow, before it":                  {history.Op{Intended: 8000 * mil, End: 8900 * mil, Outcome: history.Good}, false},
		"slow, after it":                   {history.Op{Intended: 10100 * mil, End: 10900 * mil, Outcome: history.Good}, false},
		"in time":                          {history.Op{Intended: 9200 * mil, End: 9700 * mil, Outcome: history.Good}, false},
		"an error":                         {history.Op{Intended: 9200 * mil, End: 9900 * mil, Outcome: history.Failed}, false},
		"turned away by a node":            {history.Op{Intended: 9200 * mil, End: 9500 * mil, Outcome: history.Failed, Status: 503, Node: 1}, true},
		"turned away by a node, before it": {history.Op{Intended: 8000 * mil, End: 8900 * mil, Outcome: history.Failed, Status: 503, Node: 1}, false},
		"turned away by a balancer":        {history.Op{Intended: 9200 * mil, End: 9500 * mil, Outcome: history.Failed, Status: 503}, false},
		"a node's error":                   {history.Op{Intended: 9200 * mil, End: 9500 * mil, Outcome: history.Failed, Status: 500, Node: 1}, false},
		"an unknown outcome":               {history.Op{Intended: 9200 * mil, End: 9900 * mil}, false},
		"never completed":                  {history.Op{Intended: 9200 * mil, End: -1, Outcome: history.Good}, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := &history.History{Host: host, Ops: []history.Op{tc.op}}
			judged := 0
			v := judgeTwice(h, DefaultThreshold, func(skip func(*history.Op) bool) Verdict {
				judged++
				if skip(&h.Ops[0]) {
					return Verdict{Status: Pass}
				}
				return Verdict{Status: Fail}
			})
			require.Equal(t, tc.want, v.Status == Inconclusive)
			require.Equal(t, tc.want, judged == 2)
			if tc.want {
				require.Contains(t, v.Reasons[0], "1 operation was slowly answered, or turned away, while the machine was 95 % busy or more")
			}
		})
	}
}

// TestADiskThatIsWaitedFor: what a fault has wait for a disk is not the machine's, and
// what needs none has no excuse.
func TestADiskThatIsWaitedFor(t *testing.T) {
	looks := func(faults ...history.Fault) (busy []float64) {
		h := &history.History{Faults: faults}
		for i := range 6 {
			h.Host = append(h.Host, history.At[history.Host]{Time: time.Duration(i) * sec, V: history.Host{Busy: 0.5, Disk: 1}})
		}
		require.Equal(t, 0.5, machineOf(h)[0].busy)
		require.Empty(t, short(h))
		for _, s := range machineOf(h).waited(h) {
			busy = append(busy, s.busy)
		}
		return busy
	}
	require.Equal(t, []float64{1, 1, 1, 1, 1}, looks())
	require.Equal(t, []float64{1, 1, 1, 1, 1}, looks(history.Fault{Kind: "db-down", Injected: 0, Healed: -1}))
	require.Equal(t, []float64{1, 0.5, 0.5, 1, 1}, looks(history.Fault{Kind: "disk-slow", Injected: 1500 * mil, Healed: 2500 * mil}))
	require.Equal(t, []float64{1, 0.5, 0.5, 1, 1}, looks(history.Fault{Kind: "out-of-memory", Injected: 1500 * mil, Healed: 2500 * mil}))
	require.Equal(t, []float64{1, 0.5, 0.5, 1, 1}, looks(history.Fault{Kind: "memory-squeeze", Injected: 1500 * mil, Healed: 2500 * mil}))
	require.Equal(t, []float64{1, 1, 1, 0.5, 0.5}, looks(history.Fault{Kind: "disk-slow", Injected: 3500 * mil, Healed: -1}), "it has not healed")
}

// TestAStrainedMachine: what waited while there was no processor to spare is done
// by the time that the usual load leaves.
func TestAStrainedMachine(t *testing.T) {
	var host []history.At[history.Host]
	for i, busy := range []float64{0.5, 0.5, 0.5, 0.5, 1, 1, 0.6, 0.6, 0.6, 1, 0.6, 0.6} {
		host = append(host, history.At[history.Host]{Time: time.Duration(i) * sec, V: history.Host{Busy: busy}})
	}
	h := &history.History{Host: host, Phases: []history.Phase{{Kind: history.PhaseWarmUp, To: sec}, {Kind: history.PhaseSteady, From: sec, To: 2900 * mil}}}
	m := machineOf(h)
	require.InDelta(t, 0.5, usual(h, m), 1e-9)
	var strained []float64
	for _, s := range m.strained(usual(h, m)) {
		strained = append(strained, s.busy)
	}
	require.Equal(t, []float64{0.5, 0.5, 0.5, 1, 1, 1, 1, 0.6, 1, 1, 0.6}, strained, "as long again, at half of the machine")
	require.Equal(t, 0.6, m[5].busy, "the record is as it was")
	strained = nil
	for _, s := range m.strained(1)[3:] {
		strained = append(strained, s.busy)
	}
	require.Equal(t, []float64{1, 1, 1, 1, 0.6, 1, 1, 0.6}, strained, "and no longer where more is usual")
	require.Equal(t, m, m.strained(0), "of a machine with nothing to do nothing waits")
	require.Zero(t, usual(&history.History{Host: host}, m), "no steady phase")

	slow := history.Op{Intended: 6100 * mil, End: 6900 * mil, Outcome: history.Good}
	h.Ops = []history.Op{slow}
	v := judgeTwice(h, DefaultThreshold, func(skip func(*history.Op) bool) Verdict {
		if skip(&h.Ops[0]) {
			return Verdict{Status: Pass}
		}
		return Verdict{Status: Fail}
	})
	require.Equal(t, Inconclusive, v.Status, "slow while what had waited was done")
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
