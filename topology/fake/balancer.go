package fake

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

// lb is one life of a balancer's process: sticky by cookie, with health
// checks of its own.
type lb struct {
	n      *node
	c      *Cluster
	host   *host
	server *http.Server
	client *http.Transport
	stopc  chan struct{}
	pid    int
	began  time.Time

	mu      sync.Mutex
	views   []*view
	turn    int
	lines   uint64
	dropped uint64
}

// view is the balancer's opinion of one server.
type view struct {
	n           *node
	weight      int
	initial     int    // weight, by the configuration
	order       string // "DRAIN" or "MAINT"; empty if none
	up          bool
	blind       bool // it is not checked
	fails, good int
	current     int
	total       int64
	chosen      int64 // by turns, not by a cookie
}

// newLB starts the process; the node's lock is held.
func newLB(n *node) *lb {
	b := &lb{n: n, c: n.cluster, host: n.host, stopc: make(chan struct{}), pid: n.pids, began: time.Now()}
	b.client = &http.Transport{DisableKeepAlives: true, DialContext: b.dial, ResponseHeaderTimeout: b.c.opts.ServerTimeout}
	for _, s := range b.c.apps() {
		v := &view{n: s, weight: 100, up: true}
		if w, err := strconv.Atoi(n.spec.Env["weight."+s.Name()]); err == nil {
			v.weight = w
		}
		v.initial = v.weight
		b.views = append(b.views, v)
		go b.check(v)
	}
	b.server = &http.Server{Handler: http.HandlerFunc(b.serve)}
	go b.server.Serve(n.host.listen(b.c.spec.Port))
	go b.runtime(n.host.listen(runtimePort))
	return b
}

func (b *lb) stop() {
	close(b.stopc)
	b.server.Close()
	b.client.CloseIdleConnections()
}

func (b *lb) dial(ctx context.Context, _, address string) (net.Conn, error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, b.c.opts.Connect)
	defer cancel()
	return b.c.net.dial(ctx, b.host, to)
}

// check asks a server's readiness at the configured interval until the
// process ends.
func (b *lb) check(v *view) {
	tick := time.NewTicker(b.c.opts.Inter)
	defer tick.Stop()
	for {
		select {
		case <-b.stopc:
			return
		case <-tick.C:
			b.judge(v, b.probe(v.n))
		}
	}
}

func (b *lb) probe(n *node) bool {
	if n.spec.Env[SetCheck] == "liar" || b.n.spec.Env[SetCheck] == "liar" {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), b.c.opts.Inter)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", "http://"+n.endpoint()+"/health/ready", nil)
	if err != nil {
		return false
	}
	resp, err := b.client.RoundTrip(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// judge counts a check towards fall or rise.
func (b *lb) judge(v *view, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if v.blind {
		return
	}
	if ok {
		v.good, v.fails = v.good+1, 0
	} else {
		v.good, v.fails = 0, v.fails+1
	}
	if v.up && v.fails >= b.c.opts.Fall {
		v.up = false
	}
	if !v.up && v.good >= b.c.opts.Rise {
		v.up = true
	}
}

// pick chooses the server of a request: the cookie's if it is up, else by
// weighted turns among those that are up and were not tried.
func (b *lb) pick(sticky string, not *view) *view {
	b.mu.Lock()
	defer b.mu.Unlock()
	var wheel []*view
	for _, v := range b.views {
		if !v.up || v == not || v.order == "MAINT" {
			continue
		}
		if v.n.Name() == sticky {
			return v
		}
		if v.order != "" {
			continue
		}
		for range max(1, v.weight/20) {
			wheel = append(wheel, v)
		}
	}
	if len(wheel) == 0 {
		return nil
	}
	b.turn++
	v := wheel[b.turn*7%len(wheel)]
	v.chosen++
	return v
}

// serve proxies a request and logs it when it has ended.
func (b *lb) serve(w http.ResponseWriter, r *http.Request) {
	begin := time.Now()
	l := dispatchLine{
		Hachaos: "dispatch", LB: b.n.Name(), At: begin.UnixMicro(), Pid: b.pid,
		Op: r.Header.Get("X-Hachaos-Op"), Key: r.Header.Get("Idempotency-Key"),
		Method: r.Method, Path: r.URL.Path, Retries: "0", Term: "--NI", Tc: -1, Tr: -1,
	}
	w.Header().Set("X-Hachaos-Balancer", b.n.Name())
	b.proxy(w, r, &l)
	l.Ta = time.Since(begin).Milliseconds()
	b.log(l)
}

// log writes the request's line, whose number is its place in the log.
func (b *lb) log(l dispatchLine) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l.N = b.lines
	b.lines++
	if b.c.opts.LoseLogs && l.N%50 == 7 {
		b.dropped++
		return
	}
	b.n.say(l)
}

func (b *lb) proxy(w http.ResponseWriter, r *http.Request, l *dispatchLine) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		l.Status, l.Term = 400, "CR--"
		return
	}
	sticky := b.unprefix(r)
	v := b.pick(sticky, nil)
	for try := 0; v != nil; try++ {
		l.Server = v.n.Name()
		resp, err := b.forward(r, v, body)
		if err == nil {
			b.copy(w, resp, v, l)
			return
		}
		if !isDial(err) {
			b.refuse(w, l, 502, "SH--")
			return
		}
		if try > 0 || b.n.spec.Env[SetRedispatch] == "off" {
			b.refuse(w, l, 503, "sC--")
			return
		}
		l.Retries = "+1"
		v = b.pick("", v)
	}
	l.Server = ""
	b.refuse(w, l, 503, "SC--")
}

func (b *lb) refuse(w http.ResponseWriter, l *dispatchLine, status int, term string) {
	l.Status, l.Term = status, term
	w.WriteHeader(status)
}

// isDial says that nothing of the request reached the server.
func isDial(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

func (b *lb) forward(r *http.Request, v *view, body []byte) (*http.Response, error) {
	b.mu.Lock()
	v.current++
	v.total++
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		v.current--
		b.mu.Unlock()
	}()
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host, out.RequestURI = "http", v.n.endpoint(), ""
	out.Body, out.GetBody, out.ContentLength = io.NopCloser(bytes.NewReader(body)), nil, int64(len(body))
	if len(body) == 0 {
		out.Body = nil
	}
	resp, err := b.client.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(answer))
	return resp, err
}

func (b *lb) copy(w http.ResponseWriter, resp *http.Response, v *view, l *dispatchLine) {
	for k, vs := range resp.Header {
		if k == "Connection" {
			continue
		}
		w.Header()[k] = vs
	}
	for i, c := range w.Header()["Set-Cookie"] {
		w.Header()["Set-Cookie"][i] = strings.Replace(c, "JSESSIONID=", "JSESSIONID="+v.n.Name()+"~", 1)
	}
	l.Status, l.Tc = resp.StatusCode, 0
	w.WriteHeader(resp.StatusCode)
	l.Bytes, _ = io.Copy(w, resp.Body)
}

// unprefix takes the server's name out of the cookie and returns it.
func (b *lb) unprefix(r *http.Request) string {
	c, err := r.Cookie("JSESSIONID")
	if err != nil {
		return ""
	}
	server, rest, ok := strings.Cut(c.Value, "~")
	if !ok {
		return ""
	}
	r.Header.Set("Cookie", "JSESSIONID="+rest)
	return server
}
