//go:build docker

package observe_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/observe"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/docker"
	"github.com/hachaos/hachaos/topology/docker/agent"
)

func TestMain(m *testing.M) {
	agent.Main(nil)
	os.Exit(m.Run())
}

// TestObserversOfTheRealStack loads jetty-ha a little, kills a node and
// starts it again, and wants of every observer a complete account and of the
// streams what happened.
func TestObserversOfTheRealStack(t *testing.T) {
	c := start(t)
	clock, dir := history.StartClock(), t.TempDir()
	var r recorder
	end := watch(t, c, clock, dir, &r)
	clients := login(t, c, 10)

	load(t, clients, 100, 1, gentle)
	victim := node(t, c, "j1")
	require.NoError(t, victim.Kill(t.Context()))
	killed := clock.Now()
	pause(t, 2*time.Second)
	require.NoError(t, victim.Start(t.Context()))
	require.NoError(t, c.Ready(t.Context()))
	load(t, clients, 100, 1001, gentle)
	require.NoError(t, observe.Quiesce(t.Context(), c))
	sink := observe.Stamp(&r, clock)
	require.NoError(t, observe.Ledger(t.Context(), c, sink))
	require.NoError(t, observe.Sessions(t.Context(), c, c.Entry(), refs(c, clients), sink))
	end()

	for _, v := range observed[history.Coverage](t, &r, history.StreamCoverage) {
		require.Zero(t, v.Missed, "%+v", v)
		if !v.Complete { // a starved machine may be, and then it is said
			require.Contains(t, v.Reason, "the machine was too busy", "%+v", v)
			t.Logf("incomplete: %+v", v)
		}
	}
	ok := map[uint64]string{}
	for _, one := range clients {
		maps.Copy(ok, one.ok)
	}
	require.Greater(t, len(ok), 100, "so few succeeded that there is nothing to compare")
	testJoin(t, &r, ok)
	testDeath(t, &r, killed)
	for _, s := range observed[history.SessionState](t, &r, history.StreamSession) {
		require.True(t, s.Known && s.Found, "%+v", s)
		require.Len(t, s.Ops, int(s.Count))
		for op, path := range clients[s.Session-1].ok {
			require.Equal(t, path == "/session", slices.Contains(s.Ops, op), "op %d of %+v", op, s)
		}
	}
	testConnections(t, &r)
	for _, n := range c.Nodes() {
		require.FileExists(t, filepath.Join(dir, n.Name()+".log"))
	}
}

// testJoin wants each operation that succeeded at its balancer and its node,
// and each order in the database, once.
func testJoin(t *testing.T, r *recorder, ok map[uint64]string) {
	arrived, committed, dispatched := map[uint64]int{}, map[int64]uint64{}, map[uint64]int{}
	for _, v := range observed[history.Receipt](t, r, history.StreamReceipt) {
		if v.What == "arrive" {
			arrived[v.Op]++
		} else {
			committed[v.Order] = v.Op
		}
	}
	for _, v := range observed[history.Dispatch](t, r, history.StreamDispatch) {
		dispatched[v.Op]++
	}
	for op := range ok {
		require.Equal(t, 1, arrived[op], "arrivals of %d", op)
		require.Equal(t, 1, dispatched[op], "dispatches of %d", op)
	}
	rows := map[uint64]int{}
	for _, row := range observed[history.LedgerRow](t, r, history.StreamLedger) {
		rows[row.Op]++
		require.Equal(t, row.Op, committed[row.Order])
		require.Equal(t, fmt.Sprintf("k-%d", row.Op), row.Key)
		require.Equal(t, 1, row.Attempt)
	}
	for op, path := range ok {
		require.Equal(t, path == "/orders", rows[op] == 1, "rows of %d", op)
	}
}

// testDeath wants the victim's death and return in every stream that can
// show it, at about the same time.
func testDeath(t *testing.T, r *recorder, killed time.Duration) {
	var actions []string
	for _, v := range observed[history.Engine](t, r, history.StreamEngine) {
		if v.Node == "j1" {
			actions = append(actions, v.Action)
		}
	}
	require.Subset(t, actions, []string{"kill", "die", "start"})

	var down, again bool
	for _, v := range observed[history.Server](t, r, history.StreamServer) {
		if v.Server == "j1" && v.Balancer == "lb1" {
			down = down || !v.Up
			again = down && v.Up
		}
	}
	require.True(t, down, "the balancer saw it down")
	require.True(t, again, "and up")

	var cold, warm, absent bool
	for _, v := range timed[history.Truth](t, r, history.StreamTruth) {
		if v.V.Node == "j1" && v.Time > killed {
			absent = absent || !v.V.Up
			cold = cold || v.V.Up && !v.V.Warm
			warm = cold && v.V.Warm
		}
	}
	require.True(t, absent && cold && warm, "absent %v, cold %v, warm %v", absent, cold, warm)

	started := map[string]int{}
	for _, v := range timed[history.Transition](t, r, history.StreamTransition) {
		if v.V.Node == "j1" && v.Time > killed {
			started[v.V.What]++
		}
	}
	for _, what := range []string{"started", "listening", "warm"} {
		require.Equal(t, 1, started[what], what)
	}
	// A busy machine may have the database answer too late for a look.
	require.Positive(t, started["ready"])
	require.Contains(t, []int{0, 1}, started["ready"]-started["unready"], "the two come in turn")

	owners := map[string]bool{}
	for _, v := range observed[history.VIP](t, r, history.StreamVIP) {
		if v.Owner {
			owners[v.Balancer] = true
		}
	}
	require.Len(t, owners, 1)

	var versions []string
	for _, v := range observed[history.NodeInfo](t, r, history.StreamNode) {
		if v.Node == "j1" && v.Started > killed {
			versions = append(versions, v.Version)
		}
	}
	require.Equal(t, []string{"1", "1"}, versions, "after its start, and at the end")
}

func testConnections(t *testing.T, r *recorder) {
	by := map[string]bool{}
	for _, v := range observed[history.Connections](t, r, history.StreamConnections) {
		require.True(t, v.Known)
		require.Equal(t, 200, v.Max)
		for name := range v.By {
			by[name] = true
		}
	}
	require.True(t, by["j1"] && by["j2"], "%v", by)
}

// TestObserversOfAKilledBalancer kills the VIP's owner and starts it again.
// The observers follow the VIP to the other, and the time of the death is one
// of which none claims to know what the dead one had not written.
func TestObserversOfAKilledBalancer(t *testing.T) {
	c := start(t)
	clock := history.StartClock()
	var r recorder
	end := watch(t, c, clock, t.TempDir(), &r)
	clients := login(t, c, 10)
	load(t, clients, 20, 1, gentle)
	first := owner(t, &r, "")
	require.NoError(t, node(t, c, first).Kill(t.Context()))
	second := owner(t, &r, first)
	load(t, clients, 20, 1001, gentle)
	require.NoError(t, node(t, c, first).Start(t.Context()))
	require.NoError(t, c.Ready(t.Context()))
	again := clock.Now()
	for !slices.ContainsFunc(timed[history.VIP](t, &r, history.StreamVIP), func(v history.At[history.VIP]) bool {
		return v.V.Balancer == first && v.V.Known && v.V.Took > 0 && v.Time > again
	}) && t.Context().Err() == nil {
		pause(t, gentle) // until it is asked in its new namespace
	}
	end()

	var dead, died time.Duration
	for _, v := range timed[history.Engine](t, &r, history.StreamEngine) {
		switch {
		case v.V.Node == first && v.V.Action == "die":
			died = v.Time
		case v.V.Node == first && v.V.Action == "start" && died > 0:
			dead = v.Time - died
		}
	}
	answers := 0
	for _, v := range timed[history.VIP](t, &r, history.StreamVIP) {
		if v.V.Balancer == first && v.Time > died+time.Second/2 && v.Time < died+dead {
			require.True(t, v.V.Known && !v.V.Owner, "a dead container holds nothing: %+v", v)
			answers++
		}
	}
	require.NotZero(t, answers)
	for _, v := range observed[history.Coverage](t, &r, history.StreamCoverage) {
		if v.Stream != history.StreamDispatch {
			continue
		}
		require.True(t, v.Complete, "%+v", v)
		require.Zero(t, v.Missed)
		if v.Source == second {
			require.Empty(t, v.Unknown)
			continue
		}
		require.Len(t, v.Unknown, 1, "%+v", v)
		span := v.Unknown[0]
		require.Contains(t, span.Why, "what its earlier process had not finished has no line")
		require.LessOrEqual(t, span.From, died)
		require.GreaterOrEqual(t, span.To, died)
	}
}

// owner waits until a balancer other than not holds the VIP.
func owner(t *testing.T, r *recorder, not string) string {
	for t.Context().Err() == nil {
		for _, v := range slices.Backward(observed[history.VIP](t, r, history.StreamVIP)) {
			if v.Owner && v.Balancer != not {
				return v.Balancer
			}
		}
		pause(t, gentle)
	}
	require.Fail(t, "nobody holds the VIP")
	return ""
}

// TestObserversCostLittle prints what all observers together take of a core,
// and wants less than the load itself takes, each at its best of three: how
// fast a core is differs between machines, and within a minute of a shared one.
func TestObserversCostLittle(t *testing.T) {
	c := start(t)
	clients := login(t, c, 100)
	measure := func(f func()) float64 {
		before, began := processTime(t), time.Now()
		f()
		return 100 * (processTime(t) - before).Seconds() / time.Since(began).Seconds()
	}
	drive := func() { load(t, clients, 1000, 1, time.Second/200) }
	alone, observed := math.Inf(1), math.Inf(1)
	for range 3 {
		alone = min(alone, measure(drive))
		end := watch(t, c, history.StartClock(), t.TempDir(), &recorder{})
		observed = min(observed, measure(drive))
		end()
	}
	t.Logf("observe_cpu_ratio: %.2f (of a core: load alone %.1f %%, with all observers %.1f %%)", (observed-alone)/alone, alone, observed)
	require.Less(t, observed-alone, alone)
}

// processTime is the processor time of this process so far.
func processTime(t *testing.T) time.Duration {
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// start brings jetty-ha up, ready.
func start(t *testing.T) topology.Cluster {
	d, err := docker.Open(t.Context(), docker.Options{})
	require.NoError(t, err)
	plan, err := topology.JettyHA().Plan(topology.Options{})
	require.NoError(t, err)
	c, err := d.Start(t.Context(), fmt.Sprintf("observe-%d", os.Getpid()), plan,
		topology.StartOptions{Progress: func(s string) { t.Log(s) }})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, c.Close(context.Background()))
		require.NoError(t, d.Close())
	})
	require.NoError(t, c.Ready(t.Context()))
	return c
}

// watch runs all observers; the function returned ends them and waits.
func watch(t *testing.T, c topology.Cluster, clock history.RunClock, dir string, sink history.Sink) (end func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for _, o := range observe.All(c, clock, dir) {
		wg.Go(func() {
			if err := o.Observe(ctx, sink); err != nil {
				t.Errorf("%s: %v", o.Name(), err)
			}
		})
	}
	end = func() { cancel(); wg.Wait() }
	t.Cleanup(end)
	return end
}

func node(t *testing.T, c topology.Cluster, name string) topology.Container {
	for _, n := range c.Nodes() {
		if n.Name() == name {
			return n.(topology.Container)
		}
	}
	require.Fail(t, "no node "+name)
	return nil
}

// pause gives the system time to be without the node; nothing is asserted
// of how long.
func pause(t *testing.T, d time.Duration) {
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}

// A client is one user's session.
type client struct {
	http *http.Client
	url  string
	user string
	ok   map[uint64]string // the paths of the operations that succeeded

	refused int    // operations that did not
	last    string // the latest of them
}

// gentle is an interval of requests that a busy machine keeps up with.
const gentle = 25 * time.Millisecond

func login(t *testing.T, c topology.Cluster, users int) []*client {
	var all []*client
	for i := range users {
		jar, err := cookiejar.New(nil)
		require.NoError(t, err)
		one := &client{http: &http.Client{Jar: jar}, url: c.Entry().URL, user: fmt.Sprintf("u%d", i+1), ok: map[uint64]string{}}
		for one.ok[0] == "" && t.Context().Err() == nil {
			one.post(t, "/login", fmt.Sprintf(`{"user":%q}`, one.user), 0)
			pause(t, gentle)
		}
		delete(one.ok, 0)
		all = append(all, one)
	}
	return all
}

// load makes n session writes and as many orders, numbered from op on, one
// each interval.
func load(t *testing.T, clients []*client, n int, op uint64, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	lanes := make([]chan func(), len(clients))
	var wg sync.WaitGroup
	for i := range lanes {
		lanes[i] = make(chan func(), 2*n)
		wg.Go(func() {
			for f := range lanes[i] {
				f()
			}
		})
	}
	for i := range 2 * n {
		<-tick.C
		one := clients[i/2%len(clients)]
		lanes[i/2%len(clients)] <- func() {
			if i%2 == 0 {
				one.post(t, "/session", "", op+uint64(i))
			} else {
				one.post(t, "/orders", `{"item":"tea","quantity":1}`, op+uint64(i))
			}
		}
	}
	for _, l := range lanes {
		close(l)
	}
	wg.Wait()
	for _, one := range clients {
		if one.refused > 0 {
			t.Logf("%s: %d refused; the last: %s", one.user, one.refused, one.last)
		}
	}
}

// post makes one operation; a busy machine may refuse it.
func (c *client) post(t *testing.T, path, body string, op uint64) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url+path, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return
	}
	req.Header.Set("Content-Type", "application/json")
	if op > 0 {
		req.Header.Set("X-Hachaos-Op", fmt.Sprintf("%d.1", op))
	}
	if path == "/orders" {
		req.Header.Set("Idempotency-Key", fmt.Sprintf("k-%d", op))
	}
	res, err := c.http.Do(req)
	if err != nil {
		c.refused++
		c.last = err.Error()
		return
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	if res.StatusCode >= 300 {
		c.refused++
		c.last = fmt.Sprintf("%s of %d: %s: %s", path, op, res.Status, text)
		return
	}
	c.ok[op] = path
}

// refs are the clients' sessions as the load would hand them over.
func refs(c topology.Cluster, clients []*client) []history.SessionRef {
	var all []history.SessionRef
	for i, one := range clients {
		req, _ := http.NewRequest(http.MethodGet, c.Entry().URL, nil)
		for _, cookie := range one.http.Jar.Cookies(req.URL) {
			req.AddCookie(cookie)
		}
		all = append(all, history.SessionRef{Session: uint32(i + 1), User: one.user, Cookie: req.Header.Get("Cookie")})
	}
	return all
}

// recorder is a Sink that keeps all.
type recorder struct {
	mu     sync.Mutex
	events []history.Event
}

func (r *recorder) Put(e history.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func timed[T any](t *testing.T, r *recorder, stream string) []history.At[T] {
	r.mu.Lock()
	events := slices.Clone(r.events)
	r.mu.Unlock()
	var all []history.At[T]
	for _, e := range events {
		if e.Name == stream {
			var v T
			require.NoError(t, json.Unmarshal(e.Data, &v))
			all = append(all, history.At[T]{Time: e.At, V: v})
		}
	}
	return all
}

func observed[T any](t *testing.T, r *recorder, stream string) []T {
	var all []T
	for _, v := range timed[T](t, r, stream) {
		all = append(all, v.V)
	}
	return all
}
