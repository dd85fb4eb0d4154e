package fake

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// network is the run's in-memory network: hosts by address.
type network struct {
	mu    sync.Mutex
	hosts map[netip.Addr]*host
	// cut are the ends whose host vanished: their peers hang until the
	// network closes.
	cut    []net.Conn
	closed bool
}

// host is one life of a node's network namespace.
type host struct {
	net  *network
	addr netip.Addr

	// The fields below are guarded by net.mu.
	listeners map[int]*listener
	ends      map[*end]struct{}
	filtered  bool // packets neither come in nor go out
	frozen    bool // its processes do not run: connections are made, nothing answers
	gone      bool
}

func newNetwork() *network { return &network{hosts: map[netip.Addr]*host{}} }

// plug adds a host; an address that is in use changes hands.
func (n *network) plug(a netip.Addr) *host {
	h := &host{net: n, addr: a, listeners: map[int]*listener{}, ends: map[*end]struct{}{}}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[a] = h
	return h
}

// dial connects from a host, nil being the outside, to an address. Where
// nothing answers it hangs until ctx ends.
func (n *network) dial(ctx context.Context, from *host, to netip.AddrPort) (net.Conn, error) {
	conn, err := n.connect(from, to)
	if err == nil || !errors.Is(err, errSilence) {
		return conn, err
	}
	<-ctx.Done()
	return nil, dialError(to, os.ErrDeadlineExceeded)
}

// errSilence: no packet comes back.
var errSilence = errors.New("no answer")

func dialError(to netip.AddrPort, err error) error {
	return &net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(to), Err: err}
}

func (n *network) connect(from *host, to netip.AddrPort) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.hosts[to.Addr()]
	switch {
	case n.closed:
		return nil, dialError(to, net.ErrClosed)
	case h == nil, h.gone, h.filtered, from != nil && (from.gone || from.filtered):
		return nil, errSilence
	}
	l := h.listeners[int(to.Port())]
	if l == nil {
		return nil, dialError(to, os.NewSyscallError("connect", syscall.ECONNREFUSED))
	}
	near, far := net.Pipe()
	client, server := newEnd(near, from, to), newEnd(far, h, to)
	if !h.frozen {
		select {
		case l.queue <- server:
		default:
			return nil, errSilence // the backlog is full
		}
	}
	return client, nil
}

// vanish takes the host off the network: what it was connected to hears
// nothing more.
func (h *host) vanish() {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	h.gone = true
	for e := range h.ends {
		e.die()
		h.net.cut = append(h.net.cut, e.Conn)
	}
	clear(h.ends)
	h.closeListeners()
}

// filter stops the host's packets: what it was connected to hears nothing
// more, but its processes live. Connections do not recover from it.
func (h *host) filter(on bool) {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	h.filtered = on
	if !on {
		return
	}
	for e := range h.ends {
		e.die()
		h.net.cut = append(h.net.cut, e.Conn)
	}
	clear(h.ends)
}

// freeze says whether the host's processes stand still.
func (h *host) freeze(on bool) {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	h.frozen = on
}

// reset ends all connections of the host as a dying process does.
func (h *host) reset() {
	h.net.mu.Lock()
	ends := h.ends
	h.ends = map[*end]struct{}{}
	h.closeListeners()
	h.net.mu.Unlock()
	for e := range ends {
		e.Conn.Close()
	}
}

func (h *host) closeListeners() {
	for port, l := range h.listeners {
		l.shut()
		delete(h.listeners, port)
	}
}

// close ends everything, so that no goroutine is left waiting.
func (n *network) close() {
	n.mu.Lock()
	n.closed = true
	hosts, cut := n.hosts, n.cut
	n.hosts, n.cut = map[netip.Addr]*host{}, nil
	n.mu.Unlock()
	for _, h := range hosts {
		h.reset()
	}
	for _, c := range cut {
		c.Close()
	}
}

// listen opens a port of the host.
func (h *host) listen(port int) net.Listener {
	l := &listener{queue: make(chan net.Conn, 4096), done: make(chan struct{}), addr: netip.AddrPortFrom(h.addr, uint16(port))}
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	if h.gone || h.net.closed {
		l.shut()
		return l
	}
	h.listeners[port] = l
	return l
}

type listener struct {
	queue chan net.Conn
	done  chan struct{}
	once  sync.Once
	addr  netip.AddrPort
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *listener) shut()          { l.once.Do(func() { close(l.done) }) }
func (l *listener) Close() error   { l.shut(); return nil }
func (l *listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.addr) }

// end is a host's end of a connection. Once its host vanished nothing it
// does reaches the peer, not even its being closed.
type end struct {
	net.Conn
	host *host
	to   netip.AddrPort

	mu   sync.Mutex
	dead bool
}

// newEnd is called with the network's lock held.
func newEnd(c net.Conn, h *host, to netip.AddrPort) *end {
	e := &end{Conn: c, host: h, to: to}
	if h != nil {
		h.ends[e] = struct{}{}
	}
	return e
}

// die makes every use of the end fail, without the peer noticing.
func (e *end) die() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.dead = true
	e.Conn.SetDeadline(time.Unix(1, 0))
}

// Close closes the connection, unless packets no longer leave the host.
func (e *end) Close() error {
	if e.host != nil {
		e.host.net.mu.Lock()
		delete(e.host.ends, e)
		e.host.net.mu.Unlock()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dead {
		return nil
	}
	return e.Conn.Close()
}

func (e *end) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(e.to) }

func (e *end) deadline(set func(time.Time) error, t time.Time) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dead {
		return net.ErrClosed
	}
	return set(t)
}

func (e *end) SetDeadline(t time.Time) error      { return e.deadline(e.Conn.SetDeadline, t) }
func (e *end) SetReadDeadline(t time.Time) error  { return e.deadline(e.Conn.SetReadDeadline, t) }
func (e *end) SetWriteDeadline(t time.Time) error { return e.deadline(e.Conn.SetWriteDeadline, t) }
