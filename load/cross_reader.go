package load

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hachaos/hachaos/history"
)

// CrossReader is a client whose requests no cookie binds to a node: it writes
// a session and orders, and reads them again, through whichever node the
// balancer takes, so that during a deployment each version reads what the
// other wrote. One request about the session and one about orders are under way
// at a time. The zero value is ready to use.
type CrossReader struct {
	// Every is the time between two requests of each kind; 0 is 50 ms.
	Every time.Duration `json:"every,omitempty"`
}

// crossWithin bounds one request.
const crossWithin = 2 * time.Second

// Kind is "cross-reader".
func (CrossReader) Kind() string { return "cross-reader" }

// Validate reports a pace that makes no sense.
func (c CrossReader) Validate() error {
	if c.Every < 0 || c.Every > time.Minute {
		return fmt.Errorf("%s: every %v: want up to 1m", c.Kind(), c.Every)
	}
	return nil
}

// Streams are the crossings.
func (CrossReader) Streams() []string { return []string{history.StreamCrossing} }

// Run writes and reads until ctx ends. A request that fails is an
// observation like any other.
func (c CrossReader) Run(ctx context.Context, target Target, clock history.RunClock, sink history.Sink) (Aftermath, error) {
	sessions, orders := newCrosser(target, clock, sink), newCrosser(target, clock, sink)
	var wg sync.WaitGroup
	wg.Go(func() { c.pace(ctx, sessions.useSession) })
	wg.Go(func() { c.pace(ctx, orders.useOrders) })
	wg.Wait()
	sink.Put(history.Observe(clock.Now(), history.Coverage{Stream: history.StreamCrossing, Complete: true, Seen: sessions.seen + orders.seen}))
	return nil, nil
}

// pace takes turns until ctx ends.
func (c CrossReader) pace(ctx context.Context, turn func(n int)) {
	every(ctx, or(c.Every, 50*time.Millisecond), turn)
}

// crosser is one half of a CrossReader at work, in one goroutine.
type crosser struct {
	client *http.Client
	base   string
	clock  history.RunClock
	sink   history.Sink
	seen   uint64

	session  crossed
	number   int    // of the session
	cookie   string // without the balancer's part
	orders   map[string]crossed
	prefix   string
	placed   int
	readings int // of orders
}

// crossed is a session or an order that was written.
type crossed struct {
	name   string
	path   string
	writer string // the version that wrote it last
	value  int64
}

func newCrosser(target Target, clock history.RunClock, sink history.Sink) *crosser {
	return &crosser{
		client: &http.Client{
			Timeout: crossWithin,
			Transport: &http.Transport{
				DialContext: target.Dial, DisableCompression: true, IdleConnTimeout: idleConn,
				DisableKeepAlives: true, // a kept connection is no reason to stay with a balancer's choice
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		base: target.URL, clock: clock, sink: sink,
		orders: map[string]crossed{}, prefix: fmt.Sprintf("cross-%d", clock.Start().UnixNano()),
	}
}

// useSession is one request about the session: a write, then two reads.
func (x *crosser) useSession(n int) {
	switch {
	case x.cookie == "":
		x.login()
	case n%3 == 0:
		x.write()
	default:
		x.read()
	}
}

// useOrders is one request about orders: a new one, then three times the last
// of each version in turn.
func (x *crosser) useOrders(n int) {
	if n%4 == 0 {
		x.place()
		return
	}
	x.readOrder()
}

func (x *crosser) login() {
	x.number++
	a := x.ask(http.MethodPost, "/login", "", []byte(`{"user":"cross"}`))
	x.session = crossed{name: "session " + strconv.Itoa(x.number)}
	x.put(a, x.session, -1)
	if a.status == http.StatusOK {
		x.session.writer = a.version
	}
}

func (x *crosser) write() {
	a := x.ask(http.MethodPost, "/session", "", []byte("{}"))
	x.put(a, x.session, x.session.value+1)
	if a.status != http.StatusOK {
		x.cookie = "" // whether it counted nobody knows: a new session is begun
		return
	}
	x.session.value, x.session.writer = x.session.value+1, a.version
	if got := a.value(counterNames); got >= 0 && got != x.session.value {
		x.session.value = got // said once; what follows is judged from there
	}
}

func (x *crosser) read() {
	a := x.ask(http.MethodGet, "/session", "", nil)
	x.put(a, x.session, x.session.value)
	if a.status == http.StatusNotFound {
		x.cookie = ""
	}
}

func (x *crosser) place() {
	x.placed++
	quantity := int64(1 + x.placed%9)
	a := x.ask(http.MethodPost, "/orders", fmt.Sprintf("%s-%d", x.prefix, x.placed),
		fmt.Appendf(nil, `{"item":"cross","quantity":%d}`, quantity))
	x.put(a, crossed{name: "a new order"}, quantity)
	var id int64
	if a.status != http.StatusCreated || json.Unmarshal(a.body["order"], &id) != nil {
		return
	}
	x.orders[a.version] = crossed{
		name: "order " + strconv.FormatInt(id, 10), path: "/orders/" + strconv.FormatInt(id, 10), writer: a.version, value: quantity,
	}
}

// readOrder reads the last order of a version, of each in turn.
func (x *crosser) readOrder() {
	versions := slices.Sorted(maps.Keys(x.orders))
	if len(versions) == 0 {
		return
	}
	o := x.orders[versions[x.readings%len(versions)]]
	x.readings++
	x.put(x.ask(http.MethodGet, o.path, "", nil), o, o.value)
}

// Names under which the versions answer the session's counter and an order's
// quantity; the first is the one that the wire contract has.
var (
	counterNames  = []string{"count", "visits"}
	quantityNames = []string{"quantity", "units"}
)

// crossAnswer is what came of a request.
type crossAnswer struct {
	request       string
	status        int
	node, version string
	body          map[string]json.RawMessage
	err           string
}

// value is the number under the first of the names that the answer has; -1
// if it has none.
func (a crossAnswer) value(names []string) int64 {
	for _, name := range names {
		var v int64
		if raw, ok := a.body[name]; ok && json.Unmarshal(raw, &v) == nil {
			return v
		}
	}
	return -1
}

// ask sends a request once and keeps the session's cookie, without what the
// balancer puts before it to find the node again.
func (x *crosser) ask(method, path, key string, body []byte) crossAnswer {
	request := path
	if strings.HasPrefix(path, "/orders/") {
		request = "/orders/{id}"
	}
	a := crossAnswer{request: method + " " + request}
	req, err := http.NewRequest(method, x.base+path, bytes.NewReader(body))
	if err != nil {
		a.err = err.Error()
		return a
	}
	once(req, body)
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	if x.cookie != "" {
		req.Header.Set("Cookie", x.cookie)
	}
	res, err := x.client.Do(req)
	if err != nil {
		a.err = err.Error()
		return a
	}
	defer res.Body.Close()
	a.status, a.node, a.version = res.StatusCode, res.Header.Get("X-Hachaos-Node"), res.Header.Get("X-Hachaos-Version")
	text, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil {
		a.status, a.err = 0, err.Error()
		return a
	}
	if json.Unmarshal(text, &a.body) != nil {
		a.body = nil
	}
	for _, c := range res.Cookies() {
		value := c.Value
		if _, own, ok := strings.Cut(value, "~"); ok {
			value = own
		}
		x.cookie = c.Name + "=" + value
	}
	return a
}

// put journals an answer about o; want is what it should hold, -1 if there is
// nothing to hold.
func (x *crosser) put(a crossAnswer, o crossed, want int64) {
	c := history.Crossing{
		Request: a.request, Of: o.name, Node: a.node, Version: a.version, Writer: o.writer,
		Status: a.status, Error: a.err, Fields: slices.Sorted(maps.Keys(a.body)), Want: want, Got: -1,
	}
	names := counterNames
	if strings.Contains(a.request, "/orders") {
		names = quantityNames
	}
	if a.status/100 == 2 {
		c.Got = a.value(names)
	}
	x.seen++
	x.sink.Put(history.Observe(x.clock.Now(), c))
}
