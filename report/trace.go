package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/history"
)

// traced is what happened to an operation at a time of the run.
type traced struct {
	at   time.Duration
	text string
	// first says that it came before all others, whatever their times: those
	// of logs are only as exact as the clocks they were mapped by.
	first bool
}

func later(t traced) int {
	if t.first {
		return 0
	}
	return 1
}

// traces tell what client, balancers, nodes and database say of operations,
// each in the order of time; what was read after the load comes last. The logs
// are walked once for all of them. An operation that the record does not hold
// has none.
func traces(h *history.History, ids []uint64) map[uint64][]traced {
	out := map[uint64][]traced{}
	for _, id := range ids {
		if o, ok := h.Op(id); ok {
			out[id] = client(h, o)
		}
	}
	add := func(id uint64, t traced) {
		if _, wanted := out[id]; wanted {
			out[id] = append(out[id], t)
		}
	}
	for i := range h.Dispatches {
		add(h.Dispatches[i].V.Op, traced{at: h.Dispatches[i].Time, text: dispatched(&h.Dispatches[i].V)})
	}
	for i := range h.Receipts {
		add(h.Receipts[i].V.Op, traced{at: h.Receipts[i].Time, text: received(&h.Receipts[i].V)})
	}
	for i := range h.Ledger {
		r := &h.Ledger[i].V
		add(r.Op, traced{at: h.Ledger[i].Time, text: fmt.Sprintf("read after the load: the ledger has order %d, by %d.%d on %s, key %q", r.Order, r.Op, r.Attempt, r.Node, r.Key)})
	}
	for _, list := range out {
		slices.SortStableFunc(list, func(a, b traced) int { return cmp.Or(cmp.Compare(later(a), later(b)), cmp.Compare(a.at, b.at)) })
	}
	return out
}

// client is what the client itself recorded of an operation.
func client(h *history.History, o *history.Op) []traced {
	out := []traced{{o.Intended, "due: " + asked(h, o), true}}
	switch waited := o.Sent - o.Intended; {
	case o.Sent < 0, o.End < 0 && waited < 0: // nothing was sent, or nobody knows when
	case waited >= time.Millisecond:
		text := fmt.Sprintf("sent, %s after it was due", short(waited))
		if o.Late >= time.Millisecond {
			text += fmt.Sprintf("; %s of it is the generator's own delay", short(o.Late))
		}
		out = append(out, traced{o.Sent, text, true})
	default:
		out = append(out, traced{o.Sent, "sent", true})
	}
	for i, t := range h.Tries[o.ID] {
		out = append(out, traced{at: t.End, text: fmt.Sprintf("attempt %d.%d ended: %s", o.ID, i+1, outcome(kindOf(t.Outcome), t.Status, t.Error, t.Node, ""))})
	}
	if o.End < 0 {
		return append(out, traced{at: h.End, text: "the record ends, and it had no answer"})
	}
	text := outcome(o.Outcome, int(o.Status), h.ErrorOf(o), h.NodeOf(o), h.BalancerOf(o))
	text += fmt.Sprintf(", %s after it was due", short(o.End-o.Intended))
	if o.Sent < 0 {
		text += "; nothing was sent"
	}
	if o.Attempts > 1 {
		text += fmt.Sprintf(", at attempt %d", o.Attempts)
	}
	if o.Type == history.Order && o.Outcome == history.Good {
		text += fmt.Sprintf(": order %d", o.Value)
	}
	if o.Has(history.Replayed) {
		text += ", a replay of an earlier answer"
	}
	return append(out, traced{at: o.End, text: text})
}

// asked says whose operation it was, and what it was about.
func asked(h *history.History, o *history.Op) string {
	words := []string{o.Type.String()}
	if u := h.UserOf(o); u != "" {
		words = append(words, "of "+u)
	}
	if o.Session != 0 {
		words = append(words, fmt.Sprintf("in session %d", o.Session))
	}
	if b := h.BoundOf(o); b != "" {
		words = append(words, "bound to "+b)
	}
	text := strings.Join(words, " ")
	if k := h.KeyOf(o); k != "" {
		text += fmt.Sprintf(", key %q", k)
	}
	return text
}

func kindOf(k history.Kind) history.Outcome {
	switch k {
	case history.OK:
		return history.Good
	case history.Fail:
		return history.Failed
	}
	return history.Unknown
}

// errorWords say what the classes of errors mean.
var errorWords = map[string]string{
	history.ErrRefused: "connection refused", history.ErrConnect: "no connection, and nothing sent",
	history.ErrReset: "the connection broke after something was sent", history.ErrTimeout: "the client's patience ended, with the request on the wire",
	history.ErrDropped: "lost by the generator itself: its ceiling, or no socket left", history.ErrStatus: "an error status", history.ErrSession: "the session does not exist",
	history.ErrConflict: "a conflict", history.ErrMalformed: "an answer that could not be understood", history.ErrCancelled: "the run ended first",
}

// outcome says what the client was told. node and balancer are what the answer
// named; empty is none.
func outcome(o history.Outcome, status int, class, node, balancer string) string {
	var words []string
	if status != 0 {
		words = append(words, fmt.Sprintf("status %d", status))
	}
	if node != "" {
		words = append(words, "by "+node)
	}
	if balancer != "" {
		words = append(words, "through "+balancer)
	}
	text := strings.Join(words, " ")
	if o == history.Good {
		return strings.TrimSpace("ok " + text)
	}
	what := map[history.Outcome]string{history.Failed: "failed, certainly not applied", history.Unknown: "outcome unknown"}[o]
	if w, known := errorWords[class]; known {
		class = w
	}
	if status != 0 && class == errorWords[history.ErrStatus] {
		class = "" // the status says it
	}
	if class != "" {
		what += " (" + class + ")"
	}
	if text != "" {
		what += ": " + text
	}
	return what
}

// dispatched says what a balancer logged of a request.
func dispatched(d *history.Dispatch) string {
	text := fmt.Sprintf("%s took %d.%d", d.Balancer, d.Op, d.Attempt)
	if d.Server == "" {
		text += " and had no server for it"
	} else {
		text += " and sent it to " + d.Server
	}
	if d.Retries > 0 {
		text += fmt.Sprintf(" after %s", plural(d.Retries, "retry"))
	}
	if d.Redispatched {
		text += ", not the server that it first chose"
	}
	if d.Status > 0 {
		text += fmt.Sprintf("; status %d after %s", d.Status, short(d.Total))
	} else {
		text += "; no answer after " + short(d.Total)
	}
	for _, w := range []string{terminated(d.Term), cookieOf(d.Term)} {
		if w != "" {
			text += " (" + w + ")"
		}
	}
	return strings.Replace(text, "retrys", "retries", 1)
}

// How HAProxy says that a request ended before its time: its configuration
// manual (3.0), 8.5 "Session state at disconnection".
var (
	terminatedBy = map[byte]string{
		'C': "the client ended it", 'S': "the server ended or refused it", 'P': "the balancer ended it", 'L': "the balancer answered itself",
		'R': "the balancer had no resources", 'I': "the balancer failed", 'D': "the server was marked down", 'U': "a backup server came up",
		'K': "an operator ended it", 'c': "the client was too slow", 's': "the server was too slow",
	}
	terminatedIn = map[byte]string{
		'R': "while the request came in", 'Q': "in the queue", 'C': "while connecting to the server", 'H': "while waiting for the server's answer",
		'D': "while data flowed", 'L': "while the last data went out", 'T': "in the tarpit",
	}
)

// cookieOf says in words that a request's cookie named a server that could not be had
// (the same, the third letter).
func cookieOf(term string) string {
	if len(term) < 3 {
		return ""
	}
	return map[byte]string{'I': "its cookie names a server that is not there", 'D': "its cookie names a server that is down"}[term[2]]
}

// terminated says in words how a request ended; empty if it ended as it
// should, or in a way that is not known.
func terminated(term string) string {
	if len(term) < 2 || terminatedBy[term[0]] == "" {
		return ""
	}
	return strings.TrimSpace(fmt.Sprintf("%s: %s %s", term, terminatedBy[term[0]], terminatedIn[term[1]]))
}

// received says what a node logged of a request.
func received(r *history.Receipt) string {
	did := map[string]string{"arrive": "got", "commit": "committed"}[r.What]
	text := fmt.Sprintf("%s %s %d.%d", r.Node, cmp.Or(did, "logged "+r.What+" of"), r.Op, r.Attempt)
	if r.Order != 0 {
		text += fmt.Sprintf(" as order %d", r.Order)
	}
	return text
}

// short prints a duration for people: "208 ms", "1.21 s".
func short(d time.Duration) string {
	switch a := d.Abs(); {
	case a < 10*time.Millisecond:
		return number(float64(d.Round(100*time.Microsecond))/float64(time.Millisecond)) + " ms"
	case a < time.Second:
		return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
	}
	return number(d.Round(10*time.Millisecond).Seconds()) + " s"
}
