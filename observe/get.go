package observe

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// maxBody is how much of an answer is read; a /metrics page has some 3 KB.
const maxBody = 1 << 20

// connectWithin bounds a connect. It stays below TCP's first repetition of a
// SYN (1 s), which would show a node that has come back a second late.
const connectWithin = 500 * time.Millisecond

// answer is what came back of a request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// get asks for path on a connection of its own, which it closes: a kept-alive
// one would not try whether the node still accepts. It sends the request once
// and never again, which net/http's client does not promise.
func get(ctx context.Context, dial topology.DialFunc, addr, path string) (answer, error) {
	conn, err := connect(ctx, dial, addr)
	if err != nil {
		return answer{}, err
	}
	defer conn.Close()
	defer bind(ctx, conn)()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		return answer{}, fmt.Errorf("request %s: %w", path, err)
	}
	req.Close = true
	req.Header.Set("User-Agent", "hachaos-observe")
	if err := req.Write(conn); err != nil {
		return answer{}, fmt.Errorf("send to %s: %w", addr, cause(ctx, err))
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err != nil {
		return answer{}, fmt.Errorf("answer of %s: %w", addr, cause(ctx, err))
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil {
		return answer{}, fmt.Errorf("answer of %s: %w", addr, cause(ctx, err))
	}
	return answer{res.StatusCode, res.Header, body}, nil
}

// connect opens a connection, within connectWithin.
func connect(ctx context.Context, dial topology.DialFunc, addr string) (net.Conn, error) {
	short, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	conn, err := dial(short, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("connect %s: %w", addr, cause(short, err))
	}
	return conn, nil
}

// bind ends the connection's reads and writes when ctx ends; the function
// returned lets go of ctx.
func bind(ctx context.Context, conn net.Conn) (release func()) {
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	return func() { stop() }
}

// cause is ctx's error where that is what ended an exchange, else err.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// why names in one word what became of an exchange that gave no answer.
func why(err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.ErrClosedPipe):
		return "reset"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "unreachable"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "closed without an answer"
	}
	return err.Error()
}
