package load

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

// http.Transport lets a dial outlive the request that wanted it.
func TestWiresEndWithTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, stuck := newPipes(), false
		play(t, p, thenHang(func(net.Conn) {}))
		dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
			if stuck {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return p.DialContext(ctx, network, addr)
		}
		run, end := context.WithCancel(t.Context())
		ws := newWires(run, dial, history.StartClock(), time.Minute)
		first, err := ws.dialContext(t.Context(), "tcp", "app:80")
		require.NoError(t, err)
		second, err := ws.dialContext(t.Context(), "tcp", "app:80")
		require.NoError(t, err)
		require.NoError(t, first.Close())
		require.Len(t, ws.open, 1)

		stuck = true
		begin := time.Now()
		_, err = ws.dialContext(t.Context(), "tcp", "app:80")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Minute, time.Since(begin), "a dial has the client's patience")
		time.AfterFunc(time.Second, end)
		_, err = ws.dialContext(t.Context(), "tcp", "app:80")
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, time.Minute+time.Second, time.Since(begin), "and ends with the run")

		stuck = false
		ws.close()
		_, err = second.Write([]byte("x"))
		require.Error(t, err, "it is closed")
		ws.ctx = t.Context()
		_, err = ws.dialContext(t.Context(), "tcp", "app:80")
		require.ErrorIs(t, err, net.ErrClosed, "a dial that ends too late")
		require.Empty(t, ws.open)
	})
}

// What this machine lacks is nobody else's fault; what the way there says is.
func TestDialClass(t *testing.T) {
	for err, want := range map[error]string{
		syscall.ECONNREFUSED: history.ErrRefused,
		syscall.EHOSTUNREACH: history.ErrConnect, syscall.ENETUNREACH: history.ErrConnect,
		syscall.ETIMEDOUT: history.ErrConnect, syscall.ECONNRESET: history.ErrConnect,
		context.DeadlineExceeded: history.ErrConnect, errors.New("too many open files"): history.ErrConnect,
		syscall.EMFILE: history.ErrDropped, syscall.ENFILE: history.ErrDropped, syscall.EADDRNOTAVAIL: history.ErrDropped,
		syscall.ENOBUFS: history.ErrDropped, syscall.ENOMEM: history.ErrDropped,
	} {
		require.Equal(t, want, dialClass(&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}), err)
	}
}

// An operation for which this machine has no socket is dropped, and never
// sent; a retry for which it has none leaves unknown what the first attempt
// came to.
func TestWantOfSocketsDrops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, poor := newApp(), atomic.Bool{}
		a.before = func(_ http.ResponseWriter, r *http.Request) bool {
			op, _ := numberOf(r)
			if op >= 20 {
				poor.Store(true)
			}
			return op >= 20 && cut()
		}
		served := serve(t, a)
		dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
			if poor.Load() {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", syscall.EMFILE)}
			}
			return served.DialContext(ctx, network, addr)
		}
		rec, cfg := &journal{}, orders()
		cfg.SessionOps = 1000 // only the first operation of each client is a login
		g, err := New(cfg, Target{URL: "http://app", Dial: dial}, history.StartClock(), rec)
		require.NoError(t, err)
		time.AfterFunc(seconds(3), g.Stop)
		require.NoError(t, g.Run(t.Context()))
		ops := rec.ops(t)
		require.Len(t, ops, 60)
		cutOff, dropped := 0, 0
		for _, op := range ops[19:] {
			require.Equal(t, history.ErrDropped, op.Error, "%+v", op)
			if op.Sent >= 0 {
				require.Equal(t, history.Info, op.Outcome, "%+v", op)
				cutOff++
				continue
			}
			require.Equal(t, history.Fail, op.Outcome, "%+v", op)
			require.Equal(t, 1, op.Attempts)
			require.Zero(t, op.Status)
			dropped++
		}
		require.Positive(t, cutOff, "on connections that there were")
		require.Positive(t, dropped)
		require.EqualValues(t, cutOff+dropped, g.Snapshot().Dropped)
		require.EqualValues(t, 19, g.Snapshot().OK)
		require.Zero(t, g.Snapshot().Failed+g.Snapshot().Info)
		require.Zero(t, g.Snapshot().Outstanding)
	})
}
