package assert

import (
	"sort"

	"github.com/hachaos/hachaos/history"
)

// opIndex finds an operation by its number. Ids follow each other from 1 in
// nearly every record, so the first look is the place where it should be.
func opIndex(ops []history.Op, id uint64) (int, bool) {
	if id == 0 {
		return 0, false
	}
	if i := id - 1; i < uint64(len(ops)) && ops[i].ID == id {
		return int(i), true
	}
	i := sort.Search(len(ops), func(i int) bool { return ops[i].ID >= id })
	return i, i < len(ops) && ops[i].ID == id
}

// maySend says whether anything of op can have reached the system: only an
// operation that failed before a byte was on the wire certainly did not.
func maySend(op *history.Op) bool { return op.Sent >= 0 || op.Outcome != history.Failed }

// unknownTries counts the attempts before the last of op whose effect nobody
// knows. Attempts of which no account was kept count as such.
func unknownTries(h *history.History, op *history.Op) int {
	if op.Attempts < 2 {
		return 0
	}
	tries, ok := h.Tries[op.ID]
	if !ok {
		return int(op.Attempts) - 1
	}
	n := 0
	for _, t := range tries {
		if t.Outcome != history.Fail {
			n++
		}
	}
	return n
}

// bitset marks indices. It grows with the largest index only at make time.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) has(i int) bool { return b[i>>6]&(1<<(i&63)) != 0 }

func (b bitset) set(i int) { b[i>>6] |= 1 << (i & 63) }
