package assert_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

// feedRun is a history with a fault at 10 s, of which two clients listen from
// 1 s to 20 s; event n is published at n × 1 s and the database has it.
func feedRun(events int) *historytest.Builder {
	b := faultless(historytest.New(), 20*sec).Meta(func(m *history.Meta) {
		m.Bounds = []history.Bound{{Name: "diverted", Limit: 500 * ms, Formula: "500ms", File: "here"}}
	})
	for id := int64(1); id <= int64(events); id++ {
		b.See(time.Duration(id)*sec, history.Published{ID: id, Token: token(id), Node: "j1"})
		b.See(20*sec, history.FeedRow{ID: id, Token: token(id), Node: "j1"})
	}
	for client := 1; client <= 2; client++ {
		up(b, client, sec)
		b.See(20*sec, history.Link{Client: client, State: history.LinkEnd, Alive: 20 * sec})
	}
	return b.Covered(21*sec, history.StreamPublished, history.StreamReceived, history.StreamLink, history.StreamFeed)
}

// faultless makes a run that asks for no fault, whose load was on time.
func faultless(b *historytest.Builder, end time.Duration) *historytest.Builder {
	b.Meta(func(m *history.Meta) { m.Faultless = true })
	b.Phase("steady", history.PhaseSteady, 0, end)
	for at := time.Duration(0); at < end; at += 100 * ms {
		b.Op(history.OpLogin, at).New().OK()
	}
	return b
}

func token(id int64) string { return fmt.Sprintf("t%d", id) }

func up(b *historytest.Builder, client int, at time.Duration) {
	b.See(at, history.Link{Client: client, State: history.LinkUp, Node: "j1", Alive: at})
}

func down(b *historytest.Builder, client int, at time.Duration) {
	b.See(at, history.Link{Client: client, State: history.LinkDown, Node: "j1", Alive: at, Reason: "the server ended it"})
}

func hears(b *historytest.Builder, client int, ids ...int64) {
	for i, id := range ids {
		b.See(2*sec+time.Duration(i)*sec, history.Received{Client: client, ID: id, Token: token(id)})
	}
}

func TestStreamContinuity(t *testing.T) {
	for _, tt := range []struct {
		name      string
		build     func(*historytest.Builder)
		want      assert.Status
		measured  float64
		exercised bool
		text      string // of the evidence or the reason
	}{
		{"all is received, across a break", func(b *historytest.Builder) {
			hears(b, 1, 1, 2, 3, 4, 5)
			hears(b, 2, 3, 4, 5)
			down(b, 1, 3*sec)
			up(b, 1, 4*sec)
		}, assert.Pass, 1000, true, ""},
		{"no stream breaks", func(b *historytest.Builder) {
			hears(b, 1, 1, 2, 3, 4, 5)
			hears(b, 2, 1, 2, 3, 4, 5)
		}, assert.Pass, 0, false, ""},
		{"one is lost", func(b *historytest.Builder) {
			hears(b, 1, 1, 2, 4, 5)
			hears(b, 2, 5)
		}, assert.Fail, 1, true, "client 1 never received event 3 (t3), which came while it was connected"},
		{"one is lost at a break", func(b *historytest.Builder) {
			hears(b, 1, 1, 2, 4, 5)
			hears(b, 2, 5)
			down(b, 2, 2900*ms)
			up(b, 2, 3100*ms)
			down(b, 1, 2900*ms)
			up(b, 1, 3100*ms)
		}, assert.Fail, 1, true, "client 1 never received event 3 (t3), which came while it was away"},
		{"the last is lost", func(b *historytest.Builder) {
			hears(b, 1, 1, 2, 3, 4)
			hears(b, 2, 5)
		}, assert.Fail, 1, true, "client 1 never received event 5 (t5), which came while it was connected"},
		{"one is repeated", func(b *historytest.Builder) {
			hears(b, 1, 1, 2, 3, 3, 4, 5)
			hears(b, 2, 5)
		}, assert.Fail, 1, true, "client 1 received event 3 again, after event 3"},
		{"out of order", func(b *historytest.Builder) {
			hears(b, 1, 1, 3, 2, 4, 5)
			hears(b, 2, 5)
		}, assert.Fail, 1, true, "client 1 received event 2 after event 3"},
		{"made up", func(b *historytest.Builder) {
			hears(b, 1, 1, 2, 3, 4, 5, 6)
			hears(b, 2, 5)
		}, assert.Fail, 1, true, "client 1 received event 6 (t6), which the database does not have"},
		{"another event of the same number", func(b *historytest.Builder) {
			hears(b, 1, 1, 2, 3, 4, 5)
			hears(b, 2, 5)
			b.See(3*sec, history.Published{ID: 3, Token: "other", Node: "j2"})
		}, assert.Fail, 1, true, "event 3 (other) was acknowledged by j2 and is not in the database"},
		{"back too late", func(b *historytest.Builder) {
			hears(b, 1, 1, 2, 3, 4, 5)
			hears(b, 2, 1, 2, 3, 4, 5)
			down(b, 1, 3*sec)
			up(b, 1, 3*sec+1501*ms)
		}, assert.Fail, 1501, true, "client 1 heard nothing for 1.5 s, from 3.000 s on: the server ended it"},
		{"never back", func(b *historytest.Builder) {
			hears(b, 1, 1, 2, 3, 4, 5)
			hears(b, 2, 1, 2, 3, 4, 5)
			down(b, 2, 12*sec)
			b.See(13*sec, history.Link{Client: 2, State: history.LinkMiss, Alive: 12 * sec})
		}, assert.Fail, 8000, true, "client 2 heard nothing for 8 s, from 12.000 s on, and never came back: the server ended it"},
		{"a break that the end cuts short", func(b *historytest.Builder) {
			hears(b, 1, 1, 2, 3, 4, 5)
			hears(b, 2, 1, 2, 3, 4, 5)
			down(b, 2, 19*sec)
		}, assert.Pass, 1000, true, ""},
		{"the feed was never read", func(b *historytest.Builder) {
			hears(b, 1, 1, 2, 3, 4, 5)
			hears(b, 2, 3, 4, 5, 6)
			b.See(21*sec, history.Coverage{Stream: history.StreamFeed, Reason: "psql: connection refused"})
		}, assert.Inconclusive, 0, false, "observer complete (feed): psql: connection refused"},
		{"the feed was never read, and one is repeated", func(b *historytest.Builder) {
			hears(b, 1, 1, 2, 3, 3, 4, 5)
			hears(b, 2, 3, 4, 5, 6)
			b.See(21*sec, history.Coverage{Stream: history.StreamFeed, Reason: "psql: connection refused"})
		}, assert.Fail, 1, true, "client 1 received event 3 again, after event 3"},
		{"what was received is not all known", func(b *historytest.Builder) {
			hears(b, 1, 1, 2, 5)
			hears(b, 2, 3, 4, 5)
			b.See(21*sec, history.Coverage{Stream: history.StreamReceived, Reason: "broken off"})
		}, assert.Inconclusive, 0, false, "observer complete (received): broken off"},
		{"back too late, beside a client that never had a connection", func(b *historytest.Builder) {
			hears(b, 1, 1, 2, 3, 4, 5)
			hears(b, 2, 1, 2, 3, 4, 5)
			down(b, 1, 3*sec)
			up(b, 1, 3*sec+1501*ms)
			b.See(sec, history.Link{Client: 3, State: history.LinkMiss, Alive: sec})
		}, assert.Fail, 1501, true, "client 1 heard nothing for 1.5 s, from 3.000 s on: the server ended it"},
		{"nobody received anything", func(*historytest.Builder) {}, assert.Inconclusive, 0, true, "no client received any event, so that nothing could be lost"},
		{"one client received nothing", func(b *historytest.Builder) { hears(b, 1, 1, 2, 3, 4, 5) }, assert.Inconclusive, 0, true, "client 2 received no event"},
		{"a client never had a connection", func(b *historytest.Builder) {
			hears(b, 1, 1, 2, 3, 4, 5)
			hears(b, 2, 1, 2, 3, 4, 5)
			hears(b, 3, 1, 2, 3, 4, 5)
			b.See(sec, history.Link{Client: 3, State: history.LinkMiss, Alive: sec})
		}, assert.Inconclusive, 0, true, "client 3 never had a connection"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := feedRun(5)
			tt.build(b)
			v := assert.Judge(b.Build(t), []assert.Checker{assert.StreamContinuity{Reconnect: sec, Bound: "diverted"}})[0]
			require.Equal(t, tt.want, v.Status, "%v %s", v.Reasons, v.Summary)
			require.Equal(t, !tt.exercised, v.NotExercised)
			switch tt.want {
			case assert.Inconclusive:
				require.Equal(t, tt.text, v.Reasons[0])
			case assert.Fail:
				require.Equal(t, tt.text, v.Evidence[0].Text)
				fallthrough
			default:
				require.InDelta(t, tt.measured, *v.Measured, 1e-6)
			}
		})
	}
}

func TestStreamContinuityNeeds(t *testing.T) {
	check := func(h *history.History, c assert.StreamContinuity) assert.Verdict {
		return assert.Judge(h, []assert.Checker{c})[0]
	}
	b := feedRun(5)
	hears(b, 1, 1, 2, 3, 4, 5)
	hears(b, 2, 1, 2, 3, 4, 5)
	h := b.Build(t)
	require.Equal(t, assert.Pass, check(h, assert.StreamContinuity{Reconnect: sec, Bound: "diverted"}).Status)
	v := check(h, assert.StreamContinuity{Reconnect: sec, Bound: "else"})
	require.Equal(t, assert.Inconclusive, v.Status)
	require.Equal(t, `the topology states no bound "else": name one of diverted`, v.Reasons[0])

	empty := check(historytest.New().Build(t), assert.StreamContinuity{Reconnect: sec, Bound: "diverted"})
	require.Equal(t, assert.Inconclusive, empty.Status)
}
