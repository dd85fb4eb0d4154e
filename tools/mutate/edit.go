package main

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// edit is a piece of text put into a file's source, in place of del bytes of
// it. Those of a mutant stand or fall together. No edit has a line break, so
// that lines stay what they are.
type edit struct {
	at, del int
	text    string
	of      []*mutant // for these; left out once all are dropped
	// other is, of two edits that bracket a range, the place of the other one;
	// it is -1 of one that stands alone.
	other int
	// seq is the pair's own: of two on the same range the greater is outside.
	seq int
	// outAt is where rendering has put it.
	outAt int
}

// class orders edits at one place: what ends there, what begins there, and
// last what is replaced.
func (e *edit) class() int {
	switch {
	case e.other >= 0 && e.other < e.at:
		return 0
	case e.del == 0:
		return 1
	}
	return 2
}

// order is that of edits in the rendered text.
func order(a, b *edit) int {
	if c := cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.class(), b.class())); c != 0 {
		return c
	}
	switch a.class() {
	case 0: // the inner one, which began later, ends first
		return cmp.Or(cmp.Compare(b.other, a.other), cmp.Compare(a.seq, b.seq))
	case 1: // the outer one, which ends later, begins first; what stands alone is before any
		if (a.other < 0) != (b.other < 0) {
			return cmp.Compare(a.other, b.other)
		}
		return cmp.Or(cmp.Compare(b.other, a.other), cmp.Compare(b.seq, a.seq))
	}
	return 0
}

// live says whether a mutant that needs the edit is left.
func (e *edit) live(dropped map[*mutant]bool) bool {
	return slices.ContainsFunc(e.of, func(m *mutant) bool { return !dropped[m] })
}

// idMark stands for a mutant's number in the text of an edit of its own.
const idMark = "µ"

// render writes the file with the edits of all mutants that are not dropped.
func (f *file) render(dropped map[*mutant]bool) []byte {
	var live []*edit
	for i := range f.edits {
		if f.edits[i].live(dropped) {
			live = append(live, &f.edits[i])
		}
	}
	slices.SortStableFunc(live, order)
	var out []byte
	from := 0
	for _, e := range live {
		out = append(out, f.src[from:e.at]...)
		e.outAt = len(out)
		out = append(out, e.written()...)
		from = e.at + e.del
	}
	return append(out, f.src[from:]...)
}

func (e *edit) written() string {
	return strings.ReplaceAll(e.text, idMark, strconv.Itoa(int(e.of[0].id)))
}

// blame finds the mutants of the smallest edited range that covers a place of
// the rendered text; if there is none, all on its line.
func (f *file) blame(offset, line int, dropped map[*mutant]bool) []*mutant {
	open := map[int]*edit{}
	best, size := []*mutant(nil), 0
	consider := func(of []*mutant, from, to int) {
		if offset >= from && offset <= to && (best == nil || to-from < size) {
			best, size = of, to-from
		}
	}
	for i := range f.edits {
		e := &f.edits[i]
		if !e.live(dropped) {
			continue
		}
		end := e.outAt + len(e.written())
		switch {
		case e.other < 0:
			consider(e.of, e.outAt, end)
		case e.other >= e.at:
			open[e.seq] = e
		default:
			consider(e.of, open[e.seq].outAt, end)
		}
	}
	if best != nil {
		return best
	}
	var near []*mutant
	for i := range f.edits {
		if e := &f.edits[i]; e.live(dropped) && e.of[0].line == line {
			near = append(near, e.of...)
		}
	}
	return near
}
