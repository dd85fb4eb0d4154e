package load

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

// script is what a server does with one connection; it is closed after.
type script func(c net.Conn)

// play lets the script serve every connection of l until the test ends.
func play(t *testing.T, l net.Listener, s script) {
	t.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[c] = true
			mu.Unlock()
			wg.Go(func() { defer func() { _ = c.Close() }(); s(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
}

// says answers one request with these bytes.
func says(format string, args ...any) script {
	return func(c net.Conn) {
		if readRequest(c) {
			_, _ = fmt.Fprintf(c, format, args...)
		}
	}
}

// thenHang keeps the connection open after s until the client closes it.
func thenHang(s script) script {
	return func(c net.Conn) {
		s(c)
		_, _ = io.Copy(io.Discard, c)
	}
}

// readRequest reads one request with its body; false if none came.
func readRequest(c net.Conn) bool {
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, r.Body)
	return err == nil
}

// exchangeTo is an exchange over dial, and its transport, for one test.
func exchangeTo(t *testing.T, dial topology.DialFunc, base string) (*exchange, *http.Transport) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	clock := history.StartClock()
	ws := newWires(ctx, dial, clock, time.Minute)
	transport := newTransport(ws, 10)
	t.Cleanup(func() { cancel(); transport.CloseIdleConnections(); ws.close() })
	u, err := url.Parse(base)
	require.NoError(t, err)
	return newExchange(transport, clock, u), transport
}

// patient is a context with the client's patience.
func patient(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), d, errPatience)
	t.Cleanup(cancel)
	return ctx
}

// write and read are a request of each sort.
func write() request {
	return request{op: history.OpSessionWrite, id: "7.1", body: []byte("{}")}
}

func read() request { return request{op: history.OpSessionRead, id: "7.1"} }

// head is an answer's head and the blank line after it.
func head(status, headers string) string {
	return "HTTP/1.1 " + status + "\r\n" + headers + "\r\n"
}
