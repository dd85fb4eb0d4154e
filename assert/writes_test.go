package assert_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

// observed is a checker's verdict on a literal history.
type observedCase struct {
	name   string
	build  func(*historytest.Builder)
	status assert.Status
	// measured, class and says are not looked at if they are zero.
	measured float64
	class    string
	says     string
	idle     bool
}

func runObserved(t *testing.T, c assert.Checker, streams []string, cases []observedCase) {
	t.Helper()
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			b := historytest.New()
			tc.build(b)
			b.Covered(20*sec, streams...)
			v := c.Check(b.Build(t))
			require.Equal(t, tc.status, v.Status, "%s %v", v.Summary, v.Reasons)
			require.Equal(t, tc.idle, v.NotExercised, v.Summary)
			require.Contains(t, v.Summary, tc.says)
			if tc.measured != 0 {
				require.InDelta(t, tc.measured, *v.Measured, 1e-9)
			}
			if tc.class != "" {
				require.Equal(t, tc.class, v.Evidence[0].Class)
			}
		})
	}
}

// killed is a fault on a node, proven and healed.
func killed(b *historytest.Builder, node string) {
	b.Event(history.Event{At: 5 * sec, Kind: history.FaultInject, Name: "instance-kill", Fault: 1, Nodes: []string{node}})
}

func TestEventDelivery(t *testing.T) {
	order := func(b *historytest.Builder, n int64, node string) {
		op := b.Op(history.OpOrder, time.Duration(n)*10*ms).Value(n).OK()
		b.Row(9*sec, n, op, 1, node)
	}
	sent := func(b *historytest.Builder, n int64, times int, waits bool, nodes ...string) {
		b.See(10*sec, history.Delivery{Order: n, Times: times, Waits: waits, Nodes: nodes})
	}
	runObserved(t, assert.EventDelivery{}, []string{history.StreamLedger, history.StreamDelivery}, []observedCase{
		{name: "all", status: assert.Pass, says: "1 of them by another node", build: func(b *historytest.Builder) {
			killed(b, "j1")
			order(b, 1, "j1")
			order(b, 2, "j2")
			sent(b, 1, 1, false, "j2")
			sent(b, 2, 1, false, "j2")
		}},
		{name: "twice is allowed", status: assert.Pass, says: "1 more than once", build: func(b *historytest.Builder) {
			killed(b, "j1")
			order(b, 1, "j1")
			sent(b, 1, 2, false, "j1", "j2")
		}},
		{name: "no victim wrote", status: assert.Pass, idle: true, build: func(b *historytest.Builder) {
			killed(b, "j2")
			order(b, 1, "j1")
			sent(b, 1, 1, false, "j1")
		}},
		{name: "lost", status: assert.Fail, measured: 1, class: "lost", build: func(b *historytest.Builder) {
			killed(b, "j1")
			order(b, 1, "j1")
			order(b, 2, "j2")
			sent(b, 2, 1, false, "j2")
		}},
		{name: "stuck", status: assert.Fail, measured: 1, class: "stuck", build: func(b *historytest.Builder) {
			order(b, 1, "j1")
			sent(b, 1, 0, true)
		}},
		{name: "phantom", status: assert.Fail, measured: 1, class: "phantom", build: func(b *historytest.Builder) {
			order(b, 1, "j1")
			sent(b, 1, 1, false, "j1")
			sent(b, 7, 1, false, "j1")
		}},
		{name: "no order", status: assert.Inconclusive, idle: true, build: func(*historytest.Builder) {}},
	})
	t.Run("without the deliveries", func(t *testing.T) {
		b := historytest.New()
		order(b, 1, "j1")
		b.Covered(20*sec, history.StreamLedger)
		v := assert.EventDelivery{}.Check(b.Build(t))
		require.Equal(t, assert.Inconclusive, v.Status, "an event that was not looked for is not lost")
		require.Nil(t, v.Measured)
	})
}

func TestUploadDurability(t *testing.T) {
	up := func(b *historytest.Builder, name, node string, outcome history.Kind) {
		b.See(4*sec, history.Upload{Name: name, Node: node, Outcome: string(outcome), Attempts: 1})
	}
	look := func(b *historytest.Builder, d history.Download) { b.See(8*sec, d) }
	runObserved(t, assert.UploadDurability{}, []string{history.StreamUpload, history.StreamDownload}, []observedCase{
		{name: "there, everywhere", status: assert.Pass, build: func(b *historytest.Builder) {
			killed(b, "j1")
			up(b, "a", "j1", history.OK)
			look(b, history.Download{Name: "a", Via: "vip", Node: "j2", Known: true, Found: true, Same: true})
		}},
		{name: "only its own node was asked", status: assert.Pass, idle: true, build: func(b *historytest.Builder) {
			killed(b, "j1")
			up(b, "a", "j1", history.OK)
			look(b, history.Download{Name: "a", Via: "j1", Node: "j1", Known: true, Found: true, Same: true})
		}},
		{name: "lost at another node", status: assert.Fail, measured: 1, class: "lost", build: func(b *historytest.Builder) {
			up(b, "a", "j1", history.OK)
			look(b, history.Download{Name: "a", Via: "vip", Node: "j2", Known: true})
			look(b, history.Download{Name: "a", Via: "j2", Node: "j2", Known: true, Last: true})
		}},
		{name: "torn, of unknown fate", status: assert.Fail, measured: 1, class: "torn", build: func(b *historytest.Builder) {
			up(b, "a", "", history.Info)
			look(b, history.Download{Name: "a", Via: "j2", Node: "j2", Known: true, Found: true})
		}},
		{name: "of unknown fate and not there", status: assert.Pass, idle: true, build: func(b *historytest.Builder) {
			up(b, "a", "", history.Info)
			up(b, "b", "j1", history.OK)
			look(b, history.Download{Name: "a", Via: "j2", Node: "j2", Known: true})
			look(b, history.Download{Name: "b", Via: "j2", Node: "j2", Known: true, Found: true, Same: true})
		}},
		{name: "no answer says nothing", status: assert.Pass, idle: true, build: func(b *historytest.Builder) {
			up(b, "a", "j1", history.OK)
			look(b, history.Download{Name: "a", Via: "j2"})
		}},
		{name: "nothing acknowledged", status: assert.Inconclusive, idle: true, build: func(b *historytest.Builder) {
			up(b, "a", "j1", history.Fail)
		}},
	})
}

func TestStaleness(t *testing.T) {
	write := func(b *historytest.Builder, at time.Duration, node string, price int64) {
		b.See(at, history.Price{Item: "x", Write: true, Sent: at - ms, Node: node, Price: price})
		b.Meta(func(m *history.Meta) {
			m.Bounds = []history.Bound{{Name: "stale", Limit: 2 * sec, Formula: "life", File: "here"}}
		})
	}
	read := func(b *historytest.Builder, sent time.Duration, node string, price int64) {
		b.See(sent+ms, history.Price{Item: "x", Sent: sent, Node: node, Price: price})
	}
	runObserved(t, assert.Staleness{Bound: "stale"}, []string{history.StreamPrice}, []observedCase{
		{name: "fresh", status: assert.Pass, build: func(b *historytest.Builder) {
			write(b, sec, "j1", 1)
			read(b, 2*sec, "j2", 1)
		}},
		{name: "stale within the tolerance", status: assert.Pass, measured: 1500, build: func(b *historytest.Builder) {
			write(b, sec, "j1", 1)
			write(b, 2*sec, "j1", 2)
			read(b, 3500*ms, "j2", 1)
		}},
		{name: "too old, by the first change that replaced it", status: assert.Fail, measured: 2500, class: "stale read", build: func(b *historytest.Builder) {
			write(b, sec, "j1", 1)
			write(b, 2*sec, "j1", 2)
			write(b, 4*sec, "j1", 3)
			read(b, 4500*ms, "j2", 1)
		}},
		{name: "a change whose answer was lost counts by the next", status: assert.Pass, measured: 500, build: func(b *historytest.Builder) {
			write(b, sec, "j1", 1)
			write(b, 4*sec, "j1", 3)
			read(b, 4500*ms, "j2", 1)
		}},
		{name: "a change that was answered after the read was sent", status: assert.Pass, build: func(b *historytest.Builder) {
			write(b, sec, "j1", 1)
			write(b, 4*sec, "j1", 2)
			read(b, 3999*ms, "j2", 1)
		}},
		{name: "ahead of every answer", status: assert.Pass, build: func(b *historytest.Builder) {
			write(b, sec, "j1", 1)
			read(b, 2*sec, "j2", 2)
		}},
		{name: "always the node that changed it", status: assert.Pass, idle: true, build: func(b *historytest.Builder) {
			write(b, sec, "j1", 1)
			read(b, 2*sec, "j1", 1)
		}},
		{name: "never read", status: assert.Inconclusive, idle: true, build: func(b *historytest.Builder) {
			write(b, sec, "j1", 1)
		}},
		{name: "no such bound", status: assert.Inconclusive, build: func(b *historytest.Builder) {
			read(b, 2*sec, "j2", 1)
		}},
	})
}
