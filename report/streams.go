package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// maxStreams bounds the clients of long-lived connections that the page lists,
// and maxStreamLanes those that it draws: those first that were away longest.
const (
	maxStreams     = 200
	maxStreamLanes = 12
)

// streamView is a client of long-lived connections: an event stream or a
// WebSocket.
type streamView struct {
	Client, Nodes, Events, Breaks string
	Longest, When, Why            string
	Tone                          string
}

// streamClient is what the record says of one client.
type streamClient struct {
	client int
	states []sample
	nodes  []string // that it was connected to, in its order
	events int
	breaks []assert.Break // longest first
}

func (c *streamClient) longest() time.Duration {
	if len(c.breaks) == 0 {
		return 0
	}
	return c.breaks[0].To - c.breaks[0].From
}

// streamClients are all clients, the one that was away longest first.
func streamClients(h *history.History) []*streamClient {
	by := map[int]*streamClient{}
	of := func(client int) *streamClient {
		if by[client] == nil {
			by[client] = &streamClient{client: client}
		}
		return by[client]
	}
	for _, l := range h.Links {
		c := of(l.V.Client)
		switch l.V.State {
		case history.LinkUp:
			node := cmp.Or(l.V.Node, "a node that is not known")
			c.states = append(c.states, sample{at: l.V.Alive, state: "connected to " + node, tone: "good"})
			if n := len(c.nodes); n == 0 || c.nodes[n-1] != node {
				c.nodes = append(c.nodes, node)
			}
		case history.LinkDown:
			c.states = append(c.states, sample{at: l.V.Alive, state: "hears nothing", tone: "bad"})
		case history.LinkEnd:
			c.states = append(c.states, sample{at: l.Time, state: "ended by itself", tone: "idle"})
		}
	}
	for _, r := range h.Received {
		of(r.V.Client).events++
	}
	for _, b := range assert.Breaks(h) {
		c := of(b.Client)
		c.breaks = append(c.breaks, b)
	}
	out := make([]*streamClient, 0, len(by))
	for _, client := range sortedKeys(by) {
		out = append(out, by[client])
	}
	slices.SortStableFunc(out, func(a, b *streamClient) int { return cmp.Compare(b.longest(), a.longest()) })
	return out
}

// streamLanes are the connections of the clients that were away longest.
func streamLanes(h *history.History) []lane {
	clients := streamClients(h)
	by := samples{}
	for _, c := range clients[:min(len(clients), maxStreamLanes)] {
		if len(c.states) > 0 {
			by[fmt.Sprintf("client %02d", c.client)] = c.states
		}
	}
	return joined("stream", by, h.End)
}

// streamViews are the lines of the table of clients, and how many more there
// are.
func streamViews(h *history.History) (list []streamView, more int) {
	clients := streamClients(h)
	for _, c := range clients[:min(len(clients), maxStreams)] {
		v := streamView{Client: strconv.Itoa(c.client), Nodes: cleanText(joinNodes(c.nodes)), Events: strconv.Itoa(c.events), Breaks: strconv.Itoa(len(c.breaks)), Tone: "idle"}
		if len(c.breaks) > 0 {
			b := c.breaks[0]
			v.Longest, v.When, v.Why = interval(b.To-b.From, b.To-b.From), clock(b.From), cleanText(b.Reason)
			if b.Open {
				v.Tone, v.Longest = "bad", "✕ "+v.Longest+", never back"
			}
		}
		list = append(list, v)
	}
	return list, len(clients) - len(list)
}

// joinNodes tells the first few of the nodes.
func joinNodes(nodes []string) string {
	const most = 6
	if len(nodes) > most {
		nodes = append(slices.Clone(nodes[:most]), fmt.Sprintf("%d more", len(nodes)-most))
	}
	return strings.Join(nodes, " → ")
}
