package history

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrNotRun: the folder holds no journal.
var ErrNotRun = errors.New("not a run's folder")

// Load reads the journal of a run's folder and verifies its seal.
//
// A record that is not whole is no error here: Integrity says what is wrong,
// naming the first bad line, and the history holds what stands before it
// (and, where a line merely contradicts the others, what stands behind it,
// too). An error means that the folder could not be read; it wraps ErrNotRun
// if there is no journal of this format.
func Load(dir string) (*History, error) {
	path := filepath.Join(dir, Journal)
	f, size, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h, err := load(dir, f, size)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", path, err)
	}
	return h, nil
}

// load reads a journal of size bytes, and the files that its seal names from
// dir. The sum of the journal is made beside the reading.
func load(dir string, f io.ReaderAt, size int64) (*History, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ahead := make(chan tailSum, 1)
	go func() { ahead <- sumAhead(ctx, f, size) }()

	l := newLoader(io.NewSectionReader(f, 0, size), size)
	if err := l.run(); err != nil {
		cancel()
		<-ahead
		return nil, err
	}
	if l.b.seal == nil {
		cancel() // there is nothing to compare the sum with
	}
	sum := <-ahead
	h, err := l.b.finish()
	l.blame(err)
	h.Integrity, err = l.verdict(dir, sum)
	return h, err
}

// open opens a journal, which must be a file.
func open(path string) (*os.File, int64, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, 0, fmt.Errorf("load %s: %w: %w", path, ErrNotRun, err)
	case err != nil:
		return nil, 0, fmt.Errorf("load journal: %w", err)
	case !info.Mode().IsRegular():
		return nil, 0, fmt.Errorf("load %s: %w: %w", path, ErrNotRun, errNotRegular)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("load journal: %w", err)
	}
	return f, info.Size(), nil
}

// loader reads a journal into a builder.
type loader struct {
	r *reader
	b *builder
	// good counts the lines without fault, without the seal.
	good uint64
	// first is what is wrong with the first bad line; nil is nothing.
	first error
	// sealAt is where the seal's line begins.
	sealAt int64
	size   int64
}

func newLoader(r io.Reader, size int64) *loader {
	b := newBuilder()
	b.room.total = size
	return &loader{r: newReader(r, b.str), b: b, size: size}
}

// run reads to the end, or to the first line that cannot be read. Its error
// is the medium's, or that the journal is of another format.
func (l *loader) run() error {
	var call Call
	for {
		line, err := l.r.advance()
		var e Event
		taken := false
		if err == nil {
			e, taken, err = l.event(line, &call)
		}
		var bad *LineError
		switch {
		case taken:
			continue
		case err == io.EOF:
			return nil
		case errors.As(err, &bad):
			l.blame(err)
			return nil
		case err != nil:
			return err
		}
		if err := l.take(&e); err != nil {
			return err
		}
	}
}

// event makes an event of a line, by hand if that is possible. A line of a
// hot stream is dealt with at once.
func (l *loader) event(line []byte, call *Call) (e Event, taken bool, err error) {
	s := scan{b: line, str: l.b.str, seen: &l.b.seen}
	*call = Call{}
	s.header(&e)
	if e.Kind == Observed && l.hot(&s, &e) {
		return e, true, nil
	}
	if e.Kind != Observed && s.opRest(&e, call) {
		return e, false, l.r.place(&e)
	}
	e, err = l.r.event(line, call)
	return e, false, err
}

// hot takes a line of a hot stream, if it stands where it should.
func (l *loader) hot(s *scan, e *Event) bool {
	if !s.observedRest(e) || e.Seq != l.r.line || e.Seq == 1 || l.b.ended != nil || !l.b.hot(e) {
		return false
	}
	l.b.h.End = max(l.b.h.End, e.At)
	l.b.room.read = l.r.lines.end
	l.good++
	return true
}

func (l *loader) take(e *Event) error {
	l.b.room.read = l.r.lines.end
	err := l.b.add(e)
	if err == nil && e.Kind == Sealed {
		l.sealAt = l.r.lines.start
		err = checkSeal(l.r.lines.last, e, l.b.seal, *l.b.ended)
	}
	switch {
	case err != nil:
		l.blame(l.r.wrong(err))
	case e.Kind == Sealed:
	default:
		l.good++
	}
	if e.Seq > 1 {
		return nil
	}
	if e.Kind != Run {
		l.blame(l.r.wrong(contradiction("a journal begins with a run, not with %s", e.Kind)))
		return nil
	}
	if f := l.b.h.Meta.Format; err == nil && f != Format {
		return fmt.Errorf("%w that this version reads: its format is %q, and %q is known", ErrNotRun, f, Format)
	}
	return nil
}

// blame keeps the first fault.
func (l *loader) blame(err error) {
	if l.first == nil {
		l.first = err
	}
}

// verdict says how whole the record is.
func (l *loader) verdict(dir string, ahead tailSum) (Integrity, error) {
	i := Integrity{Lines: l.good}
	switch {
	case l.size == 0:
		i.State, i.Reason = Torn, Journal+" is empty"
	case errors.Is(l.first, ErrTornLine):
		i.State, i.Reason = Torn, fmt.Sprintf("%s: %v", Journal, l.first)
	case l.first != nil:
		i.State, i.Reason = Altered, fmt.Sprintf("%s: %v", Journal, l.first)
	case l.b.seal == nil && l.b.ended != nil:
		i.State, i.Reason = Unsealed, fmt.Sprintf("%s ends after line %d with its end, but without a seal", Journal, l.good)
	case l.b.seal == nil:
		i.State, i.Reason = Unsealed, fmt.Sprintf("%s ends after line %d, without an end and a seal: its run was broken off", Journal, l.good)
	default:
		return l.sealed(i, dir, ahead)
	}
	return i, nil
}

// sealed compares the seal with what it was put on.
func (l *loader) sealed(i Integrity, dir string, ahead tailSum) (Integrity, error) {
	seal := l.b.seal
	switch {
	case ahead.err != nil:
		return i, ahead.err
	case ahead.length != l.sealAt:
		return i, fmt.Errorf("%s changed while it was read; load it again", Journal)
	case seal.Length != l.sealAt:
		i.State, i.Reason = Altered, fmt.Sprintf("%s: %d bytes stand before its seal, and %d when it was sealed", Journal, l.sealAt, seal.Length)
		return i, nil
	case seal.SHA256 != ahead.sum:
		i.State, i.Reason = Altered, fmt.Sprintf("%s: one or more of its %d lines were edited: SHA-256 is %s, and %s when it was sealed", Journal, l.good, ahead.sum, seal.SHA256)
		return i, nil
	}
	wrong, err := verifyFiles(dir, seal.Files)
	if err != nil {
		return i, err
	}
	i.State = Whole
	if wrong != "" {
		i.State, i.Reason = Altered, wrong
	}
	return i, nil
}
