package load

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"time"

	"github.com/hachaos/hachaos/history"
)

// nodeHeader names the node that answered.
const nodeHeader = "X-Hachaos-Node"

// request is one attempt of an operation, as the contract has it.
type request struct {
	op     string // the operation's type
	id     string // X-Hachaos-Op: operation and attempt
	key    string // of an order; empty otherwise
	cookie string
	body   []byte
}

// attempt is what came of it. Times are on the run's clock.
type attempt struct {
	verdict
	reply
	answer
	version string
	cold    bool
	cookies []*http.Cookie
	sent    time.Duration // the first byte was written; -1: none was
	end     time.Duration
	delay   time.Duration // from having a connection to the first byte
}

// exchange sends attempts and judges what comes back. It is safe for
// concurrent use.
type exchange struct {
	transport http.RoundTripper
	clock     history.RunClock
	targets   map[string]target
}

// target is where and how an operation is sent.
type target struct {
	method string
	url    *url.URL
}

func newExchange(t http.RoundTripper, clock history.RunClock, base *url.URL) *exchange {
	return &exchange{transport: t, clock: clock, targets: map[string]target{
		history.OpLogin:        {http.MethodPost, base.JoinPath("login")},
		history.OpLogout:       {http.MethodPost, base.JoinPath("logout")},
		history.OpSessionWrite: {http.MethodPost, base.JoinPath("session")},
		history.OpSessionRead:  {http.MethodGet, base.JoinPath("session")},
		history.OpOrder:        {http.MethodPost, base.JoinPath("orders")},
	}}
}

// trace is what httptrace tells of the connection that a request got.
type trace struct {
	clock  history.RunClock
	wire   *wire // nil: there was no connection
	reused bool
	got    time.Duration
	sent   stamp
}

func (t *trace) gotConn(i httptrace.GotConnInfo) {
	t.got, t.reused = t.clock.Now(), i.Reused
	t.wire, _ = i.Conn.(*wire)
	if t.wire != nil {
		t.wire.take(&t.sent)
	}
}

// traffic sums up what the connection saw.
func (t *trace) traffic(ctx context.Context, err error) traffic {
	s := traffic{connected: t.wire != nil, written: t.sent.at() >= 0, err: err, ctx: context.Cause(ctx)}
	if t.wire != nil {
		s.ended, s.broken = t.wire.ended.Load(), t.wire.broke.Load()
	}
	return s
}

// do sends one attempt; ctx bounds it. A kept-alive connection on which
// nothing could be written is put aside for another: the request has not
// been sent, and a browser does the same.
func (x *exchange) do(ctx context.Context, r request) attempt {
	for {
		t := &trace{clock: x.clock}
		resp, err := x.send(ctx, t, r)
		if err != nil && t.reused && t.sent.at() < 0 && ctx.Err() == nil {
			continue
		}
		a := attempt{}
		if err != nil {
			a.verdict = unanswered(r.op, t.traffic(ctx, err))
		} else {
			a = x.receive(ctx, t, r, resp)
		}
		a.end, a.sent = x.clock.Now(), t.sent.at()
		if a.sent >= 0 {
			a.delay = a.sent - t.got
		}
		return a
	}
}

func (x *exchange) send(ctx context.Context, t *trace, r request) (*http.Response, error) {
	h := make(http.Header, 6)
	h["User-Agent"] = []string{"hachaos"}
	h["X-Hachaos-Op"] = []string{r.id}
	if r.cookie != "" {
		h["Cookie"] = []string{r.cookie}
	}
	if r.key != "" {
		h["Idempotency-Key"] = []string{r.key}
	}
	if len(r.body) > 0 {
		h["Content-Type"] = []string{"application/json"}
	}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: t.gotConn})
	to := x.targets[r.op]
	return x.transport.RoundTrip(newRequest(ctx, to.method, to.url, h, r.body))
}

// receive reads the answer and judges it.
func (x *exchange) receive(ctx context.Context, t *trace, r request, resp *http.Response) attempt {
	a := attempt{
		reply: reply{
			status:   resp.StatusCode,
			node:     resp.Header.Get(nodeHeader),
			balancer: resp.Header.Get("X-Hachaos-Balancer"),
			applied:  resp.Header.Get("X-Hachaos-Applied"),
		},
		version: resp.Header.Get("X-Hachaos-Version"),
		cold:    resp.Header.Get("X-Hachaos-Warm") == "false",
		cookies: resp.Cookies(),
	}
	body, large, err := readBody(resp)
	if err != nil {
		a.verdict = cutOff(r.op, t.traffic(ctx, err))
		return a
	}
	understood := false
	if resp.StatusCode/100 == 2 && !large {
		a.answer, understood = understand(r.op, r.key, body)
	}
	a.verdict = answered(r.op, a.reply, understood)
	a.node = or(a.node, a.answer.Node)
	a.version = or(a.version, a.answer.Version)
	return a
}
