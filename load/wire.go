package load

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

// wire is a connection that knows what reached it. httptrace alone does not
// tell: WroteHeaders and WroteRequest fire when the request is in the
// client's buffer, before it is flushed. HTTP/1 has one request at a time on
// a connection, so that what is written belongs to the one that last took it.
type wire struct {
	net.Conn
	clock history.RunClock
	drop  func(*wire)

	taker atomic.Pointer[stamp]
	ended atomic.Bool // the peer closed it in order
	broke atomic.Bool // it failed in another way
}

// stamp is when the first byte of a request was written, on the run's clock
// and counted from 1: 0 is never. It is the request's and not the
// connection's, which may serve the next one before this one is recorded.
type stamp struct{ atomic.Int64 }

// at is the time, or -1.
func (s *stamp) at() time.Duration { return time.Duration(s.Load() - 1) }

// take begins a request, whose first byte will be noted in s.
func (w *wire) take(s *stamp) { w.taker.Store(s) }

func (w *wire) Write(b []byte) (int, error) {
	// The answer may be there before Write returns, so the time is noted
	// first and taken back if nothing was written. A request that fails does
	// so after its Write has returned: http.Transport waits for that.
	s := w.taker.Load()
	first := s != nil && s.CompareAndSwap(0, int64(w.clock.Now())+1)
	n, err := w.Conn.Write(b)
	if first && n == 0 {
		s.Store(0)
	}
	if err != nil {
		w.broke.Store(true)
	}
	return n, err
}

func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	switch {
	case errors.Is(err, io.EOF):
		w.ended.Store(true)
	case err != nil && !w.ended.Load(): // after its end it is this side that closes it
		w.broke.Store(true)
	}
	return n, err
}

func (w *wire) Close() error {
	w.drop(w)
	return w.Conn.Close()
}

// wires opens connections and can close all that are left. It is safe for
// concurrent use.
type wires struct {
	dial    topology.DialFunc
	clock   history.RunClock
	timeout time.Duration
	ctx     context.Context // ends the dials: http.Transport lets them outlive their request

	mu   sync.Mutex
	open map[*wire]struct{}
	done bool
}

func newWires(ctx context.Context, dial topology.DialFunc, clock history.RunClock, timeout time.Duration) *wires {
	return &wires{dial: dial, clock: clock, timeout: timeout, ctx: ctx, open: map[*wire]struct{}{}}
}

// dialContext is for http.Transport.
func (ws *wires) dialContext(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, ws.timeout)
	defer cancel()
	defer context.AfterFunc(ws.ctx, cancel)()
	c, err := ws.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	w := &wire{Conn: c, clock: ws.clock, drop: ws.drop}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.done {
		return nil, errors.Join(net.ErrClosed, c.Close())
	}
	ws.open[w] = struct{}{}
	return w, nil
}

func (ws *wires) drop(w *wire) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	delete(ws.open, w)
}

// close ends every connection and lets no further one begin.
func (ws *wires) close() {
	ws.mu.Lock()
	ws.done = true
	left := make([]*wire, 0, len(ws.open))
	for w := range ws.open {
		left = append(left, w)
	}
	ws.mu.Unlock()
	for _, w := range left {
		_ = w.Close() // it is given up: nothing waits for an answer on it
	}
}

// wants are what a machine says that has nothing left for one connection more:
// no file descriptor of the process's or of the system's, no port of its own,
// no memory. What hangs uses them up, too: but then the machine that sends is
// too small for this load, and what it could not send nobody failed to answer.
var wants = []error{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.ENOBUFS, syscall.ENOMEM}

// dialClass is the class of an error that came before there was a connection.
func dialClass(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return history.ErrRefused
	case slices.ContainsFunc(wants, func(want error) bool { return errors.Is(err, want) }):
		return history.ErrDropped
	}
	return history.ErrConnect
}
