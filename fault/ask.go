package fault

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"
)

// Ways in which a request ends, beside those of an attempt to connect.
const (
	answered = "answers"
	silent   = "accepts and does not answer"
)

// silence is how long a proof waits for an answer: far above what a node that
// runs takes to say anything, be it an error.
const silence = 300 * time.Millisecond

// ask connects to the victim's port, sends a request and waits for the first
// sign of an answer. The request is one that changes nothing: HTTP's HEAD.
// What is no HTTP server answers it, too, by an error or by closing the
// connection. An error means that it could not look.
func (v victim) ask(ctx context.Context) (string, error) {
	one, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := v.dial(one, "tcp", v.addr.String())
	if err != nil {
		return ended(ctx, err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(silence)); err != nil {
		return "", fmt.Errorf("ask %s: %w", v.addr, err)
	}
	_, err = fmt.Fprintf(conn, "HEAD / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", v.addr)
	if err == nil {
		_, err = conn.Read(make([]byte, 1))
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return silent, ctx.Err()
	}
	return answered, nil
}

// seeAnswer looks what becomes of a request; want says which ends agree with
// the fault. A victim that serves no known port is not asked.
func seeAnswer(ctx context.Context, s *sight, v victim, want ...string) error {
	if !v.addr.IsValid() {
		s.how = append(s.how, "it serves no known port, so none was tried")
		return nil
	}
	got, err := v.ask(ctx)
	if err != nil {
		return err
	}
	s.measured += ", " + v.port() + " " + got
	s.see(slices.Contains(want, got), "%s, asked from outside: %s", v.port(), got)
	return nil
}
