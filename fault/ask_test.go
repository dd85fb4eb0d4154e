package fault

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// TestAsk is in virtual time: when a busy machine has its server run is no part
// of what that answers.
func TestAsk(t *testing.T) {
	// served is a network in which this serves each connection.
	served := func(serve func(net.Conn)) topology.DialFunc {
		return func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			go serve(there)
			return socket{here}, nil
		}
	}
	closed := func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		return socket{here}, there.Close()
	}
	takes := func(c net.Conn) { _, _ = c.Read(make([]byte, 1024)) }
	for name, tc := range map[string]struct {
		dial topology.DialFunc
		want string
	}{
		"says something":    {served(func(c net.Conn) { takes(c); _, _ = c.Write([]byte("E")); _ = c.Close() }), answered},
		"closes":            {served(func(c net.Conn) { _ = c.Close() }), answered},
		"has closed":        {closed, answered},
		"closes once asked": {served(func(c net.Conn) { takes(c); _ = c.Close() }), answered},
		"takes it, no more": {served(func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), silent},
		"takes nothing":     {served(func(net.Conn) {}), silent},
		"refuses": {func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
		}, refused},
		"packets vanish": {func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }, unreachable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := victim{addr: netip.MustParseAddrPort("198.18.7.21:8080"), dial: tc.dial}
				got, err := v.ask(t.Context())
				require.NoError(t, err)
				require.Equal(t, tc.want, got)
			})
		})
	}
}

// socket is an end of a pipe whose deadline can be set although the other end
// is closed, as that of a connection can.
type socket struct{ net.Conn }

func (s socket) SetDeadline(t time.Time) error {
	if err := s.Conn.SetDeadline(t); !errors.Is(err, io.ErrClosedPipe) {
		return err
	}
	return nil
}

// TestAskOfTheKernel: one that nobody takes up is accepted all the same. The
// dialer does not heed the context, which a busy machine may let end first.
func TestAskOfTheKernel(t *testing.T) {
	dial := func(_ context.Context, network, address string) (net.Conn, error) { return net.Dial(network, address) }
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	got, err := victim{addr: l.Addr().(*net.TCPAddr).AddrPort(), dial: dial}.ask(t.Context())
	require.NoError(t, err)
	require.Equal(t, silent, got)

	none := victim{addr: netip.MustParseAddrPort("127.0.0.1:1"), dial: dial}
	got, err = none.ask(t.Context())
	require.NoError(t, err)
	require.Equal(t, refused, got)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = none.ask(gone)
	require.ErrorIs(t, err, context.Canceled)
}
