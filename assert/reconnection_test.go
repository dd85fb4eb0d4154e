package assert_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

// socketRun is a run of 20 s in which j1 is stopped at 10 s and ten clients
// were on it. back is when client n is back, how its connection ended.
func socketRun(code int, back func(client int) time.Duration, resumed history.Resumed) *historytest.Builder {
	b := historytest.New().Meta(func(m *history.Meta) {
		m.Bounds = []history.Bound{{Name: "diverted", Limit: 500 * ms, Formula: "500ms", File: "here"}}
	})
	b.Phase("steady", history.PhaseSteady, 0, 10*sec).Phase("stopped", history.PhaseBreak, 10*sec, 20*sec)
	for at := time.Duration(0); at < 20*sec; at += 100 * ms {
		b.Op(history.OpLogin, at).New().OK()
	}
	b.Fault("instance-stop", 10*sec, "j1").Active(10*sec + ms).Heal(18 * sec).Healed(19 * sec)
	for client := 1; client <= 10; client++ {
		up(b, client, sec)
		b.See(sec, history.Resumed{Client: client, Node: "j1"})
		b.See(11*sec, history.Link{Client: client, State: history.LinkDown, Node: "j1", Code: code, Alive: 11 * sec, Reason: "EOF"})
		at := 11*sec + back(client)
		b.See(at, history.Link{Client: client, State: history.LinkTry, Alive: 11 * sec})
		b.See(at, history.Link{Client: client, State: history.LinkUp, Node: "j2", Alive: at})
		resumed.Client, resumed.Node = client, "j2"
		b.See(at, resumed)
		b.See(20*sec, history.Link{Client: client, State: history.LinkEnd, Alive: 20 * sec})
	}
	return b.Covered(21*sec, history.StreamLink, history.StreamResumed)
}

// away has j2 tell a client to go, who is back there at a time.
func away(b *historytest.Builder, client int, from, back time.Duration) {
	b.See(from, history.Link{Client: client, State: history.LinkDown, Node: "j2", Code: 1001, Alive: from, Reason: "EOF"})
	b.See(back, history.Link{Client: client, State: history.LinkTry, Alive: from})
	b.See(back, history.Link{Client: client, State: history.LinkUp, Node: "j2", Alive: back})
}

func TestReconnection(t *testing.T) {
	spread := func(client int) time.Duration { return time.Duration(client) * 100 * ms }
	together := func(client int) time.Duration { return sec + time.Duration(client)*ms }
	late := func(client int) time.Duration { return time.Duration(client) * 200 * ms }
	kept := history.Resumed{Told: 7, Acked: 7, Said: 8}
	for _, tt := range []struct {
		name     string
		history  *historytest.Builder
		want     assert.Status
		measured float64
		text     string
	}{
		{"all is well", socketRun(1001, spread, kept), assert.Pass, 1000, ""},
		{"restarting is a word, too", socketRun(1012, spread, kept), assert.Pass, 1000, ""},
		{"state lost", socketRun(1001, spread, history.Resumed{Told: 6, Acked: 7, Said: 8}), assert.Fail, 10, "j2 told client 1 that it had come to 6, and 7 was acknowledged"},
		{"state made up", socketRun(1001, spread, history.Resumed{Told: 9, Acked: 7, Said: 8}), assert.Fail, 10, "j2 told client 1 that it had come to 9, and it never said more than 8"},
		{"not told", socketRun(0, spread, kept), assert.Fail, 10, "the connection of client 1 to j1 ended without a close frame of 1001 or 1012: EOF"},
		{"a herd", socketRun(1001, together, kept), assert.Fail, 10, "10 clients asked for a connection within 100 ms, from 12.001 s on"},
		{"a herd that breaks again what it came to, and comes again", func() *historytest.Builder {
			b := socketRun(1001, spread, kept)
			for client := 1; client <= 10; client++ {
				away(b, client, 14*sec, 15*sec)
			}
			return b
		}(), assert.Fail, 10, "10 clients asked for a connection within 100 ms, from 15.000 s on"},
		{"a herd that is not the most that ever came back in so short a time", func() *historytest.Builder {
			// At 11 s forty are away, of whom a fourth, and no more, ask at once;
			// at 16 s eight are, and all of them do.
			b := socketRun(1001, spread, kept)
			for client := 11; client <= 40; client++ {
				up(b, client, sec)
				away(b, client, 11*sec, 11*sec+100*ms+time.Duration(client/11)*300*ms)
			}
			for client := 1; client <= 8; client++ {
				away(b, client, 16*sec, 17*sec)
			}
			return b
		}(), assert.Fail, 8, "8 clients asked for a connection within 100 ms, from 17.000 s on"},
		{"too late", socketRun(1001, late, kept), assert.Fail, 2000, "client 10 heard nothing for 2 s, from 11.000 s on: EOF"},
		{"nobody there", historytest.New().Meta(func(m *history.Meta) {
			m.Bounds = []history.Bound{{Name: "diverted"}}
		}), assert.Inconclusive, 0, "there was no client with a long-lived connection"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := assert.Judge(tt.history.Build(t), []assert.Checker{assert.Reconnection{Reconnect: 1300 * ms, Bound: "diverted", Told: true, Spread: sec}})[0]
			require.Equal(t, tt.want, v.Status, "%v %s", v.Reasons, v.Summary)
			switch tt.want {
			case assert.Inconclusive:
				require.NotEmpty(t, v.Reasons)
				return
			case assert.Fail:
				require.Equal(t, tt.text, v.Evidence[0].Text)
			}
			require.InDelta(t, tt.measured, *v.Measured, 1e-6)
		})
	}
}

// A herd takes eight clients: where never so many were away, that is said.
func TestReconnectionOfFewClients(t *testing.T) {
	for n, want := range map[int][]string{
		7: {"whether clients come back as a herd was not judged: at no time were 8 away together"},
		8: nil,
	} {
		b := historytest.New().Meta(func(m *history.Meta) { m.Bounds = []history.Bound{{Name: "diverted", Limit: 500 * ms}} })
		for client := 1; client <= n; client++ {
			up(b, client, sec)
			at := 3*sec + time.Duration(client)*100*ms
			b.See(3*sec, history.Link{Client: client, State: history.LinkDown, Node: "j1", Code: 1001, Alive: 3 * sec, Reason: "EOF"})
			b.See(at, history.Link{Client: client, State: history.LinkTry, Alive: 3 * sec})
			b.See(at, history.Link{Client: client, State: history.LinkUp, Node: "j2", Alive: at})
		}
		v := assert.Reconnection{Reconnect: sec, Bound: "diverted", Spread: sec}.Check(b.Build(t))
		require.Equal(t, assert.Pass, v.Status, "%v %s", v.Reasons, v.Summary)
		require.Equal(t, want, v.Notes)
		v = assert.Reconnection{Reconnect: sec, Bound: "diverted"}.Check(b.Build(t))
		require.Empty(t, v.Notes, "no herd is asked for")
	}
}

// A client that gave its connection up by itself was not cut off without a word.
func TestReconnectionOfClientsThatGaveUp(t *testing.T) {
	spread := func(client int) time.Duration { return time.Duration(client) * 100 * ms }
	for _, tt := range []struct {
		name string
		code int
		up   int // how many gave up
		want assert.Status
		n    int
	}{
		{"all", 0, 10, assert.Pass, 0},
		{"all but one", 0, 9, assert.Fail, 1},
		{"none", 0, 0, assert.Fail, 10},
		{"closed with another code", 1006, 10, assert.Fail, 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := socketRun(tt.code, spread, history.Resumed{Told: 7, Acked: 7, Said: 8}).Build(t)
			for i := range h.Links {
				if l := &h.Links[i].V; l.State == history.LinkDown && l.Client <= tt.up {
					l.Reason = history.LinkSilent
				}
			}
			v := assert.Reconnection{Reconnect: 1300 * ms, Bound: "diverted", Told: true, Spread: sec}.Check(h)
			require.Equal(t, tt.want, v.Status, "%v %s", v.Reasons, v.Summary)
			require.Len(t, v.Evidence, tt.n)
		})
	}
}
