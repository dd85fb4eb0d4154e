package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

func TestHealthySystemIsAllOK(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp()
		ops, g := drive(t, small(), a, seconds(10))
		require.Len(t, ops, 200)
		for i, op := range ops {
			require.Equal(t, history.OK, op.Outcome, "%+v", op)
			require.Equal(t, time.Duration(i+1)*50*time.Millisecond, op.Intended)
			require.Equal(t, op.Intended, op.Sent)
			require.Zero(t, op.Late)
			require.Equal(t, 1, op.Attempts)
			require.Equal(t, "lb1", op.Balancer)
			require.Equal(t, "1", op.Version)
		}
		require.Len(t, a.seen(), 200)
		s := g.Snapshot()
		require.Equal(t, Counts{Sent: 200, OK: 200}, s.Counts)
		require.Equal(t, Counts{Sent: 20, OK: 20}, s.LastSecond)
		require.Zero(t, s.Outstanding)
	})
}

func TestSessionsLiveFromLoginToLogout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ops, g := drive(t, small(), newApp(), seconds(10))
		require.Equal(t, "iWRBWoiRBWRoiBWRBoiW", names(ofClient(ops, 0, 10)))
		require.Equal(t, "iBWRoiBWRBoiWRBWoiRB", names(ofClient(ops, 1, 10)), "the first session is shorter")
		require.Equal(t, "iBWRBWoiRBWRoiBWRBoi", names(ofClient(ops, 5, 10)), "nothing but a logout was left of it")

		login := map[uint32]done{}
		counts := map[uint32]int64{}
		for _, op := range ops {
			if op.Name == history.OpLogin {
				require.NotContains(t, login, op.Session, "a session has one login")
				require.Empty(t, op.Bound)
				require.True(t, op.New)
				login[op.Session] = op
				continue
			}
			begun := login[op.Session]
			require.Equal(t, begun.User, op.User)
			require.Equal(t, begun.Node, op.Bound)
			if op.Name == history.OpOrder {
				require.Equal(t, fmt.Sprintf("t-%d", op.ID), op.Key)
				require.Positive(t, op.Value)
				continue
			}
			require.Equal(t, begun.SessionID, op.SessionID)
			require.Equal(t, op.User, op.Owner)
			if op.Name == history.OpSessionWrite {
				counts[op.Session]++
			}
			require.Equal(t, counts[op.Session], op.Value)
		}
		refs := g.Refs()
		require.Len(t, refs, len(login))
		ended := 0
		for _, ref := range refs {
			begun := login[ref.Session]
			require.Equal(t, history.SessionRef{
				Session: begun.Session, User: begun.User, Ended: ref.Ended,
				Cookie: "JSESSIONID=" + begun.Node + "~" + begun.SessionID,
			}, ref)
			if ref.Ended {
				ended++
			}
		}
		require.Equal(t, len(login)-live(g), ended)
	})
}

func live(g *Generator) (n int) {
	for _, sessions := range g.Serving() {
		n += sessions
	}
	return n
}

func TestServingCountsBoundSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp()
		a.node = func(user string) string {
			if user <= "u3" && user != "u10" {
				return "j1"
			}
			return "j2"
		}
		cfg := small()
		cfg.SessionOps = 100
		_, g := drive(t, cfg, a, seconds(2))
		require.Equal(t, map[string]int{"j1": 3, "j2": 7}, g.Serving())
	})
}

// A login that did not succeed is tried again at the client's next turn, as
// a session of its own.
func TestFailedLoginIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, refused := newApp(), 0
		a.before = func(w http.ResponseWriter, r *http.Request) bool {
			if op, _ := numberOf(r); op%10 != 1 || refused == 3 {
				return false
			}
			refused++
			w.Header().Set("X-Hachaos-Node", "j1")
			w.Header().Set("X-Hachaos-Applied", "no")
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		ops, _ := drive(t, small(), a, seconds(6))
		own := ofClient(ops, 0, 10)
		require.Equal(t, "iiiiWoiRBWRo", names(own))
		require.Equal(t, map[string]int{"fail status": 3, "ok": 9}, outcomes(own))
		require.NotEqual(t, own[0].Session, own[1].Session)
		require.Equal(t, own[3].Session, own[5].Session)
	})
}

func TestSameScheduleTwice(t *testing.T) {
	run := func() (kinds string) {
		synctest.Test(t, func(t *testing.T) {
			ops, _ := drive(t, Config{Rate: 40, Sessions: 20, Writes: 3, Reads: 2, Orders: 1}, newApp(), seconds(10))
			kinds = names(ops)
		})
		return kinds
	}
	require.Equal(t, run(), run())
}

func TestStopDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp()
		a.before = func(http.ResponseWriter, *http.Request) bool { time.Sleep(300 * time.Millisecond); return false }
		g, rec := generator(t, small(), a)
		time.AfterFunc(seconds(3), func() { g.Stop(); g.Stop() })
		begin := time.Now()
		require.NoError(t, g.Run(t.Context()))
		require.Equal(t, 3300*time.Millisecond, time.Since(begin).Round(50*time.Millisecond))
		ops := rec.ops(t)
		require.Len(t, ops, 60)
		require.Equal(t, map[string]int{"ok": 60}, outcomes(ops))
		require.ErrorContains(t, g.Run(t.Context()), "has run before")
	})
}

// A drain ends even if the system never answers again: an operation waits at
// most its patience for its turn and again for its answer.
func TestDrainIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp()
		a.before = func(_ http.ResponseWriter, r *http.Request) bool { return hang(r) }
		g, rec := generator(t, small(), a)
		time.AfterFunc(seconds(3), g.Stop)
		begin := time.Now()
		require.NoError(t, g.Run(t.Context()))
		require.LessOrEqual(t, time.Since(begin), seconds(3+20))
		require.Equal(t, map[string]int{"info timeout": 20, "fail not-sent": 40}, outcomes(rec.ops(t)))
	})
}

// The end of the context ends everything at once; that nothing is left
// running is what synctest.Test itself demands.
func TestCancelEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp()
		a.before = func(_ http.ResponseWriter, r *http.Request) bool { return hang(r) }
		g, rec := generator(t, small(), a)
		ctx, cancel := context.WithTimeout(t.Context(), seconds(2))
		defer cancel()
		begin := time.Now()
		require.ErrorIs(t, g.Run(ctx), context.DeadlineExceeded)
		require.Less(t, time.Since(begin), seconds(2)+100*time.Millisecond)
		require.Equal(t, map[string]int{"info cancelled": 10, "fail cancelled": 30}, outcomes(rec.ops(t)))
		require.Zero(t, g.Snapshot().Outstanding)
	})
}

func TestStopBeforeRunSendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, rec := generator(t, small(), newApp())
		g.Stop()
		require.NoError(t, g.Run(t.Context()))
		require.Empty(t, rec.ops(t))
	})
}

func TestNewRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		cfg  Config
		url  string
		want string
	}{
		"workload":    {Config{}, "http://app", "rate of 0"},
		"no address":  {small(), "", "no address for requests"},
		"other ports": {small(), "https://app", "no address for requests"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(tc.cfg, Target{URL: tc.url}, history.StartClock(), &journal{})
			require.ErrorContains(t, err, tc.want)
		})
	}
}

// At a high rate the pacer's last wait is a thread's, which a test's clock
// knows nothing of: the times are still exact.
func TestHighRateIsOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ops, _ := drive(t, Config{Rate: 1000, KeyPrefix: "t"}, newApp(), 100*time.Millisecond)
		require.InDelta(t, 100, len(ops), 1)
		for i, op := range ops {
			require.Equal(t, time.Duration(i+1)*time.Millisecond, op.Sent)
		}
	})
}

// The end does not wait for the next hit.
func TestSlowRateStopsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, rec := generator(t, Config{Rate: 1}, newApp())
		time.AfterFunc(1500*time.Millisecond, g.Stop)
		begin := time.Now()
		require.NoError(t, g.Run(t.Context()))
		require.Equal(t, 1500*time.Millisecond, time.Since(begin))
		require.Len(t, rec.ops(t), 1)
	})
}

// gate is a network that can be taken away: then nothing is written.
type gate struct {
	net.Conn
	shut *atomic.Bool
}

func (g gate) Write(b []byte) (int, error) {
	if g.shut.Load() {
		return 0, errors.New("the network is gone")
	}
	return g.Conn.Write(b)
}

// A session whose logout never left the client is not said to have ended.
func TestLogoutThatWasNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shut atomic.Bool
		p, rec := serve(t, newApp()), &journal{}
		dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := p.DialContext(ctx, network, addr)
			return gate{c, &shut}, err
		}
		g, err := New(small(), Target{URL: "http://app", Dial: dial}, history.StartClock(), rec)
		require.NoError(t, err)
		time.AfterFunc(seconds(1), func() { shut.Store(true) })
		time.AfterFunc(seconds(4), g.Stop)
		require.NoError(t, g.Run(t.Context()))
		sent := map[uint32]bool{}
		for _, op := range rec.ops(t) {
			if op.Intended > time.Second+time.Millisecond {
				require.Equal(t, "fail connect", string(op.Outcome)+" "+op.Error)
			}
			if op.Name == history.OpLogout && op.Sent >= 0 {
				sent[op.Session] = true
			}
		}
		require.NotEmpty(t, sent)
		ended := map[bool]int{}
		for _, ref := range g.Refs() {
			require.Equal(t, sent[ref.Session], ref.Ended)
			ended[ref.Ended]++
		}
		require.Positive(t, ended[false])
		require.Empty(t, g.Serving())
	})
}

// Vegeta may have a hit on its way when the load ends.
func TestHitAfterStopIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, rec := generator(t, small(), newApp())
		g.Stop()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://app", nil)
		require.NoError(t, err)
		_, err = hits{g}.RoundTrip(r)
		require.ErrorContains(t, err, "bears no number")
		r.Header.Set(seqHeader, "3")
		_, err = hits{g}.RoundTrip(r)
		require.NoError(t, err)
		require.Empty(t, rec.ops(t))
		require.EqualValues(t, 1, g.clients[3].turns.next, "its turn is passed on")
	})
}
