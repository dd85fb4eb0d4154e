// Package fake is a topology in memory: two balancers, application nodes and
// a database that keep docs/wire.md over pipes instead of sockets, so that
// the harness can be tested whole, in milliseconds, under testing/synctest.
//
// What it simplifies: a connection that a packet filter cut stays cut when
// the filter goes; the VIP belongs to the first balancer that runs, at once;
// a paused node accepts and never answers, but its own timers run on.
package fake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// Options are the properties of the system and the defects of the harness's
// surroundings. The zero value is a healthy system with Defaults' times.
type Options struct {
	Boot          time.Duration // from the container's start to the open port
	Warm          time.Duration // from the open port to readiness
	Latency       time.Duration // of every answer
	Work          time.Duration // between an order's commit and its answer
	Inter         time.Duration // between two health checks of a server
	Fall, Rise    int           // failed or good checks that change a server's state
	Connect       time.Duration // a balancer's patience with a connect
	ServerTimeout time.Duration // a balancer's patience with an answer

	// NoEffect makes kills, crashes and filters report success and do
	// nothing.
	NoEffect bool
	// UndoFails makes every start after an end fail.
	UndoFails bool
	// Stuck are containers that refuse to be removed.
	Stuck []string
	// NeverReady is an application node that never becomes ready.
	NeverReady string
	// Slow is an application node that takes a second longer to boot.
	Slow string
	// StartFails is what Start returns.
	StartFails error
	// LoseLogs makes the balancers lose some lines of their log.
	LoseLogs bool
	// Lacks are features that the kernel has not.
	Lacks []topology.Feature
}

// Defaults are the times of a system in order.
func Defaults() Options {
	return Options{
		Boot: 300 * time.Millisecond, Warm: time.Second, Latency: 2 * time.Millisecond, Work: 250 * time.Millisecond,
		Inter: 250 * time.Millisecond, Fall: 2, Rise: 2,
		Connect: 200 * time.Millisecond, ServerTimeout: 3 * time.Second,
	}
}

// filled returns o with the defaults put in for what is zero.
func (o Options) filled() Options {
	d := Defaults()
	for _, f := range []struct{ v, d *time.Duration }{
		{&o.Boot, &d.Boot},
		{&o.Warm, &d.Warm},
		{&o.Latency, &d.Latency},
		{&o.Work, &d.Work},
		{&o.Inter, &d.Inter},
		{&o.Connect, &d.Connect},
		{&o.ServerTimeout, &d.ServerTimeout},
	} {
		if *f.v == 0 {
			*f.v = *f.d
		}
	}
	if o.Fall == 0 {
		o.Fall = d.Fall
	}
	if o.Rise == 0 {
		o.Rise = d.Rise
	}
	return o
}

// Driver starts clusters in memory. The zero value is ready to use.
type Driver struct {
	Options Options

	mu       sync.Mutex
	standing map[string]*Cluster
	last     *Cluster
}

// Has implements topology.Featured.
func (d *Driver) Has(_ context.Context, f topology.Feature) (bool, error) {
	return !slices.Contains(d.Options.Lacks, f), nil
}

// Start brings a cluster up.
func (d *Driver) Start(_ context.Context, id string, plan topology.Plan, opts topology.StartOptions) (topology.Cluster, error) {
	if d.Options.StartFails != nil {
		return nil, d.Options.StartFails
	}
	subnet := opts.Subnet
	if !subnet.IsValid() {
		subnet = netip.MustParsePrefix("198.18.0.0/24")
	}
	spec, err := plan(subnet)
	if err != nil {
		return nil, err
	}
	c := newCluster(id, spec, d.Options.filled())
	c.standing = opts.Standing != ""
	for _, n := range c.nodes {
		if err := n.Start(context.Background()); err != nil {
			return nil, err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last = c
	if c.standing {
		if d.standing == nil {
			d.standing = map[string]*Cluster{}
		}
		d.standing[opts.Standing] = c
	}
	return c, nil
}

// Attach returns the standing cluster of that name.
func (d *Driver) Attach(_ context.Context, name string) (topology.Cluster, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c, ok := d.standing[name]
	if !ok {
		return nil, fmt.Errorf("standing topology %q: %w", name, topology.ErrNotFound)
	}
	d.last = c
	c.attached.Store(true)
	return c, nil
}

// Describe returns the spec of the standing cluster of that name.
func (d *Driver) Describe(_ context.Context, name string) (topology.Spec, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c, ok := d.standing[name]
	if !ok {
		return topology.Spec{}, fmt.Errorf("standing topology %q: %w", name, topology.ErrNotFound)
	}
	return c.spec, nil
}

// Last is the cluster that was started or attached to last; nil if none was.
func (d *Driver) Last() *Cluster {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last
}

// Cluster is a topology in memory. It offers topology.Dialer: its addresses
// are reached by no other means.
type Cluster struct {
	id       string
	spec     topology.Spec
	opts     Options
	standing bool
	attached atomic.Bool // taken into use by Attach: Close only lets go
	net      *network
	store    *store
	events   *record[topology.EngineEvent]
	nodes    []*node
	holders  sync.Mutex
	serving  map[*node]bool
	sessions atomic.Int64
	lost     atomic.Bool // the engine is gone
	closed   chan struct{}
	once     sync.Once
	removed  atomic.Bool
}

func newCluster(id string, spec topology.Spec, opts Options) *Cluster {
	c := &Cluster{
		id: id, spec: spec, opts: opts, net: newNetwork(),
		events: newRecord[topology.EngineEvent](), closed: make(chan struct{}), serving: map[*node]bool{},
	}
	c.store = newStore(c.databaseUp)
	for _, s := range spec.Nodes {
		c.nodes = append(c.nodes, &node{cluster: c, spec: s, out: newRecord[line](), tables: map[string]bool{}})
	}
	return c
}

// databaseUp says whether the database, if there is one, answers.
func (c *Cluster) databaseUp() bool {
	for _, n := range c.nodes {
		if n.spec.Role == topology.Database {
			return n.up()
		}
	}
	return true
}

// process starts what the node's role runs; the node's lock is held.
func (c *Cluster) process(n *node) process {
	switch n.spec.Role {
	case topology.Application:
		return newApp(n)
	case topology.Balancer:
		return newLB(n)
	case topology.Database:
		return newPostgres(n)
	}
	return idle{}
}

// idle is the process of a node that serves nothing.
type idle struct{}

func (idle) stop() {}

// ID is the run's label.
func (c *Cluster) ID() string { return c.id }

// Spec is what was started.
func (c *Cluster) Spec() topology.Spec { return c.spec }

// Nodes are in the Spec's order.
func (c *Cluster) Nodes() []topology.Node {
	all := make([]topology.Node, len(c.nodes))
	for i, n := range c.nodes {
		all[i] = n
	}
	return all
}

func (c *Cluster) byRole(r topology.Role) []*node {
	return slices.DeleteFunc(slices.Clone(c.nodes), func(n *node) bool { return n.spec.Role != r })
}

func (c *Cluster) apps() []*node { return c.byRole(topology.Application) }

// Entry is the VIP.
func (c *Cluster) Entry() topology.Entry {
	return topology.Entry{URL: fmt.Sprintf("http://%s:%d", c.spec.VIP, c.spec.Port), Via: "direct"}
}

// DialContext connects from outside; the VIP leads to its owner.
func (c *Cluster) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
	}
	if to.Addr() == c.spec.VIP {
		if owner := c.holder(); owner != nil {
			to = netip.AddrPortFrom(owner.spec.Addr, to.Port())
		}
	}
	return c.net.dial(ctx, nil, to)
}

// holder is the balancer that has the VIP: the first that serves; nil if
// none does.
func (c *Cluster) holder() *node {
	c.holders.Lock()
	defer c.holders.Unlock()
	for _, n := range c.byRole(topology.Balancer) {
		if c.serving[n] {
			return n
		}
	}
	return nil
}

// serves notes whether a balancer's container serves.
func (c *Cluster) serves(n *node, on bool) {
	c.holders.Lock()
	defer c.holders.Unlock()
	c.serving[n] = on
}

func (n *node) endpoint() string {
	return netip.AddrPortFrom(n.spec.Addr, uint16(n.spec.Port)).String()
}

func (c *Cluster) nextSession() string { return sessionID(int(c.sessions.Add(1))) }

// Ready waits for a served request through the VIP and for every
// application node's own readiness.
func (c *Cluster) Ready(ctx context.Context) error {
	urls := []string{c.Entry().URL + c.spec.ReadyPath}
	for _, n := range c.apps() {
		urls = append(urls, "http://"+n.endpoint()+n.spec.Ready)
	}
	client := &http.Client{Transport: &http.Transport{DialContext: c.DialContext, DisableKeepAlives: true}}
	for _, u := range urls {
		if err := awaitOK(ctx, client, u); err != nil {
			return fmt.Errorf("await %s: %w", u, err)
		}
	}
	return nil
}

func awaitOK(ctx context.Context, client *http.Client, url string) error {
	for last := errors.New("no answer"); ; {
		ok, why := get(ctx, client, url)
		if ok {
			return nil
		}
		if why != "" {
			last = errors.New(why)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), last)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// get says whether url answers 200, and why not.
func get(ctx context.Context, client *http.Client, url string) (bool, string) {
	one, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(one, "GET", url, nil)
	if err != nil {
		return false, err.Error()
	}
	resp, err := client.Do(req)
	if err != nil {
		return false, ""
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode == 200, strings.TrimSpace(resp.Status + " " + string(body))
}

// Events replays and follows the engine's events.
func (c *Cluster) Events(ctx context.Context, since time.Time) (<-chan topology.EngineEvent, func() error) {
	out := make(chan topology.EngineEvent)
	var err error
	go func() {
		defer close(out)
		err = c.events.follow(ctx, c.closed, func(e topology.EngineEvent) error {
			if err := c.engine(); err != nil {
				return err
			}
			if e.Wall.Before(since) {
				return nil
			}
			select {
			case out <- e:
				return nil
			case <-ctx.Done():
				return nil
			}
		})
	}()
	return out, func() error { return err }
}

// Logs copies a node's output.
func (c *Cluster) Logs(ctx context.Context, name string, since time.Time, w io.Writer) error {
	n, err := c.node(name)
	if err != nil {
		return err
	}
	return n.copyLog(ctx, since, w)
}

func (c *Cluster) node(name string) (*node, error) {
	for _, n := range c.nodes {
		if n.Name() == name {
			return n, nil
		}
	}
	return nil, fmt.Errorf("node %s: %w", name, topology.ErrNotFound)
}

// LoseEngine makes every call to the engine fail from now on. The containers
// run on, as they do when an engine dies.
func (c *Cluster) LoseEngine() { c.lost.Store(true) }

func (c *Cluster) engine() error {
	if c.lost.Load() {
		return topology.ErrNoEngine
	}
	return nil
}

// Close removes the cluster, or lets go of it if it was attached to.
func (c *Cluster) Close(context.Context) error {
	if c.attached.Swap(false) {
		return nil
	}
	if err := c.engine(); err != nil {
		return fmt.Errorf("remove containers: %w", err)
	}
	c.Shut()
	if len(c.opts.Stuck) > 0 {
		return fmt.Errorf("remove container %s: device or resource busy", strings.Join(c.opts.Stuck, ", "))
	}
	return nil
}

// Shut ends everything that runs in memory, whatever the defects say: a test
// under testing/synctest must leave no goroutine behind.
func (c *Cluster) Shut() {
	c.once.Do(func() {
		close(c.closed)
		for _, n := range c.nodes {
			n.mu.Lock()
			if n.state.Running {
				n.stopProcess()
				n.state.Running, n.state.FinishedAt = false, time.Now()
			}
			n.mu.Unlock()
		}
		c.net.close()
		c.removed.Store(true)
	})
}

// Leftovers lists the containers that refused to go, or all where Close did
// not happen. A topology that stands is no leftover.
func (c *Cluster) Leftovers(context.Context) ([]topology.Leftover, error) {
	if err := c.engine(); err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	if c.standing {
		return nil, nil
	}
	left := c.opts.Stuck
	if !c.removed.Load() {
		left = nil
		for _, n := range c.nodes {
			left = append(left, n.Name())
		}
	}
	var out []topology.Leftover
	for _, name := range left {
		out = append(out, topology.Leftover{
			Kind: "container", Name: c.id + "-" + name, Detail: "refused to be removed",
			Remove: "docker rm -f " + c.id + "-" + name,
		})
	}
	return out, nil
}
