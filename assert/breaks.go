package assert

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/history"
)

// Break is a time in which a client of a long-lived connection heard nothing
// of its server: from the last word on a connection that broke to the first on
// another, or to the client's own end.
type Break struct {
	Client   int
	From, To time.Duration
	Node     string // whose connection it was; empty if not known
	Reason   string
	// Open says that the client was not back by its end.
	Open bool
	// Seq is the journal's line that tells of it.
	Seq uint64
}

func (g Break) length() time.Duration { return g.To - g.From }

func (g Break) span() (from, to time.Duration) { return g.From, g.To }

// breaks are the gaps of all clients of long-lived connections, longest first.
type breaks struct {
	gaps    []Break
	clients []int                 // in their order
	ends    map[int]time.Duration // of each client
	never   []int                 // clients that never had a connection
	machine machine
}

// findBreaks follows each client's connections. A gap begins when the client
// last heard its server on a connection that then broke, and ends when it
// first hears one again; the client's own end closes it.
func findBreaks(h *history.History) *breaks {
	b := &breaks{ends: map[int]time.Duration{}, machine: machineOf(h)}
	by := map[int][]history.At[history.Link]{}
	for _, l := range h.Links {
		if _, known := by[l.V.Client]; !known {
			b.clients = append(b.clients, l.V.Client)
		}
		by[l.V.Client] = append(by[l.V.Client], l)
	}
	slices.Sort(b.clients)
	for _, c := range b.clients {
		b.follow(c, by[c], h.End)
	}
	slices.SortFunc(b.gaps, func(x, y Break) int {
		return cmp.Or(cmp.Compare(y.length(), x.length()), cmp.Compare(x.Seq, y.Seq))
	})
	return b
}

func (b *breaks) follow(client int, links []history.At[history.Link], end time.Duration) {
	var now *Break
	ever := false
	b.ends[client] = end
	for _, l := range links {
		switch l.V.State {
		case history.LinkUp:
			ever = true
			if now != nil {
				now.To, now.Open = l.V.Alive, false
				b.gaps = append(b.gaps, *now)
				now = nil
			}
		case history.LinkDown:
			now = &Break{Client: client, From: l.V.Alive, Node: l.V.Node, Reason: l.V.Reason, Seq: l.Seq, Open: true}
		case history.LinkEnd:
			b.ends[client] = l.Time
		}
	}
	if now != nil {
		now.To = b.ends[client]
		b.gaps = append(b.gaps, *now)
	}
	if !ever {
		b.never = append(b.never, client)
	}
}

// measure is the longest gap.
func (b *breaks) measure(limit time.Duration, note string) Measure {
	m := Measure{Name: "longest break", Unit: "ms", Bound: figure(millis(limit)), Note: note}
	if len(b.gaps) > 0 {
		m.Value = millis(b.gaps[0].length())
	}
	return m
}

// judge holds the gaps to the limit. A gap that the client's own end cut
// short counts only if it was too long already, and one that may owe its length
// to the machine does not.
func (b *breaks) judge(v *Verdict, what string, limit time.Duration, bound history.Bound) {
	v.Measured, v.Bound, v.Unit = figure(0), figure(millis(limit)), "ms"
	away := 0 // clients that were not back by their end
	over, starved := parted(b.machine, b.gaps, limit)
	for _, g := range over {
		v.Evidence = append(v.Evidence, g.evidence())
	}
	for _, g := range b.gaps {
		if g.Open {
			away++
		}
	}
	if len(b.gaps) > 0 {
		v.Measured = figure(millis(b.gaps[0].length()))
	}
	ended := ""
	if away > 0 {
		ended = fmt.Sprintf("; %s not back by its end", wereOrWas(away, "client"))
	}
	switch {
	case len(b.clients) == 0:
		v.Reasons = []string{"there was no client with a long-lived connection"}
	case len(over) > 0:
		v.Status = Fail
		v.Measured = figure(millis(over[0].length()))
		v.Summary = fmt.Sprintf("%s of %s lasted longer than %s, the longest %s%s.",
			count(len(over), "break"), count(len(b.clients), "client"), sayTime(limit), sayTime(over[0].length()), ended)
		v.Fix = boundFix(bound)
	case len(starved) > 0:
		v.Summary = b.broke(what, limit, ended)
		v.Evidence = append(v.Evidence, starved[0].evidence())
		v.Reasons = []string{starvedReason(fmt.Sprintf("client %d heard nothing for %s (at most %s)", starved[0].Client, sayTime(starved[0].length()), sayTime(limit)))}
	case len(b.never) > 0:
		v.Reasons = []string{fmt.Sprintf("client %d never had a connection", b.never[0])}
	case len(b.gaps) == 0:
		v.Status, v.NotExercised = Pass, true
		v.Summary = fmt.Sprintf("No %s of %s broke.", what, count(len(b.clients), "client"))
	default:
		v.Status = Pass
		v.Summary = b.broke(what, limit, ended)
	}
}

// broke is "2 streams of 5 clients broke, for 300 ms at the longest (at most 1 s)", and
// how that ended.
func (b *breaks) broke(what string, limit time.Duration, ended string) string {
	return fmt.Sprintf("%s of %s broke, for %s at the longest (at most %s)%s.",
		count(len(b.gaps), what), count(len(b.clients), "client"), sayTime(b.gaps[0].length()), sayTime(limit), ended)
}

// wave is a stretch of time that goes on for as long as any client is away.
type wave struct {
	from, to time.Duration
	clients  int // that were away in it
}

// waves are in the order of time.
func (b *breaks) waves() []wave {
	gaps := slices.Clone(b.gaps)
	slices.SortFunc(gaps, func(x, y Break) int { return cmp.Compare(x.From, y.From) })
	var out []wave
	clients := map[int]bool{}
	for _, g := range gaps {
		if n := len(out); n == 0 || g.From > out[n-1].to {
			out = append(out, wave{from: g.From, to: g.To})
			clear(clients)
		}
		clients[g.Client] = true
		now := &out[len(out)-1]
		now.to, now.clients = max(now.to, g.To), len(clients)
	}
	return out
}

// away says whether the client had no connection at that time.
func (b *breaks) away(client int, at time.Duration) bool {
	return slices.ContainsFunc(b.gaps, func(g Break) bool { return g.Client == client && g.From <= at && at <= g.To })
}

func (g Break) evidence() Evidence {
	text := fmt.Sprintf("client %d heard nothing for %s, from %.3f s on", g.Client, sayTime(g.length()), g.From.Seconds())
	if g.Open {
		text += ", and never came back"
	}
	return Evidence{Seq: g.Seq, At: g.From, Node: g.Node, Class: "late", Text: text + ": " + g.Reason}
}

// countClasses counts evidence by class, the commonest first: "12 lost, 3
// repeated".
func countClasses(list []Evidence) string {
	by := map[string]int{}
	var names []string
	for _, e := range list {
		if by[e.Class]++; by[e.Class] == 1 {
			names = append(names, e.Class)
		}
	}
	slices.SortStableFunc(names, func(x, y string) int { return cmp.Compare(by[y], by[x]) })
	for i, n := range names {
		names[i] = fmt.Sprintf("%d %s", by[n], n)
	}
	return strings.Join(names, ", ")
}

// Breaks are those of all clients, longest first, as the assertions
// stream-continuity and reconnection see them. It is pure.
func Breaks(h *history.History) []Break { return findBreaks(h).gaps }
