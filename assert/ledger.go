package assert

import (
	"fmt"
	"strings"

	"github.com/hachaos/hachaos/history"
)

// WriteLedger expects each order that was acknowledged to be in the database
// exactly once, and nothing there that was never sent. It joins the clients'
// record, the balancers' log, the nodes' receipts and the ledger's rows on
// key and operation, in time and memory linear in their number.
//
// The writes, one a key, are classed as
//
//	once           acknowledged, one row
//	lost           acknowledged, no row                                  violation
//	duplicate      more than one row                                     violation
//	phantom        a row that no client sent                             violation
//	conflict       acknowledged with another order than the row's        violation
//	applied though refused
//	               said to be certainly not applied, and one row         violation
//	recovered      an unknown outcome, but applied
//	indeterminate  an unknown outcome and no row; or the record contradicts itself
//	refused        an error, no row
//	not sent       nothing of it reached the wire
//
// A write that a balancer sent more often than its client did may have been
// applied by one sending and refused by another: it is recovered. Whether one
// was is in the nodes' receipts; without all of them a refused write with a
// row is no violation, and the verdict inconclusive.
//
// The violations rest on the client's own record and the database, so they
// stand although a need is missing. Without a complete ledger nothing is
// called lost. A row without an operation's number, and on a topology that
// outlives the run one whose key has not this run's prefix, was written by
// somebody else: such rows are counted and not judged.
//
// The zero value is ready to use.
type WriteLedger struct {
	// Require names an occasion without which there is no verdict: the
	// scenario is about it. Empty requires none.
	Require string `json:"require,omitempty"`
}

// Occasions that WriteLedger can require.
const (
	// RequireUnknown: an attempt of which nobody knew whether it was applied.
	RequireUnknown = "unknown outcome"
	// RequireResent: a write arrived at the nodes more often than its client
	// sent it, so that a balancer sent it again.
	RequireResent = "sent again by a balancer"
)

// Name implements Checker.
func (WriteLedger) Name() string { return "write-ledger" }

// About implements Checker.
func (WriteLedger) About() string {
	return "each acknowledged order is in the database exactly once, and nothing that was never sent or was refused (0 duplicate, lost, phantom or refused writes)"
}

// Needs implements Checker.
func (WriteLedger) Needs() []Need {
	return []Need{{Kind: NeedFault}, {Kind: NeedStream, Stream: history.StreamLedger}}
}

// Check implements Checker. Measured is the number of writes that violate
// the ledger; it is not exercised if no unknown outcome and no retry was met.
func (l WriteLedger) Check(h *history.History) Verdict {
	b := newBook(h)
	b.readClients()
	b.readRows()
	b.readLogs()
	b.classify()
	return l.verdict(b)
}

// occasion says whether what is required was met.
func (l WriteLedger) occasion(b *book) bool {
	switch l.Require {
	case "":
		return true
	case RequireUnknown:
		return b.unknown > 0
	case RequireResent:
		return b.resent > 0
	}
	return false
}

// writeClass is what became of one write.
type writeClass uint8

// The classes; those up to refused and applied are violations, worst first.
const (
	duplicateWrite writeClass = iota
	lostWrite
	phantomWrite
	conflictWrite
	appliedWrite
	onceWrite
	recoveredWrite
	indeterminateWrite
	refusedWrite
	unsentWrite
	writeClasses
)

var writeClassNames = [writeClasses]string{
	"duplicate", "lost", "phantom", "conflict", "applied though refused", "once", "recovered", "indeterminate", "refused", "not sent",
}

func (c writeClass) String() string  { return writeClassNames[c] }
func (c writeClass) violation() bool { return c <= appliedWrite }

// verdict puts the book into words.
func (l WriteLedger) verdict(b *book) Verdict {
	v := Verdict{
		Name: l.Name(), Bound: figure(0), Op: "<=", Unit: "writes",
		Measured: figure(float64(len(b.violations))), Measures: b.measures(), Notes: b.notes(),
	}
	judged := fmt.Sprintf("judged %s and %s (%d by clients, %d by balancers)",
		count(b.unknown, "unknown outcome"), retries(b.clientRetries+b.balancerRetries), b.clientRetries, b.balancerRetries)
	switch missing := missingStream(b.h, history.StreamLedger); {
	case len(b.violations) > 0:
		v.Status, v.Safety = Fail, true
		v.Summary = fmt.Sprintf("%s violated the ledger: %s; %s.", count(len(b.violations), "write"), b.tally(), judged)
		v.Evidence, v.More = b.evidence()
		v.Fix = b.fix()
	case missing != "":
		v.Measured = nil
		v.Summary = "The ledger was not read whole, so it settles nothing."
		inconclusive(&v, missing)
	case b.sent == 0:
		v.Measured, v.NotExercised = nil, true
		v.Summary = "No order was sent."
		inconclusive(&v, "no order was sent")
	case b.counts[onceWrite]+b.counts[recoveredWrite] == 0:
		v.NotExercised = true
		v.Summary = "No order was acknowledged or applied."
		inconclusive(&v, "no order was acknowledged or applied")
	case b.contradicted > 0:
		v.Summary = "The client's record and the logs contradict each other."
		inconclusive(&v, fmt.Sprintf("%s that the client did not send arrived all the same, by the logs", count(b.contradicted, "order")))
	case b.unsettled > 0:
		v.Summary = "Orders were refused and applied, and nobody knows how often they were sent."
		inconclusive(&v, fmt.Sprintf("%s refused and in the ledger all the same, which a balancer may have sent again: %s", count(b.unsettled, "order"), streamReason(b.h, history.StreamReceipt)))
	case !l.occasion(b):
		v.NotExercised = true
		v.Summary = "What the scenario is about did not happen."
		inconclusive(&v, fmt.Sprintf("no order met the occasion %q; %s", l.Require, judged))
	default:
		v.Status = Pass
		v.NotExercised = b.unknown == 0 && b.clientRetries+b.balancerRetries+b.resent == 0
		v.Summary = fmt.Sprintf("%s acknowledged and in the ledger once, %d recovered; %s.", count(b.counts[onceWrite], "order"), b.counts[recoveredWrite], judged)
	}
	return v
}

func retries(n int) string {
	if n == 1 {
		return "1 retry"
	}
	return fmt.Sprintf("%d retries", n)
}

// tally is "2 duplicate, 1 lost".
func (b *book) tally() string {
	var parts []string
	for c := duplicateWrite; c.violation(); c++ {
		if n := b.counts[c]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, c))
		}
	}
	return strings.Join(parts, ", ")
}

func (b *book) measures() []Measure {
	m := []Measure{{Name: "orders", Value: float64(b.orders), Unit: "operations"}}
	for c := range writeClasses {
		x := Measure{Name: c.String(), Value: float64(b.counts[c]), Unit: "writes"}
		if c.violation() {
			x.Bound = figure(0)
		}
		m = append(m, x)
	}
	return append(m,
		Measure{Name: "unknown outcomes", Value: float64(b.unknown), Unit: "operations", Note: "in the end or on the way"},
		Measure{Name: "client retries", Value: float64(b.clientRetries), Unit: "attempts"},
		Measure{Name: "balancer retries", Value: float64(b.balancerRetries), Unit: "attempts"},
		Measure{Name: "sent again by a balancer", Value: float64(b.resent), Unit: "attempts", Note: "arrivals at nodes beyond what clients sent"},
		Measure{Name: "replayed answers", Value: float64(b.replayed), Unit: "operations"},
		Measure{Name: "conflict answers", Value: float64(b.refusedAsConflict), Unit: "operations", Note: "409 to a key"},
		Measure{Name: "foreign rows", Value: float64(b.foreign), Unit: "rows", Note: "of other clients"},
		Measure{Name: "committed but absent", Value: float64(b.commitsAbsent), Unit: "writes", Note: "a node logged the commit, no row"},
	)
}

// notes say what the logs could not add.
func (b *book) notes() []string {
	var out []string
	for _, s := range []string{history.StreamDispatch, history.StreamReceipt} {
		if r := streamReason(b.h, s); r != "" {
			out = append(out, fmt.Sprintf("the %s log is not whole (%s): what it lacks is unknown, and retries may be more", s, r))
		}
	}
	if b.foreign > 0 {
		out = append(out, fmt.Sprintf("rows of the ledger that no operation of the load wrote, and that were not judged: %d", b.foreign))
	}
	if b.counts[indeterminateWrite] > 0 {
		out = append(out, fmt.Sprintf("%s of unknown outcome left no row, which is allowed", count(b.counts[indeterminateWrite], "order")))
	}
	return out
}

// fix is by the worst class that there is.
func (b *book) fix() string {
	for c := duplicateWrite; c.violation(); c++ {
		switch {
		case b.counts[c] == 0:
		case c == duplicateWrite:
			return valueFix(b.h, "deduplicate by idempotency key in the transaction that writes the order", ValueDedupe, ValueResending)
		case c == lostWrite:
			return valueFix(b.h, "acknowledge an order only when it is on the database's disk", ValueDurability)
		case c == phantomWrite:
			return valueFix(b.h, "write only what a client sent, under the key that it sent with it", ValueDedupe)
		case c == conflictWrite:
			return valueFix(b.h, "answer a key with the order that was written under it", ValueDedupe)
		default:
			return valueFix(b.h, "write order and key in one transaction, and refuse nothing that may have been committed", ValueDedupe, ValueStatementTime, ValueTimeouts)
		}
	}
	return ""
}
