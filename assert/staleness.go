package assert

import (
	"fmt"
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// Staleness expects what is read not to be older than a stated tolerance: a
// value that was replaced, by a change whose answer had come, longer ago than
// that before the read was sent is too old. Values only go up, so that what is
// read tells by which change it was last right.
//
// The age of a read is the time from the answer of the change that first
// replaced the value read to the sending of the read; it is an under-estimate,
// since the change took effect before its answer. Changes whose answer never
// came do not count. The violations rest on the client's own record.
type Staleness struct {
	// Bound names the bound (of Meta.Bounds) that is the tolerance.
	Bound string `json:"bound"`
}

// Name implements Checker.
func (Staleness) Name() string { return "staleness" }

// About implements Checker.
func (s Staleness) About() string {
	return fmt.Sprintf("no value is read that was replaced longer before than the bound %s", s.Bound)
}

// Needs implements Checker.
func (Staleness) Needs() []Need {
	return []Need{{Kind: NeedFault}, {Kind: NeedStream, Stream: history.StreamPrice}}
}

// priceChange is a value and when the answer to its change, or to a later one that
// was answered sooner, came: since then it had certainly been replaced.
type priceChange struct {
	price int64
	at    time.Duration
}

// Check implements Checker. Measured is the age of the oldest value that was
// read, in milliseconds. It is not exercised if no read came from another node
// than the last change did.
func (s Staleness) Check(h *history.History) Verdict {
	bound, known := findBound(h, s.Bound)
	v := Verdict{Name: s.Name(), Op: "<=", Unit: "ms"}
	if !known {
		v.Reasons = []string{fmt.Sprintf("the topology states no bound %q: name one of %s", s.Bound, boundNames(h))}
		return v
	}
	v.Bound = figure(millis(bound.Limit))
	changes := map[string][]priceChange{}
	writer := map[string]string{} // by item, the node of its last change
	for _, p := range h.Prices {
		if p.V.Write {
			changes[p.V.Item] = append(changes[p.V.Item], priceChange{p.V.Price, p.Time})
		}
	}
	for _, list := range changes {
		slices.SortFunc(list, func(a, b priceChange) int { return int(a.price - b.price) })
		for i := len(list) - 2; i >= 0; i-- {
			list[i].at = min(list[i].at, list[i+1].at)
		}
	}
	reads, stale, tooOld, elsewhere := 0, 0, 0, 0
	oldest := time.Duration(0)
	for _, p := range h.Prices {
		if p.V.Write {
			writer[p.V.Item] = p.V.Node
			continue
		}
		reads++
		if w := writer[p.V.Item]; w != "" && w != p.V.Node {
			elsewhere++
		}
		age := ageOf(changes[p.V.Item], p)
		if age > 0 {
			stale++
		}
		if age > bound.Limit {
			tooOld++
			v.Evidence = append(v.Evidence, Evidence{
				Seq: p.Seq, At: p.Time, Node: p.V.Node, Class: "stale read",
				Text: fmt.Sprintf("%s answered %d for %s, which had been replaced for %v when it was asked", p.V.Node, p.V.Price, p.V.Item, age.Round(time.Millisecond)),
			})
		}
		oldest = max(oldest, age)
	}
	v.Measured = figure(millis(oldest))
	v.Measures = []Measure{
		{Name: "reads", Value: float64(reads), Unit: "answers"},
		{Name: "of a replaced value", Value: float64(stale), Unit: "answers", Note: "within the tolerance or not"},
		{Name: "too old", Value: float64(tooOld), Unit: "answers", Bound: figure(0)},
		{Name: "at another node", Value: float64(elsewhere), Unit: "answers", Note: "than the one that changed the value"},
	}
	switch {
	case tooOld > 0:
		v.Status, v.Safety = Fail, true
		v.Summary = fmt.Sprintf("%s of %d answered a value that had been replaced for more than %v; the oldest for %v.",
			count(tooOld, "read"), reads, bound.Limit, oldest.Round(time.Millisecond))
		v.Fix = valueFix(h, "let a cached value live no longer than its readers bear", ValuePriceLife)
	case reads == 0 || len(changes) == 0:
		v.Measured, v.NotExercised = nil, true
		v.Summary = "Nothing was changed and read."
		inconclusive(&v, fmt.Sprintf("%d reads of %d changed values", reads, len(changes)))
	default:
		v.Status = Pass
		v.NotExercised = elsewhere == 0
		v.Summary = fmt.Sprintf("Of %d reads, %d at another node than the one that changed the value, %d gave a value that had been replaced, at most %v before.",
			reads, elsewhere, stale, oldest.Round(time.Millisecond))
	}
	return v
}

// ageOf is for how long the value that was read had certainly been replaced
// when the read was sent; 0 if it had not.
func ageOf(changes []priceChange, read history.At[history.Price]) time.Duration {
	i, _ := slices.BinarySearchFunc(changes, read.V.Price+1, func(c priceChange, price int64) int { return int(c.price - price) })
	if i == len(changes) {
		return 0
	}
	return max(0, read.V.Sent-changes[i].at)
}
