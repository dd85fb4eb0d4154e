package history

import (
	"math"
	"time"
)

// The streams of which a run has several lines for each operation are read
// by hand, as operations are; the others by encoding/json.

// observedRest reads what follows an observation's header up to its data,
// without looking into that: it is what lies before the last brace.
func (s *scan) observedRest(e *Event) bool {
	if s.bad || e.Kind != Observed {
		return false
	}
	if s.has(`,"nodes":[`) {
		for s.raw(); !s.bad && s.has(","); {
			s.raw()
		}
		s.must("]")
	}
	last := len(s.b) - 1
	if s.bad || !s.has(`,"data":`) || s.i > last || s.b[last] != '}' {
		return false
	}
	e.Data = s.b[s.i:last]
	return true
}

// hot takes an observation of a hot stream. It says false, and has taken
// nothing, if the event is another's or must go the long way.
func (b *builder) hot(e *Event) bool {
	h, s := b.h, scan{b: e.Data, str: b.str, seen: &b.seen}
	switch e.Name {
	case StreamReceipt:
		return keep(b, e, &s, s.receipt(), &h.Receipts)
	case StreamDispatch:
		return keep(b, e, &s, s.dispatch(), &h.Dispatches)
	case StreamLedger:
		return keep(b, e, &s, s.ledgerRow(), &h.Ledger)
	}
	return false
}

// keep appends what s has read, if it was read to its end.
func keep[T any](b *builder, e *Event, s *scan, v T, to *[]At[T]) bool {
	if !s.atEnd() {
		return false
	}
	*to = append(room(&b.room, *to, 1), At[T]{Seq: e.Seq, Time: e.At, V: v})
	return true
}

// field reads a field of few values that is always there.
func (s *scan) field(key string) string {
	s.must(key)
	return s.few()
}

// number reads a number field that is always there.
func (s *scan) number(key string) int64 {
	s.must(key)
	return s.int()
}

func (s *scan) receipt() (r Receipt) {
	s.must("{")
	r.Within = s.within()
	r.Node = s.field(`"node":`)
	r.What = s.field(`,"what":`)
	s.must(`,"op":`)
	r.Op = s.uint(math.MaxUint64)
	r.Attempt = int(s.number(`,"attempt":`))
	r.Key = s.optText(`,"key":`)
	r.Order = s.optInt(`,"order":`)
	s.must("}")
	return r
}

func (s *scan) dispatch() (d Dispatch) {
	s.must("{")
	d.Within = s.within()
	d.Balancer = s.field(`"lb":`)
	s.must(`,"n":`)
	d.Number = s.uint(math.MaxUint64)
	d.Op = s.optUint(`,"op":`, math.MaxUint64)
	d.Attempt = int(s.optInt(`,"attempt":`))
	d.Key = s.optText(`,"key":`)
	d.Server = s.optFew(`,"server":`)
	d.Status = int(s.number(`,"status":`))
	d.Retries = int(s.optInt(`,"retries":`))
	d.Redispatched = s.has(`,"redispatched":true`)
	d.Term = s.field(`,"term":`)
	d.Wait = time.Duration(s.number(`,"tw":`))
	d.Connect = time.Duration(s.number(`,"tc":`))
	d.Response = time.Duration(s.number(`,"tr":`))
	d.Total = time.Duration(s.number(`,"ta":`))
	d.Bytes = s.optInt(`,"bytes":`)
	s.must("}")
	return d
}

func (s *scan) ledgerRow() (r LedgerRow) {
	s.must("{")
	r.Order = s.number(`"order":`)
	s.must(`,"key":`)
	r.Key = s.text()
	s.must(`,"op":`)
	r.Op = s.uint(math.MaxUint64)
	r.Attempt = int(s.number(`,"attempt":`))
	r.Node = s.field(`,"node":`)
	r.Version = s.optFew(`,"version":`)
	s.must("}")
	return r
}

// within reads a Span, which stands first.
func (s *scan) within() time.Duration {
	if !s.has(`"within":`) {
		return 0
	}
	n := s.int()
	s.must(",")
	return time.Duration(n)
}
