package assert

import (
	"fmt"
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// StreamContinuity expects that the clients of an event stream miss nothing
// when it breaks: what each received, between its first event and its end, is
// exactly what the database says was published, in order, once. What the
// database, or the clients, were not asked about to the end is blamed on nobody.
// And it expects them to be back in time: from the last that a client heard on the
// old connection to the first on the new at most
//
//	Reconnect + the topology's bound named Bound
//
// where Reconnect is the client's own part: its patience with a silent server
// and its longest pause before it connects again.
type StreamContinuity struct {
	Reconnect time.Duration `json:"reconnect"`
	Bound     string        `json:"bound"`
}

// Name implements Checker.
func (StreamContinuity) Name() string { return "stream-continuity" }

// About implements Checker.
func (s StreamContinuity) About() string {
	return fmt.Sprintf("every client receives each published event once and in order, across breaks of at most %s and the bound %s", sayTime(s.Reconnect), s.Bound)
}

// Needs implements Checker.
func (StreamContinuity) Needs() []Need {
	return []Need{
		{Kind: NeedFault},
		{Kind: NeedHeal},
		{Kind: NeedGenerator},
		{Kind: NeedStream, Stream: history.StreamPublished},
		{Kind: NeedStream, Stream: history.StreamReceived},
		{Kind: NeedStream, Stream: history.StreamLink},
		{Kind: NeedStream, Stream: history.StreamFeed},
	}
}

// Check implements Checker. Measured is the number of events that were lost,
// repeated, out of order or made up; if there is none, the longest break.
func (s StreamContinuity) Check(h *history.History) Verdict {
	bound, known := findBound(h, s.Bound)
	v := Verdict{Name: s.Name(), Op: "<=", Unit: "ms"}
	if !known {
		v.Reasons = []string{fmt.Sprintf("the topology states no bound %q: name one of %s", s.Bound, boundNames(h))}
		return v
	}
	limit := s.Reconnect + bound.Limit
	breaks := findBreaks(h)
	a := newStreamAudit(h, breaks, limit)
	for _, c := range breaks.clients {
		a.hear(c)
	}
	a.unstored()
	v.Measures = []Measure{
		{Name: "events received", Value: float64(len(h.Received)), Unit: "events"},
		{Name: "events not as published", Value: float64(len(a.wrong)), Unit: "events", Bound: figure(0)},
		breaks.measure(limit, fmt.Sprintf("client's patience and pause %s + %s (%s)", sayTime(s.Reconnect), bound.Name, bound.Formula)),
	}
	switch {
	case len(a.wrong) > 0:
		v.Status, v.Safety, v.Unit = Fail, true, "events"
		v.Measured, v.Bound = figure(float64(len(a.wrong))), figure(0)
		v.Summary = fmt.Sprintf("%s not as published: %s.", count(len(a.wrong), "event"), countClasses(a.wrong))
		v.Fix = valueFix(h, "number events in the order of their commits, keep them in the database, and send what comes after Last-Event-ID", ValueFeed, ValueFeedResume)
		v.Evidence = a.wrong
	default:
		// A break that was too long is one, whatever else is not known.
		if breaks.judge(&v, "event stream", limit, bound); v.Status != Fail && len(a.doubts) > 0 {
			v.Status, v.NotExercised, v.Summary, v.Reasons = Inconclusive, false, "", append(a.doubts, v.Reasons...)
		}
	}
	if n := len(v.Evidence); n > MaxEvidence {
		v.Evidence, v.More = v.Evidence[:MaxEvidence], n-MaxEvidence
	}
	return v
}

// streamAudit holds what clients received against what was published.
type streamAudit struct {
	h      *history.History
	breaks *breaks
	limit  time.Duration
	feed   map[int64]string // token by number
	// by holds what each client received, in its order.
	by     map[int][]history.At[history.Received]
	acked  map[int64]time.Duration // when an event was acknowledged
	lowest int64
	wrong  []Evidence
	doubts []string
	// known says that all of the feed is, and whole that all of what the clients
	// received is, too.
	known, whole bool
}

func newStreamAudit(h *history.History, b *breaks, limit time.Duration) *streamAudit {
	a := &streamAudit{
		h: h, breaks: b, limit: limit, feed: map[int64]string{}, by: map[int][]history.At[history.Received]{}, acked: map[int64]time.Duration{},
		known: missingStream(h, history.StreamFeed) == "",
	}
	a.whole = a.known && missingStream(h, history.StreamReceived) == "" && missingStream(h, history.StreamLink) == ""
	for _, p := range slices.Backward(h.Published) {
		a.acked[p.V.ID] = p.Time
	}
	for _, row := range h.Feed {
		a.feed[row.V.ID] = row.V.Token
	}
	for _, r := range h.Received {
		a.by[r.V.Client] = append(a.by[r.V.Client], r)
		if a.lowest == 0 || r.V.ID < a.lowest {
			a.lowest = r.V.ID
		}
	}
	if len(h.Received) == 0 {
		a.doubts = append(a.doubts, "no client received any event, so that nothing could be lost")
	}
	return a
}

// hear judges what one client received.
func (a *streamAudit) hear(client int) {
	got := a.by[client]
	if len(got) == 0 {
		a.doubts = append(a.doubts, fmt.Sprintf("client %d received no event", client))
		return
	}
	seen := map[int64]bool{}
	var last int64
	for _, r := range got {
		token, published := a.feed[r.V.ID]
		switch {
		case a.known && (!published || token != r.V.Token):
			a.blame(r, "made up", "client %d received event %d (%s), which the database does not have", client, r.V.ID, r.V.Token)
		case seen[r.V.ID]:
			a.blame(r, "repeated", "client %d received event %d again, after event %d", client, r.V.ID, last)
		case r.V.ID < last:
			a.blame(r, "out of order", "client %d received event %d after event %d", client, r.V.ID, last)
		}
		seen[r.V.ID] = true
		last = max(last, r.V.ID)
	}
	if a.whole {
		a.missed(client, seen, got[0].V.ID, max(last, a.due(client)))
	}
}

// due is the highest number that was acknowledged so long before the client's
// end that the client must have it.
func (a *streamAudit) due(client int) (id int64) {
	end := a.breaks.ends[client]
	for _, p := range a.h.Published {
		if p.Time+a.limit <= end {
			id = max(id, p.V.ID)
		}
	}
	return id
}

// missed blames what lies between and was not received.
func (a *streamAudit) missed(client int, seen map[int64]bool, from, to int64) {
	for _, row := range a.h.Feed {
		if id := row.V.ID; id > from && id <= to && !seen[id] {
			a.wrong = append(a.wrong, Evidence{
				Seq: row.Seq, At: a.acked[id], Node: row.V.Node, Class: "lost",
				Text: fmt.Sprintf("client %d never received event %d (%s)%s", client, id, row.V.Token, a.came(client, id)),
			})
		}
	}
}

// came says where the client was when an event was acknowledged: what comes while it
// is away a resumed stream has to bring, and what comes while it is connected the
// stream itself.
func (a *streamAudit) came(client int, id int64) string {
	at, known := a.acked[id]
	switch {
	case !known:
		return ""
	case a.breaks.away(client, at):
		return ", which came while it was away"
	}
	return ", which came while it was connected"
}

// unstored blames events that were acknowledged and that the database lacks.
func (a *streamAudit) unstored() {
	for _, p := range a.h.Published {
		if a.known && a.lowest > 0 && p.V.ID >= a.lowest && a.feed[p.V.ID] != p.V.Token {
			a.wrong = append(a.wrong, Evidence{
				Seq: p.Seq, At: p.Time, Node: p.V.Node, Class: "not stored",
				Text: fmt.Sprintf("event %d (%s) was acknowledged by %s and is not in the database", p.V.ID, p.V.Token, p.V.Node),
			})
		}
	}
}

func (a *streamAudit) blame(r history.At[history.Received], class, format string, args ...any) {
	a.wrong = append(a.wrong, Evidence{Seq: r.Seq, At: r.Time, Class: class, Text: fmt.Sprintf(format, args...)})
}
