package fault

import (
	"context"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAsk(t *testing.T) {
	listen := func(t *testing.T, serve func(net.Conn)) victim {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, l.Close()) })
		if serve != nil {
			go func() {
				c, err := l.Accept()
				if err == nil {
					serve(c)
				}
			}()
		}
		var d net.Dialer
		return victim{addr: l.Addr().(*net.TCPAddr).AddrPort(), dial: d.DialContext}
	}
	for name, tc := range map[string]struct {
		serve func(net.Conn)
		want  string
	}{
		"says something":     {func(c net.Conn) { c.Write([]byte("E")); c.Close() }, answered},
		"closes":             {func(c net.Conn) { c.Close() }, answered},
		"nobody takes it up": {nil, silent},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := listen(t, tc.serve).ask(t.Context())
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
	var d net.Dialer
	none := victim{addr: netip.MustParseAddrPort("127.0.0.1:1"), dial: d.DialContext}
	got, err := none.ask(t.Context())
	require.NoError(t, err)
	require.Equal(t, refused, got)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = none.ask(gone)
	require.ErrorIs(t, err, context.Canceled)
}
