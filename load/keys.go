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

// Keys is a companion whose users place an order and, once it is acknowledged, use
// its idempotency key again, in one of three ways in turn: for the same request, for
// another one, and as another tenant. Each request has a connection of its own, so
// that any node may be asked. The orders are none of the load's.
type Keys struct {
	// Rate is how many keys a second; 1 to 50.
	Rate int `json:"rate"`
}

const (
	maxKeyRate = 50
	keyWithin  = 5 * time.Second
	orderPath  = "orders"
	// tenantHeader names whose request it is; without it the tenant is the default one.
	tenantHeader = "X-Tenant"
)

// keyAsks are the ways in which keys are used again, in turn.
var keyAsks = []string{history.KeyAgain, history.KeyOtherRequest, history.KeyOtherTenant}

// Kind is "keys".
func (Keys) Kind() string { return "keys" }

// Validate reports a rate that makes no sense.
func (k Keys) Validate() error {
	if k.Rate < 1 || k.Rate > maxKeyRate {
		return fmt.Errorf("%d keys a second: want 1 to %d", k.Rate, maxKeyRate)
	}
	return nil
}

// Streams is the second uses of the keys.
func (Keys) Streams() []string { return []string{history.StreamKeyUse} }

// Run uses keys until ctx ends and waits for what is under way.
func (k Keys) Run(ctx context.Context, target Target, clock history.RunClock, sink history.Sink) (Aftermath, error) {
	s, err := newStranger(target, keyWithin)
	if err != nil {
		return nil, err
	}
	defer s.close()
	all := count(sink)
	run := &keyUsers{stranger: s, clock: clock, sink: all, prefix: "keys-" + strconv.FormatInt(clock.Start().UnixNano(), 36)}
	var users sync.WaitGroup
	every(ctx, time.Second/time.Duration(k.Rate), func(n int) {
		users.Go(func() { run.one(context.WithoutCancel(ctx), n) })
	})
	users.Wait()
	all.cover(clock, k.Kind(), k.Streams()...)
	return nil, nil
}

// keyUsers is one life of Keys. Its users are at most Rate × twice their patience.
type keyUsers struct {
	*stranger
	clock  history.RunClock
	sink   history.Sink
	prefix string
}

// one places an order and uses its key again. An order that is not acknowledged
// leaves nothing to be expected of its key.
func (k *keyUsers) one(ctx context.Context, n int) {
	u := history.KeyUse{Key: k.prefix + "-" + strconv.Itoa(n), Asked: keyAsks[n%len(keyAsks)]}
	defer func() { k.sink.Put(history.Observe(k.clock.Now(), u)) }()
	first, order, err := k.order(ctx, u.Key, "", 1)
	if err != nil || first.status/100 != 2 || order == 0 {
		return
	}
	u.First, u.FirstNode, u.Sent = order, first.node, k.clock.Now()
	tenant, quantity := "", 1
	switch u.Asked {
	case history.KeyOtherRequest:
		quantity = 2
	case history.KeyOtherTenant:
		tenant = "other"
	}
	if again, order, err := k.order(ctx, u.Key, tenant, quantity); err == nil {
		u.Status, u.Order, u.Node = again.status, order, again.node
	}
}

// order asks for one under the key, and returns which the answer names; 0 is none.
func (k *keyUsers) order(ctx context.Context, key, tenant string, quantity int) (response, int64, error) {
	h := http.Header{"Idempotency-Key": {key}}
	if tenant != "" {
		h.Set(tenantHeader, tenant)
	}
	r, err := k.askWith(ctx, http.MethodPost, orderPath, h, fmt.Appendf(nil, `{"item":"key","quantity":%d}`, quantity), maxBody)
	if err != nil {
		return r, 0, err
	}
	var answer struct{ Order int64 }
	if json.Unmarshal(r.body, &answer) != nil {
		answer.Order = 0
	}
	return r, answer.Order, nil
}
