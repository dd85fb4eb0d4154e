package report

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/hachaos/hachaos/history"
)

// written is one write: the orders that share an idempotency key, and the
// rows that the ledger has of it.
type written struct {
	key      string
	ops      []int // indices of the operations
	rows     []int // indices of the ledger's rows
	attempts int
	acked    bool
	unknown  bool
	sent     bool
	conflict bool
}

// Classes of a write, as assert.WriteLedger names them.
const (
	writeDuplicate     = "duplicate"
	writeLost          = "lost"
	writePhantom       = "phantom"
	writeConflict      = "conflict"
	writeOnce          = "once"
	writeRecovered     = "recovered"
	writeIndeterminate = "indeterminate"
	writeRefused       = "refused"
	writeUnsent        = "not sent"
)

// troubled are the classes that violate the ledger, and those that a reader
// asks for next, worst first.
var troubled = []string{
	writeDuplicate, writeLost, writePhantom, writeConflict, writeIndeterminate, writeRecovered, writeRefused, writeUnsent,
}

// class is what became of the write, by the clients' record and the ledger
// alone. The judge also weighs what the logs say, so that it calls
// indeterminate what the record contradicts.
func (w *written) class(whole bool) string {
	switch {
	case len(w.rows) > 1:
		return writeDuplicate
	case len(w.rows) == 1 && !w.sent:
		return writePhantom
	case len(w.rows) == 1 && w.conflict:
		return writeConflict
	case len(w.rows) == 1 && w.acked:
		return writeOnce
	case len(w.rows) == 1:
		return writeRecovered
	case w.acked && whole:
		return writeLost
	case w.acked || w.unknown:
		return writeIndeterminate
	case w.sent:
		return writeRefused
	}
	return writeUnsent
}

// writesOf joins orders and rows by key, or by operation where there is none.
func writesOf(h *history.History) []written {
	index, out := map[string]int{}, []written{}
	get := func(key string) *written {
		n, ok := index[key]
		if !ok {
			n = len(out)
			out, index[key] = append(out, written{key: key}), n
		}
		return &out[n]
	}
	for i := range h.Ops {
		o := &h.Ops[i]
		if o.Type != history.Order {
			continue
		}
		w := get(cmp.Or(h.KeyOf(o), "op "+strconv.FormatUint(o.ID, 10)))
		w.ops = append(w.ops, i)
		w.attempts += int(o.Attempts)
		w.acked = w.acked || o.Outcome == history.Good
		w.unknown = w.unknown || o.Outcome == history.Unknown
		w.sent = w.sent || o.Sent >= 0 || o.Outcome != history.Failed
	}
	for i := range h.Ledger {
		row := &h.Ledger[i].V
		key := row.Key
		if o, ok := h.Op(row.Op); ok && key == "" {
			key = "op " + strconv.FormatUint(o.ID, 10)
		}
		if _, ours := index[key]; !ours && (row.Op == 0 || h.Meta.Standing) {
			continue // somebody else's
		}
		w := get(key)
		w.rows = append(w.rows, i)
	}
	for i := range out {
		w := &out[i]
		for _, n := range w.ops {
			if o := &h.Ops[n]; o.Outcome == history.Good && o.Value != 0 && len(w.rows) == 1 && h.Ledger[w.rows[0]].V.Order != o.Value {
				w.conflict = true
			}
		}
	}
	return out
}

// addWrites: key, class, operations, attempts, rows ([order, operation,
// attempt, node]). What went wrong comes first, then what was tried again.
func (d *detailed) addWrites(h *history.History, p *picked) {
	whole, _ := h.CoverageOf(history.StreamLedger)
	writes := writesOf(h)
	d.WritesTotal = len(writes)
	rank := func(w *written) int {
		if n := slices.Index(troubled, w.class(whole)); n >= 0 {
			return n
		}
		if w.attempts > 1 {
			return len(troubled)
		}
		return len(troubled) + 1
	}
	order := make([]int, len(writes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rank(&writes[a]), rank(&writes[b])) })
	for _, n := range order[:min(len(order), maxWrites)] {
		w := &writes[n]
		rows := make([]cells, 0, len(w.rows))
		for _, i := range w.rows[:min(len(w.rows), 16)] {
			row := &h.Ledger[i].V
			rows = append(rows, cells{row.Order, row.Op, row.Attempt, d.name(row.Node)})
		}
		ops := make([]uint64, 0, len(w.ops))
		for _, i := range w.ops[:min(len(w.ops), 16)] {
			o := &h.Ops[i]
			ops = append(ops, o.ID)
			if rank(w) < len(troubled) {
				p.tell(o)
			}
		}
		d.Writes = append(d.Writes, cells{cleanName(w.key), d.name(w.class(whole)), ops, w.attempts, rows})
	}
}
