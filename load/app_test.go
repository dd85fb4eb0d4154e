package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

// pipes is a network of net.Pipe connections: a listener and the dial to it.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.done:
		return nil, errors.New("nobody listens")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.once.Do(func() { close(p.done) }); return nil }

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "pipe"} }

// app is the sample application in memory. before, if set, sees each request
// first and may answer it: it returns true if it did.
type app struct {
	before func(w http.ResponseWriter, r *http.Request) bool
	node   func(user string) string // nil: j1

	mu       sync.Mutex
	arrivals []string // X-Hachaos-Op of all requests, in order
	count    int
	sessions map[string]*appSession
	orders   map[string]int64
	bodies   map[string]string
}

type appSession struct {
	user  string
	count int64
}

func newApp() *app {
	return &app{sessions: map[string]*appSession{}, orders: map[string]int64{}, bodies: map[string]string{}}
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.arrivals = append(a.arrivals, r.Header.Get("X-Hachaos-Op"))
	a.mu.Unlock()
	if a.before != nil && a.before(w, r) {
		return
	}
	a.answer(w, r)
}

func (a *app) answer(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	node := "j1"
	id := cookieID(r)
	s := a.sessions[id]
	var in struct{ User, Item string }
	_ = json.NewDecoder(r.Body).Decode(&in)
	if r.URL.Path == "/login" {
		delete(a.sessions, id)
		a.count++
		id, s = fmt.Sprintf("s%d", a.count), &appSession{user: in.User}
		a.sessions[id] = s
	}
	if a.node != nil && s != nil {
		node = a.node(s.user)
	}
	if r.URL.Path == "/login" {
		http.SetCookie(w, &http.Cookie{Name: "JSESSIONID", Value: node + "~" + id, Path: "/", HttpOnly: true})
	}
	h := w.Header()
	h.Set("X-Hachaos-Node", node)
	h.Set("X-Hachaos-Version", "1")
	h.Set("X-Hachaos-Warm", "true")
	h.Set("X-Hachaos-Balancer", "lb1")
	if r.URL.Path == "/orders" {
		a.order(w, r, in.Item)
		return
	}
	if s == nil {
		h.Set("X-Hachaos-Applied", "no")
		w.WriteHeader(http.StatusNotFound)
		return
	}
	switch r.URL.Path {
	case "/logout":
		delete(a.sessions, id)
	case "/session":
		if r.Method == http.MethodPost {
			s.count++
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"id": id, "user": s.user, "count": s.count, "new": r.URL.Path == "/login", "node": node, "version": "1",
	})
}

func (a *app) order(w http.ResponseWriter, r *http.Request, item string) {
	key := r.Header.Get("Idempotency-Key")
	order, again := a.orders[key]
	if again && a.bodies[key] != item {
		w.WriteHeader(http.StatusConflict)
		return
	}
	status := http.StatusOK
	if !again {
		order, status = int64(len(a.orders)+1), http.StatusCreated
		a.orders[key], a.bodies[key] = order, item
	}
	writeJSON(w, status, map[string]any{"order": order, "key": key, "replayed": again})
}

func (a *app) seen() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.arrivals...)
}

func cookieID(r *http.Request) string {
	c, err := r.Cookie("JSESSIONID")
	if err != nil {
		return ""
	}
	_, id, _ := strings.Cut(c.Value, "~")
	return id
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, _ := json.Marshal(v)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// serve serves h over pipes until the test ends.
func serve(t *testing.T, h http.Handler) *pipes {
	t.Helper()
	p := newPipes()
	srv := &http.Server{Handler: h}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(p) }()
	t.Cleanup(func() { _ = srv.Close(); <-done })
	return p
}

// journal is a Sink that keeps the events.
type journal struct {
	mu     sync.Mutex
	events []history.Event
}

func (r *journal) Put(e history.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// done is a completed operation.
type done struct {
	history.Call
	Name    string
	Outcome history.Kind
}

// ops pairs the events: each operation has one invoke, then one completion,
// and the numbers are 1 to the last without a gap. An account of them counts
// them.
func (r *journal) ops(t *testing.T) []done {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	invoked := map[uint64]string{}
	completed := map[uint64]done{}
	for i, e := range r.events {
		if e.Kind == history.Observed {
			require.Equal(t, len(r.events)-1, i, "the account is the last")
			var account history.Coverage
			require.NoError(t, json.Unmarshal(e.Data, &account))
			require.Equal(t, history.Coverage{Stream: history.StreamClient, Complete: true, Seen: uint64(len(invoked))}, account)
			continue
		}
		require.NotNil(t, e.Op)
		if e.Kind == history.Invoke {
			require.NotContains(t, invoked, e.Op.ID)
			invoked[e.Op.ID] = e.Name
			continue
		}
		require.Equal(t, e.Name, invoked[e.Op.ID], "a completion is of the invoked operation")
		require.NotContains(t, completed, e.Op.ID)
		completed[e.Op.ID] = done{*e.Op, e.Name, e.Kind}
	}
	require.Len(t, completed, len(invoked))
	var all []done
	for id := uint64(1); id <= uint64(len(completed)); id++ {
		require.Contains(t, completed, id)
		all = append(all, completed[id])
	}
	return all
}
