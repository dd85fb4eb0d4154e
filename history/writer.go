package history

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"
	"time"
)

// Journal is the name of the journal in a run's folder.
const Journal = "journal.jsonl"

// QueueBytes bounds what a Writer holds that is not yet with the operating
// system, in bytes of lines, to within one line. A Put that meets a full
// queue waits, and Stalled counts it.
const QueueBytes = 4 << 20

// ErrClosed is the error of a Writer that was used after its Close or Seal.
var ErrClosed = errors.New("the journal is closed")

// Writer writes a journal. It is a Sink, safe for concurrent use; one
// goroutine writes to the disk. An event is encoded before Put returns, so
// the caller may use its Op and its slices again.
//
// Its first error stays: after a failed or short write nothing more is
// written, so that a torn line remains the last; an event that cannot be
// encoded is left out and the rest goes on; in either case Err, Sync, Close
// and Seal report it, and the journal is never sealed.
type Writer struct {
	name string
	out  file
	done chan struct{} // closed when the goroutine has ended

	mu      sync.Mutex
	work    sync.Cond // the goroutine waits for something to do
	room    sync.Cond // Put waits for room
	buf     []byte    // lines to be written
	seq     uint64
	last    time.Duration // the largest At
	waiters []chan<- error
	closed  bool // nothing more is taken
	ending  bool // the goroutine shall end
	err     error
	broken  bool // the disk failed
	stalled uint64

	// The goroutine's own; others read them after a flush, with no line
	// outstanding.
	sum    hash.Hash
	length int64
	spare  []byte
}

// file is what a Writer needs of an *os.File.
type file interface {
	io.Writer
	Sync() error
	Close() error
}

// Create begins a journal at path, which must not exist. The caller ends it
// with Close, also after Seal.
func Create(path string) (*Writer, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("create journal: %w", err)
	}
	return newWriter(path, f), nil
}

func newWriter(name string, out file) *Writer {
	w := &Writer{name: name, out: out, sum: sha256.New(), done: make(chan struct{})}
	w.work.L, w.room.L = &w.mu, &w.mu
	go w.run()
	return w
}

// Put takes an event and numbers it. It waits only while the queue is full.
// After Close or Seal, or once the disk has failed, the event is lost, and
// Err is set.
func (w *Writer) Put(e Event) {
	if plain(&e) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if !w.admit() {
			return
		}
		from := len(w.buf)
		w.buf = appendOp(w.buf, w.seq+1, &e)
		w.accept(from, e.At, e.Kind)
		return
	}
	rest, err := tail(e)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.fault(fmt.Errorf("encode event %s %q: %w", e.Kind, e.Name, err))
		return
	}
	if !w.admit() {
		return
	}
	from := len(w.buf)
	w.buf = appendTail(w.buf, w.seq+1, rest)
	w.accept(from, e.At, e.Kind)
}

// admit waits for room and says whether an event is taken. The lock is held.
func (w *Writer) admit() bool {
	if len(w.buf) >= QueueBytes && !w.broken && !w.closed {
		w.stalled++
		for len(w.buf) >= QueueBytes && !w.broken && !w.closed {
			w.room.Wait()
		}
	}
	if w.closed {
		w.fault(fmt.Errorf("put: %w", ErrClosed))
	}
	return !w.closed && !w.broken
}

// accept counts the line that begins at from, unless it is too long. The
// lock is held.
func (w *Writer) accept(from int, at time.Duration, kind Kind) {
	if n := len(w.buf) - from - 1; n > MaxLine {
		w.buf = w.buf[:from]
		w.fault(fmt.Errorf("encode event %s: a line of %d bytes, and %d is the limit", kind, n, MaxLine))
		return
	}
	w.seq++
	w.last = max(w.last, at)
	w.work.Signal()
}

// fault keeps the first error. The lock is held.
func (w *Writer) fault(err error) {
	if w.err == nil {
		w.err = fmt.Errorf("journal %s: %w", w.name, err)
	}
}

// Err is the first error of the journal; nil while there is none.
func (w *Writer) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Stalled counts the Puts that had to wait because the queue was full: each
// may have made its caller late.
func (w *Writer) Stalled() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stalled
}

// Sync returns when all that was put before is on the disk (written and
// fsync'ed), or with the journal's error, or when ctx ends.
func (w *Writer) Sync(ctx context.Context) error {
	w.mu.Lock()
	if w.closed {
		defer w.mu.Unlock()
		w.fault(fmt.Errorf("sync: %w", ErrClosed))
		return w.err
	}
	flushed := w.request()
	w.mu.Unlock()
	select {
	case err := <-flushed:
		return err
	case <-ctx.Done():
		return fmt.Errorf("sync journal %s: %w", w.name, context.Cause(ctx))
	}
}

// request asks the goroutine for a flush. The lock is held.
func (w *Writer) request() <-chan error {
	c := make(chan error, 1)
	w.waiters = append(w.waiters, c)
	w.work.Signal()
	return c
}

// Close writes what is queued, syncs and closes the file, and returns the
// journal's error. It does not seal. Closing again returns the same.
func (w *Writer) Close() error {
	w.mu.Lock()
	w.closed, w.ending = true, true
	w.work.Signal()
	w.room.Broadcast()
	w.mu.Unlock()
	<-w.done
	return w.Err()
}

// run is the goroutine that writes.
func (w *Writer) run() {
	defer close(w.done)
	for {
		lines, waiters, end := w.take()
		w.note("write", w.write(lines))
		if len(waiters) > 0 || end {
			w.note("sync", w.flush())
		}
		for _, c := range waiters {
			c <- w.Err()
		}
		if end {
			w.note("close", w.out.Close())
			return
		}
	}
}

// take waits for work. At the end it has taken all there is.
func (w *Writer) take() (lines []byte, waiters []chan<- error, end bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.buf) == 0 && len(w.waiters) == 0 && !w.ending {
		w.work.Wait()
	}
	lines, w.buf = w.buf, w.spare[:0]
	w.spare = lines
	waiters, w.waiters = w.waiters, nil
	w.room.Broadcast()
	return lines, waiters, w.ending
}

// write hands lines to the operating system, unless that failed before.
func (w *Writer) write(lines []byte) error {
	if len(lines) == 0 || w.failed() {
		return nil
	}
	n, err := w.out.Write(lines)
	if err == nil && n < len(lines) {
		err = io.ErrShortWrite
	}
	w.sum.Write(lines)
	w.length += int64(len(lines))
	return err
}

func (w *Writer) flush() error {
	if w.failed() {
		return nil
	}
	return w.out.Sync()
}

func (w *Writer) failed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.broken
}

// note keeps an error of the disk and lets waiting Puts go.
func (w *Writer) note(act string, err error) {
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = true
	w.fault(fmt.Errorf("%s: %w; free the disk and run again", act, err))
	w.room.Broadcast()
}
