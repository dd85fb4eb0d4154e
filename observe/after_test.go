package observe

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sort"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"
)

// backends answers Quiesce's question.
func backends(scur *atomic.Int64) func(string) string {
	return func(command string) string {
		if command != showBackends {
			return "Unknown command\n"
		}
		return fmt.Sprintf("# pxname,svname,qcur,scur,\nnodes,BACKEND,0,%d,\n\n", scur.Load())
	}
}

func TestQuiesce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a := newFake(), newApp(true)
		var scur atomic.Int64
		scur.Store(2)
		a.inFlight.Store(1)
		c.node("lb1").serves(replies(backends(&scur)))
		c.node("j1").serves(overHTTP(a.ServeHTTP))
		ended := make(chan error, 1)
		go func() { ended <- Quiesce(t.Context(), c) }()
		time.Sleep(time.Second)
		require.Empty(t, ended, "both are busy")
		scur.Store(0)
		time.Sleep(time.Second)
		require.Empty(t, ended, "the node is busy")
		a.inFlight.Store(0)
		require.NoError(t, <-ended)
	})
}

func TestQuiesceGivesUp(t *testing.T) {
	tests := []struct {
		name   string
		script func(c *fakeCluster, scur *atomic.Int64, a *app)
		err    string
	}{
		{"a balancer that stays busy", func(_ *fakeCluster, scur *atomic.Int64, _ *app) { scur.Store(3) }, "lb1 has 3 in flight"},
		{"a node that stays busy", func(_ *fakeCluster, _ *atomic.Int64, a *app) { a.inFlight.Store(1) }, "j1 has 1 in flight"},
		{"a process that does not answer", func(c *fakeCluster, _ *atomic.Int64, _ *app) { c.node("j1").serves(nil) }, "connect 198.18.0.21:8080"},
		{"a node that does not say", func(c *fakeCluster, _ *atomic.Int64, _ *app) {
			c.node("j1").serves(overHTTP(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "jvm_up 1\n") }))
		}, "has no hachaos_requests_in_flight"},
		{"a balancer without a backend", func(c *fakeCluster, _ *atomic.Int64, _ *app) {
			c.node("lb1").serves(replies(func(string) string { return "# pxname,svname\n\n" }))
		}, "lists no backend"},
		{"a container that does not run has nothing in flight", func(c *fakeCluster, _ *atomic.Int64, _ *app) { c.happen("j1", "die") }, ""},
		{"nor has a balancer's", func(c *fakeCluster, scur *atomic.Int64, _ *app) { scur.Store(3); c.happen("lb1", "die") }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newFake()
				var scur atomic.Int64
				a := newApp(true)
				c.node("lb1").serves(replies(backends(&scur)))
				c.node("j1").serves(overHTTP(a.ServeHTTP))
				tt.script(c, &scur, a)
				began := time.Now()
				err := Quiesce(t.Context(), c)
				if tt.err == "" {
					require.NoError(t, err)
					return
				}
				require.ErrorContains(t, err, tt.err)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.LessOrEqual(t, time.Since(began), quiesceWithin+answerWithin)
			})
		})
	}
}

func TestSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFake()
		c.add("j2", topology.Application, "198.18.0.22", 8080)
		var unwell atomic.Int64
		unwell.Store(2)
		answer := func(w http.ResponseWriter, r *http.Request) {
			require.Equal(t, sessionPath, r.URL.RequestURI())
			cookie := r.Header.Get("Cookie")
			if r.Host == "198.18.0.22:8080" && unwell.Add(-1) >= 0 {
				http.Error(w, "store away", http.StatusServiceUnavailable)
				return
			}
			w.Header().Set("X-Hachaos-Node", "j1")
			if strings.HasPrefix(r.Host, "198.18.0.11") != strings.Contains(cookie, "~") {
				http.Error(w, "wrong cookie "+cookie, 400)
				return
			}
			if !strings.HasSuffix(cookie, "abc.j1") {
				w.WriteHeader(404)
				return
			}
			fmt.Fprint(w, `{"id":"abc","user":"u7","count":2,"ops":["12","40"]}`)
		}
		for _, n := range []string{"lb1", "j1", "j2"} {
			c.node(n).serves(overHTTP(answer))
		}
		refs := []history.SessionRef{
			{Session: 1, User: "u7", Cookie: "JSESSIONID=j1~abc.j1"},
			{Session: 2, User: "u8", Cookie: "JSESSIONID=j1~gone.j1", Ended: true},
		}
		var r recorder
		require.NoError(t, Sessions(t.Context(), c, topology.Entry{URL: "http://198.18.0.11:80"}, refs, &r))
		got := observed[history.SessionState](t, &r, history.StreamSession)
		sort.SliceStable(got, func(i, j int) bool { return got[i].Session < got[j].Session })
		found := history.SessionState{Session: 1, Known: true, Found: true, ID: "abc", User: "u7", Count: 2, Ops: []uint64{12, 40}}
		absent := history.SessionState{Session: 2, Known: true}
		var want []history.SessionState
		for _, s := range []history.SessionState{found, absent} {
			for _, via := range []string{"vip", "j1", "j2"} {
				s.Via = via
				want = append(want, s)
			}
		}
		require.Equal(t, want, got)
		cov := coverage(t, &r, history.StreamSession, "")
		require.True(t, cov.Complete, cov.Reason)
		require.EqualValues(t, 6, cov.Seen)
	})
}

func TestSessionsThatAreNotKnown(t *testing.T) {
	tests := []struct {
		name   string
		serve  http.HandlerFunc // nil: refused
		reason string
	}{
		{"refused", nil, "session by j1: refused"},
		{"store away", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, "session by j1: status 503"},
		{"a 404 that is not the application's", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, "session by j1: status 404"},
		{"not understood", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }, "session by j1: body"},
		{"no answer", func(http.ResponseWriter, *http.Request) { time.Sleep(time.Hour) }, "session by j1: timeout"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newFake()
				c.node("lb1").serves(overHTTP(func(w http.ResponseWriter, _ *http.Request) {
					fmt.Fprint(w, `{"id":"abc","user":"u7","count":0}`)
				}))
				if tt.serve != nil {
					c.node("j1").serves(overHTTP(tt.serve))
				}
				var r recorder
				refs := []history.SessionRef{{Session: 1, Cookie: "JSESSIONID=abc"}, {Session: 2, Cookie: "JSESSIONID=abc"}}
				require.NoError(t, Sessions(t.Context(), c, topology.Entry{URL: "http://198.18.0.11:80"}, refs, &r))
				for _, s := range observed[history.SessionState](t, &r, history.StreamSession) {
					require.Equal(t, s.Via == viaVIP, s.Known)
				}
				cov := coverage(t, &r, history.StreamSession, "")
				require.False(t, cov.Complete)
				require.EqualValues(t, 2, cov.Missed)
				require.Contains(t, cov.Reason, tt.reason)
				time.Sleep(24 * time.Hour) // the handlers end
			})
		})
	}
}

func TestSessionsBrokenOff(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var r recorder
	err := Sessions(ctx, newFake(), topology.Entry{}, make([]history.SessionRef, 3), &r)
	require.ErrorIs(t, err, context.Canceled)
	cov := coverage(t, &r, history.StreamSession, "")
	require.False(t, cov.Complete)
	require.EqualValues(t, 3, cov.Missed)
}

// TestSessionsOfANodeThatComesBack: what was healed last has to be found again.
func TestSessionsOfANodeThatComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, began := newFake(), time.Now()
		for _, n := range []string{"lb1", "j1"} {
			c.node(n).serves(overHTTP(func(w http.ResponseWriter, _ *http.Request) {
				if time.Since(began) < readPatience/2 {
					w.WriteHeader(503)
					return
				}
				fmt.Fprint(w, `{"id":"abc","user":"u7","count":0}`)
			}))
		}
		var r recorder
		require.NoError(t, Sessions(t.Context(), c, topology.Entry{URL: "http://198.18.0.11:80"}, make([]history.SessionRef, 20), &r))
		cov := coverage(t, &r, history.StreamSession, "")
		require.True(t, cov.Complete, cov.Reason)
	})
}

// TestLedgerOfADatabaseThatRecovers: it listens, and refuses everybody for a while.
func TestLedgerOfADatabaseThatRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFake()
		var asked atomic.Int64
		c.node("db1").serves(func(conn net.Conn) {
			server := pgproto3.NewBackend(conn, conn)
			if _, err := server.ReceiveStartupMessage(); err != nil {
				return
			}
			code := cannotConnect
			if asked.Add(1) > 4 {
				code = "3D000" // invalid_catalog_name: what is refused for another reason is not asked again
			}
			server.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: code, Message: "no"})
			_ = server.Flush()
		})
		var r recorder
		err := Ledger(t.Context(), c, Stamp(&r, history.StartClock()))
		require.ErrorContains(t, err, "SQLSTATE 3D000")
		require.EqualValues(t, 5, asked.Load())
	})
}

func TestLedgerOfADatabaseThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		err := Ledger(t.Context(), newFake(), Stamp(&r, history.StartClock()))
		require.ErrorContains(t, err, "ledger: connect to database db1")
		require.False(t, coverage(t, &r, history.StreamLedger, "").Complete)
	})
}

func TestStamp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		s := Stamp(&r, history.StartClock())
		time.Sleep(time.Second)
		s.Put(history.Event{})
		s.Put(history.Event{At: 3})
		require.Equal(t, time.Second, r.events[0].At)
		require.EqualValues(t, 3, r.events[1].At)
	})
}
