package load

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

func TestUnderstand(t *testing.T) {
	for _, tc := range []struct {
		name, op, body string
		want           bool
	}{
		{"login", history.OpLogin, `{"id":"s1","user":"u7","count":0,"new":true}`, true},
		{"login without an id", history.OpLogin, `{"user":"u7"}`, false},
		{"logout", history.OpLogout, `{"id":"s1","user":"u7"}`, true},
		{"session", history.OpSessionRead, `{"id":"s1","count":0}`, true},
		{"another user is for the checkers", history.OpSessionRead, `{"id":"s1","user":"u9","count":0}`, true},
		{"counter below 0", history.OpSessionRead, `{"id":"s1","count":-1}`, false},
		{"half a counter", history.OpSessionWrite, `{"id":"s1","count":1.5}`, false},
		{"order", history.OpOrder, `{"order":3,"key":"k-1","replayed":true}`, true},
		{"order to another key", history.OpOrder, `{"order":3,"key":"k-2"}`, false},
		{"order without a number", history.OpOrder, `{"key":"k-1"}`, false},
		{"a list", history.OpOrder, `[]`, false},
		{"two values", history.OpLogout, `{"id":"s1"}{"id":"s1"}`, false},
		{"nothing", history.OpLogout, ``, false},
	} {
		_, ok := understand(tc.op, "k-1", []byte(tc.body))
		require.Equal(t, tc.want, ok, tc.name)
	}
}

func TestJar(t *testing.T) {
	var j jar
	require.Empty(t, j.header())
	j = j.set(&http.Cookie{Name: "JSESSIONID", Value: "j1~a"})
	require.Equal(t, "JSESSIONID=j1~a", j.header())
	j = j.set(&http.Cookie{Name: "SERVERID", Value: "j1"})
	before := j
	j = j.set(&http.Cookie{Name: "JSESSIONID", Value: "j2~b"})
	require.Equal(t, "SERVERID=j1; JSESSIONID=j2~b", j.header())
	require.Equal(t, "JSESSIONID=j1~a; SERVERID=j1", before.header(), "a jar is a value")
	j = j.set(&http.Cookie{Name: "SERVERID", Value: "x", MaxAge: -1})
	require.Equal(t, "JSESSIONID=j2~b", j.header())
	require.Empty(t, j.set(&http.Cookie{Name: "JSESSIONID"}).header())
}

func TestRefsForgetTheOldest(t *testing.T) {
	var r refs
	for i := range MaxRefs + 3 {
		r.add(history.SessionRef{Session: uint32(i + 1)})
	}
	all := r.all()
	require.Len(t, all, MaxRefs)
	require.EqualValues(t, 4, all[0].Session)
	require.EqualValues(t, MaxRefs+3, all[MaxRefs-1].Session)
}

func TestTally(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := Default().Resolved()
		ta := newTally(history.StartClock(), cfg)
		end := func(o history.Kind, took, late time.Duration, turn bool) {
			require.True(t, ta.begin(2))
			ta.done(o, &history.Call{End: took, Late: late}, turn)
		}
		end(history.OK, 10*time.Millisecond, 5*time.Millisecond, true) // not above the limit
		time.Sleep(time.Second)
		end(history.Fail, time.Second, 0, false)
		end(history.Info, time.Hour, 6*time.Millisecond, true)
		require.True(t, ta.begin(2))
		require.True(t, ta.begin(2))
		require.False(t, ta.begin(2))
		ta.dropped()
		require.Equal(t, Counts{Sent: 1, OK: 1}, ta.snapshot().LastSecond)
		time.Sleep(time.Second)
		s := ta.snapshot()
		require.Equal(t, Counts{Sent: 2, OK: 1, Failed: 1, Info: 1, Dropped: 1, Late: 1}, s.Counts)
		require.Equal(t, Counts{Sent: 1, Failed: 1, Info: 1, Dropped: 1, Late: 1}, s.LastSecond)
		require.Equal(t, 2, s.Outstanding)
		require.InEpsilon(t, time.Second, s.Latency.P50, 0.001)
		require.InEpsilon(t, time.Minute, s.Latency.Max, 0.001, "beyond the range counts as its end")
		require.InEpsilon(t, 6*time.Millisecond, s.Lateness.Max, 0.001)
		ta.dropped()
		time.Sleep(2 * time.Second)
		require.Equal(t, Counts{}, ta.snapshot().LastSecond)
		require.False(t, ta.snapshot().LastSecond.Calm(), "nothing was done")
		for took, calm := range map[time.Duration]bool{slow: true, slow + time.Millisecond: false} {
			ta := newTally(history.StartClock(), cfg)
			require.True(t, ta.begin(1))
			ta.done(history.OK, &history.Call{End: took}, true)
			time.Sleep(time.Second)
			require.Equal(t, calm, ta.snapshot().LastSecond.Calm(), took)
		}
	})
}
