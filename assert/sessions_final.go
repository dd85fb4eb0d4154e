package assert

import (
	"cmp"
	"slices"

	"github.com/hachaos/hachaos/history"
)

// viaVIP is SessionState.Via of a read through the entry, as users do it.
const viaVIP = "vip"

// readFinal holds what was read after the load against each session: first
// what users see, then what each node says, then the lists of operations.
func (r *register) readFinal() {
	if len(r.h.Sessions) == 0 {
		return
	}
	primary := make([]uint32, len(r.lives)) // index into Sessions + 1
	for _, vip := range []bool{true, false} {
		for i := range r.h.Sessions {
			s := &r.h.Sessions[i].V
			n, ok := r.find(s.Session)
			if !ok || !s.Known || (s.Via == viaVIP) != vip {
				continue
			}
			l := &r.lives[n]
			if r.look(n, l, uint32(i)+1, s) && r.better(primary[n], s) {
				primary[n] = uint32(i) + 1
			}
		}
	}
	r.readLists(primary)
}

// better says whether s tells more of the session's list than the read that
// was chosen before.
func (r *register) better(chosen uint32, s *history.SessionState) bool {
	if chosen == 0 {
		return true
	}
	c := &r.h.Sessions[chosen-1].V
	return c.Via != viaVIP && len(s.Ops) > len(c.Ops)
}

// look judges one read after the load. True means that it found the present
// incarnation, whose list can be judged.
func (r *register) look(n uint32, l *life, at uint32, s *history.SessionState) bool {
	vip := s.Via == viaVIP
	f := finding{state: at, got: s.Count}
	if !s.Found {
		r.notFound(n, l, f, vip)
		return false
	}
	if s.ID != "" && l.sid != 0 && s.ID != r.h.Names.Get(l.sid) {
		r.otherID(n, l, f, vip)
		return false
	}
	r.lookOwner(n, l, f, s)
	switch l.state {
	case ended:
		f.class = resurrected
		r.report(n, l, f)
		return false
	case absent:
		return false
	}
	l.looked = true
	if l.risk != safe && !l.gone && !l.seenAgain {
		l.seenAgain, l.seenState = true, at
	}
	if vip || !l.readByVIP {
		l.readByVIP, l.byVIP = l.readByVIP || vip, s.Count
		if s.Count > int64(l.hi) && len(s.Ops) > 0 {
			l.over, l.below = at, false // its list will name the operation
			return true
		}
		r.observe(n, l, s.Count, f)
		return true
	}
	r.lookAside(n, l, s.Count, f)
	return true
}

func (r *register) notFound(n uint32, l *life, f finding, vip bool) {
	if l.state != alive {
		return
	}
	if !vip {
		r.missingOnNodes++
		return
	}
	f.class = lostSession
	r.vanish(n, l, f)
}

// otherID: behind the client's cookie is a session that it was never told of.
func (r *register) otherID(n uint32, l *life, f finding, vip bool) {
	if vip && l.state == alive {
		f.class = replaced
		r.vanish(n, l, f)
		return
	}
	r.strangeIDs++
}

func (r *register) lookOwner(n uint32, l *life, f finding, s *history.SessionState) {
	switch user := r.h.Names.Get(l.user); {
	case s.User != "" && user != "" && s.User != user:
		f.class = leaked
		r.report(n, l, f)
	case s.User == "" && r.owners && l.named():
		f.class = halfLogin
		r.report(n, l, f)
	}
}

// lookAside judges what a node says beside what users see: a value that is
// too low there is stale, for the updates are kept elsewhere.
func (r *register) lookAside(n uint32, l *life, v int64, f finding) {
	f.lo, f.hi = l.lo, l.hi
	switch {
	case v < min(int64(l.lo), l.byVIP):
		f.class = staleRead
		r.report(n, l, f)
	case v > int64(l.hi) && l.over == 0:
		below, hi := l.below, l.hi
		r.observe(n, l, v, f)
		l.below, l.hi = below, hi
	}
}

// readLists judges the lists of operations: each acknowledged write once,
// nothing that was not sent, and nothing gone that was read before.
func (r *register) readLists(primary []uint32) {
	listed := newBitset(len(r.h.Ops))
	any := false
	for n := range primary {
		if primary[n] == 0 {
			continue
		}
		s := &r.h.Sessions[primary[n]-1].V
		if len(s.Ops) == 0 && s.Count != 0 {
			primary[n] = 0 // this system keeps no list
			continue
		}
		any = true
		r.lives[n].listed = true
		r.readList(uint32(n), primary[n], s.Ops, listed)
		r.explain(uint32(n))
	}
	if any {
		r.compare(primary, listed)
	}
}

func (r *register) readList(n, at uint32, ops []uint64, listed bitset) {
	l := &r.lives[n]
	for _, id := range ops {
		i, ok := opIndex(r.h.Ops, id)
		f := finding{state: at, op: uint32(i) + 1, got: int64(id)}
		if !ok {
			f.op = 0
		}
		switch {
		case !ok || r.h.Ops[i].Session != r.number(n) || r.h.Ops[i].Type != history.SessionWrite || !maySend(&r.h.Ops[i]):
			f.class = phantomUpdate
			r.report(n, l, f)
		case listed.has(i):
			f.class = appliedTwice
			r.report(n, l, f)
		case r.h.Ops[i].Outcome == history.Failed && unknownTries(r.h, &r.h.Ops[i]) == 0:
			f.class = refusedUpdate
			r.report(n, l, f)
			listed.set(i)
		default:
			listed.set(i)
		}
	}
}

// explain reports a count that was too high and whose list does not say why.
func (r *register) explain(n uint32) {
	l := &r.lives[n]
	if l.over == 0 || l.has(appliedTwice) || l.has(refusedUpdate) || l.has(phantomUpdate) {
		return
	}
	v := r.h.Sessions[l.over-1].V.Count
	r.observe(n, l, v, finding{state: l.over, got: v})
}

// compare walks the operations again beside the lists.
func (r *register) compare(primary []uint32, listed bitset) {
	kept := make([]int32, len(r.lives)) // listed so far, and acknowledged but missing
	for i := range r.h.Ops {
		op := &r.h.Ops[i]
		if op.Session == 0 || op.Type != history.SessionWrite && op.Type != history.SessionRead {
			continue
		}
		n, _ := r.find(op.Session)
		l := &r.lives[n]
		if primary[n] == 0 || uint32(i) < l.begin || l.state == absent {
			continue
		}
		if op.Type == history.SessionWrite {
			switch {
			case listed.has(i):
				kept[n]++
			case op.Outcome == history.Good:
				kept[n]++
				r.lose(n, l, finding{class: lostUpdate, op: uint32(i) + 1, state: primary[n], got: op.Value})
			}
		}
		if op.Outcome == history.Good && op.Value > int64(kept[n]) && !l.has(appliedTwice) && !l.has(refusedUpdate) {
			r.report(n, l, finding{class: unstableRead, op: uint32(i) + 1, state: primary[n], got: op.Value})
		}
	}
}

// lose reports an acknowledged write that the list lacks, and counts the
// further ones of its session.
func (r *register) lose(n uint32, l *life, f finding) {
	if !l.has(lostUpdate) {
		l.firstLost = uint32(len(r.findings))
		r.report(n, l, f)
		return
	}
	r.findings[l.firstLost].more++
}

// close settles what only the end could tell, and counts.
func (r *register) close() {
	kept := r.findings[:0]
	for _, f := range r.findings {
		if r.settle(&f) {
			kept = append(kept, f)
		}
	}
	r.findings = kept
	for n := range r.lives {
		r.count(uint32(n), &r.lives[n])
	}
	slices.SortStableFunc(r.findings, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.op, b.op), cmp.Compare(a.life, b.life))
	})
}

// settle decides whether a value below what was acknowledged was a stale
// read or a lost update: the session's list says it, or else whether the
// updates were ever seen again. Of a session that should have been read after
// the load, and was not, nobody knows that they are gone: it was a stale read.
// False drops the finding, another tells it.
func (r *register) settle(f *finding) bool {
	l := &r.lives[f.life]
	switch f.class {
	case staleRead:
		return f.op != 0 || !l.has(unstableRead) && !l.has(lostUpdate) // the same thing twice
	case belowAcked:
	default:
		return true
	}
	f.class = staleRead
	unread := r.incomplete && !l.looked && l.state != ended
	if !l.listed && l.below && !unread || l.listed && l.has(lostUpdate) {
		f.class = lostUpdate
	}
	if l.has(f.class) {
		return false
	}
	l.classes |= 1 << f.class
	return true
}

func (r *register) count(n uint32, l *life) {
	switch {
	case !l.used:
		return
	case !l.everAlive:
		r.unjudged++
		return
	}
	r.judged++
	if l.roamed {
		r.roamed++
	}
	if l.outlived {
		r.outlived++
	}
	if l.state == alive && !l.readByVIP && !l.gone && l.classes == 0 {
		r.unread++
	}
	if l.hit == surely {
		r.onVictim++
		if !l.seenAgain && !l.gone && l.classes == 0 {
			r.unseen++
		}
	}
	if r.lostWithNode && l.risk == surely && l.seenAgain && !l.gone {
		r.report(n, l, finding{class: survived, op: l.firstSeen, state: l.seenState})
	}
	if l.gone && l.classes == 0 {
		r.endedAsExpected++
	}
}

// violated counts the sessions with a finding.
func (r *register) violated() int {
	n := 0
	seen := newBitset(len(r.lives))
	for _, f := range r.findings {
		if !seen.has(int(f.life)) {
			seen.set(int(f.life))
			n++
		}
	}
	return n
}

// classCounts counts the sessions of each class.
func (r *register) classCounts() []int {
	counts := make([]int, belowAcked)
	for _, f := range r.findings {
		counts[f.class]++
	}
	return counts
}
