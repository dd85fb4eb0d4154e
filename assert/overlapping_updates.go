package assert

import (
	"fmt"
	"strings"

	"github.com/hachaos/hachaos/history"
)

// OverlappingUpdates expects two updates of one session that were sent at once to be
// in it, both, if both were acknowledged. A node may refuse one of them. Of each pair
// the counter is read before and after:
//
//	lost update    fewer were added than acknowledged                        violation
//	counted too often  more were added than acknowledged and of unknown fate     violation
//	lost session       a node does not know it any more, or has begun another    violation
//
// The counter is what was read last: it is asked for again where it is too low, since a
// node may still have a copy of the session for a moment after it has answered. A pair after which the counter could not be read says nothing. The violations rest
// on the client's own record, so they stand although a need is missing. The zero value
// is ready to use.
type OverlappingUpdates struct{}

// Name implements Checker.
func (OverlappingUpdates) Name() string { return "overlapping-updates" }

// About implements Checker.
func (OverlappingUpdates) About() string {
	return "of two updates of a session at once, what was acknowledged is in it (0 pairs that lost one, counted too many, or lost the session)"
}

// Needs implements Checker.
func (OverlappingUpdates) Needs() []Need {
	return []Need{{Kind: NeedStream, Stream: history.StreamOverlap}}
}

// Check implements Checker. Measured is the number of pairs that violate. It is not
// exercised if no pair met two nodes of which one acknowledged an update.
func (OverlappingUpdates) Check(h *history.History) Verdict {
	v := Verdict{Bound: figure(0), Op: "<=", Unit: "pairs"}
	lost, extra, gone, judged, both, one, crossed, unknown := 0, 0, 0, 0, 0, 0, 0, 0
	for _, o := range h.Overlaps {
		acked, open := outcomesOf(o.V)
		added := o.V.After - o.V.Before
		class := ""
		switch {
		case o.V.Gone:
			class = "lost session"
			gone++
		case o.V.After < 0 || o.V.Before < 0:
			unknown++
			continue
		case added < acked:
			class = "lost update"
			lost++
		case added > acked+open:
			class = "counted too often"
			extra++
		}
		judged++
		switch {
		case acked == 2:
			both++
		case acked == 1:
			one++
		}
		if acked > 0 && nodesOf(o.V) > 1 {
			crossed++
		}
		if class != "" {
			v.Evidence = append(v.Evidence, Evidence{Seq: o.Seq, At: o.Time, Class: class, Text: overlapText(o.V, acked, added)})
		}
	}
	bad := lost + extra + gone
	v.Measured = figure(float64(bad))
	v.Measures = []Measure{
		{Name: "lost update", Value: float64(lost), Unit: "pairs", Bound: figure(0)},
		{Name: "counted too often", Value: float64(extra), Unit: "pairs", Bound: figure(0)},
		{Name: "lost session", Value: float64(gone), Unit: "pairs", Bound: figure(0)},
		{Name: "judged", Value: float64(judged), Unit: "pairs"},
		{Name: "both acknowledged", Value: float64(both), Unit: "pairs"},
		{Name: "one acknowledged", Value: float64(one), Unit: "pairs"},
		{Name: "at two nodes", Value: float64(crossed), Unit: "pairs", Note: "with an update that was acknowledged"},
		{Name: "not known", Value: float64(unknown), Unit: "pairs", Note: "the counter could not be read"},
	}
	switch {
	case bad > 0:
		v.Status, v.Safety = Fail, true
		v.Summary = fmt.Sprintf("Of %s of updates at once, %d lost one that was acknowledged, %d counted more than were sent, and %d lost the session.", count(judged, "pair"), lost, extra, gone)
		v.Fix = valueFix(h, "save a session only over what was read of it, and refuse the request otherwise", ValueSessionFence, ValueSessionCache)
	case both+one == 0:
		v.Measured, v.NotExercised = nil, true
		v.Summary = "No update that overlapped another was acknowledged."
		inconclusive(&v, "no update that overlapped another was acknowledged")
	default:
		v.Status, v.NotExercised = Pass, crossed == 0
		v.Summary = fmt.Sprintf("What was acknowledged of %d pairs of updates at once was in the session: both of %d, one of %d; %d pairs met two nodes.",
			judged, both, one, crossed)
	}
	return v
}

// outcomesOf counts the updates that were acknowledged, and those of unknown fate.
func outcomesOf(o history.Overlap) (acked, open int64) {
	for _, a := range o.Answers {
		switch a.Outcome {
		case string(history.OK):
			acked++
		case string(history.Fail):
		default:
			open++
		}
	}
	return acked, open
}

// nodesOf counts the nodes that answered.
func nodesOf(o history.Overlap) int {
	nodes := map[string]bool{}
	for _, a := range o.Answers {
		if a.Node != "" {
			nodes[a.Node] = true
		}
	}
	return len(nodes)
}

// overlapText is a violation in words.
func overlapText(o history.Overlap, acked, added int64) string {
	var said []string
	for _, a := range o.Answers {
		text := fmt.Sprintf("%d by %s", a.Status, a.Node)
		if a.Status == 0 {
			text = "no answer"
		}
		said = append(said, text)
	}
	if o.Gone {
		return fmt.Sprintf("session %d: two updates at once (%s), %d acknowledged; then a node did not know it, or had begun another",
			o.Session, strings.Join(said, ", "), acked)
	}
	return fmt.Sprintf("session %d: two updates at once (%s), %d acknowledged; its counter went from %d to %d, by %d",
		o.Session, strings.Join(said, ", "), acked, o.Before, o.After, added)
}
