package agent

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	var got []string
	programs := Programs{
		"good": func(_ context.Context, args []string) error { got = args; return nil },
		"bad":  func(context.Context, []string) error { return errors.New("the reason") },
	}
	tests := []struct {
		name   string
		status int
		stderr string
	}{
		{"good", 0, ""},
		{"bad", 1, "bad: the reason\n"},
		{"ugly", 2, "HACHAOS_AGENT=ugly: no such agent; this executable has bad, good\n"},
	}
	for _, test := range tests {
		var stderr bytes.Buffer
		require.Equal(t, test.status, run(test.name, []string{"-a", "b"}, programs, &stderr), test.name)
		require.Equal(t, test.stderr, stderr.String())
	}
	require.Equal(t, []string{"-a", "b"}, got)
}

func TestMainReturnsInAnOrdinaryProcess(t *testing.T) {
	t.Setenv(Env, "")
	Main(nil)
	require.True(t, Installed())
	require.Contains(t, withBuiltin(nil), Relay)
	replaced := withBuiltin(Programs{Relay: nil})
	require.Nil(t, replaced[Relay])
}

func TestVersionFollowsSourcesAndToxiproxy(t *testing.T) {
	require.Len(t, Version(), 64)
	require.Equal(t, Version(), Version())
	require.NotEqual(t, version(sources, "v1", false), version(sources, "v2", false))
	require.NotEqual(t, version(sources, "v1", false), version(sources, "v1", true))
	required, err := os.ReadFile(filepath.Join("..", "..", "..", "go.mod"))
	require.NoError(t, err)
	require.Contains(t, string(required), "github.com/Shopify/toxiproxy/v2 "+toxiproxyVersion+"\n")
	entries, err := sources.ReadDir(".")
	require.NoError(t, err)
	var embedded []string
	for _, entry := range entries {
		embedded = append(embedded, entry.Name())
	}
	own, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var want []string
	for _, name := range own {
		if filepath.Ext(name) == ".go" && !isTest(name) {
			want = append(want, name)
		}
	}
	require.Equal(t, want, embedded, "every source counts")
}

func isTest(name string) bool { return len(name) > 8 && name[len(name)-8:] == "_test.go" }

// echo answers each connection with a greeting and then with what it was sent.
func echo(t *testing.T) netip.AddrPort {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				content, _ := io.ReadAll(conn)
				fmt.Fprintf(conn, "echo: %s", content)
			}()
		}
	}()
	return listener.Addr().(*net.TCPAddr).AddrPort()
}

// startRelay returns the address of a relay to the target.
func startRelay(t *testing.T, to string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	r := relay{to: to, allow: netip.MustParsePrefix("127.0.0.1/32")}
	go func() { done <- r.serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	return listener.Addr().String()
}

func say(t *testing.T, conn net.Conn, text string) string {
	t.Helper()
	_, err := io.WriteString(conn, text)
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	answer, err := io.ReadAll(conn)
	require.NoError(t, err)
	return string(answer)
}

func TestRelayToItsTarget(t *testing.T) {
	address := startRelay(t, echo(t).String())
	for _, text := range []string{"GET / HTTP/1.1\r\n\r\n", "H", "HACHAOS-CONNEC", "", "x"} {
		conn, err := net.Dial("tcp", address)
		require.NoError(t, err)
		require.Equal(t, "echo: "+text, say(t, conn, text))
		require.NoError(t, conn.Close())
	}
}

func TestRelayToANamedTarget(t *testing.T) {
	address := startRelay(t, "127.0.0.1:1")
	conn, err := DialThrough(t.Context(), address, echo(t).String())
	require.NoError(t, err)
	require.Equal(t, "echo: hello", say(t, conn, "hello"))

	_, err = DialThrough(t.Context(), address, "127.0.0.2:80")
	require.ErrorContains(t, err, "127.0.0.2:80 is outside 127.0.0.1/32")
	_, err = DialThrough(t.Context(), address, "127.0.0.1:1")
	require.ErrorContains(t, err, "connection refused")
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	_, err = DialThrough(t.Context(), address, "example")
	require.Error(t, err)
	_, err = DialThrough(t.Context(), "127.0.0.1:1", "127.0.0.1:1")
	require.ErrorContains(t, err, "relay: ")
	require.NotErrorIs(t, err, syscall.ECONNREFUSED, "the relay refused, and not the target")
}

func TestDialThroughHonoursItsContext(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = DialThrough(ctx, silent.Addr().String(), "127.0.0.1:1")
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestToxiproxy(t *testing.T) {
	config := filepath.Join(t.TempDir(), "toxiproxy.json")
	upstream := echo(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	api := free.Addr().(*net.TCPAddr).AddrPort()
	require.NoError(t, free.Close())
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil,
		`[{"name":"db","listen":"127.0.0.1:0","upstream":"%s","enabled":true}]`, upstream), 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- runToxiproxy(ctx, []string{"-host", "127.0.0.1", "-port", fmt.Sprint(api.Port()), "-config", config})
	}()
	require.Eventually(t, func() bool {
		response, err := http.Get("http://" + api.String() + "/proxies")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return err == nil && bytes.Contains(body, []byte(`"upstream":"`+upstream.String()))
	}, 10*time.Second, 10*time.Millisecond)
	cancel()
	require.NoError(t, <-done)
}

func TestToxiproxyRefusesABadConfiguration(t *testing.T) {
	err := runToxiproxy(t.Context(), []string{"-config", "/nonexistent/toxiproxy.json"})
	require.ErrorIs(t, err, os.ErrNotExist)
	config := filepath.Join(t.TempDir(), "toxiproxy.json")
	require.NoError(t, os.WriteFile(config, []byte(`[{"name":"db"}]`), 0o600))
	require.ErrorContains(t, runToxiproxy(t.Context(), []string{"-config", config}), config)
	require.Error(t, runToxiproxy(t.Context(), []string{"-nonsense"}))
	require.Error(t, runRelay(t.Context(), []string{"-allow", "everything"}))
}

// FuzzRelay: whatever a connection begins with, it is joined to what the relay is
// for or to a target in the network that it may name, and to no other.
func FuzzRelay(f *testing.F) {
	for _, s := range []string{"GET / HTTP/1.1\r\n", connectVerb + "198.18.7.21:8080\n", connectVerb + "127.0.0.1:22\n", connectVerb + "[::ffff:198.18.7.21]:80\n", connectVerb, "HACHAOS", "", "ok\nmore", "\n"} {
		f.Add([]byte(s))
	}
	r := relay{to: "198.18.7.100:80", allow: netip.MustParsePrefix("198.18.7.0/24")}
	f.Fuzz(func(t *testing.T, begins []byte) {
		address, named, err := r.target(bufio.NewReader(bytes.NewReader(begins)))
		require.Equal(t, bytes.HasPrefix(begins, []byte(connectVerb)), named)
		switch {
		case err != nil:
			require.Empty(t, address)
		case named:
			require.True(t, r.allow.Contains(netip.MustParseAddrPort(address).Addr()), address)
		default:
			require.Equal(t, r.to, address)
		}
		line, err := readLine(bytes.NewReader(begins))
		if err == nil {
			require.True(t, bytes.HasPrefix(begins, []byte(line+"\n")))
			require.NotContains(t, line, "\n")
		} else {
			require.NotContains(t, string(begins), "\n")
		}
	})
}
