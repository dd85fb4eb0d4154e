package history

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"unicode/utf8"
)

// What can be wrong with a line. They are wrapped in a LineError.
var (
	// ErrTornLine: the journal ends in the middle of the line, as it does
	// when its writer was killed.
	ErrTornLine = errors.New("the journal ends in the middle of the line")
	// ErrBadLine: the line is complete, but no event of a journal.
	ErrBadLine = errors.New("not an event")
	// ErrOrder: the line's number is not the next one, so that lines were
	// lost, doubled or moved.
	ErrOrder = errors.New("out of order")
	// ErrAfterSeal: something follows the seal.
	ErrAfterSeal = errors.New("something follows the seal")
)

// LineError is what is wrong with one line of a journal.
type LineError struct {
	Line uint64 // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap gives the reason.
func (e *LineError) Unwrap() error { return e.Err }

// Read reads a journal's events in order. It ends at the end of r, or after
// the first error, with which it yields no event: a *LineError for a line
// that is torn, bad or out of order, else r's own error. It does not check
// the seal, which it yields as an event like any other.
//
// A line ends in LF; a CR before it is white space. A line is valid UTF-8 of
// at most MaxLine bytes. Fields that are not known are passed over. The
// events are the caller's own.
func Read(r io.Reader) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		rd := newReader(r, copied)
		for {
			var call Call
			e, err := rd.next(&call)
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(Event{}, err)
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// copied makes a string of its own. The strings that the format itself has
// are not made anew.
func copied(b []byte) string {
	switch string(b) {
	case OpSessionWrite:
		return OpSessionWrite
	case OpSessionRead:
		return OpSessionRead
	case OpOrder:
		return OpOrder
	}
	return string(b)
}

// reader reads lines and numbers them.
type reader struct {
	lines  lines
	str    func([]byte) string
	line   uint64 // of the line last read
	sealed bool
}

func newReader(r io.Reader, str func([]byte) string) *reader {
	return &reader{lines: lines{r: r}, str: str}
}

// next reads an event; the call of an operation is put into call. At the end
// of a journal the error is io.EOF.
func (r *reader) next(call *Call) (Event, error) {
	b, err := r.advance()
	if err != nil {
		return Event{}, err
	}
	return r.event(b, call)
}

// event makes an event of the line last read, in its place.
func (r *reader) event(b []byte, call *Call) (Event, error) {
	e, err := r.decode(b, call)
	if err != nil {
		return Event{}, r.wrong(err)
	}
	return e, r.place(&e)
}

// advance gives the next line, without its end.
func (r *reader) advance() ([]byte, error) {
	b, err := r.lines.next()
	if err == io.EOF {
		return nil, err
	}
	r.line++
	switch {
	case r.sealed:
		return nil, r.wrong(ErrAfterSeal)
	case errors.Is(err, ErrTornLine), errors.Is(err, ErrBadLine):
		return nil, r.wrong(err)
	case err != nil:
		return nil, fmt.Errorf("read journal at line %d: %w", r.line, err)
	}
	return b, nil
}

func (r *reader) wrong(err error) error { return &LineError{Line: r.line, Err: err} }

// decode makes an event of a line.
func (r *reader) decode(b []byte, call *Call) (Event, error) {
	var e Event
	s := scan{b: b, str: r.str}
	if s.opLine(&e, call) {
		return e, nil
	}
	*call = Call{}
	e = Event{Op: call}
	return e, slow(b, &e)
}

// slow decodes any line, by encoding/json.
func slow(b []byte, e *Event) error {
	call := e.Op
	e.Op = nil
	if !utf8.Valid(b) {
		return fmt.Errorf("%w: invalid UTF-8", ErrBadLine)
	}
	if err := json.Unmarshal(b, e); err != nil {
		return fmt.Errorf("%w: %w", ErrBadLine, err)
	}
	if e.Op != nil {
		*call = *e.Op
		e.Op = call
	}
	return nil
}

// place holds a line to its place.
func (r *reader) place(e *Event) error {
	if e.Seq != r.line {
		return r.wrong(fmt.Errorf("%w: its number is %d, and %d should come", ErrOrder, e.Seq, r.line))
	}
	r.sealed = e.Kind == Sealed
	return nil
}

// lines splits a stream into lines.
type lines struct {
	r        io.Reader
	buf      []byte
	from, to int    // what of buf is still to be given out
	last     []byte // the line last given out
	start    int64  // where it began, in the stream
	end      int64  // where it ended, with its newline
	err      error
}

const firstBuffer = 64 << 10

// next gives a line without its newline, valid until the next call. What
// stands behind the last newline is ErrTornLine, a line that is too long
// ErrBadLine, the end io.EOF.
func (l *lines) next() ([]byte, error) {
	l.start = l.end
	seen := 0
	for {
		if i := bytes.IndexByte(l.buf[l.from+seen:l.to], '\n'); i >= 0 {
			b := l.buf[l.from : l.from+seen+i]
			l.last = b
			l.from += len(b) + 1
			l.end += int64(len(b)) + 1
			if len(b) > MaxLine {
				return nil, tooLong()
			}
			return b, nil
		}
		seen = l.to - l.from
		switch {
		case seen > MaxLine:
			return nil, tooLong()
		case l.err == io.EOF && seen > 0:
			return nil, ErrTornLine
		case l.err != nil:
			return nil, l.err
		}
		l.fill()
	}
}

func tooLong() error {
	return fmt.Errorf("%w: longer than %d bytes", ErrBadLine, MaxLine)
}

// fill reads once, after making room.
func (l *lines) fill() {
	if l.from > 0 {
		copy(l.buf, l.buf[l.from:l.to])
		l.to -= l.from
		l.from = 0
	}
	if l.to == len(l.buf) {
		grown := make([]byte, max(firstBuffer, 2*len(l.buf)))
		copy(grown, l.buf[:l.to])
		l.buf = grown
	}
	for empty := 0; ; empty++ {
		n, err := l.r.Read(l.buf[l.to:])
		l.to += n
		l.err = err
		if n > 0 || err != nil {
			return
		}
		if empty > 100 {
			l.err = io.ErrNoProgress
			return
		}
	}
}
