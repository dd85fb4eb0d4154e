package assert_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

// crossings are those of a system in which both versions read each other.
func crossings(b *historytest.Builder) {
	for i, c := range []history.Crossing{
		{Request: "POST /session", Of: "session 1", Version: "1", Fields: []string{"count", "id"}, Want: 1, Got: 1},
		{Request: "GET /session", Of: "session 1", Writer: "1", Version: "2", Fields: []string{"count", "id", "visits"}, Want: 1, Got: 1},
		{Request: "POST /session", Of: "session 1", Writer: "1", Version: "2", Fields: []string{"count", "id", "visits"}, Want: 2, Got: 2},
		{Request: "GET /session", Of: "session 1", Writer: "2", Version: "1", Fields: []string{"count", "id"}, Want: 2, Got: 2},
		{Request: "GET /orders/{id}", Of: "order 1", Writer: "1", Version: "2", Fields: []string{"order", "quantity"}, Want: 3, Got: 3},
		{Request: "GET /orders/{id}", Of: "order 2", Writer: "2", Version: "1", Fields: []string{"order", "quantity"}, Want: 4, Got: 4},
	} {
		c.Status = 200
		b.See(time.Duration(i)*sec, c)
	}
}

// oneWay has version 2 asked n times for a session of version 1, and refuse it
// but for the one that is named, and all else as in crossings.
func oneWay(b *historytest.Builder, n, but int) {
	for i, c := range []history.Crossing{
		{Request: "POST /session", Of: "session 1", Version: "1", Want: 1, Got: 1},
		{Request: "GET /session", Of: "session 2", Writer: "2", Version: "1", Want: 2, Got: 2},
		{Request: "GET /orders/{id}", Of: "order 1", Writer: "1", Version: "2", Want: 3, Got: 3},
		{Request: "GET /orders/{id}", Of: "order 2", Writer: "2", Version: "1", Want: 4, Got: 4},
	} {
		c.Status, c.Fields = 200, []string{"id"}
		b.See(time.Duration(i)*sec, c)
	}
	for i := range n {
		c := history.Crossing{Request: "GET /session", Of: "session 1", Writer: "1", Version: "2", Status: 503, Want: 1, Got: -1}
		if i == but {
			c.Status, c.Got, c.Fields = 200, 1, []string{"id"}
		}
		b.See(time.Duration(10+i)*sec, c)
	}
	b.Op(history.OpLogin, 10*ms).In(1).Version("1").OK()
	b.Op(history.OpLogin, 10*ms).In(2).Version("2").OK()
}

// mixed is a session of the mix that was begun by version 1 and goes on
// with version 2.
func mixed(b *historytest.Builder) {
	b.Op(history.OpLogin, 10*ms).In(1).Version("1").OK()
	b.Op(history.OpSessionWrite, 20*ms).In(1).Value(1).Version("1").OK()
	b.Op(history.OpSessionRead, 30*ms).In(1).Value(1).Version("2").OK()
	b.Op(history.OpSessionWrite, 40*ms).In(1).Value(2).Version("2").OK()
}

// quiet is a first phase in which all was well.
func quiet(b *historytest.Builder) {
	b.Meta(func(m *history.Meta) { m.Load.Rate = 15 })
	b.Phase("steady", history.PhaseSteady, 0, 4*sec)
	for i := range 60 {
		b.Op(history.OpSessionRead, time.Duration(i)*50*ms).In(8).Version("1").OK()
	}
}

// starved is a machine that had nothing to spare while answers were given.
func starved(b *historytest.Builder) {
	b.See(4*sec, history.Host{Busy: 0.97})
	b.See(6*sec, history.Host{Busy: 0.97})
}

func answers(b *historytest.Builder, version string, good, bad int, class string) {
	for range good {
		b.Op(history.OpSessionRead, 5*sec).In(9).Version(version).OK()
	}
	for range bad {
		b.Op(history.OpSessionRead, 5*sec).In(9).Version(version).Status(503).On("j2").Fail(class)
	}
}

// oneFails has version 2 fail one in thirty, and version 1 none, after a quiet
// beginning.
func oneFails(b *historytest.Builder) {
	crossings(b)
	quiet(b)
	answers(b, "1", 400, 0, "")
	answers(b, "2", 290, 10, history.ErrStatus)
}

func TestVersionSkew(t *testing.T) {
	crossing := func(c history.Crossing) func(*historytest.Builder) {
		return func(b *historytest.Builder) {
			crossings(b)
			mixed(b)
			b.See(20*sec, c)
		}
	}
	healed := func(b *historytest.Builder, at time.Duration) {
		b.Event(history.Event{At: sec, Kind: history.FaultInject, Name: "deploy", Nodes: []string{"j1"}, Fault: 1})
		b.Event(history.Event{At: at, Kind: history.FaultHealed, Name: "deploy", Nodes: []string{"j1"}, Fault: 1, Data: []byte(`{"ok":true}`)})
	}
	tests := []struct {
		name   string
		c      assert.VersionSkew
		build  func(*historytest.Builder)
		lost   bool // the stream is incomplete
		status assert.Status
		class  string // of the first evidence
		text   string // in it, or in the summary
		idle   bool
	}{
		{name: "both ways", build: func(b *historytest.Builder) { crossings(b); mixed(b) }, status: assert.Pass, text: "order 1→2: 1, order 2→1: 1, session 1→2: 4, session 2→1: 1"},
		{name: "an empty history", build: func(*historytest.Builder) {}, status: assert.Inconclusive, text: "No answer named a version", idle: true},
		{name: "one version alone", build: func(b *historytest.Builder) { answers(b, "1", 3, 0, "") }, status: assert.Pass, text: "Only version 1 answered", idle: true},
		{name: "one way alone", build: mixed, status: assert.Pass, text: "No session was written by each version and read by the other (session 1→2: 2)", idle: true},
		{name: "the stream is incomplete", build: func(b *historytest.Builder) { crossings(b); mixed(b) }, lost: true, status: assert.Inconclusive, text: "Not all that was read"},
		{
			name: "a session that the other cannot read", build: crossing(history.Crossing{Request: "GET /session", Of: "session 1", Writer: "2", Version: "1", Status: 200, Fields: []string{"count", "id"}, Want: 5, Got: 0}),
			status: assert.Fail, class: "unreadable state", text: "session 1, which version 2 wrote, holds 0 by version 1, and 5 was acknowledged",
		},
		{
			name: "the same version's own mistake is no skew", build: crossing(history.Crossing{Request: "GET /session", Of: "session 1", Writer: "1", Version: "1", Status: 200, Fields: []string{"count", "id"}, Want: 5, Got: 0}),
			status: assert.Pass, text: "read each other's",
		},
		{
			name: "an order that the other does not find", build: crossing(history.Crossing{Request: "GET /orders/{id}", Of: "order 3", Writer: "1", Version: "2", Status: 404, Want: 5, Got: -1}),
			status: assert.Fail, class: "unreadable state", text: "answered by version 2 with status 404",
		},
		{
			name: "a service that is away is no skew", build: crossing(history.Crossing{Request: "GET /orders/{id}", Of: "order 3", Writer: "1", Version: "2", Status: 503, Want: 5, Got: -1}),
			status: assert.Pass, text: "read each other's",
		},
		{
			name: "all that the other wrote is refused", build: func(b *historytest.Builder) { oneWay(b, 5, -1) },
			status: assert.Fail, class: "never read", text: "version 2 with status 503, and so is each of the 5 that it was asked for",
		},
		{
			name: "all of the few that were asked for is refused", build: func(b *historytest.Builder) { oneWay(b, 4, -1) },
			status: assert.Pass, text: "No session was written by each version and read by the other", idle: true,
		},
		{
			name: "all but one is refused", build: func(b *historytest.Builder) { oneWay(b, 9, 7) },
			status: assert.Pass, text: "session 1→2: 1, session 2→1: 1",
		},
		{
			name: "all is refused, by the writer's version too", build: func(b *historytest.Builder) {
				crossings(b)
				mixed(b)
				for i := range 9 {
					b.See(time.Duration(20+i)*sec, history.Crossing{Request: "GET /files", Of: "file 1", Writer: "1", Version: "2", Status: 503, Want: 1, Got: -1})
				}
			},
			status: assert.Pass, text: "read each other's",
		},
		{
			name: "a field that was renamed", build: crossing(history.Crossing{Request: "GET /session", Of: "session 1", Writer: "1", Version: "2", Status: 200, Fields: []string{"id", "visits"}, Want: 5, Got: 5}),
			status: assert.Fail, class: "response contract", text: "version 2 answers without count, which version 1 has",
		},
		{
			name: "a session of the mix begun anew", build: func(b *historytest.Builder) {
				crossings(b)
				mixed(b)
				b.Op(history.OpSessionWrite, 50*ms).In(1).Value(1).New().Version("1").OK()
			},
			status: assert.Fail, class: "unreadable state", text: "op 5 (session-write, session 1): a session that version 2 wrote was begun anew by version 1",
		},
		{
			name: "a counter of the mix that went back", build: func(b *historytest.Builder) {
				crossings(b)
				mixed(b)
				b.Op(history.OpSessionRead, 50*ms).In(1).Value(1).Version("1").OK()
			},
			status: assert.Fail, class: "unreadable state", text: "version 1 answered 1 for a counter that version 2 had left at 2 or more",
		},
		{
			name: "a session of the mix that is not found", build: func(b *historytest.Builder) {
				crossings(b)
				mixed(b)
				b.Op(history.OpSessionRead, 50*ms).In(1).Status(404).Version("1").On("j1").Fail(history.ErrSession)
			},
			status: assert.Fail, class: "unreadable state", text: "version 1 does not find a session that version 2 wrote",
		},
		{
			name: "one version fails on a machine that was not up to it", build: func(b *historytest.Builder) {
				crossings(b)
				answers(b, "1", 400, 0, "")
				answers(b, "2", 290, 10, history.ErrStatus)
			},
			status: assert.Inconclusive, text: "may not be the version's doing",
		},
		{
			name: "one version fails", build: oneFails,
			status: assert.Fail, class: "errors of a version", text: "version 2 failed 10 of the 300 operations that it answered beside another, 10 × 503",
		},
		{
			name: "one version fails while no processor was to spare", build: func(b *historytest.Builder) {
				starved(b)
				oneFails(b)
			},
			status: assert.Inconclusive, class: "errors of a version", text: "10 × 503",
		},
		{
			name: "what it answers is its doing on any machine", build: func(b *historytest.Builder) {
				starved(b)
				oneFails(b)
				mixed(b)
				b.Op(history.OpSessionRead, 50*ms).In(1).Value(1).Version("1").OK()
			},
			status: assert.Fail, class: "unreadable state", text: "version 1 answered 1 for a counter",
		},
		{
			name: "all versions fail alike", build: func(b *historytest.Builder) {
				crossings(b)
				answers(b, "1", 290, 10, history.ErrStatus)
				answers(b, "2", 290, 10, history.ErrStatus)
			},
			status: assert.Pass, text: "read each other's",
		},
		{
			name: "what a version fails alone may be the load's doing", build: func(b *historytest.Builder) {
				crossings(b)
				for range 100 {
					b.Op(history.OpSessionRead, 7*sec).In(9).Version("2").Status(503).On("j2").Fail(history.ErrStatus)
				}
				answers(b, "1", 300, 0, "")
			},
			status: assert.Pass, text: "read each other's",
		},
		{
			name: "too few to blame a version", build: func(b *historytest.Builder) {
				crossings(b)
				answers(b, "1", 400, 0, "")
				answers(b, "2", 98, 4, history.ErrStatus)
			},
			status: assert.Pass, text: "read each other's",
		},
		{
			name: "gone after the heal", c: assert.VersionSkew{After: "1"}, build: func(b *historytest.Builder) {
				crossings(b)
				mixed(b)
				healed(b, 8*sec)
				b.Op(history.OpSessionRead, 9*sec).In(2).Version("1").OK()
			},
			status: assert.Pass, text: "read each other's",
		},
		{
			name: "still served after the heal", c: assert.VersionSkew{After: "1"}, build: func(b *historytest.Builder) {
				crossings(b)
				mixed(b)
				healed(b, 8*sec)
				b.Op(history.OpSessionRead, 9*sec).In(2).Version("2").OK()
			},
			status: assert.Fail, class: "still served", text: "version 2 answered after the heal",
		},
		{
			name: "nothing after the heal", c: assert.VersionSkew{After: "1"}, build: func(b *historytest.Builder) {
				crossings(b)
				mixed(b)
				healed(b, 8*sec)
			},
			status: assert.Inconclusive, text: "Nothing was answered after the last heal",
		},
		{
			name: "an order answered again by the other version is read across", build: func(b *historytest.Builder) {
				mixed(b)
				b.Op(history.OpSessionRead, 50*ms).In(1).Value(2).Version("1").OK()
				for _, v := range []string{"1", "2"} {
					op := b.Op(history.OpOrder, 60*ms).In(2).Value(7).Try(info(history.ErrReset, "j2")).Replayed().Version(v).OK()
					b.See(sec, history.LedgerRow{Order: 7, Key: "k", Op: op, Attempt: 1, Node: "j2", Version: map[string]string{"1": "2", "2": "1"}[v]})
				}
			},
			status: assert.Pass, text: "No request was answered to the unbound client by more than one version", idle: true,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := historytest.New()
			tt.build(b)
			b.See(30*sec, history.Coverage{Stream: history.StreamCrossing, Complete: !tt.lost})
			v := tt.c.Check(b.Build(t))
			require.Equal(t, tt.status, v.Status, "%s %v", v.Summary, v.Evidence)
			require.Equal(t, tt.idle, v.NotExercised, v.Summary)
			text := v.Summary
			if tt.class != "" {
				require.NotEmpty(t, v.Evidence)
				require.Equal(t, tt.class, v.Evidence[0].Class)
				text += v.Evidence[0].Text
			}
			require.Contains(t, text, tt.text)
		})
	}
}
