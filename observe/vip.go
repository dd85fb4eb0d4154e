package observe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

// vip asks a balancer's own network namespace whether it holds the shared
// address. One process in the namespace reports; it goes with the namespace
// when the container ends and is started again with it.
type vip struct {
	env     env
	node    topology.Node
	address netip.Addr

	begun chan struct{}
	once  sync.Once
}

func newVIP(e env, node topology.Node, address netip.Addr) *vip {
	return &vip{env: e, node: node, address: address, begun: make(chan struct{})}
}

// Begun implements Beginner.
func (v *vip) Begun() <-chan struct{} { return v.begun }

func (v *vip) sawFirst() { v.once.Do(func() { close(v.begun) }) }

// errNoNamespace: the driver offers no way to ask.
var errNoNamespace = errors.New("this driver cannot run a command in the node's network namespace: the VIP's owner is not known")

// vipByCommandEvery is for a driver without topology.Streamer: a command in a
// container costs some 50 ms of processor time.
const vipByCommandEvery = time.Second

// The longest time without an answer that is still complete, by a report and
// by commands: a restarted container's namespace has to be entered anew.
const (
	vipLimit          = 2 * time.Second
	vipByCommandLimit = patience * vipByCommandEvery
)

// reconnectEvery is how often a report that broke is begun again.
const reconnectEvery = 250 * time.Millisecond

// Name implements Observer.
func (v *vip) Name() string { return "vip " + v.node.Name() }

// Observe implements Observer.
func (v *vip) Observe(ctx context.Context, sink history.Sink) error {
	defer v.sawFirst()
	w := &vipWatch{
		vip: v, sink: sink, began: time.Now(),
		account: &account{stream: history.StreamVIP, source: v.node.Name()}, clock: v.env.foreign(v.node.Name()),
	}
	err := w.run(ctx)
	if err != nil {
		w.account.lack("%v", err)
	}
	w.account.looked(w.longest(), w.limit)
	w.clock.judge(w.account)
	settle(sink, v.env.clock.Now, w.account)
	return err
}

// vipWatch is the state of one observation.
type vipWatch struct {
	*vip
	sink    history.Sink
	account *account
	clock   *foreign      // of the report
	limit   time.Duration // of the time without an answer

	began time.Time

	mu   sync.Mutex
	last time.Time // of the latest answer; zero is none yet
	gap  time.Duration
}

// run keeps a report going while the container runs, and says for a
// container that does not run what is certain: it holds nothing.
func (w *vipWatch) run(ctx context.Context) error {
	report, err := w.reporter()
	if err != nil {
		return err
	}
	all, failed := lives(ctx, w.env, w.node.Name())
	states := all[w.node.Name()]
	up := true
	for {
		if !up {
			w.answer(time.Now(), 0, false)
		}
		ended, stop := w.begin(ctx, up, report)
		select {
		case <-ctx.Done():
			stop()
			for range states { // until it is closed: its goroutine has ended
			}
			return nil
		case state, ok := <-states:
			stop()
			if !ok {
				return failed()
			}
			up = state
		case err := <-ended:
			stop()
			w.broke(ctx, err)
		}
	}
}

// broke says what is known when a report has ended with err: of a container
// that certainly does not run that it holds nothing, else nothing.
func (w *vipWatch) broke(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil || err == nil:
	case !errors.Is(err, topology.ErrNotRunning):
		w.unknown()
	case stopped(ctx, w.node):
		w.answer(time.Now(), 0, false)
	}
}

// begin starts a report, or, if the container does not run, a pause of one
// interval. The function returned ends it and waits for its end.
func (w *vipWatch) begin(ctx context.Context, up bool, report func(context.Context) error) (ended chan error, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended, done := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(done)
		var err error
		if up {
			err = report(ctx)
			pause(ctx, reconnectEvery)
		} else {
			pause(ctx, vipEvery)
		}
		ended <- err
	}()
	return ended, func() { cancel(); <-done }
}

// reporter is the cheapest way that the node offers of asking.
func (w *vipWatch) reporter() (func(context.Context) error, error) {
	switch n := w.node.(type) {
	case topology.Streamer:
		w.limit = vipLimit
		return func(ctx context.Context) error {
			return n.Stream(ctx, &lineWriter{file: io.Discard, line: w.line}, "bash", "-c", ownerScript, "hachaos-owner", w.address.String())
		}, nil
	case topology.Namespace:
		w.limit = vipByCommandLimit
		return func(ctx context.Context) error { return w.askAgain(ctx, n) }, nil
	}
	return nil, fmt.Errorf("%s: %w", w.node.Name(), errNoNamespace)
}

// askAgain asks with a command each time, until one gives no answer.
func (w *vipWatch) askAgain(ctx context.Context, n topology.Namespace) error {
	for ctx.Err() == nil {
		began := time.Now()
		out, err := n.InNamespace(ctx, "ip", "-j", "-4", "addr")
		if err != nil {
			return err
		}
		addrs, err := parseAddrs(out.Stdout)
		if err != nil {
			return err
		}
		w.answer(began, time.Since(began), slices.Contains(addrs, w.address))
		pause(ctx, vipByCommandEvery)
	}
	return ctx.Err()
}

// line takes a line of ownerScript.
func (w *vipWatch) line(text []byte) {
	got, err := parseOwnerLine(string(text))
	if err != nil {
		w.account.miss(1, "%s: %v", w.node.Name(), err)
		return
	}
	at, within := w.env.wall.Map(got.began)
	w.clock.dates(at+got.ended.Sub(got.began), within)
	w.put(at, history.VIP{
		Known: true, Owner: got.owner, Took: got.ended.Sub(got.began),
	})
}

func (w *vipWatch) answer(began time.Time, took time.Duration, owner bool) {
	w.put(w.env.clock.At(began), history.VIP{Known: true, Owner: owner, Took: took})
}

// unknown says that the question had no answer.
func (w *vipWatch) unknown() {
	w.account.saw()
	put(w.sink, history.StreamVIP, w.env.clock.Now(), w.node.Name(), history.VIP{Balancer: w.node.Name()})
}

func (w *vipWatch) put(at time.Duration, v history.VIP) {
	now := time.Now()
	w.mu.Lock()
	if !w.last.IsZero() { // the load waits for the first: see Beginner
		w.gap = max(w.gap, now.Sub(w.last))
	}
	w.last = now
	w.mu.Unlock()
	w.sawFirst()
	v.Balancer = w.node.Name()
	w.account.saw()
	put(w.sink, history.StreamVIP, at, w.node.Name(), v)
}

// longest is the longest time without an answer, from the first one on; if
// there was none, since the observation began.
func (w *vipWatch) longest() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last.IsZero() {
		return time.Since(w.began)
	}
	return max(w.gap, time.Since(w.last))
}

// pause waits for d or for ctx's end.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
