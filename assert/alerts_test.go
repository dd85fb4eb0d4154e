package assert_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

// A fault bites from 5 s to 15 s; two nodes are asked in turn, 100 times a
// second. badOn says which of their operations are bad, and how.
func alertsHistory(t *testing.T, bad func(o *historytest.Op, i int, node string) bool) *history.History {
	t.Helper()
	b := historytest.New().Phase("steady", history.PhaseSteady, 0, 5*sec).
		Phase("break", history.PhaseBreak, 5*sec, 15*sec).Phase("steady again", history.PhaseSteady, 15*sec, 20*sec)
	b.Clock(0, 1_700_000_000_000_000_000).Clock(20*sec, 1_700_000_020_000_000_000)
	b.Fault("database-cut", 5*sec, "j1").Active(5 * sec).Heal(15 * sec).Healed(15*sec + ms)
	for i := range 2000 {
		at := time.Duration(i) * 10 * ms
		node := []string{"j1", "j2"}[i%2]
		o := b.Op(history.OpSessionRead, at).In(uint32(1 + i%10)).Bound(node).On(node)
		if at < 5*sec || at >= 15*sec || !bad(o, i, node) {
			o.OK()
		}
	}
	return b.Build(t)
}

func TestAlerts(t *testing.T) {
	refused := func(o *historytest.Op) bool { o.Status(503).Fail(history.ErrStatus); return true }
	tests := []struct {
		name  string
		check assert.Alerts
		bad   func(o *historytest.Op, i int, node string) bool
		want  assert.Status
		says  string
	}{
		{"nothing happens and nothing is told", assert.Alerts{}, nil, assert.Pass, "he errors tell: nothing"},
		{"a few errors are no alert", assert.Alerts{}, func(o *historytest.Op, i int, _ string) bool { return i%200 == 0 && refused(o) }, assert.Pass, "nothing"},
		{"one node", assert.Alerts{Tells: assert.TellsNode}, func(o *historytest.Op, _ int, node string) bool { return node == "j1" && refused(o) }, assert.Pass, "one node (j1 100 %)"},
		{"one node, told without its answers", assert.Alerts{Tells: assert.TellsNode}, func(o *historytest.Op, _ int, node string) bool {
			return node == "j1" && refused(o.On(""))
		}, assert.Pass, "one node"},
		{"one node, and a little of the other", assert.Alerts{Tells: assert.TellsNode}, func(o *historytest.Op, i int, node string) bool {
			return (node == "j1" || i%20 == 1) && refused(o)
		}, assert.Pass, "one node"},
		{"all nodes", assert.Alerts{Tells: assert.TellsAll}, func(o *historytest.Op, i int, _ string) bool { return i%6 < 2 && refused(o) }, assert.Pass, "all nodes"},
		{"one node where the database was meant", assert.Alerts{Tells: assert.TellsAll}, func(o *historytest.Op, _ int, node string) bool { return node == "j1" && refused(o) }, assert.Fail, "one node (j1 100 %), and not: all nodes"},
		{"errors where none were expected", assert.Alerts{}, func(o *historytest.Op, _ int, node string) bool { return node == "j1" && refused(o) }, assert.Fail, "and not: nothing"},
		{"silence where errors were expected", assert.Alerts{Tells: assert.TellsNode}, nil, assert.Fail, "nothing, and not: one node"},
		// Half of all is bad: 0.001 / 0.5 × 14.4 × 1 h = 103.7 s.
		{"the page comes in time", assert.Alerts{Tells: assert.TellsNode, PageWithin: 104 * sec}, func(o *historytest.Op, _ int, node string) bool { return node == "j1" && refused(o) }, assert.Pass, "after 103.68 s"},
		{"the page comes late", assert.Alerts{Tells: assert.TellsNode, PageWithin: 103 * sec}, func(o *historytest.Op, _ int, node string) bool { return node == "j1" && refused(o) }, assert.Fail, "after 103.68 s"},
		{"no page ever", assert.Alerts{PageWithin: sec}, nil, assert.Fail, "o page would have come"},
		{"a word that is none", assert.Alerts{Tells: "somebody"}, nil, assert.Inconclusive, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bad := tt.bad
			if bad == nil {
				bad = func(*historytest.Op, int, string) bool { return false }
			}
			v := assert.Judge(alertsHistory(t, bad), []assert.Checker{tt.check})[0]
			require.Equal(t, tt.want, v.Status, "%s %v", v.Summary, v.Reasons)
			require.Contains(t, v.Summary, tt.says)
			if tt.want == assert.Fail {
				require.NotEmpty(t, v.Evidence)
			}
		})
	}
}

func TestPageAfter(t *testing.T) {
	for bad, want := range map[float64]time.Duration{
		0: 0, 1.4: 0, // 14.4 × 0.1 % is an hour's worth
		1.6: 54 * time.Minute, 50: 103_680 * ms, 100: 51_840 * ms,
	} {
		require.InDelta(t, float64(want), float64(assert.PageAfter(bad)), float64(ms), "%v %%", bad)
	}
}

// A share of a handful of operations is none: the page is not judged on it.
func TestAPageTakesEnoughOperations(t *testing.T) {
	for _, tt := range []struct {
		asked int // while the fault bites
		want  string
	}{
		{29, "too few operations while the fault bit: 29, and at least 30 tell a share; lengthen the phase"},
		{30, ""},
	} {
		b := historytest.New().Phase("steady", history.PhaseSteady, 0, 5*sec).
			Phase("break", history.PhaseBreak, 5*sec, 6*sec).Phase("steady again", history.PhaseSteady, 6*sec, 11*sec)
		b.Clock(0, 1_700_000_000_000_000_000).Clock(11*sec, 1_700_000_011_000_000_000)
		b.Fault("database-cut", 5*sec, "j1").Active(5 * sec).Heal(6 * sec).Healed(6*sec + ms)
		for i := range 1100 {
			at := time.Duration(i) * 10 * ms
			struck := at >= 5*sec && at < 6*sec
			if struck && i >= 500+tt.asked {
				continue
			}
			o := b.Op(history.OpSessionRead, at).In(uint32(1 + i%10)).Bound("j1").On("j1")
			if struck {
				o.Status(503).Fail(history.ErrStatus)
			} else {
				o.OK()
			}
		}
		v := assert.Judge(b.Build(t), []assert.Checker{assert.Alerts{Tells: assert.TellsAll, PageWithin: sec}})[0]
		if tt.want == "" {
			require.NotEqual(t, assert.Inconclusive, v.Status, "%s %v", v.Summary, v.Reasons)
			continue
		}
		require.Equal(t, assert.Inconclusive, v.Status, v.Summary)
		require.Contains(t, v.Reasons, tt.want)
	}
}

// A node with a few operations may be one whose users see errors, or none: it
// is inconclusive unless that changes nothing.
func TestAlertsOfANodeWithFewOperations(t *testing.T) {
	for _, tt := range []struct {
		name  string
		thin  string   // has 25 operations, all bad
		bad   []string // the others that only have errors
		nodes []string
		tells string
		want  assert.Status
	}{
		{"nothing, or one", "j2", nil, []string{"j1", "j2"}, assert.TellsNothing, assert.Inconclusive},
		{"one, or all", "j2", []string{"j1"}, []string{"j1", "j2"}, assert.TellsNode, assert.Inconclusive},
		{"some, or all", "j3", []string{"j1", "j2"}, []string{"j1", "j2", "j3"}, assert.TellsAll, assert.Inconclusive},
		{"one, or some", "j3", []string{"j1"}, []string{"j1", "j2", "j3"}, assert.TellsNode, assert.Inconclusive},
		{"some, in any case", "j4", []string{"j1", "j2"}, []string{"j1", "j2", "j3", "j4"}, assert.TellsSome, assert.Pass},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := historytest.New().Meta(func(m *history.Meta) {
				m.Nodes = nil
				for _, n := range tt.nodes {
					m.Nodes = append(m.Nodes, history.NodeMeta{Name: n, Role: "application"})
				}
			})
			b.Phase("steady", history.PhaseSteady, 0, 5*sec).Phase("break", history.PhaseBreak, 5*sec, 6*sec)
			b.Clock(0, 1_700_000_000_000_000_000).Clock(6*sec, 1_700_000_006_000_000_000)
			b.Fault("database-cut", 5*sec, "j1").Active(5 * sec).Heal(6 * sec).Healed(6*sec + ms)
			for i := range 600 {
				at := time.Duration(i) * 10 * ms
				for _, n := range tt.nodes {
					switch o := b.Op(history.OpSessionRead, at).In(1).Bound(n).On(n); {
					case at >= 5*sec && n == tt.thin && i >= 525:
						o.Fail(history.ErrDropped)
					case at >= 5*sec && (n == tt.thin || slices.Contains(tt.bad, n)):
						o.Status(503).Fail(history.ErrStatus)
					default:
						o.OK()
					}
				}
			}
			v := assert.Alerts{Tells: tt.tells}.Check(b.Build(t))
			require.Equal(t, tt.want, v.Status, "%s %v", v.Summary, v.Reasons)
			if tt.want == assert.Inconclusive {
				require.Equal(t, []string{"too few operations while the fault bit (at least 30 of each node): " + tt.thin + " 25; lengthen the phase"}, v.Reasons)
			}
		})
	}
}

// Without a fault there is nothing to be told of.
func TestAlertsNeedAFault(t *testing.T) {
	b := historytest.New()
	b.Op(history.OpLogin, 0).New().OK()
	v := assert.Judge(b.Build(t), []assert.Checker{assert.Alerts{}})[0]
	require.Equal(t, assert.Inconclusive, v.Status)
	require.Nil(t, v.Measured)
}

// On a machine without a processor to spare only an answer that is slow by
// the threshold speaks of the machine.
func TestAlertsOnABusyMachine(t *testing.T) {
	h := alertsHistory(t, func(*historytest.Op, int, string) bool { return false })
	for s := range 21 {
		h.Host = append(h.Host, history.At[history.Host]{Time: time.Duration(s) * sec, V: history.Host{Busy: 0.97}})
	}
	v := assert.Judge(h, []assert.Checker{assert.Alerts{}})[0]
	require.Equal(t, assert.Pass, v.Status, "%s %v", v.Summary, v.Reasons)
	for _, n := range v.Notes {
		require.NotContains(t, n, "slowly answered")
	}
}
