package assert

import (
	"fmt"
	"strings"

	"github.com/hachaos/hachaos/history"
)

// trace is what the logs say of one write that is shown as evidence.
type trace struct {
	rows       []int
	dispatches []int
	receipts   []int
}

// evidence names the worst violations, MaxEvidence of them, and counts the
// rest. The logs are walked once for all that are shown.
func (b *book) evidence() ([]Evidence, int) {
	shown := b.violations[:min(len(b.violations), MaxEvidence)]
	traces := make(map[int]*trace, len(shown))
	for _, v := range shown {
		if v.write >= 0 {
			traces[v.write] = &trace{}
		}
	}
	b.follow(traces)
	out := make([]Evidence, 0, len(shown))
	for _, v := range shown {
		if v.write < 0 {
			out = append(out, b.stranger(v))
			continue
		}
		out = append(out, b.witness(v, traces[v.write]))
	}
	return out, len(b.violations) - len(shown)
}

func (b *book) follow(traces map[int]*trace) {
	if len(traces) == 0 {
		return
	}
	at := func(key string, op uint64) *trace {
		n, ok := b.find(key, op)
		if !ok {
			return nil
		}
		return traces[n]
	}
	for i := range b.h.Ledger {
		if t := at(b.h.Ledger[i].V.Key, b.h.Ledger[i].V.Op); t != nil {
			t.rows = append(t.rows, i)
		}
	}
	for i := range b.h.Dispatches {
		if t := at(b.h.Dispatches[i].V.Key, b.h.Dispatches[i].V.Op); t != nil {
			t.dispatches = append(t.dispatches, i)
		}
	}
	for i := range b.h.Receipts {
		if t := at(b.h.Receipts[i].V.Key, b.h.Receipts[i].V.Op); t != nil {
			t.receipts = append(t.receipts, i)
		}
	}
}

// stranger is the evidence of a row that no client sent.
func (b *book) stranger(v violation) Evidence {
	row := b.h.Ledger[v.row]
	return Evidence{
		Seq: row.Seq, Op: row.V.Op, At: row.Time, Node: row.V.Node, Class: v.class.String(),
		Text: fmt.Sprintf("the ledger holds %s under key %q, which no client sent", rowText(row.V), row.V.Key),
	}
}

// witness is the evidence of a write.
func (b *book) witness(v violation, t *trace) Evidence {
	op := &b.h.Ops[b.writes[v.write].op]
	e := Evidence{
		Op: op.ID, At: max(op.End, op.Intended), Node: b.h.Names.Get(op.Node), Class: v.class.String(),
	}
	parts := []string{fmt.Sprintf("order op %d, key %q, %s: %s", op.ID, b.h.Names.Get(op.Key), b.answer(op), b.rowsText(v.class, t))}
	for _, s := range []string{b.clientText(op), b.balancerText(t), b.receiptText(t)} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if len(t.rows) > 0 {
		e.Seq = b.h.Ledger[t.rows[0]].Seq
	}
	e.Text = strings.Join(parts, "; ")
	return e
}

// answer is what the client was told in the end.
func (b *book) answer(op *history.Op) string {
	switch op.Outcome {
	case history.Good:
		return fmt.Sprintf("acknowledged as order %d by %s", op.Value, b.nodeOr(op.Node, "an unnamed node"))
	case history.Failed:
		return fmt.Sprintf("failed (%s)", b.h.Names.Get(history.Name(op.Error)))
	}
	return fmt.Sprintf("of unknown outcome (%s)", b.h.Names.Get(history.Name(op.Error)))
}

func (b *book) nodeOr(n history.Name, otherwise string) string {
	if s := b.h.Names.Get(n); s != "" {
		return s
	}
	return otherwise
}

func (b *book) rowsText(class writeClass, t *trace) string {
	if len(t.rows) == 0 {
		return "the ledger has no such row"
	}
	var rows []string
	for _, i := range t.rows[:min(len(t.rows), 5)] {
		rows = append(rows, rowText(b.h.Ledger[i].V))
	}
	text := fmt.Sprintf("the ledger has %s: %s", count(len(t.rows), "row"), strings.Join(rows, ", "))
	if more := len(t.rows) - len(rows); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	switch class {
	case phantomWrite:
		text += ", although nothing of it was sent"
	case appliedWrite:
		text += ", although its client was told that it was not applied"
	}
	return text
}

func rowText(r history.LedgerRow) string {
	return fmt.Sprintf("order %d (op %d.%d on %s)", r.Order, r.Op, r.Attempt, r.Node)
}

// clientText tells the client's own attempts.
func (b *book) clientText(op *history.Op) string {
	if op.Attempts < 2 {
		return ""
	}
	var tries []string
	for i, t := range b.h.Tries[op.ID] {
		what := t.Error
		if what == "" {
			what = string(t.Outcome)
		}
		if t.Node != "" {
			what += " at " + t.Node
		}
		tries = append(tries, fmt.Sprintf("%d.%d %s", op.ID, i+1, what))
	}
	text := fmt.Sprintf("the client made %d attempts", op.Attempts)
	if len(tries) > 0 {
		text += " (first " + list(tries, 5) + ")"
	}
	return text
}

// balancerText tells the retries of the balancers.
func (b *book) balancerText(t *trace) string {
	var parts []string
	for _, i := range t.dispatches {
		d := &b.h.Dispatches[i].V
		if n := repeats(d); n > 0 {
			part := fmt.Sprintf("%s sent %d.%d again (%s), last to %s", d.Balancer, d.Op, d.Attempt, retries(n), d.Server)
			parts = append(parts, part)
		}
	}
	return list(parts, 5)
}

// receiptText tells on which nodes the write arrived and was committed, and how
// often.
func (b *book) receiptText(t *trace) string {
	var parts []string
	times := map[string]int{}
	for _, i := range t.receipts {
		r := &b.h.Receipts[i].V
		part := fmt.Sprintf("%s logged %s of %d.%d", r.Node, r.What, r.Op, r.Attempt)
		if r.Order != 0 {
			part += fmt.Sprintf(" as order %d", r.Order)
		}
		if times[part]++; times[part] == 1 {
			parts = append(parts, part)
		}
	}
	for i, part := range parts {
		if n := times[part]; n > 1 {
			parts[i] += fmt.Sprintf(" %d times", n)
		}
	}
	return list(parts, 8)
}
