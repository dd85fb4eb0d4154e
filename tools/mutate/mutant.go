package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// mutant is one small defect.
type mutant struct {
	id   uint32 // from 1, in the order of files and places; not stable
	op   string
	file string
	line int
	fn   string // function or method in which it is; "-" outside of any
	// from and to are the code around it without and with it, in one line.
	from, to string
	nth      int // which of those in its function that read alike, from 1
}

// key names a mutant by what it does and not by where it stands, so that a
// change elsewhere in the file leaves it as it is.
func (m *mutant) key() string {
	k := m.file + ": " + m.fn + ": " + m.diff()
	if m.nth > 1 {
		k += fmt.Sprintf(" #%d", m.nth)
	}
	return k
}

func (m *mutant) diff() string { return m.from + " → " + m.to }

func (m *mutant) String() string {
	return fmt.Sprintf("%s:%d: %s: %s [%s]", m.file, m.line, m.fn, m.diff(), m.op)
}

// number gives mutants their ids, and tells apart those that read alike.
func number(all []*mutant) {
	seen := map[string]int{}
	for i, m := range all {
		m.id, m.nth = uint32(i+1), 1
		alike := m.key()
		seen[alike]++
		m.nth = seen[alike]
	}
}

// shuffled is the mutants in an order that the seed gives: any prefix of it
// is a random sample.
func shuffled(all []*mutant, seed uint64) []*mutant {
	rank := func(m *mutant) string {
		h := sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, seed), m.key()...))
		return string(h[:])
	}
	ranks := map[*mutant]string{}
	for _, m := range all {
		ranks[m] = rank(m)
	}
	return slices.SortedFunc(slices.Values(all), func(a, b *mutant) int { return strings.Compare(ranks[a], ranks[b]) })
}

// asked are the mutants that the options are about, in the order in which they are
// run: those of the sample, or all, that match.
func asked(all []*mutant, o options) []*mutant {
	all = shuffled(all, o.seed)
	if o.sample > 0 {
		all = all[:min(o.sample, len(all))]
	}
	return slices.DeleteFunc(all, func(m *mutant) bool { return !strings.Contains(m.String(), o.match) })
}

// choose is what is to be run: of those asked for, what has no result.
func choose(all []*mutant, b *book, o options) []*mutant {
	var out []*mutant
	for _, m := range asked(all, o) {
		if _, done := b.result(m); !done {
			out = append(out, m)
		}
	}
	return out
}

// digestOf is the key of a mutant's result in a state of its package.
func digestOf(state string, m *mutant) string {
	h := sha256.Sum256([]byte(state + "\n" + m.key()))
	return hex.EncodeToString(h[:])[:16]
}

// oneLine is code with its white space drawn together.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	s = strings.ReplaceAll(s, "( ", "(")
	return strings.ReplaceAll(s, ", )", ")")
}

// longest is how many characters of code a mutant's line has before it is cut.
const longest = 90

// cut shortens what both texts have in common, so that the difference stays.
func cut(from, to string) (string, string) {
	a, b := []rune(from), []rune(to)
	if max(len(a), len(b)) <= longest {
		return from, to
	}
	head := 0
	for head < min(len(a), len(b)) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < min(len(a), len(b))-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	from, to = window(a, head, tail), window(b, head, tail)
	return from, to
}

// window shortens text around its middle, of which the first head and the last
// tail characters are not.
func window(s []rune, head, tail int) string {
	const keep = 30
	mid := string(s[head : len(s)-tail])
	if n := utf8.RuneCountInString(mid); n > longest {
		r := []rune(mid)
		mid = string(r[:longest-keep]) + "…" + string(r[n-keep:])
	}
	left, right := string(s[:head]), string(s[len(s)-tail:])
	if head > keep {
		left = "…" + string(s[head-keep:head])
	}
	if tail > keep {
		right = string(s[len(s)-tail:len(s)-tail+keep]) + "…"
	}
	return left + mid + right
}
