package load

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"time"
)

// idleConn is how long a connection is kept for another request. It is below
// the shortest keep-alive that servers commonly have (5 s), so that it is the
// client that closes an idle connection and no request meets a close that is
// nobody's fault.
const idleConn = 4 * time.Second

const (
	maxHeader = 64 << 10 // bytes of an answer's head
	maxBody   = 64 << 10 // bytes of an answer's body
)

// newTransport keeps connections open as browsers do, one for each session at
// most, and has none of what would blur an outcome: no proxy from the
// environment, no compression, no HTTP/2. Redirects are not its business: a
// RoundTripper follows none.
func newTransport(ws *wires, sessions int) *http.Transport {
	one := new(http.Protocols)
	one.SetHTTP1(true)
	return &http.Transport{
		DialContext:            ws.dialContext,
		Protocols:              one,
		MaxIdleConnsPerHost:    sessions,
		IdleConnTimeout:        idleConn,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeader,
	}
}

// newRequest makes a request that Go's client sends at most once. Each
// attempt has one of its own. url is shared and not changed.
func newRequest(ctx context.Context, method string, u *url.URL, h http.Header, body []byte) *http.Request {
	r := &http.Request{
		Method: method, URL: u, Host: u.Host, Header: h,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	once(r, body)
	return r.WithContext(ctx)
}

// once gives r its body in a way that keeps Go's client from sending it
// again. On a broken kept-alive connection the client replays any GET, and a
// POST that bears an idempotency key, if it has no body, or one that it can
// make again (net/http, Request.isReplayable). So even an empty body has a
// reader of its own, and GetBody is nil. "identity" says that an empty body
// is known to be empty: nothing about it goes onto the wire, where the client
// would otherwise probe it (GET) or announce chunks (POST).
func once(r *http.Request, body []byte) {
	r.GetBody = nil
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	r.TransferEncoding = nil
	if len(body) == 0 {
		r.TransferEncoding = []string{"identity"}
	}
}

// readBody reads an answer to its end, so that the connection can be used
// again. More than maxBody is no answer of this contract: large is true.
func readBody(r *http.Response) (body []byte, large bool, err error) {
	defer func() { _ = r.Body.Close() }() // after a read there is nothing to lose
	var buf bytes.Buffer
	if r.ContentLength > 0 && r.ContentLength <= maxBody {
		buf.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	_, err = buf.ReadFrom(io.LimitReader(r.Body, maxBody+1))
	return buf.Bytes(), buf.Len() > maxBody, err
}
