package load

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/hachaos/hachaos/history"
)

// HeavyTenant is a companion that is one user with many requests: it logs in
// once and then reads that session at its own rate, whatever comes back, as
// the integration of a large customer does. Where a session is bound to a
// node, all of them go there.
type HeavyTenant struct {
	// Rate is its requests a second; at least 1.
	Rate int `json:"rate"`
}

// maxTenantRate bounds the rate: more is another load, not a tenant.
const maxTenantRate = 2000

// HeavyTenantUser is whom a HeavyTenant logs in as: none of the mix has that name.
const HeavyTenantUser = "heavy-tenant"

// Patience of the tenant, and how many of its requests may be under way: a
// further one is not sent.
const (
	tenantPatience = 5 * time.Second
	tenantUnderWay = 64
)

// Kind is "heavy-tenant".
func (HeavyTenant) Kind() string { return HeavyTenantUser }

// Validate reports a rate that makes no sense.
func (t HeavyTenant) Validate() error {
	if t.Rate < 1 || t.Rate > maxTenantRate {
		return fmt.Errorf("%d requests a second: want 1 to %d", t.Rate, maxTenantRate)
	}
	return nil
}

// Streams are what it journals: a Tenant for each second.
func (HeavyTenant) Streams() []string { return []string{history.StreamTenant} }

// Run logs in and sends until ctx ends; then it waits for what is under way.
// A login that fails is tried again with the next request.
func (t HeavyTenant) Run(ctx context.Context, target Target, clock history.RunClock, sink history.Sink) (Aftermath, error) {
	base, err := target.base()
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{DialContext: target.Dial, MaxIdleConnsPerHost: tenantUnderWay, IdleConnTimeout: idleConn, DisableCompression: true}
	defer transport.CloseIdleConnections()
	one := &tenant{base: base, by: map[string]int{}, client: &http.Client{
		Transport: transport, Timeout: tenantPatience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	all := count(sink)
	one.keepOn(ctx, time.Second/time.Duration(t.Rate), func(s history.Tenant) {
		all.Put(history.Observe(clock.Now(), s))
	})
	all.cover(clock, t.Kind(), t.Streams()...)
	return nil, nil
}

// tenant is one life of a HeavyTenant.
type tenant struct {
	base   *url.URL
	client *http.Client

	mu   sync.Mutex
	jar  jar
	sent int
	by   map[string]int // answers, by node
}

// keepOn sends at the interval until ctx ends, and tells each second what
// became of it, and once more when all is over.
func (t *tenant) keepOn(ctx context.Context, interval time.Duration, tell func(history.Tenant)) {
	tick, second := time.NewTicker(interval), time.NewTicker(time.Second)
	defer tick.Stop()
	defer second.Stop()
	slots := make(chan struct{}, tenantUnderWay)
	var under sync.WaitGroup
	for {
		select {
		case <-ctx.Done():
			under.Wait()
			tell(t.account())
			return
		case <-second.C:
			tell(t.account())
		case <-tick.C:
			select {
			case slots <- struct{}{}:
				under.Go(func() {
					defer func() { <-slots }()
					t.one()
				})
			default: // as many as it has are waiting
			}
		}
	}
}

// account is what was sent and answered since the last.
func (t *tenant) account() history.Tenant {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := history.Tenant{User: HeavyTenantUser, Sent: t.sent, By: t.by}
	t.sent, t.by = 0, map[string]int{}
	return s
}

// one reads the session, or begins it.
func (t *tenant) one() {
	t.mu.Lock()
	cookie := t.jar.header()
	t.sent++
	t.mu.Unlock()
	h := http.Header{}
	method, path, body := http.MethodGet, "session", []byte(nil)
	if cookie == "" {
		method, path = http.MethodPost, "login"
		body, _ = json.Marshal(map[string]string{"user": HeavyTenantUser}) // a map of strings
		h.Set("Content-Type", "application/json")
	} else {
		h.Set("Cookie", cookie)
	}
	resp, err := t.client.Do(newRequest(context.Background(), method, t.base.JoinPath(path), h, body))
	if err != nil {
		return
	}
	if _, _, err := readBody(resp); err != nil {
		return
	}
	t.learn(resp)
}

// learn takes an answer's cookies and who gave it. A session that is no more
// is begun again.
func (t *tenant) learn(resp *http.Response) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if resp.StatusCode == http.StatusNotFound {
		t.jar = nil
	}
	for _, k := range resp.Cookies() {
		t.jar = t.jar.set(k)
	}
	if node := resp.Header.Get(nodeHeader); node != "" && resp.StatusCode == http.StatusOK {
		t.by[node]++
	}
}
