package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

// listening is a run with two clients of an event stream: the first is cut
// off for two seconds and comes back to another node, the second for good.
func listening(t *testing.T) *history.History {
	b := historytest.New()
	b.Phase("steady", history.PhaseSteady, 0, 10*time.Second)
	link := func(at time.Duration, l history.Link) { b.See(at, l) }
	link(1100*ms, history.Link{Client: 1, State: history.LinkUp, Node: "j1", Alive: 1000 * ms})
	link(1100*ms, history.Link{Client: 2, State: history.LinkUp, Node: "j<2>", Alive: 1050 * ms})
	link(4500*ms, history.Link{Client: 1, State: history.LinkDown, Node: "j1", Alive: 4000 * ms, Reason: "reset\x1b[31m"})
	link(5000*ms, history.Link{Client: 1, State: history.LinkMiss, Alive: 4000 * ms, Reason: "refused"})
	link(6100*ms, history.Link{Client: 1, State: history.LinkUp, Node: "j2", Alive: 6000 * ms})
	link(7000*ms, history.Link{Client: 2, State: history.LinkDown, Node: "j<2>", Alive: 6500 * ms, Reason: history.LinkSilent})
	b.See(8*time.Second, history.Received{Client: 1, ID: 1, Token: "a"})
	link(9500*ms, history.Link{Client: 1, State: history.LinkEnd, Alive: 9400 * ms})
	link(9500*ms, history.Link{Client: 2, State: history.LinkEnd, Alive: 6500 * ms})
	return b.Build(t)
}

func TestStreamsAreToldByClient(t *testing.T) {
	h := listening(t)
	list, more := streamViews(h)
	require.Zero(t, more)
	require.Equal(t, []streamView{
		{Client: "2", Nodes: "j<2>", Events: "0", Breaks: "1", Longest: "✕ 3s, never back", When: "+6.500s", Why: history.LinkSilent, Tone: "bad"},
		{Client: "1", Nodes: "j1 → j2", Events: "1", Breaks: "1", Longest: "2s", When: "+4.000s", Why: `reset\u001b[31m`, Tone: "idle"},
	}, list, "the one that was away for longest comes first")

	lanes := streamLanes(h)
	require.Equal(t, []string{"stream/client 01", "stream/client 02"}, laneNames(lanes))
	require.Equal(t, []span{
		{1, 4, "connected to j1", "good"}, {4, 6, "hears nothing", "bad"}, {6, 9.5, "connected to j2", "good"}, {9.5, h.End.Seconds(), "ended by itself", "idle"},
	}, lanes[0].Spans)

	page := pageOf(t, h)
	require.Contains(t, page, `<a href="#streams">Streams</a>`)
	require.Contains(t, page, "j&lt;2&gt;")
	require.Contains(t, page, ">events received</th>")
	require.NotContains(t, page, "\x1b")
}

func TestAPageWithoutStreamsHasNoBlockOfThem(t *testing.T) {
	require.NotContains(t, pageOf(t, planted(t)), `id="streams"`)
}

// What receives no events, as a WebSocket that is only held, has no column of them.
func TestConnectionsWithoutEvents(t *testing.T) {
	b := historytest.New()
	b.Phase("steady", history.PhaseSteady, 0, time.Second)
	b.See(100*ms, history.Link{Client: 1, State: history.LinkUp, Alive: 100 * ms})
	h := b.Build(t)
	list, _ := streamViews(h)
	require.Equal(t, []streamView{{Client: "1", Nodes: "a node that is not known", Events: "0", Breaks: "0", Tone: "idle"}}, list)
	page := pageOf(t, h)
	require.Contains(t, page, `id="streams"`)
	require.NotContains(t, page, ">events received</th>")
}

// Many clients, and one that goes from node to node, stay within the page's bounds.
func TestStreamsAreBounded(t *testing.T) {
	b := historytest.New()
	b.Phase("steady", history.PhaseSteady, 0, time.Minute)
	for c := range maxStreams + 5 {
		b.See(time.Second, history.Link{Client: c + 1, State: history.LinkUp, Node: "j1", Alive: time.Second})
	}
	for i := range 9 {
		at := time.Duration(2+2*i) * time.Second
		b.See(at, history.Link{Client: 205, State: history.LinkDown, Node: fmt.Sprintf("j%d", i+1), Alive: at})
		b.See(at+time.Second, history.Link{Client: 205, State: history.LinkUp, Node: fmt.Sprintf("j%d", i+2), Alive: at + time.Second})
	}
	h := b.Build(t)
	list, more := streamViews(h)
	require.Len(t, list, maxStreams)
	require.Equal(t, 5, more)
	require.Equal(t, "205", list[0].Client)
	require.Equal(t, "j1 → j2 → j3 → j4 → j5 → j6 → 4 more", list[0].Nodes)
	require.Equal(t, "9", list[0].Breaks)
	lanes := streamLanes(h)
	require.Len(t, lanes, maxStreamLanes)
	require.Contains(t, laneNames(lanes), "stream/client 205")
	require.Contains(t, pageOf(t, h), "and 5 more, none of which was away for longer.")
}

func pageOf(t *testing.T, h *history.History) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, HTML(&b, &harness.Result{Scenario: "streams", Verdict: harness.VerdictPass}, h))
	return b.String()
}
