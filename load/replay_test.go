package load

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

// breaking is a server whose connections answer one request and break at the
// second, after they have read it. It counts what arrived.
type breaking struct {
	addr  string
	reset bool

	mu       sync.Mutex
	arrivals map[string]int // by X-Hachaos-Op
}

func newBreaking(t *testing.T, byReset bool) *breaking {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	b := &breaking{addr: "http://" + l.Addr().String() + "/", reset: byReset, arrivals: map[string]int{}}
	play(t, l, b.serve)
	return b
}

func (b *breaking) serve(c net.Conn) {
	in := bufio.NewReader(c)
	for i := 0; i < 2; i++ {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		b.mu.Lock()
		b.arrivals[r.Header.Get("X-Hachaos-Op")]++
		b.mu.Unlock()
		if i == 0 {
			_, _ = io.WriteString(c, head("200 OK", "Content-Length: 2\r\n")+"{}")
		}
	}
	if b.reset {
		reset(c)
	}
}

func (b *breaking) arrived(op string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.arrivals[op]
}

// TestNothingIsSentTwice counts arrivals on broken kept-alive connections.
// Each case is sent first as Go's client would have it, to show that the trap
// is there, and then as this package does.
func TestNothingIsSentTwice(t *testing.T) {
	withKey := http.Header{"Idempotency-Key": {"k-1"}}
	for name, tc := range map[string]struct {
		method string
		header http.Header
		body   string
	}{
		"GET":                      {method: http.MethodGet},
		"POST with a key":          {method: http.MethodPost, header: withKey, body: `{"item":"a"}`},
		"empty POST with a key":    {method: http.MethodPost, header: withKey},
		"empty POST with an X-key": {method: http.MethodPost, header: http.Header{"X-Idempotency-Key": {"k-1"}}},
	} {
		for how, byReset := range map[string]bool{"closed": false, "reset": true} {
			t.Run(name+" "+how, func(t *testing.T) {
				b := newBreaking(t, byReset)
				_, transport := exchangeTo(t, new(net.Dialer).DialContext, b.addr)
				send := func(op string, ours bool) error {
					r, err := http.NewRequestWithContext(t.Context(), tc.method, b.addr, bytes.NewReader([]byte(tc.body)))
					require.NoError(t, err)
					if tc.body == "" {
						r.Body, r.GetBody = http.NoBody, nil
					}
					for k, v := range tc.header {
						r.Header[k] = v
					}
					if ours {
						r = newRequest(t.Context(), tc.method, r.URL, r.Header.Clone(), []byte(tc.body))
					}
					r.Header.Set("X-Hachaos-Op", op)
					resp, err := transport.RoundTrip(r)
					if err == nil {
						_, _, err = readBody(resp)
					}
					return err
				}
				require.NoError(t, send("1.1", true), "the connection is made")
				require.NoError(t, send("2.1", false), "Go's client hides that it broke")
				require.Equal(t, 2, b.arrived("2.1"), "Go's client sends it twice")
				transport.CloseIdleConnections()

				require.NoError(t, send("3.1", true), "the connection is made")
				require.Error(t, send("4.1", true), "what broke is seen")
				require.Equal(t, 1, b.arrived("4.1"), "it is sent once")
			})
		}
	}
}

// The same through the exchange, for every type of operation.
func TestNoOperationIsSentTwice(t *testing.T) {
	for _, r := range []request{
		{op: history.OpLogin},
		{op: history.OpLogout},
		{op: history.OpSessionWrite},
		{op: history.OpSessionRead},
		{op: history.OpOrder, key: "k-1"},
	} {
		t.Run(r.op, func(t *testing.T) {
			b := newBreaking(t, false)
			x, _ := exchangeTo(t, new(net.Dialer).DialContext, b.addr)
			r.body = body(r.op, 1, "u1")
			r.id = "1.1"
			require.Equal(t, 200, x.do(patient(t, time.Minute), r).status)
			r.id = "2.1"
			require.Equal(t, verdict{history.Info, history.ErrEOF}, x.do(patient(t, time.Minute), r).verdict)
			require.Equal(t, 1, b.arrived("2.1"))
		})
	}
}

// refusesSecond is a connection that fails, with nothing written, from the
// second request on, while the peer seems to be there.
type refusesSecond struct {
	net.Conn
	writes int
}

func (c *refusesSecond) Write(b []byte) (int, error) {
	if c.writes++; c.writes > 1 {
		return 0, errors.New("the connection is gone")
	}
	return c.Conn.Write(b)
}

// A kept-alive connection that takes nothing any more is nobody's fault: the
// request has not been sent, and goes over another.
func TestStaleConnectionIsPutAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, dials := serve(t, newApp()), 0
		dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
			dials++
			c, err := p.DialContext(ctx, network, addr)
			return &refusesSecond{Conn: c}, err
		}
		x, _ := exchangeTo(t, dial, "http://app/")
		r := request{op: history.OpLogin, id: "1.1", body: body(history.OpLogin, 1, "u1")}
		require.Equal(t, good, x.do(patient(t, time.Second), r).verdict)
		require.Equal(t, good, x.do(patient(t, time.Second), r).verdict)
		require.Equal(t, 2, dials)
	})
}

// What a request looks like on the wire: an empty body is not announced.
func TestRequestOnTheWire(t *testing.T) {
	for name, tc := range map[string]struct {
		request
		want string
	}{
		"read": {
			request{op: history.OpSessionRead, id: "7.1", cookie: "JSESSIONID=j1~s1"},
			"GET /session HTTP/1.1\nHost: app\nUser-Agent: hachaos\nCookie: JSESSIONID=j1~s1\nX-Hachaos-Op: 7.1\n\n",
		},
		"order": {
			request{op: history.OpOrder, id: "8.2", key: "k-8", body: []byte(`{"item":"a"}`)},
			"POST /orders HTTP/1.1\nHost: app\nUser-Agent: hachaos\nContent-Length: 12\nContent-Type: application/json\n" +
				"Idempotency-Key: k-8\nX-Hachaos-Op: 8.2\n\n" + `{"item":"a"}`,
		},
		"empty post": {
			request{op: history.OpLogout, id: "9.1"},
			"POST /logout HTTP/1.1\nHost: app\nUser-Agent: hachaos\nX-Hachaos-Op: 9.1\n\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, got := newPipes(), make(chan string, 1)
				play(t, p, func(c net.Conn) {
					b := make([]byte, 4096)
					n, _ := c.Read(b) // one write: the head and the body together
					got <- strings.ReplaceAll(string(b[:n]), "\r\n", "\n")
				})
				x, _ := exchangeTo(t, p.DialContext, "http://app/")
				x.do(patient(t, time.Second), tc.request)
				require.Equal(t, tc.want, <-got)
			})
		})
	}
}
