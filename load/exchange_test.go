package load

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

const session = `{"id":"s1","user":"u1","count":3,"new":false,"node":"j1","version":"1"}`

// TestEveryStageOfBreaking breaks an exchange at each stage there is, for a
// write and for a read. The attempt's outcome and class are what a person
// would say who had watched the wire.
func TestEveryStageOfBreaking(t *testing.T) {
	var (
		node     = "X-Hachaos-Node: j1\r\n"
		balancer = "X-Hachaos-Balancer: lb1\r\n"
		length   = fmt.Sprintf("Content-Length: %d\r\n", len(session))
		nothing  = "Content-Length: 0\r\n"
		refused  = func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
		}
		unreachable = func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EHOSTUNREACH)}
		}
		vanished = func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
	)
	for _, tc := range []struct {
		name        string
		dial        topology.DialFunc // nil: over pipes, to does
		does        script
		write, read string // the outcome and the class of each
		unsent      bool   // nothing reached the wire
		status      int
	}{
		{name: "connect: refused", dial: refused, write: "fail refused", read: "fail refused", unsent: true},
		{name: "connect: unreachable", dial: unreachable, write: "fail connect", read: "fail connect", unsent: true},
		{name: "connect: packets vanish", dial: vanished, write: "fail connect", read: "fail connect", unsent: true},
		{
			name: "accepted and closed", does: func(net.Conn) {},
			write: "fail connect", read: "fail connect", unsent: true,
		},
		{
			name: "accepted, nothing taken", does: func(c net.Conn) { time.Sleep(time.Hour) },
			write: "fail connect", read: "fail connect", unsent: true,
		},
		{
			name: "closed in the middle of the request", does: func(c net.Conn) { _, _ = c.Read(make([]byte, 10)) },
			write: "info reset", read: "info reset",
		},
		{name: "silence in the middle of the request", does: func(c net.Conn) {
			_, _ = c.Read(make([]byte, 10))
			time.Sleep(time.Hour)
		}, write: "info timeout", read: "info timeout"},
		{name: "closed after the request", does: says(""), write: "info eof", read: "info eof"},
		{name: "silence after the request", does: thenHang(says("")), write: "info timeout", read: "info timeout"},
		{name: "half a head, closed", does: says("HTTP/1.1 200 O"), write: "info eof", read: "info eof"},
		{name: "half a head, silence", does: thenHang(says("HTTP/1.1 200 O")), write: "info timeout", read: "info timeout"},
		{
			name: "continue, then silence", does: thenHang(says("HTTP/1.1 100 Continue\r\n\r\n")),
			write: "info timeout", read: "info timeout",
		},
		{
			name: "another protocol", does: thenHang(says("SSH-2.0-OpenSSH_9.2\r\n\r\n")),
			write: "info malformed", read: "fail malformed",
		},
		{
			name: "half a body, closed", does: says("%s", head("200 OK", node+length)+session[:20]),
			write: "info eof", read: "fail eof", status: 200,
		},
		{
			name: "half a body, silence", does: thenHang(says("%s", head("200 OK", node+length)+session[:20])),
			write: "info timeout", read: "fail timeout", status: 200,
		},
		{
			name: "broken chunks", does: thenHang(says("%s", head("200 OK", node+"Transfer-Encoding: chunked\r\n")+"zz\r\n")),
			write: "info malformed", read: "fail malformed", status: 200,
		},
		{
			name: "success that is no JSON", does: says("%s", head("200 OK", node+"Content-Length: 4\r\n")+"nice"),
			write: "info malformed", read: "fail malformed", status: 200,
		},
		{
			name: "success with no counter", does: says("%s", head("200 OK", node+"Content-Length: 11\r\n")+`{"id":"s1"}`),
			write: "info malformed", read: "fail malformed", status: 200,
		},
		{
			name: "success without an end", does: says("%s", head("200 OK", node+"Connection: close\r\n")+session+strings.Repeat(" ", 70000)),
			write: "info malformed", read: "fail malformed", status: 200,
		},
		{
			name: "success", does: says("%s", head("200 OK", node+balancer+length)+session),
			write: "ok", read: "ok", status: 200,
		},
		{
			name: "success until the close", does: says("%s", head("200 OK", node+"Connection: close\r\n")+session),
			write: "ok", read: "ok", status: 200,
		},

		{
			name: "application: not applied", does: says("%s", head("503 No", node+balancer+"X-Hachaos-Applied: no\r\n"+nothing)),
			write: "fail status", read: "fail status", status: 503,
		},
		{
			name: "application: perhaps applied", does: says("%s", head("503 No", node+balancer+"X-Hachaos-Applied: unknown\r\n"+nothing)),
			write: "info status", read: "fail status", status: 503,
		},
		{
			name: "application: applied, and yet an error", does: says("%s", head("500 No", node+"X-Hachaos-Applied: yes\r\n"+nothing)),
			write: "info status", read: "fail status", status: 500,
		},
		{
			name: "application: says nothing of it", does: says("%s", head("500 No", node+nothing)),
			write: "info status", read: "fail status", status: 500,
		},
		{
			name: "application: bad request", does: says("%s", head("400 No", node+nothing)),
			write: "fail status", read: "fail status", status: 400,
		},
		{
			name: "application: no such session", does: says("%s", head("404 No", node+nothing)),
			write: "fail no-session", read: "fail no-session", status: 404,
		},
		{
			name: "application: conflict", does: says("%s", head("409 No", node+nothing)),
			write: "fail conflict", read: "fail conflict", status: 409,
		},
		{
			name: "balancer: bad gateway", does: says("%s", head("502 No", balancer+nothing)),
			write: "info status", read: "fail status", status: 502,
		},
		{
			name: "balancer: unavailable", does: says("%s", head("503 No", balancer+nothing)),
			write: "info status", read: "fail status", status: 503,
		},
		{
			name: "balancer: gateway timeout", does: says("%s", head("504 No", balancer+nothing)),
			write: "info status", read: "fail status", status: 504,
		},
		{
			name: "balancer: request timeout", does: says("%s", head("408 No", balancer+nothing)),
			write: "info status", read: "fail status", status: 408,
		},
		{
			name: "balancer: not found", does: says("%s", head("404 No", balancer+nothing)),
			write: "info status", read: "fail status", status: 404,
		},
		{
			name: "nobody says who: unavailable", does: says("%s", head("503 No", nothing)),
			write: "info status", read: "fail status", status: 503,
		},
		{
			name: "redirect", does: says("%s", head("302 Found", node+"Location: /elsewhere\r\n"+nothing)),
			write: "info status", read: "fail status", status: 302,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, want := range []struct {
				request
				outcome string
			}{{write(), tc.write}, {read(), tc.read}} {
				synctest.Test(t, func(t *testing.T) {
					dial := tc.dial
					if dial == nil {
						p := newPipes()
						play(t, p, tc.does)
						dial = p.DialContext
					}
					x, _ := exchangeTo(t, dial, "http://app/")
					a := x.do(patient(t, 10*time.Second), want.request)
					require.Equal(t, want.outcome, strings.TrimSpace(string(a.outcome)+" "+a.class))
					require.Equal(t, tc.unsent, a.sent < 0)
					require.Equal(t, tc.status, a.status)
				})
			}
		})
	}
}

// What pipes cannot show: real sockets that refuse and reset.
func TestRealSockets(t *testing.T) {
	listen := func(t *testing.T, s script) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		play(t, l, s)
		return l.Addr().String()
	}
	for name, tc := range map[string]struct {
		addr   func(t *testing.T) string
		want   verdict
		unsent bool
	}{
		"refused": {
			addr: func(*testing.T) string { return "127.0.0.1:1" }, // no other test is given that port
			want: verdict{history.Fail, history.ErrRefused}, unsent: true,
		},
		"reset after the request": {
			addr: func(t *testing.T) string {
				return listen(t, func(c net.Conn) { readRequest(c); reset(c) })
			},
			want: verdict{history.Info, history.ErrReset},
		},
		"closed after the request": {
			addr: func(t *testing.T) string { return listen(t, says("")) },
			want: verdict{history.Info, history.ErrEOF},
		},
		"closed in the middle of the request": {
			addr: func(t *testing.T) string {
				return listen(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 10)) })
			},
			want: verdict{history.Info, history.ErrReset}, // the kernel resets what was not read
		},
	} {
		t.Run(name, func(t *testing.T) {
			addr := tc.addr(t)
			x, _ := exchangeTo(t, new(net.Dialer).DialContext, "http://"+addr+"/")
			a := x.do(patient(t, time.Minute), write())
			require.Equal(t, tc.want, a.verdict)
			require.Equal(t, tc.unsent, a.sent < 0)
		})
	}
}

func reset(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }

func TestRunsEndIsNotTheSystemsFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		play(t, p, thenHang(says("")))
		x, _ := exchangeTo(t, p.DialContext, "http://app/")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second) // another cause than the client's patience
		defer cancel()
		require.Equal(t, verdict{history.Info, history.ErrCancelled}, x.do(ctx, write()).verdict)
	})
}

func TestAnswerIsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		play(t, p, func(c net.Conn) {
			if readRequest(c) {
				time.Sleep(30 * time.Millisecond)
				_, _ = fmt.Fprintf(c, "%s%s", head("200 OK", "X-Hachaos-Node: j1\r\nX-Hachaos-Version: 2\r\nX-Hachaos-Warm: false\r\n"+
					"X-Hachaos-Balancer: lb2\r\nSet-Cookie: JSESSIONID=j1~node0; Path=/; HttpOnly\r\nSet-Cookie: SERVERID=j1\r\n"), session)
			}
		})
		x, _ := exchangeTo(t, p.DialContext, "http://app/")
		a := x.do(patient(t, time.Second), write())
		require.Equal(t, good, a.verdict)
		require.Equal(t, reply{status: 200, node: "j1", balancer: "lb2"}, a.reply)
		require.Equal(t, "2", a.version, "the header, not the body")
		require.True(t, a.cold)
		require.Equal(t, "s1", a.ID)
		require.EqualValues(t, 3, a.value())
		require.Equal(t, 30*time.Millisecond, a.end-a.sent)
		var c client
		c.learn(a.node, a.cookies)
		_, bound, cookie := c.now()
		require.Equal(t, "j1", bound)
		require.Equal(t, "JSESSIONID=j1~node0; SERVERID=j1", cookie)
	})
}
