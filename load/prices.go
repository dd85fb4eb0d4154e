package load

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/hachaos/hachaos/history"
)

// Prices is a companion that changes prices (POST /prices/ITEM) and reads them
// all the time (GET /prices/ITEM), each on a connection of its own, so that
// any node may be asked. A price only goes up, by one a change: what is read
// tells how old it is.
type Prices struct {
	// Items is how many prices there are; 1 to 100.
	Items int `json:"items"`
	// Every is the time between two changes of one price; at least 100 ms.
	Every time.Duration `json:"every"`
	// Reads a second, of all prices in turn; 1 to 500.
	Reads int `json:"reads"`
}

const (
	maxItems    = 100
	maxReads    = 500
	leastEvery  = 100 * time.Millisecond
	priceWithin = 2 * time.Second
	maxReading  = 64
	pricePath   = "prices/"
)

// Kind is "prices".
func (Prices) Kind() string { return "prices" }

// Validate reports numbers that make no sense.
func (p Prices) Validate() error {
	switch {
	case p.Items < 1 || p.Items > maxItems:
		return fmt.Errorf("%d items: want 1 to %d", p.Items, maxItems)
	case p.Every < leastEvery:
		return fmt.Errorf("a change every %v: want at least %v", p.Every, leastEvery)
	case p.Reads < 1 || p.Reads > maxReads:
		return fmt.Errorf("%d reads a second: want 1 to %d", p.Reads, maxReads)
	}
	return nil
}

// Streams is the prices.
func (Prices) Streams() []string { return []string{history.StreamPrice} }

// Run changes and reads prices until ctx ends and waits for what is under way.
func (p Prices) Run(ctx context.Context, target Target, clock history.RunClock, sink history.Sink) (Aftermath, error) {
	s, err := newStranger(target, priceWithin)
	if err != nil {
		return nil, err
	}
	defer s.close()
	all := count(sink)
	run := &pricing{Prices: p, stranger: s, clock: clock, sink: all, prefix: strconv.FormatInt(clock.Start().UnixNano(), 36)}
	var users sync.WaitGroup
	for i := range p.Items {
		users.Go(func() { run.change(ctx, i) })
	}
	run.readAll(ctx)
	users.Wait()
	all.cover(clock, p.Kind(), p.Streams()...)
	return nil, nil
}

type pricing struct {
	Prices
	*stranger
	clock  history.RunClock
	sink   history.Sink
	prefix string
}

func (p *pricing) item(i int) string { return p.prefix + "-" + strconv.Itoa(i) }

// change raises one price at its times.
func (p *pricing) change(ctx context.Context, i int) {
	every(ctx, p.Every, func(int) { p.one(ctx, http.MethodPost, i) })
}

// readAll reads the prices in turn. A read that finds maxReading others under
// way is left out.
func (p *pricing) readAll(ctx context.Context) {
	tick := time.NewTicker(time.Second / time.Duration(p.Reads))
	defer tick.Stop()
	places := make(chan struct{}, maxReading)
	var users sync.WaitGroup
	defer users.Wait()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			select {
			case places <- struct{}{}:
				users.Go(func() {
					defer func() { <-places }()
					p.one(ctx, http.MethodGet, i%p.Items)
				})
			default:
			}
		}
	}
}

// one asks, and journals what was answered: an error says nothing of how old
// a price is.
func (p *pricing) one(ctx context.Context, method string, i int) {
	seen := history.Price{Item: p.item(i), Write: method == http.MethodPost, Sent: p.clock.Now()}
	r, err := p.ask(context.WithoutCancel(ctx), method, pricePath+seen.Item, nil, maxBody)
	if err != nil || r.status != http.StatusOK {
		return
	}
	var answer struct{ Price int64 }
	if json.Unmarshal(r.body, &answer) != nil {
		return
	}
	seen.Node, seen.Price = r.node, answer.Price
	p.sink.Put(history.Observe(p.clock.Now(), seen))
}
