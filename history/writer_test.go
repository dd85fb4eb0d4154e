package history

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// disk is a file in memory that holds no more than its room.
type disk struct {
	mu     sync.Mutex
	b      bytes.Buffer
	room   int  // bytes; -1 is no limit
	short  bool // a write that does not fit says nothing of it
	syncs  int
	closes int
	gate   chan struct{} // a write waits until it is closed; nil does not
	freed  bool          // there is room once a write did not fit
	sync   error         // of a Sync
	close  error         // of a Close
}

var (
	errFull = errors.New("no space left on device")
	errLost = errors.New("input/output error")
)

func (d *disk) Write(b []byte) (int, error) {
	if d.gate != nil {
		<-d.gate
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.room < 0 || d.b.Len()+len(b) <= d.room {
		return d.b.Write(b)
	}
	n, _ := d.b.Write(b[:d.room-d.b.Len()])
	if d.freed {
		d.room = -1
	}
	if d.short {
		return n, nil
	}
	return n, errFull
}

func (d *disk) Sync() error  { d.syncs++; return d.sync }
func (d *disk) Close() error { d.closes++; return d.close }

func (d *disk) text() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.b.String()
}

func TestWriterNumbersWithoutGaps(t *testing.T) {
	path := filepath.Join(t.TempDir(), Journal)
	w, err := Create(path)
	require.NoError(t, err)
	const writers, each = 8, 500
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			for j := range each {
				if j%10 == 0 {
					w.Put(Observe(time.Duration(j), Receipt{Node: "j1", Op: uint64(i), Attempt: j}))
					continue
				}
				w.Put(Event{At: time.Duration(j), Kind: Invoke, Op: &Call{ID: uint64(j), Session: uint32(i)}})
			}
		})
	}
	all.Wait()
	require.NoError(t, w.Close())

	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	events, err := readAll(f)
	require.NoError(t, err)
	require.Len(t, events, writers*each)
	next := map[uint32]time.Duration{}
	for _, e := range events {
		if e.Op != nil {
			require.GreaterOrEqual(t, e.At, next[e.Op.Session], "the order of one goroutine is kept")
			next[e.Op.Session] = e.At
		}
	}
}

func TestWriterCopiesWhatItIsGiven(t *testing.T) {
	d := &disk{room: -1}
	w := newWriter("journal", d)
	c := Call{ID: 1}
	for range 3 {
		w.Put(Event{Kind: Invoke, Op: &c})
		c.ID++
	}
	require.NoError(t, w.Close())
	events, err := readAll(strings.NewReader(d.text()))
	require.NoError(t, err)
	require.Equal(t, []uint64{1, 2, 3}, []uint64{events[0].Op.ID, events[1].Op.ID, events[2].Op.ID})
}

func TestCreateKeepsWhatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), Journal)
	require.NoError(t, os.WriteFile(path, []byte("a run\n"), 0o600))
	_, err := Create(path)
	require.ErrorIs(t, err, os.ErrExist)
	_, err = Create(filepath.Join(path, "below a file"))
	require.Error(t, err)
}

func TestWriterSyncs(t *testing.T) {
	d := &disk{room: -1}
	w := newWriter("journal", d)
	w.Put(Event{Kind: Invoke, Op: &Call{ID: 1}})
	require.NoError(t, w.Sync(t.Context()))
	require.Equal(t, 1, strings.Count(d.text(), "\n"))
	require.Equal(t, 1, d.syncs)
	require.NoError(t, w.Close())
	require.NoError(t, w.Close(), "closing again")
	require.Equal(t, 1, d.closes)
	require.ErrorIs(t, w.Sync(t.Context()), ErrClosed)
	require.ErrorIs(t, w.Err(), ErrClosed, "and it can still be asked")
}

// What nobody waits for is left to the operating system.
func TestWriterSyncsOnlyWhenAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{room: -1}
		w := newWriter("journal", d)
		for id := range uint64(3) {
			w.Put(Event{Kind: Invoke, Op: &Call{ID: id + 1}})
			synctest.Wait()
		}
		require.Equal(t, 3, strings.Count(d.text(), "\n"))
		require.Zero(t, d.syncs)
		require.NoError(t, w.Close())
		require.Equal(t, 1, d.syncs)
	})
}

func TestWriterKeepsItsFirstError(t *testing.T) {
	w := newWriter("journal", &disk{room: -1})
	for _, name := range []string{"first", "second"} {
		w.Put(Event{Kind: Observed, Name: name, Data: json.RawMessage("{")})
	}
	require.ErrorContains(t, w.Err(), `encode event observed "first"`)
	require.ErrorContains(t, w.Close(), `encode event observed "first"`)
}

func TestWriterSyncEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{room: -1, gate: make(chan struct{})}
		w := newWriter("journal", d)
		w.Put(Event{Kind: End})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, w.Sync(ctx), context.DeadlineExceeded)
		close(d.gate)
		require.NoError(t, w.Sync(t.Context()))
		require.NoError(t, w.Close())
	})
}

// A disk that is full at any byte leaves a journal whose last line is torn,
// or that ends in order, and an error that stays.
func TestWriterOnAFullDisk(t *testing.T) {
	whole := len(journal(t, sample()...))
	for _, short := range []bool{false, true} {
		for room := range whole {
			d := &disk{room: room, short: short}
			w := newWriter("journal", d)
			for _, e := range sample() {
				w.Put(e)
			}
			err := w.Sync(t.Context())
			want := errFull
			if short {
				want = io.ErrShortWrite
			}
			require.ErrorIs(t, err, want, "room for %d", room)
			d.mu.Lock()
			d.room = -1 // someone frees the disk
			d.mu.Unlock()
			w.Put(Event{Kind: End})
			require.ErrorIs(t, w.Sync(t.Context()), want)
			require.ErrorIs(t, w.Err(), want)
			require.ErrorIs(t, w.Seal("", nil), want)
			require.ErrorIs(t, w.Close(), want)
			require.LessOrEqual(t, len(d.text()), room, "nothing is written behind a torn line")
			events, err := readAll(strings.NewReader(d.text()))
			require.Len(t, events, strings.Count(d.text(), "\n"))
			if err != nil {
				require.ErrorIs(t, err, ErrTornLine)
			}
		}
	}
}

// What was queued when a write failed is not written behind the torn line,
// even if there is room by then, nor is it said to be on the disk.
func TestWriterForgetsWhatWasQueuedBehindATornLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{room: 5, freed: true, gate: make(chan struct{})}
		w := newWriter("journal", d)
		w.Put(Event{Kind: Invoke, Op: &Call{ID: 1}})
		synctest.Wait() // the goroutine has the first, and waits for the disk
		w.Put(Event{Kind: Invoke, Op: &Call{ID: 2}})
		close(d.gate)
		require.ErrorIs(t, w.Sync(t.Context()), errFull)
		require.ErrorIs(t, w.Close(), errFull)
		require.Len(t, d.text(), 5)
		require.Zero(t, d.syncs)
	})
}

// A disk that took the bytes and cannot keep them is a failed disk.
func TestWriterReportsADiskThatDoesNotKeep(t *testing.T) {
	d := &disk{room: -1, sync: errLost}
	w := newWriter("journal", d)
	w.Put(Event{Kind: Invoke, Op: &Call{ID: 1}})
	require.ErrorIs(t, w.Sync(t.Context()), errLost)
	require.ErrorContains(t, w.Err(), "journal journal: sync: ")
	require.ErrorIs(t, w.Seal(t.TempDir(), nil), errLost)
	require.ErrorIs(t, w.Close(), errLost)

	d = &disk{room: -1, close: errLost}
	w = newWriter("journal", d)
	require.NoError(t, w.Seal(t.TempDir(), nil))
	require.ErrorIs(t, w.Close(), errLost)
}

// A seal that is not on the disk is no seal: neither where its end does not
// fit, nor where it itself does not.
func TestSealReportsAFullDisk(t *testing.T) {
	sealed := func(room int) (*disk, error) {
		d := &disk{room: room}
		w := newWriter("journal", d)
		w.Put(Event{Kind: Invoke, Op: &Call{ID: 1}})
		err := w.Seal(t.TempDir(), nil)
		if err != nil {
			require.ErrorIs(t, w.Close(), errFull)
		} else {
			require.NoError(t, w.Close())
		}
		return d, err
	}
	d, err := sealed(-1)
	require.NoError(t, err)
	whole := d.text()
	lines := strings.SplitAfter(whole, "\n")
	for _, room := range []int{len(lines[0]), len(lines[0]) + len(lines[1]) - 1, len(lines[0]) + len(lines[1]), len(whole) - 1} {
		d, err := sealed(room)
		require.ErrorIs(t, err, errFull, "room for %d", room)
		require.Equal(t, whole[:room], d.text())
	}
}

func TestSealAfterClose(t *testing.T) {
	d := &disk{room: -1}
	w := newWriter("journal", d)
	w.Put(Event{Kind: Invoke, Op: &Call{ID: 1}})
	require.NoError(t, w.Close())
	before := d.text()
	require.ErrorIs(t, w.Seal(t.TempDir(), nil), ErrClosed)
	require.ErrorIs(t, w.Err(), ErrClosed)
	require.Equal(t, before, d.text())
}

// A line may be as long as the reader takes, and no longer.
func TestWriterTakesTheLongestLine(t *testing.T) {
	const frame = len(`{"seq":1,"at":0,"kind":"aborted","err":""}`)
	for n, fits := range map[int]bool{MaxLine: true, MaxLine + 1: false} {
		d := &disk{room: -1}
		w := newWriter("journal", d)
		w.Put(Event{Kind: Aborted, Err: strings.Repeat("x", n-frame)})
		err := w.Close()
		if !fits {
			require.ErrorContains(t, err, "and 4194304 is the limit")
			require.Empty(t, d.text())
			continue
		}
		require.NoError(t, err)
		require.Len(t, d.text(), n+1)
	}
}

func TestWriterWaitsOnlyWhenFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{room: -1, gate: make(chan struct{})}
		w := newWriter("journal", d)
		e := Event{Kind: Aborted, Err: strings.Repeat("x", 1<<20)}
		w.Put(e)
		synctest.Wait() // the goroutine has the first, and waits for the disk
		for range 4 {
			w.Put(e)
		}
		require.Zero(t, w.Stalled())
		put := false
		go func() { w.Put(e); put = true }()
		synctest.Wait()
		require.False(t, put)
		require.EqualValues(t, 1, w.Stalled())
		close(d.gate)
		synctest.Wait()
		require.True(t, put)
		require.NoError(t, w.Close())
		require.Equal(t, 6, strings.Count(d.text(), "\n"))
	})
}

func TestWriterLetsWaitersGo(t *testing.T) {
	for name, act := range map[string]func(*Writer, *disk){
		"when the disk fails": func(w *Writer, d *disk) { d.room = 0; close(d.gate) },
		"when it is closed":   func(w *Writer, d *disk) { go w.Close(); synctest.Wait(); close(d.gate) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &disk{room: -1, gate: make(chan struct{})}
				w := newWriter("journal", d)
				e := Event{Kind: Aborted, Err: strings.Repeat("x", 1<<20)}
				for range 3 {
					go func() {
						for range 4 {
							w.Put(e)
						}
					}()
				}
				synctest.Wait()
				act(w, d)
				synctest.Wait()
				require.Error(t, w.Close())
			})
		})
	}
}

func TestWriterReportsWhatItCannotEncode(t *testing.T) {
	tests := map[string]Event{
		"invalid data":  {Kind: Observed, Name: StreamHost, Data: json.RawMessage("{")},
		"a long line":   {Kind: Aborted, Err: strings.Repeat("x", MaxLine)},
		"a long opline": {Kind: Invoke, Op: &Call{Key: strings.Repeat("x", MaxLine)}},
	}
	for name, e := range tests {
		t.Run(name, func(t *testing.T) {
			d := &disk{room: -1}
			w := newWriter("journal", d)
			w.Put(e)
			require.ErrorContains(t, w.Err(), "encode event "+string(e.Kind))
			w.Put(Event{Kind: Invoke, Op: &Call{ID: 1}})
			require.Error(t, w.Sync(t.Context()))
			require.Error(t, w.Seal(t.TempDir(), nil), "a record that lost an event is not sealed")
			require.Error(t, w.Close())
			events, err := readAll(strings.NewReader(d.text()))
			require.NoError(t, err)
			require.Len(t, events, 1, "the others are kept")
		})
	}
}

func TestWriterAfterItsEnd(t *testing.T) {
	for name, e := range map[string]Event{"a clock": {Kind: Clock}, "an operation": {Kind: Invoke, Op: &Call{ID: 1}}} {
		t.Run(name, func(t *testing.T) {
			d := &disk{room: -1}
			w := newWriter("journal", d)
			require.NoError(t, w.Seal(t.TempDir(), nil))
			before := d.text()
			require.NoError(t, w.Err())
			w.Put(e)
			require.ErrorIs(t, w.Err(), ErrClosed)
			require.ErrorIs(t, w.Seal(t.TempDir(), nil), ErrClosed)
			require.ErrorIs(t, w.Close(), ErrClosed)
			require.Equal(t, before, d.text(), "nothing follows the seal")
		})
	}
}

func BenchmarkPut(b *testing.B) {
	w, err := Create(filepath.Join(b.TempDir(), Journal))
	require.NoError(b, err)
	call := typical()
	b.ReportAllocs()
	for b.Loop() {
		w.Put(Event{Kind: OK, Name: OpOrder, At: 12445678901, Op: call})
	}
	b.ReportMetric(float64(w.Stalled()), "stalled")
	require.NoError(b, w.Close())
}
