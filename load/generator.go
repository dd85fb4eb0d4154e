package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

// Target is where the load goes.
type Target struct {
	// URL is the base of every request: "http://198.18.7.100:80".
	URL string
	// Dial reaches it; nil is the host's own network.
	Dial topology.DialFunc
}

// base is the URL, to which paths are joined.
func (t Target) base() (*url.URL, error) {
	base, err := url.Parse(t.URL)
	if err != nil || base.Scheme != "http" || base.Host == "" {
		return nil, fmt.Errorf("load: the target %q is no address for requests: give one such as http://198.18.7.100:80", t.URL)
	}
	base.Path = or(base.Path, "/")
	return base, nil
}

// Generator is one load on one target. It runs once. All methods are safe
// for concurrent use.
type Generator struct {
	cfg      Config
	base     *url.URL
	dial     topology.DialFunc
	clock    history.RunClock
	sink     history.Sink
	schedule schedule
	clients  []client
	sessions atomic.Uint32 // the last number given out
	invoked  atomic.Uint64 // operations in the journal
	refs     refs
	tally    *tally

	began    atomic.Bool
	stopOnce sync.Once
	stopping chan struct{}

	// Set by Run before the first hit.
	ctx      context.Context
	start    time.Duration // the intended time of operation 1
	exchange *exchange
}

// New makes a generator that sends nothing until Run. Events go to sink: an
// invoke when an operation's turn comes, its completion, and at the end an
// account of how many there were. It refuses what
// cfg.Validate refuses.
func New(cfg Config, target Target, clock history.RunClock, sink history.Sink) (*Generator, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.Resolved()
	cfg.KeyPrefix = or(cfg.KeyPrefix, strconv.FormatInt(clock.Start().UnixNano(), 36))
	base, err := target.base()
	if err != nil {
		return nil, err
	}
	dial := target.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	g := &Generator{
		cfg: cfg, base: base, dial: dial, clock: clock, sink: sink,
		schedule: newSchedule(cfg), clients: make([]client, cfg.Sessions),
		tally: newTally(clock, cfg), stopping: make(chan struct{}),
	}
	for i := range g.clients {
		g.clients[i].user = "u" + strconv.Itoa(i+1)
	}
	return g, nil
}

// Run sends operations at the set rate until Stop or the end of ctx. After
// Stop it waits for the outstanding ones and returns nil; that takes at most
// Config.Timeout, and as long again for those that are behind a busy session.
// If ctx ends it gives them up at once, as cancelled, and returns ctx's
// error. It leaves no goroutine and no connection behind.
func (g *Generator) Run(ctx context.Context) error {
	if !g.began.CompareAndSwap(false, true) {
		return errors.New("load: this generator has run before: make another with load.New")
	}
	defer prioritise()()
	opCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	wires := newWires(opCtx, g.dial, g.clock, g.cfg.Timeout)
	transport := newTransport(wires, g.cfg.Sessions)
	defer wires.close()
	defer transport.CloseIdleConnections()
	g.ctx, g.exchange = opCtx, newExchange(transport, g.clock, g.base)
	g.start = g.clock.Now() + g.schedule.interval

	// Workers are not capped: an outage must not throttle the load. The
	// ceiling is kept by operate, which says what it drops.
	attacker := vegeta.NewAttacker(vegeta.Client(&http.Client{Transport: hits{g}}))
	pace := newPacer(g.clock, g.start, g.schedule.interval, g.stopping)
	defer context.AfterFunc(ctx, g.Stop)()
	for range attacker.Attack(g.aim(), pace, 0, "") { // its results are not used: see the package's comment
	}
	g.Stop()
	g.sink.Put(history.Observe(g.clock.Now(), history.Coverage{Stream: history.StreamClient, Complete: true, Seen: g.invoked.Load()}))
	return ctx.Err()
}

// Stop ends the sending; Run then waits for what is outstanding. It may be
// called again, and before Run.
func (g *Generator) Stop() { g.stopOnce.Do(func() { close(g.stopping) }) }

// Snapshot is how the load goes now.
func (g *Generator) Snapshot() Stats { return g.tally.snapshot() }

// Serving counts the live sessions that are bound to each node now: by the
// last answer of each.
func (g *Generator) Serving() map[string]int {
	by := map[string]int{}
	for i := range g.clients {
		if session, bound, _ := g.clients[i].now(); session != 0 && bound != "" {
			by[bound]++
		}
	}
	return by
}

// Users are the nodes that serve the users who are logged in now, by the
// last answer to each.
func (g *Generator) Users() map[string]string {
	by := map[string]string{}
	for i := range g.clients {
		c := &g.clients[i]
		if session, bound, _ := c.now(); session != 0 && bound != "" {
			by[c.user] = bound
		}
	}
	return by
}

// Refs are the sessions that the load has had and a cookie can name: the
// last MaxRefs ended ones, oldest first, then the live ones.
func (g *Generator) Refs() []history.SessionRef {
	all := g.refs.all()
	for i := range g.clients {
		if ref, ok := g.clients[i].ref(); ok {
			all = append(all, ref)
		}
	}
	return all
}

// aim gives vegeta the same target for each hit. It never returns an error:
// one would end the attack.
func (g *Generator) aim() vegeta.Targeter {
	to := g.base.String()
	return func(t *vegeta.Target) error {
		t.Method, t.URL = http.MethodGet, to
		return nil
	}
}

// hits carries out what vegeta sends. A hit is not a request but an
// operation: vegeta's request only bears its number.
type hits struct{ g *Generator }

// seqHeader is where vegeta puts the number of a hit, from 0.
const seqHeader = "X-Vegeta-Seq"

// RoundTrip implements http.RoundTripper. It always succeeds: what became of
// the operation is in the journal.
func (h hits) RoundTrip(r *http.Request) (*http.Response, error) {
	seq, err := strconv.ParseUint(r.Header.Get(seqHeader), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("load: vegeta's request bears no number in %s: %w", seqHeader, err)
	}
	select {
	case <-h.g.stopping: // it was on its way when the load ended
		h.g.pass(seq + 1)
	default:
		h.g.operate(seq + 1)
	}
	return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody, Request: r}, nil
}

// pass leaves operation n out: the load has ended.
func (g *Generator) pass(n uint64) {
	i, k := g.schedule.turn(n)
	g.clients[i].turns.skip(k, free{at: g.clock.Now()})
}
