package fake

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// app is one life of the application's process on a node. It keeps the part
// of docs/wire.md that the built-in workload and the observers use.
type app struct {
	n       *node
	c       *Cluster
	server  *http.Server
	started time.Time
	version string
	local   sessions // nil unless sessions=memory
	gone    atomic.Bool
	serving atomic.Int64
	warm    *time.Timer
}

// newApp starts the process; the node's lock is held.
func newApp(n *node) *app {
	a := &app{n: n, c: n.cluster, started: time.Now(), version: "1"}
	if v := n.spec.Env["VERSION"]; v != "" {
		a.version = v
	}
	if n.spec.Env[SetSessions] == "memory" {
		a.local = sessions{}
	}
	a.server = &http.Server{Handler: a.routes()}
	a.log("started", "")
	go a.server.Serve(n.host.listen(n.spec.Port))
	a.log("listening", "")
	a.warm = time.AfterFunc(a.c.opts.Warm, func() {
		if !a.gone.Load() {
			a.log("warm", "")
			a.log("ready", "")
		}
	})
	return a
}

func (a *app) stop() {
	a.gone.Store(true)
	a.warm.Stop()
	a.server.Close()
}

func (a *app) isWarm() bool {
	return a.n.Name() != a.c.opts.NeverReady && time.Since(a.started) >= a.c.opts.Warm
}

// ready is the readiness that the health endpoint reports, with its reason.
func (a *app) ready() (bool, string) {
	switch {
	case a.n.spec.Env[SetReadiness] == "constant":
		return true, ""
	case !a.isWarm():
		return false, "warming up"
	case !a.c.store.up():
		return false, errStore.Error()
	}
	return true, ""
}

func (a *app) routes() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /health/live", func(w http.ResponseWriter, r *http.Request) { reply(w, 200, struct{}{}) })
	m.HandleFunc("GET /health/ready", a.health)
	m.HandleFunc("GET /metrics", a.metrics)
	m.HandleFunc("POST /login", a.work(a.login))
	m.HandleFunc("POST /logout", a.work(a.logout))
	m.HandleFunc("POST /session", a.work(a.count))
	m.HandleFunc("GET /session", a.work(a.read))
	m.HandleFunc("POST /orders", a.work(a.order))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.introduce(w.Header())
		m.ServeHTTP(w, r)
	})
}

// introduce says in an answer who gives it, and in which state.
func (a *app) introduce(h http.Header) {
	db := "up"
	if !a.c.store.up() {
		db = "down"
	}
	h.Set("X-Hachaos-Node", a.n.Name())
	h.Set("X-Hachaos-Version", a.version)
	h.Set("X-Hachaos-Warm", strconv.FormatBool(a.isWarm()))
	h.Set("X-Hachaos-Database", db)
}

// work wraps a handler with what every request takes and leaves.
func (a *app) work(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a.serving.Add(1)
		defer a.serving.Add(-1)
		a.receipt("arrive", r, 0)
		time.Sleep(a.c.opts.Latency)
		h(w, r)
	}
}

func (a *app) health(w http.ResponseWriter, _ *http.Request) {
	ok, reason := a.ready()
	if ok {
		reply(w, 200, map[string]any{"ready": true})
		return
	}
	reply(w, 503, map[string]any{"ready": false, "reason": reason})
}

func (a *app) metrics(w http.ResponseWriter, _ *http.Request) {
	now := time.Now().UnixMilli()
	fmt.Fprintf(w, "hachaos_warm %d %d\n", bit(a.isWarm()), now)
	fmt.Fprintf(w, "hachaos_database_reachable %d %d\n", bit(a.c.store.up()), now)
	fmt.Fprintf(w, "hachaos_requests_in_flight %d\n", a.serving.Load())
	fmt.Fprintf(w, "hachaos_clock_seconds %.3f\n", float64(now)/1e3+float64(a.n.clock.Load()))
	fmt.Fprintf(w, "hachaos_start_time_seconds %.3f\n", float64(a.started.UnixMilli())/1e3)
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// id is the session that the cookie names, without the route; empty if none.
func id(r *http.Request) string {
	c, err := r.Cookie("JSESSIONID")
	if err != nil {
		return ""
	}
	v, _, _ := strings.Cut(c.Value, ".")
	return v
}

// sessionBody is the answer of the session's paths.
type sessionBody struct {
	ID      string   `json:"id"`
	User    string   `json:"user"`
	Count   int64    `json:"count"`
	New     bool     `json:"new"`
	Node    string   `json:"node"`
	Version string   `json:"version"`
	Ops     []string `json:"ops,omitempty"`
}

func (a *app) login(w http.ResponseWriter, r *http.Request) {
	var in struct{ User string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		reply(w, 400, map[string]string{"error": err.Error()})
		return
	}
	a.begin(w, r, in.User, nil)
}

// begin makes a new session in the place of the one that the cookie names.
func (a *app) begin(w http.ResponseWriter, r *http.Request, user string, first func(*session)) {
	sid := a.c.nextSession()
	made := &session{user: user}
	if first != nil {
		first(made)
	}
	err := a.c.store.with(a.local, func(all sessions) {
		delete(all, id(r))
		all[sid] = made
	})
	if err != nil {
		a.away(w, err, "no")
		return
	}
	a.cookie(w, sid)
	reply(w, 200, sessionBody{ID: sid, User: user, Count: made.count, New: true, Node: a.n.Name(), Version: a.version})
}

func (a *app) cookie(w http.ResponseWriter, sid string) {
	http.SetCookie(w, &http.Cookie{Name: "JSESSIONID", Value: sid + "." + a.n.Name(), Path: "/"})
}

func (a *app) logout(w http.ResponseWriter, r *http.Request) {
	a.touch(w, r, func(all sessions, sid string, s *session) { delete(all, sid) }, notFound)
}

func (a *app) count(w http.ResponseWriter, r *http.Request) {
	op, _, _ := strings.Cut(r.Header.Get("X-Hachaos-Op"), ".")
	add := func(s *session) {
		s.count++
		s.ops = append(s.ops, op)
	}
	a.touch(w, r, func(_ sessions, _ string, s *session) { add(s) }, func(w http.ResponseWriter) {
		a.begin(w, r, "", add)
	})
}

func (a *app) read(w http.ResponseWriter, r *http.Request) {
	a.touch(w, r, func(sessions, string, *session) {}, notFound)
}

func notFound(w http.ResponseWriter) { reply(w, 404, map[string]string{"error": "no such session"}) }

// touch answers with the session after change, or leaves it to none.
func (a *app) touch(w http.ResponseWriter, r *http.Request, change func(sessions, string, *session), none func(http.ResponseWriter)) {
	sid := id(r)
	var body *sessionBody
	err := a.c.store.with(a.local, func(all sessions) {
		s := all[sid]
		if s == nil || a.gone.Load() {
			return
		}
		change(all, sid, s)
		body = &sessionBody{ID: sid, User: s.user, Count: s.count, Node: a.n.Name(), Version: a.version}
		if r.URL.Query().Get("ops") == "1" {
			body.Ops = append([]string{}, s.ops...)
		}
	})
	switch {
	case err != nil:
		a.away(w, err, "no")
	case body == nil:
		none(w)
	default:
		if !strings.Contains(r.Header.Get("Cookie"), "."+a.n.Name()) {
			a.cookie(w, sid) // the route moves with the session
		}
		reply(w, 200, body)
	}
}

func (a *app) order(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Idempotency-Key")
	body, err := io.ReadAll(r.Body)
	if err != nil || key == "" {
		reply(w, 400, map[string]string{"error": "an order needs an Idempotency-Key"})
		return
	}
	op, attempt := opOf(r)
	row := Row{Key: key, Op: op, Attempt: attempt, Node: a.n.Name(), Version: a.version}
	dedupe := a.n.spec.Env[SetDedupe] != "off"
	id, replayed, err := a.c.store.order(row, string(body), dedupe, func() bool { return !a.gone.Load() })
	switch {
	case errors.Is(err, errConflict):
		reply(w, 409, map[string]string{"error": err.Error()})
		return
	case err != nil:
		a.away(w, err, "no")
		return
	}
	status := 201
	if replayed {
		status = 200
	} else {
		a.receipt("commit", r, id)
		time.Sleep(a.c.opts.Work)
	}
	reply(w, status, map[string]any{"order": id, "key": key, "replayed": replayed, "node": a.n.Name(), "version": a.version})
}

func opOf(r *http.Request) (op uint64, attempt int) {
	a, b, _ := strings.Cut(r.Header.Get("X-Hachaos-Op"), ".")
	op, _ = strconv.ParseUint(a, 10, 64)
	attempt, _ = strconv.Atoi(b)
	return op, attempt
}

func (a *app) away(w http.ResponseWriter, err error, applied string) {
	w.Header().Set("X-Hachaos-Applied", applied)
	w.Header().Set("Retry-After", "1")
	reply(w, 503, map[string]string{"error": err.Error()})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

func (a *app) log(what, reason string) {
	a.n.say(transitionLine{"transition", time.Now().UnixMicro(), a.n.Name(), what, reason, a.version})
}

func (a *app) receipt(what string, r *http.Request, order int64) {
	op := r.Header.Get("X-Hachaos-Op")
	if op == "" || a.gone.Load() {
		return
	}
	a.n.say(receiptLine{"receipt", time.Now().UnixMicro(), a.n.Name(), what, op, r.Header.Get("Idempotency-Key"), r.URL.Path, order})
}
