package assert

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/hachaos/hachaos/history"
)

// book is the join behind WriteLedger. A write is the set of order
// operations that share a key; an operation without a key is a write of its
// own.
type book struct {
	h *history.History

	writes  []write
	byKey   []uint32       // by Name of the key: index into writes + 1
	keyless map[int]uint32 // by index of the operation: index into writes + 1

	strangers  []int // rows that no client sent, by index into Ledger
	violations []violation
	counts     [writeClasses]int

	orders, sent, unknown, replayed int
	clientRetries, balancerRetries  int
	refusedAsConflict               int
	commitsAbsent, contradicted     int
	unsettled                       int // refused, applied, and perhaps sent again
	resent                          int
	foreign                         int
}

// write is 16 bytes, so that millions of them stay cheap.
type write struct {
	op    uint32 // index of its first operation
	row   uint32 // index of its first row + 1
	rows  uint16 // saturating
	flags writeFlags
	// surplus is by how many its arrivals at nodes exceed the attempts that
	// its clients made; the rest came from a balancer.
	surplus int32
}

type writeFlags uint16

const (
	acknowledged writeFlags = 1 << iota
	uncertain               // an operation's final outcome is unknown
	reached                 // something of it may have reached the wire
	conflicting             // an answer named another order than the row's
	inLogs                  // a log shows it although nothing was sent
	committed               // a node logged its commit
	doubted                 // an attempt before the last is of unknown outcome
	repeated                // a balancer's log says that it sent it again
)

// violation is a write, or a row without one, that breaks the ledger.
type violation struct {
	class writeClass
	write int // index into writes; -1 for a row that no client sent
	row   int // index into Ledger, of such a row
	rows  int
	op    uint64
}

func newBook(h *history.History) *book {
	var top history.Name
	orders := 0
	for i := range h.Ops {
		if op := &h.Ops[i]; op.Type == history.Order {
			top = max(top, op.Key)
			orders++
		}
	}
	return &book{
		h: h, byKey: make([]uint32, int(top)+1), keyless: map[int]uint32{},
		writes: make([]write, 0, orders), // as many, unless keys are shared
	}
}

// readClients makes the writes from the clients' record.
func (b *book) readClients() {
	conflict := classNumber(b.h, history.ErrConflict)
	for i := range b.h.Ops {
		op := &b.h.Ops[i]
		if op.Type != history.Order {
			continue
		}
		b.orders++
		w := b.writeOf(i)
		if maySend(op) {
			b.sent++
			w.flags |= reached
		}
		switch op.Outcome {
		case history.Good:
			w.flags |= acknowledged
		case history.Unknown:
			w.flags |= uncertain
		}
		if unknownTries(b.h, op) > 0 {
			w.flags |= doubted
		}
		w.surplus -= int32(op.Attempts)
		b.countRetries(op)
		if op.Has(history.Replayed) {
			b.replayed++
		}
		if conflict != 0 && op.Error == conflict {
			b.refusedAsConflict++
		}
	}
}

func (b *book) countRetries(op *history.Op) {
	if op.Attempts > 1 {
		b.clientRetries += int(op.Attempts) - 1
	}
	if op.Outcome == history.Unknown && maySend(op) || unknownTries(b.h, op) > 0 {
		b.unknown++
	}
}

// writeOf is the write of the operation with that index, made if need be.
func (b *book) writeOf(i int) *write {
	slot := b.slot(i)
	if *slot == 0 {
		b.writes = append(b.writes, write{op: uint32(i)})
		*slot = uint32(len(b.writes))
		if b.h.Ops[i].Key == 0 {
			b.keyless[i] = *slot
		}
	}
	return &b.writes[*slot-1]
}

func (b *book) slot(i int) *uint32 {
	if key := b.h.Ops[i].Key; key != 0 {
		return &b.byKey[key]
	}
	n := b.keyless[i]
	return &n
}

// find is the index of the write that a key and an operation's number mean.
// The number is only a short cut, unless there is no key.
func (b *book) find(key string, id uint64) (int, bool) {
	if i, ok := opIndex(b.h.Ops, id); ok {
		op := &b.h.Ops[i]
		if op.Type == history.Order && (key == "" || b.h.KeyOf(op) == key) {
			return int(*b.slot(i)) - 1, true
		}
	}
	n := nameOf(b.h, key)
	if int(n) >= len(b.byKey) || b.byKey[n] == 0 {
		return 0, false
	}
	return int(b.byKey[n]) - 1, true
}

// readRows counts the ledger's rows of each write, then holds the answers
// against them.
func (b *book) readRows() {
	for i := range b.h.Ledger {
		row := &b.h.Ledger[i].V
		n, ok := b.find(row.Key, row.Op)
		if !ok {
			if b.isForeign(row) {
				b.foreign++
			} else {
				b.strangers = append(b.strangers, i)
			}
			continue
		}
		w := &b.writes[n]
		if w.rows == 0 {
			w.row = uint32(i) + 1
		}
		if w.rows < 0xffff {
			w.rows++
		}
	}
	for i := range b.h.Ops {
		op := &b.h.Ops[i]
		if op.Type != history.Order || op.Outcome != history.Good || op.Value == 0 {
			continue
		}
		if w := b.writeOf(i); w.rows == 1 && b.h.Ledger[w.row-1].V.Order != op.Value {
			w.flags |= conflicting
		}
	}
}

// isForeign says that a row which no operation explains is somebody else's.
func (b *book) isForeign(row *history.LedgerRow) bool {
	if row.Op == 0 {
		return true
	}
	if !b.h.Meta.Standing || len(b.writes) == 0 {
		return false
	}
	op := &b.h.Ops[b.writes[0].op]
	prefix, ours := strings.CutSuffix(b.h.KeyOf(op), strconv.FormatUint(op.ID, 10))
	return ours && prefix != "" && !strings.HasPrefix(row.Key, prefix)
}

// readLogs adds what balancers and nodes saw: their retries, commits without
// a row, and arrivals that contradict the client.
func (b *book) readLogs() {
	for i := range b.h.Dispatches {
		d := &b.h.Dispatches[i].V
		n, ok := b.find(d.Key, d.Op)
		if !ok {
			continue
		}
		b.writes[n].flags |= inLogs
		if repeats(d) > 0 {
			b.writes[n].flags |= repeated
		}
		b.balancerRetries += repeats(d)
	}
	for i := range b.h.Receipts {
		r := &b.h.Receipts[i].V
		n, ok := b.find(r.Key, r.Op)
		if !ok {
			continue
		}
		w := &b.writes[n]
		w.flags |= inLogs
		if r.What == "arrive" {
			w.surplus++
		}
		if r.What == "commit" && w.rows == 0 && w.flags&committed == 0 {
			w.flags |= committed
			b.commitsAbsent++
		}
	}
}

// repeats is how often a balancer sent a request again; a redispatch is one.
func repeats(d *history.Dispatch) int {
	if d.Redispatched {
		return max(1, d.Retries)
	}
	return d.Retries
}

// classify counts the classes and gathers the violations, worst first.
func (b *book) classify() {
	whole := streamReason(b.h, history.StreamLedger) == ""
	arrivals := streamReason(b.h, history.StreamReceipt) == ""
	for i := range b.writes {
		w := &b.writes[i]
		class := w.class(whole)
		if w.denied() && w.surplus <= 0 && !arrivals {
			class = recoveredWrite
			b.unsettled++
		}
		b.resent += int(max(0, w.surplus))
		if w.rows > 0 && w.flags&(reached|inLogs) == inLogs {
			b.contradicted++
		}
		b.counts[class]++
		if class.violation() {
			b.violations = append(b.violations, violation{
				class: class, write: i, rows: int(w.rows), op: b.h.Ops[w.op].ID,
			})
		}
	}
	for _, r := range b.strangers {
		b.counts[phantomWrite]++
		b.violations = append(b.violations, violation{class: phantomWrite, write: -1, row: r, rows: 1, op: b.h.Ledger[r].V.Op})
	}
	slices.SortStableFunc(b.violations, func(x, y violation) int {
		return cmp.Or(cmp.Compare(x.class, y.class), cmp.Compare(y.rows, x.rows), cmp.Compare(x.op, y.op))
	})
}

// denied says that the write is in the ledger once, and that its clients were told
// each time that it was not applied. If it arrived at nodes as often as they sent
// it, one of the nodes that told them had applied it: what a balancer sent again
// then never arrived the first time. If it arrived more often, the answer may be
// another arrival's.
func (w *write) denied() bool {
	return w.rows == 1 && w.flags&reached != 0 && w.flags&(acknowledged|conflicting|uncertain|doubted) == 0
}

// class decides what became of the write. Whole says that the ledger is.
func (w *write) class(whole bool) writeClass {
	acked := w.flags&acknowledged != 0
	switch {
	case w.rows > 1:
		return duplicateWrite
	case w.rows == 1 && w.flags&reached == 0:
		if w.flags&inLogs != 0 {
			return indeterminateWrite
		}
		return phantomWrite
	case w.rows == 1 && w.flags&conflicting != 0:
		return conflictWrite
	case w.rows == 1 && acked:
		return onceWrite
	case w.denied() && (w.surplus == 0 || w.surplus < 0 && w.flags&repeated == 0):
		return appliedWrite
	case w.rows == 1:
		return recoveredWrite
	case acked && whole:
		return lostWrite
	case acked || w.flags&uncertain != 0:
		return indeterminateWrite
	case w.flags&reached != 0:
		return refusedWrite
	}
	return unsentWrite
}
