package assert_test

import (
	"fmt"
	"strings"
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

func TestKeyContract(t *testing.T) {
	use := func(b *historytest.Builder, asked string, status int, order int64, node string) {
		b.See(4*sec, history.KeyUse{Key: "k", Asked: asked, First: 7, FirstNode: "j1", Status: status, Order: order, Node: node})
	}
	kept := func(b *historytest.Builder) {
		use(b, history.KeyAgain, 200, 7, "j2")
		use(b, history.KeyOtherRequest, 409, 0, "j1")
		use(b, history.KeyOtherTenant, 201, 8, "j1")
	}
	runObserved(t, assert.KeyContract{}, []string{history.StreamKeyUse}, []observedCase{
		{name: "kept", status: assert.Pass, build: kept},
		{name: "refused with 422", status: assert.Pass, build: func(b *historytest.Builder) {
			kept(b)
			use(b, history.KeyOtherRequest, 422, 0, "j2")
		}},
		{name: "never at another node", status: assert.Pass, idle: true, build: func(b *historytest.Builder) {
			use(b, history.KeyAgain, 200, 7, "j1")
			use(b, history.KeyOtherRequest, 409, 0, "j1")
			use(b, history.KeyOtherTenant, 201, 8, "j1")
		}},
		{name: "one of the ways was never answered", status: assert.Pass, idle: true, build: func(b *historytest.Builder) {
			use(b, history.KeyAgain, 200, 7, "j2")
			use(b, history.KeyOtherRequest, 409, 0, "j2")
			use(b, history.KeyOtherTenant, 503, 0, "j2")
		}},
		{name: "placed again", status: assert.Fail, measured: 1, class: "placed again", build: func(b *historytest.Builder) {
			kept(b)
			use(b, history.KeyAgain, 201, 9, "j2")
		}},
		{name: "a retry that is refused", status: assert.Fail, measured: 1, class: "retry refused", build: func(b *historytest.Builder) {
			use(b, history.KeyAgain, 409, 0, "j2")
		}},
		{name: "another request gets the first answer", status: assert.Fail, measured: 1, class: "other request answered", build: func(b *historytest.Builder) {
			use(b, history.KeyOtherRequest, 200, 7, "j2")
		}},
		{name: "another request is placed", status: assert.Fail, measured: 1, class: "other request answered", build: func(b *historytest.Builder) {
			use(b, history.KeyOtherRequest, 201, 9, "j2")
		}},
		{name: "another tenant gets the order", status: assert.Fail, measured: 1, class: "another tenant's order", build: func(b *historytest.Builder) {
			use(b, history.KeyOtherTenant, 200, 7, "j2")
		}},
		{name: "another tenant is refused", status: assert.Fail, measured: 1, class: "refused to a tenant", build: func(b *historytest.Builder) {
			use(b, history.KeyOtherTenant, 409, 0, "j2")
		}},
		{name: "what says nothing", status: assert.Inconclusive, idle: true, build: func(b *historytest.Builder) {
			use(b, history.KeyAgain, 409, 0, "") // by no node
			b.See(4*sec, history.KeyUse{Key: "k", Asked: history.KeyAgain})
			for _, status := range []int{0, 400, 401, 404, 408, 425, 429, 500, 503, 302, 200} { // the last names no order
				use(b, history.KeyAgain, status, 0, "j2")
				use(b, history.KeyOtherRequest, status, 0, "j2")
				use(b, history.KeyOtherTenant, status, 0, "j2")
			}
			use(b, "other way", 200, 7, "j2")
		}},
		{name: "no key", status: assert.Inconclusive, idle: true, build: func(*historytest.Builder) {}},
	})
}

func TestOverlappingUpdates(t *testing.T) {
	pair := func(b *historytest.Builder, added int64, x, y history.Kind, nodes ...string) {
		o := history.Overlap{Session: 1, Before: 4, After: 4 + added}
		for i, outcome := range []history.Kind{x, y} {
			o.Answers = append(o.Answers, history.OverlapAnswer{Outcome: string(outcome), Status: 200, Node: nodes[i]})
		}
		b.See(4*sec, o)
	}
	runObserved(t, assert.OverlappingUpdates{}, []string{history.StreamOverlap}, []observedCase{
		{name: "both", status: assert.Pass, build: func(b *historytest.Builder) { pair(b, 2, history.OK, history.OK, "j1", "j2") }},
		{name: "one is refused", status: assert.Pass, build: func(b *historytest.Builder) { pair(b, 1, history.OK, history.Fail, "j1", "j2") }},
		{name: "one of unknown fate, not applied", status: assert.Pass, build: func(b *historytest.Builder) { pair(b, 1, history.Info, history.OK, "j1", "j2") }},
		{name: "one of unknown fate, applied", status: assert.Pass, build: func(b *historytest.Builder) { pair(b, 2, history.Info, history.OK, "j1", "j2") }},
		{name: "at one node", status: assert.Pass, idle: true, build: func(b *historytest.Builder) { pair(b, 2, history.OK, history.OK, "j1", "j1") }},
		{name: "lost", status: assert.Fail, measured: 1, class: "lost update", build: func(b *historytest.Builder) { pair(b, 1, history.OK, history.OK, "j1", "j2") }},
		{name: "refused and counted", status: assert.Fail, measured: 1, class: "counted too often", build: func(b *historytest.Builder) {
			pair(b, 2, history.OK, history.Fail, "j1", "j2")
		}},
		{name: "the session is gone", status: assert.Fail, measured: 1, class: "lost session", build: func(b *historytest.Builder) {
			b.See(4*sec, history.Overlap{Session: 1, Before: 4, After: -1, Gone: true, Answers: []history.OverlapAnswer{{Outcome: "ok"}, {Outcome: "ok"}}})
		}},
		{name: "none acknowledged", status: assert.Inconclusive, idle: true, build: func(b *historytest.Builder) { pair(b, 0, history.Fail, history.Info, "j1", "j2") }},
		{name: "never read", status: assert.Inconclusive, idle: true, build: func(b *historytest.Builder) { pair(b, -5, history.OK, history.OK, "j1", "j2") }},
		{name: "no pair", status: assert.Inconclusive, idle: true, build: func(*historytest.Builder) {}},
	})
}

// TestALineThatACompanionCountedIsMissed: an observation that was put and is not in the
// record leaves no verdict.
func TestALineThatACompanionCountedIsMissed(t *testing.T) {
	for seen, missed := range map[uint64]bool{3: false, 4: true} {
		b := historytest.New()
		for _, u := range []history.KeyUse{
			{Asked: history.KeyAgain, First: 7, Status: 200, Order: 7, Node: "j2"},
			{Asked: history.KeyOtherRequest, First: 7, Status: 409, Node: "j2"},
			{Asked: history.KeyOtherTenant, First: 7, Status: 201, Order: 8, Node: "j2"},
		} {
			b.See(4*sec, u)
		}
		b.See(20*sec, history.Coverage{Stream: history.StreamKeyUse, Complete: true, Seen: seen})
		v := assert.Judge(b.Build(t), []assert.Checker{assert.KeyContract{}})[0]
		require.Equal(t, missed, strings.Contains(fmt.Sprint(v.Reasons), "its observers saw 4, and the record holds 3"), "%d seen: %v", seen, v.Reasons)
		require.Equal(t, assert.Inconclusive, v.Status, "there is no operation, either")
	}
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
