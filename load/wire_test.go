package load

import (
	"context"
	"net"
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
