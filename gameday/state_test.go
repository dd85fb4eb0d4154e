package gameday

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/runbook"
	"github.com/hachaos/hachaos/topology"
)

// Each state that can be looked at is one that a runbook can name.
func TestLookersAreStates(t *testing.T) {
	names := map[string]bool{}
	for _, s := range runbook.States() {
		names[s.Name] = true
	}
	for name := range lookers {
		require.True(t, names[name], name)
	}
	require.Len(t, lookers, len(names), "and all of them can be")
	require.False(t, CanLook("no-such-state"))
}

func TestReadServers(t *testing.T) {
	got, err := readServers(strings.NewReader("# pxname,svname,status\nnodes,j1,UP\nnodes,j2,DOWN 1/2\n\n"))
	require.NoError(t, err)
	require.Equal(t, map[string]string{"j1": "UP", "j2": "DOWN 1/2"}, got)
	_, err = readServers(strings.NewReader(""))
	require.ErrorContains(t, err, "says nothing")
	_, err = readServers(strings.NewReader("Unknown command\n"))
	require.ErrorContains(t, err, "lists no servers")
}

func TestSample(t *testing.T) {
	page := "# HELP hachaos_pool_waiting x\nhachaos_pool_waiting 3\nhachaos_pool_waiting_more 9\nhachaos_up 1 1700000000\n"
	v, err := sample(page, "hachaos_pool_waiting")
	require.NoError(t, err)
	require.Equal(t, 3.0, v)
	v, err = sample(page, "hachaos_up")
	require.NoError(t, err)
	require.Equal(t, 1.0, v)
	_, err = sample(page, "hachaos_pool")
	require.ErrorContains(t, err, "says nothing of hachaos_pool")
}

// A state is unseen only if that is all that is known of it.
func TestUnseen(t *testing.T) {
	sys := testSystem()
	look := func(errs ...error) error {
		i := -1
		var mu sync.Mutex
		return sys.onEach(topology.Application, func(topology.Node, topology.NodeSpec) error {
			mu.Lock()
			defer mu.Unlock()
			i++
			return errs[i]
		})
	}
	gone := unseen{errors.New("gone")}
	require.NoError(t, look(nil, nil))
	require.True(t, isUnseen(look(nil, gone)))
	require.True(t, isUnseen(look(gone, gone)))
	require.False(t, isUnseen(look(gone, errors.New("wrong"))))
	require.ErrorContains(t, look(nil, gone), "gone")
}

func TestSessionOf(t *testing.T) {
	for _, tt := range []struct{ cookie, want string }{
		{"JSESSIONID=node01abc.j1; Path=/; HttpOnly", "node01abc.j1"},
		{"JSESSIONID=j2~node01abc.j1; Path=/", "node01abc.j1"},
		{"other=x", ""},
		{"", ""},
	} {
		require.Equal(t, tt.want, sessionOf(http.Header{"Set-Cookie": {"first=1", tt.cookie}}), tt.cookie)
	}
}

func TestSessionCount(t *testing.T) {
	for _, tt := range []struct {
		page string
		want int
		says string
	}{
		{`{"id":"x","count":3}`, 3, ""},
		{`{"id":"x","visits":4}`, 4, ""},
		{`{"count":0}`, 0, ""},
		{`{"id":"x"}`, 0, "does not say what is in a session"},
		{`<html>`, 0, "what the application says of a session"},
	} {
		got, err := sessionCount(tt.page)
		require.Equal(t, tt.want, got)
		if tt.says == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, tt.says)
		}
	}
}

// A session is saved if each node reads what was saved through the entry.
func TestSessionsSaved(t *testing.T) {
	type node struct {
		status int
		count  int
	}
	for _, tt := range []struct {
		name  string
		begun int // status
		nodes [2]node
		says  string
	}{
		{"all is well", 200, [2]node{{200, 1}, {200, 1}}, ""},
		{"none can be begun", 503, [2]node{{200, 1}, {200, 1}}, "no session can be begun: status 503"},
		{"one does not know it", 200, [2]node{{200, 1}, {404, 0}}, "j2: it does not read a session that was just saved: status 404"},
		{"one has an older one", 200, [2]node{{200, 0}, {200, 1}}, "j1: it reads 0 of a session in which 1 was saved"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			entry := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				require.Equal(t, "POST /session", r.Method+" "+r.URL.Path)
				w.Header().Set("Set-Cookie", "JSESSIONID=j1~s1.j1")
				w.WriteHeader(tt.begun)
				fmt.Fprint(w, `{"count":1}`)
			}))
			defer entry.Close()
			sys := testSystem()
			c := sys.Cluster.(*hosts)
			c.entry = topology.Entry{URL: entry.URL}
			for i, n := range tt.nodes {
				s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					cookie, err := r.Cookie("JSESSIONID")
					require.NoError(t, err)
					require.Equal(t, "s1.j1", cookie.Value)
					w.WriteHeader(n.status)
					fmt.Fprintf(w, `{"count":%d}`, n.count)
				}))
				defer s.Close()
				at := netip.MustParseAddrPort(s.Listener.Addr().String())
				sys.spec.Nodes = append(sys.spec.Nodes, topology.NodeSpec{Name: fmt.Sprintf("j%d", i+1), Addr: at.Addr(), Port: int(at.Port())})
			}
			err := sys.Look(t.Context(), "sessions-saved")
			if tt.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.says)
		})
	}
}

func TestReadDisks(t *testing.T) {
	head := "Filesystem 1024-blocks Used Available Capacity Mounted on\n"
	require.NoError(t, readDisks(head+"tmpfs 100 80 20 80% /a\n/dev/x 100 1 99 1% /b\n"))
	require.EqualError(t, readDisks(head+"tmpfs 100 1 99 1% /a\ntmpfs 100 81 19 81% /b\n"), "/b is 81 % full, more than 80 %")
	for _, bad := range []string{"", head, head + "x y\n", head + "tmpfs 1 1 1 - /a\n"} {
		require.Error(t, readDisks(bad))
	}
}

// Nodes are of one version with the same settings, but for those that the
// topology gives each of them for itself.
func TestDiffering(t *testing.T) {
	node := func(name, url string) topology.NodeSpec {
		return topology.NodeSpec{Name: name, Role: topology.Application, Env: map[string]string{"NODE": name, "DB_URL": url, "POOL_SIZE": "10"}}
	}
	spec := topology.Spec{Nodes: []topology.NodeSpec{node("j1", "a"), node("j2", "b"), {Name: "db", Role: topology.Database, Env: map[string]string{"POOL_SIZE": "99"}}}}
	said := func(j1, j2 map[string]string) error {
		return differing(map[string]map[string]string{"j1": j1, "j2": j2}, spec)
	}
	type m = map[string]string
	require.NoError(t, said(m{"NODE": "j1", "DB_URL": "a", "VERSION": "1"}, m{"NODE": "j2", "DB_URL": "b", "VERSION": "1"}))
	require.EqualError(t, said(m{"POOL_SIZE": "10"}, m{"POOL_SIZE": "8"}), `POOL_SIZE is "10" on j1 and "8" on j2`)
	require.EqualError(t, said(m{"VERSION": "1", "A": "x"}, m{"VERSION": "2"}), `VERSION is "1" on j1 and "2" on j2`)
	require.EqualError(t, said(m{"A": "x"}, m{}), `A is "x" on j1 and "" on j2`)
	require.NoError(t, differing(nil, spec))
}

func TestKeepalivedRuns(t *testing.T) {
	for stat, says := range map[string]string{"Ss\nS\n": "", "Ss\nT\n": "stopped by a signal", "ts\n": "stopped by a signal", "": "does not run"} {
		err := keepalivedRuns(t.Context(), stub{out: topology.Output{Stdout: []byte(stat)}})
		if says == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, says)
	}
	require.ErrorIs(t, keepalivedRuns(t.Context(), stub{err: topology.ErrNotRunning}), topology.ErrNotRunning)
}

// stub answers every command alike.
type stub struct {
	topology.Node
	out topology.Output
	err error
}

func (s stub) Exec(context.Context, ...string) (topology.Output, error) { return s.out, s.err }

func TestAwait(t *testing.T) {
	holds := errors.New("not yet")
	looks := 0
	s := testSystem()
	look := func(answers ...error) {
		looks = 0
		s.lookers = map[string]looker{"test": func(context.Context, *System) error {
			looks++
			return answers[min(looks, len(answers))-1]
		}}
	}

	look(nil)
	_, err := s.Await(t.Context(), time.Minute, "test")
	require.NoError(t, err)
	require.Greater(t, looks, 2, "one look alone is no state that holds")

	// A break begins the time anew.
	look(nil, nil, holds, nil)
	began := time.Now()
	since, err := s.Await(t.Context(), time.Minute, "test")
	require.NoError(t, err)
	require.Greater(t, since.Sub(began), 2*lookEvery)

	look(holds)
	_, err = s.Await(t.Context(), 300*time.Millisecond, "test")
	require.ErrorContains(t, err, "within 300ms: test: not yet")

	_, err = s.Await(t.Context(), 300*time.Millisecond, "no-such-state")
	require.ErrorContains(t, err, "there is no such state")

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(holds)
	_, err = s.Await(ctx, time.Minute, "test")
	require.ErrorIs(t, err, holds)
}

// TestALooksWordsAreMasked: what a system says of itself may have its secrets in it,
// and goes into outcomes, reviews and pages.
func TestALooksWordsAreMasked(t *testing.T) {
	s := testSystem()
	s.lookers = map[string]looker{
		"told": func(context.Context, *System) error { return unseen{errors.New("password hunter22 was refused")} },
		"well": func(context.Context, *System) error { return nil },
	}
	err := s.Look(t.Context(), "told")
	require.EqualError(t, err, "password ••• was refused")
	require.True(t, isUnseen(err))
	require.NotContains(t, s.all(t.Context(), []string{"told", "well"}).Error(), "hunter22")
	require.NoError(t, s.Look(t.Context(), "well"))
}
