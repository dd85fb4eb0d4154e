package history

import (
	"math"
	"time"
	"unicode/utf8"
)

// scan reads one line of JSON in exactly the form in which the writer wrote
// it: the fields in their order, no white space, no escape in a string. It
// stops at the first deviation, bad says so, and the line goes to
// encoding/json instead. So what it reads, encoding/json would read alike.
type scan struct {
	b   []byte
	i   int
	bad bool
	// str makes a string of the line's bytes, which are used again.
	str func([]byte) string
	// seen, if it is not nil, are strings of fields that have few values.
	seen *seen
}

// seen keeps strings at a place that their bytes tell.
type seen [64]string

// of gives the string of b if it is the one at its place.
func (f *seen) of(b []byte) (s *string, ok bool) {
	s = &f[(int(b[0])+5*int(b[len(b)-1])+11*len(b))%len(f)]
	return s, *s == string(b)
}

// has steps over x if it comes next.
func (s *scan) has(x string) bool {
	if len(s.b)-s.i >= len(x) && string(s.b[s.i:s.i+len(x)]) == x {
		s.i += len(x)
		return true
	}
	return false
}

// must steps over x.
func (s *scan) must(x string) {
	if !s.has(x) {
		s.bad = true
	}
}

// atEnd says that all was read, and well.
func (s *scan) atEnd() bool { return !s.bad && s.i == len(s.b) }

// uint reads a number from 0 to limit, which is at least 9.
func (s *scan) uint(limit uint64) uint64 {
	from, n := s.i, uint64(0)
	for ; s.i < len(s.b); s.i++ {
		d := uint64(s.b[s.i] - '0')
		if d > 9 {
			break
		}
		if n > (limit-d)/10 {
			s.bad = true
			return 0
		}
		n = n*10 + d
	}
	if digits := s.i - from; digits == 0 || digits > 1 && s.b[from] == '0' {
		s.bad = true
	}
	return n
}

// int reads an integer of 64 bits; the smallest goes the long way.
func (s *scan) int() int64 {
	if s.has("-") {
		return -int64(s.uint(math.MaxInt64))
	}
	return int64(s.uint(math.MaxInt64))
}

// raw reads a string without escapes; its bytes are the line's.
func (s *scan) raw() []byte {
	if s.i >= len(s.b) || s.b[s.i] != '"' {
		s.bad = true
		return nil
	}
	s.i++
	from, ascii := s.i, true
	for ; s.i < len(s.b); s.i++ {
		c := s.b[s.i]
		if c == '"' {
			break
		}
		if c < ' ' || c == '\\' {
			s.bad = true
			return nil
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	if s.i == len(s.b) || !ascii && !utf8.Valid(s.b[from:s.i]) {
		s.bad = true
		return nil
	}
	s.i++
	return s.b[from : s.i-1]
}

func (s *scan) text() string {
	b := s.raw()
	if len(b) == 0 {
		return ""
	}
	return s.str(b)
}

// few reads a string of a field that has few values.
func (s *scan) few() string {
	b := s.raw()
	switch {
	case len(b) == 0:
		return ""
	case s.seen == nil:
		return s.str(b)
	}
	place, ok := s.seen.of(b)
	if !ok {
		*place = s.str(b)
	}
	return *place
}

// The fields that are left out when they are zero.

func (s *scan) optFew(key string) string {
	if s.bad || !s.has(key) {
		return ""
	}
	return s.few()
}

func (s *scan) optText(key string) string {
	if s.bad || !s.has(key) {
		return ""
	}
	return s.text()
}

func (s *scan) optInt(key string) int64 {
	if s.bad || !s.has(key) {
		return 0
	}
	return s.int()
}

func (s *scan) optUint(key string, limit uint64) uint64 {
	if s.bad || !s.has(key) {
		return 0
	}
	return s.uint(limit)
}

// kind reads the kind of an operation's event, or bad.
func (s *scan) kind() Kind {
	switch string(s.raw()) {
	case string(Invoke):
		return Invoke
	case string(OK):
		return OK
	case string(Fail):
		return Fail
	case string(Info):
		return Info
	case string(Observed):
		return Observed
	}
	s.bad = true
	return ""
}

// header reads a line's beginning up to and with its name.
func (s *scan) header(e *Event) {
	s.must(`{"seq":`)
	e.Seq = s.uint(math.MaxUint64)
	s.must(`,"at":`)
	e.At = time.Duration(s.int())
	s.must(`,"kind":`)
	e.Kind = s.kind()
	e.Name = s.optFew(`,"name":`)
}

// opLine reads an operation's event into e, and its call into c.
func (s *scan) opLine(e *Event, c *Call) bool {
	s.header(e)
	return s.opRest(e, c)
}

// opRest reads what follows the header.
func (s *scan) opRest(e *Event, c *Call) bool {
	if s.bad || !s.has(`,"op":`) {
		return false
	}
	s.call(c)
	s.must("}")
	e.Op = c
	return s.atEnd()
}

func (s *scan) call(c *Call) {
	s.must(`{"id":`)
	c.ID = s.uint(math.MaxUint64)
	c.Session = uint32(s.optUint(`,"session":`, math.MaxUint32))
	c.User = s.optText(`,"user":`)
	c.Key = s.optText(`,"key":`)
	s.must(`,"intended":`)
	c.Intended = time.Duration(s.int())
	c.Sent = time.Duration(s.optInt(`,"sent":`))
	c.Late = time.Duration(s.optInt(`,"late":`))
	c.End = time.Duration(s.optInt(`,"end":`))
	c.Status = int(s.optInt(`,"status":`))
	c.Error = s.optFew(`,"error":`)
	c.Node = s.optFew(`,"node":`)
	c.Version = s.optFew(`,"version":`)
	c.Balancer = s.optFew(`,"balancer":`)
	c.Cold = s.has(`,"cold":true`)
	c.Attempts = int(s.optInt(`,"attempts":`))
	if s.has(`,"tries":[`) {
		c.Tries = s.tries()
	}
	c.Value = s.optInt(`,"value":`)
	c.SessionID = s.optText(`,"sid":`)
	c.Owner = s.optText(`,"owner":`)
	c.New = s.has(`,"new":true`)
	c.Replayed = s.has(`,"replayed":true`)
	c.Bound = s.optFew(`,"bound":`)
	s.must("}")
}

func (s *scan) tries() []Try {
	var tries []Try
	for !s.bad {
		var t Try
		s.must(`{"end":`)
		t.End = time.Duration(s.int())
		s.must(`,"outcome":`)
		t.Outcome = s.kind()
		t.Status = int(s.optInt(`,"status":`))
		t.Error = s.optFew(`,"error":`)
		t.Node = s.optFew(`,"node":`)
		s.must("}")
		tries = append(tries, t)
		if s.has("]") {
			return tries
		}
		s.must(",")
	}
	return nil
}
