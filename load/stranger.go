package load

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/hachaos/hachaos/history"
)

// stranger is a client without a session, each of whose requests comes on a
// connection of its own: the balancer may send it to any node.
type stranger struct {
	base      *url.URL
	transport *http.Transport
	within    time.Duration // its patience with a request
}

func newStranger(target Target, within time.Duration) (*stranger, error) {
	base, err := target.base()
	if err != nil {
		return nil, err
	}
	return &stranger{
		base: base, within: within,
		transport: &http.Transport{DialContext: target.Dial, DisableKeepAlives: true, DisableCompression: true},
	}, nil
}

// response is what came back.
type response struct {
	status int
	node   string
	body   []byte
	// applied is the answer's word on a write that failed: no, unknown or
	// nothing.
	applied string
	set     []*http.Cookie
}

// errTooLarge: an answer exceeded what the caller allowed for.
var errTooLarge = errors.New("the answer is too large")

// ask makes one request and reads at most limit bytes of its answer.
func (s *stranger) ask(ctx context.Context, method, path string, body []byte, limit int64) (response, error) {
	return s.askWith(ctx, method, path, http.Header{}, body, limit)
}

// askWith is ask with headers.
func (s *stranger) askWith(ctx context.Context, method, path string, h http.Header, body []byte, limit int64) (response, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.within, errPatience)
	defer cancel()
	resp, err := s.transport.RoundTrip(newRequest(ctx, method, s.base.JoinPath(path), h, body))
	if err != nil {
		return response{}, err
	}
	defer func() { _ = resp.Body.Close() }() // after a read there is nothing to lose
	r := response{status: resp.StatusCode, node: resp.Header.Get("X-Hachaos-Node"), applied: resp.Header.Get("X-Hachaos-Applied"), set: resp.Cookies()}
	if r.body, err = io.ReadAll(io.LimitReader(resp.Body, limit+1)); err != nil {
		return r, err
	}
	if int64(len(r.body)) > limit {
		return r, errTooLarge
	}
	return r, nil
}

// outcome says what is certain of a write: ok if it succeeded, fail if it
// certainly was not applied, info otherwise.
func (r response) outcome(err error) history.Kind {
	switch {
	case err == nil && r.status/100 == 2:
		return history.OK
	case err == nil && r.applied == "no":
		return history.Fail
	}
	return history.Info
}

func (s *stranger) close() { s.transport.CloseIdleConnections() }
