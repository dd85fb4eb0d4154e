package history

import (
	"fmt"
	"hash/maphash"
	"math"
	"strings"
)

// Names interns the strings of a history. The zero value is ready to use and
// knows the empty string as 0. It is not safe for concurrent use while Intern
// is called; once the history is complete any number of readers may share it.
//
// Numbers below 65536 are scarce, because Op keeps some names in 16 bits:
// Intern gives out half of them and goes on from 65536, so that a version
// which is first seen after a million keys still finds a short number.
type Names struct {
	low, high []string // numbers from 0, and from lowNames
	table     []slot   // open addressing; a power of two long
	used      int
	seed      maphash.Seed
	text      arena
}

// slot is a place of the table; name 0 is free.
type slot struct {
	tag  uint32 // of the string's hash
	name Name
}

const (
	lowNames  = math.MaxUint16 + 1
	lowCommon = lowNames / 2 // those that Intern gives out
)

// Intern returns the number of s.
func (n *Names) Intern(s string) Name {
	if s == "" {
		return 0
	}
	n.ready()
	tag := uint32(maphash.String(n.seed, s))
	if i := lookup(n, tag, s); i != 0 {
		return i
	}
	return n.insert(tag, n.text.keep(s))
}

// internBytes is Intern for bytes; the second result is the interned string.
func (n *Names) internBytes(b []byte) (Name, string) {
	if len(b) == 0 {
		return 0, ""
	}
	n.ready()
	tag := uint32(maphash.Bytes(n.seed, b))
	if i := lookup(n, tag, b); i != 0 {
		return i, n.Get(i)
	}
	s := n.text.keep(string(b))
	return n.insert(tag, s), s
}

// internShort returns a number of s below 65536. If s already had a larger
// one, that is the second result: it still reads as s, but Find no longer
// gives it, so whatever holds it must be renumbered.
func (n *Names) internShort(s string) (short, was Name, err error) {
	if s == "" {
		return 0, 0, nil
	}
	n.ready()
	tag := uint32(maphash.String(n.seed, s))
	was = lookup(n, tag, s)
	if was != 0 && was < lowNames {
		return was, 0, nil
	}
	if len(n.low) >= lowNames {
		return 0, 0, fmt.Errorf("name %q: more than %d short names in one history", s, lowNames-1)
	}
	if was == 0 {
		n.low = append(n.low, n.text.keep(s))
		n.place(tag, Name(len(n.low)-1))
		return Name(len(n.low) - 1), 0, nil
	}
	n.low = append(n.low, n.Get(was))
	short = Name(len(n.low) - 1)
	*n.find(tag, was) = slot{tag, short}
	return short, was, nil
}

// Get returns the string of i, and the empty string for a number that was
// never given out.
func (n *Names) Get(i Name) string {
	switch {
	case n == nil:
		return ""
	case int(i) < len(n.low):
		return n.low[i]
	case i >= lowNames && int(i-lowNames) < len(n.high):
		return n.high[i-lowNames]
	}
	return ""
}

// Find returns the number of s, if it was interned.
func (n *Names) Find(s string) (Name, bool) {
	if s == "" {
		return 0, true
	}
	if n == nil || n.used == 0 {
		return 0, false
	}
	i := lookup(n, uint32(maphash.String(n.seed, s)), s)
	return i, i != 0
}

func (n *Names) ready() {
	if n.table != nil {
		return
	}
	n.low = append(n.low, "")
	n.seed = maphash.MakeSeed()
	n.table = make([]slot, 64)
}

// lookup gives the number of s, or 0.
func lookup[S string | []byte](n *Names, tag uint32, s S) Name {
	mask := uint32(len(n.table) - 1)
	for i := tag & mask; n.table[i].name != 0; i = (i + 1) & mask {
		if n.table[i].tag == tag && n.Get(n.table[i].name) == string(s) {
			return n.table[i].name
		}
	}
	return 0
}

// find gives the slot of a number that is in the table.
func (n *Names) find(tag uint32, name Name) *slot {
	mask := uint32(len(n.table) - 1)
	i := tag & mask
	for n.table[i].name != name {
		i = (i + 1) & mask
	}
	return &n.table[i]
}

// insert numbers a string that is not in the table.
func (n *Names) insert(tag uint32, s string) Name {
	var i Name
	if len(n.low) < lowCommon {
		i = Name(len(n.low))
		n.low = append(n.low, s)
	} else {
		i = Name(lowNames + len(n.high))
		n.high = append(n.high, s)
	}
	n.place(tag, i)
	return i
}

// place enters a number, with room to spare in the table.
func (n *Names) place(tag uint32, name Name) {
	n.used++
	if n.used*4 > len(n.table)*3 {
		old := n.table
		n.table = make([]slot, 2*len(old))
		for _, s := range old {
			if s.name != 0 {
				n.put(s)
			}
		}
	}
	n.put(slot{tag, name})
}

func (n *Names) put(s slot) {
	mask := uint32(len(n.table) - 1)
	i := s.tag & mask
	for n.table[i].name != 0 {
		i = (i + 1) & mask
	}
	n.table[i] = s
}

// arena keeps many short strings in few allocations.
type arena struct {
	chunk *strings.Builder
	size  int
}

const (
	firstChunk = 1 << 10
	lastChunk  = 1 << 16
)

// keep returns a copy of s. A chunk is never grown once it is in use, so the
// strings given out stay where they are.
func (a *arena) keep(s string) string {
	if a.chunk == nil || a.chunk.Cap()-a.chunk.Len() < len(s) {
		a.size = min(max(2*a.size, firstChunk), lastChunk)
		a.chunk = &strings.Builder{}
		a.chunk.Grow(max(a.size, len(s)))
	}
	from := a.chunk.Len()
	a.chunk.WriteString(s)
	return a.chunk.String()[from:]
}
