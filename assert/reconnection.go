package assert

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// Reconnection expects of clients with WebSockets that they come back well
// when a node ends their connections: each finds its state as it left it (no
// less than was acknowledged to it, no more than it said); each hears a
// server again within
//
//	Reconnect + the topology's bound named Bound
//
// of the last that it heard; if Told, each was told to go by a close frame
// with code 1001 or 1012 (RFC 6455, 7.4.1, and the IANA registry of close
// codes), unless it had given the connection up by itself; and they do not come
// back as a herd: each time that clients were away together, in no tenth of Spread
// do more than half of them ask for a connection. Fewer than eight are no herd, and
// that no more were ever away is noted.
type Reconnection struct {
	Reconnect time.Duration `json:"reconnect"`
	Bound     string        `json:"bound"`
	Told      bool          `json:"told,omitempty"`
	// Spread is the time over which the clients mean to come back; 0 judges
	// no herd.
	Spread time.Duration `json:"spread,omitempty"`
}

const (
	// leastHerd is how many clients must have lost their connections.
	leastHerd = 8
	// herdWindow is the part of the spread that is looked at.
	herdWindow = 10
	codeAway   = 1001 // the server goes away
	codeAgain  = 1012 // the service restarts
)

// Name implements Checker.
func (Reconnection) Name() string { return "reconnection" }

// About implements Checker.
func (r Reconnection) About() string {
	return fmt.Sprintf("clients of WebSockets find their state, are back within %s and the bound %s, and are no herd", sayTime(r.Reconnect), r.Bound)
}

// Needs implements Checker.
func (Reconnection) Needs() []Need {
	return []Need{
		{Kind: NeedFault},
		{Kind: NeedHeal},
		{Kind: NeedGenerator},
		{Kind: NeedStream, Stream: history.StreamLink},
		{Kind: NeedStream, Stream: history.StreamResumed},
	}
}

// Check implements Checker. Measured is the number of clients with a wrong
// state, or else that were not told, or else the largest herd, or else the
// longest break.
func (r Reconnection) Check(h *history.History) Verdict {
	v := Verdict{Name: r.Name(), Op: "<=", Unit: "ms"}
	bound, known := findBound(h, r.Bound)
	if !known {
		v.Reasons = []string{fmt.Sprintf("the topology states no bound %q: name one of %s", r.Bound, boundNames(h))}
		return v
	}
	limit := r.Reconnect + bound.Limit
	b := findBreaks(h)
	herds := findHerds(h, b, r.Spread/herdWindow)
	v.Measures = []Measure{
		b.measure(limit, fmt.Sprintf("client's patience and pause %s + %s (%s)", sayTime(r.Reconnect), bound.Name, bound.Formula)),
		{Name: "connections that broke", Value: float64(len(b.gaps)), Unit: "connections"},
		r.measure(herds),
	}
	if r.Spread > 0 && len(herds) > 0 && !slices.ContainsFunc(herds, herd.judged) {
		v.Notes = append(v.Notes, fmt.Sprintf("whether clients come back as a herd was not judged: at no time were %d away together", leastHerd))
	}
	say := func(wrong []Evidence, safety bool, summary, fix string) Verdict {
		v.Status, v.Safety, v.Unit, v.Evidence = Fail, safety, "clients", wrong
		v.Measured, v.Bound = figure(float64(len(wrong))), figure(0)
		v.Summary, v.Fix = summary, fix
		return v
	}
	if wrong := wrongStates(h); len(wrong) > 0 {
		return say(wrong, true, fmt.Sprintf("%s did not find the state of a client: %s.", count(len(wrong), "connection"), countClasses(wrong)),
			valueFix(h, "keep what a client said where every node finds it, before it is acknowledged", ValueSocketState))
	}
	if r.Told {
		if wrong := notTold(h); len(wrong) > 0 {
			return say(wrong, false, fmt.Sprintf("%s of victims cut off and not told to go elsewhere.", count(len(wrong), "connection")),
				valueFix(h, "close each WebSocket with 1001 when the node stops, once the balancers have turned away from it", ValueSocketGoodbye, ValueLameDuck))
		}
	}
	if herds = slices.DeleteFunc(herds, func(h herd) bool { return !h.judged() || h.size <= h.most() }); r.Spread > 0 && len(herds) > 0 {
		worst := herds[0]
		var wrong []Evidence
		for _, h := range herds {
			wrong = append(wrong, h.evidence(r.Spread/herdWindow))
		}
		say(wrong, false,
			fmt.Sprintf("%s of %d that were away asked for a connection within %s (at most %d).", count(worst.size, "client"), worst.of, sayTime(r.Spread/herdWindow), worst.most()),
			sayFix("draw the pause before a reconnection at random", r.pause()))
		v.Measured, v.Bound = figure(float64(worst.size)), figure(float64(worst.most()))
		return v
	}
	b.judge(&v, "WebSocket", limit, bound)
	if n := len(v.Evidence); n > MaxEvidence {
		v.Evidence, v.More = v.Evidence[:MaxEvidence], n-MaxEvidence
	}
	return v
}

// measure is the largest herd.
func (r Reconnection) measure(herds []herd) Measure {
	m := Measure{Name: "largest herd", Unit: "clients", Note: fmt.Sprintf("that asked for a connection within %s", sayTime(r.Spread/herdWindow))}
	if len(herds) > 0 {
		m.Value = float64(herds[0].size)
		m.Note += fmt.Sprintf(", of %d that were away then", herds[0].of)
	}
	return m
}

// pause is the clients' own setting: they are hachaos's, and no topology
// states it.
func (r Reconnection) pause() history.Value {
	return history.Value{Name: "pause before a reconnection", Value: "spread over " + sayTime(r.Spread), File: "load/web_sockets.go"}
}

// wrongStates finds connections on which a client was told something that
// cannot be.
func wrongStates(h *history.History) []Evidence {
	var wrong []Evidence
	for _, r := range h.Resumed {
		e := Evidence{Seq: r.Seq, At: r.Time, Node: r.V.Node}
		switch {
		case r.V.Told < r.V.Acked:
			e.Class, e.Text = "state lost", fmt.Sprintf("%s told client %d that it had come to %d, and %d was acknowledged", r.V.Node, r.V.Client, r.V.Told, r.V.Acked)
		case r.V.Told > r.V.Said:
			e.Class, e.Text = "made up", fmt.Sprintf("%s told client %d that it had come to %d, and it never said more than %d", r.V.Node, r.V.Client, r.V.Told, r.V.Said)
		default:
			continue
		}
		wrong = append(wrong, e)
	}
	return wrong
}

// notTold finds the connections that a victim's end broke without a word. One that
// the client gave up by itself, before any word could come, is no such: what it
// cost is the length of its break.
func notTold(h *history.History) []Evidence {
	var wrong []Evidence
	for _, l := range h.Links {
		if l.V.State != history.LinkDown || l.V.Code == codeAway || l.V.Code == codeAgain || gaveUp(l.V) || !struckNode(h, l.V.Node, l.Time) {
			continue
		}
		wrong = append(wrong, Evidence{
			Seq: l.Seq, At: l.Time, Node: l.V.Node, Class: "not told",
			Text: fmt.Sprintf("the connection of client %d to %s ended without a close frame of 1001 or 1012: %s", l.V.Client, l.V.Node, l.V.Reason),
		})
	}
	return wrong
}

// gaveUp says that the client itself ended the connection.
func gaveUp(l history.Link) bool { return l.Code == 0 && l.Reason == history.LinkSilent }

// struckNode says whether a fault had the node at that time.
func struckNode(h *history.History, node string, at time.Duration) bool {
	for _, f := range h.Faults {
		if at >= f.Injected && (f.Heal < 0 || at <= f.Heal) && slices.Contains(f.Nodes, node) {
			return true
		}
	}
	return false
}

// herd is the most clients of a wave that asked for a connection again in one
// window.
type herd struct {
	size int
	of   int // that were away in that wave
	from time.Duration
	seq  uint64
}

// most is how many may ask in one window.
func (h herd) most() int { return h.of / 2 }

// judged says whether as many were away as can be a herd.
func (h herd) judged() bool { return h.of >= leastHerd }

// findHerds counts the first attempts after each break, by window, and gives
// the worst window of each wave, the largest first.
func findHerds(h *history.History, b *breaks, window time.Duration) []herd {
	tries := firstTries(h)
	var out []herd
	for _, w := range b.waves() {
		var own []history.At[history.Link]
		for _, t := range tries {
			if w.from <= t.Time && t.Time <= w.to {
				own = append(own, t)
			}
		}
		worst, first := herd{of: w.clients}, 0
		for i, t := range own {
			for t.Time-own[first].Time > window {
				first++
			}
			if n := i - first + 1; n > worst.size {
				worst.size, worst.from, worst.seq = n, own[first].Time, own[first].Seq
			}
		}
		out = append(out, worst)
	}
	slices.SortStableFunc(out, func(x, y herd) int { return cmp.Compare(y.size, x.size) })
	return out
}

// firstTries are the first attempts after each break.
func firstTries(h *history.History) []history.At[history.Link] {
	var tries []history.At[history.Link]
	down := map[int]bool{}
	for _, l := range h.Links {
		switch l.V.State {
		case history.LinkDown:
			down[l.V.Client] = true
		case history.LinkTry:
			if down[l.V.Client] {
				tries = append(tries, l)
				down[l.V.Client] = false
			}
		}
	}
	return tries
}

func (h herd) evidence(window time.Duration) Evidence {
	return Evidence{Seq: h.seq, At: h.from, Class: "herd", Text: fmt.Sprintf("%s asked for a connection within %s, from %.3f s on", count(h.size, "client"), sayTime(window), h.from.Seconds())}
}
